//! What the server itself appends directly behind an op, in the same transaction.
//! A second entity changes only by a consequence.

use std::collections::BTreeSet;

use schema::case::Case;
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::{Body, DuplicateOf, Op, PhotoVerified};

use crate::apply::Decision;
use crate::case::subtype_in;
use crate::clock::{deadlines, stages};
use crate::context::{Context, RULES_WITH_CLOCKS};
use crate::registry::absence::for_deputies;

/// An op that the server appends: its id is `line::consequence_id(log, cause, kind, n)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Consequence {
    /// The entity it touches.
    pub entity: EntityId,
    /// What it does.
    pub body: Body,
    /// Tells consequences of one cause and kind apart.
    pub n: u32,
}

/// The consequences of a decided op, in order: photos it names whose bytes are here already; the other end of a
/// duplicate link; what a deputy may do.
pub fn consequences(before: Option<&Entity>, op: &Op, decision: &Decision, ctx: &Context<'_>) -> Vec<Consequence> {
    let after = match &decision.after {
        Some(Entity::Case(after)) => after,
        Some(Entity::Account(after)) => return of_account(before, after),
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let waiting: BTreeSet<Hash> =
        after.evidence.iter().filter(|item| item.verified_rev.is_none()).map(|item| item.sha256).collect();
    let mut n = 0;
    for sha256 in waiting {
        if let Some(photo) = ctx.verified.get(&sha256) {
            let (size, pixels, flags) = (photo.size, photo.pixels, photo.flags.clone());
            let body = PhotoVerified { sha256, size, pixels, flags, claims: Vec::new() };
            found.push(Consequence { entity: op.entity, body: Body::PhotoVerified(body), n });
            n += 1;
        }
    }
    let was = match before {
        Some(Entity::Case(case)) => case.duplicate_of,
        _ => None,
    };
    if was != after.duplicate_of {
        let link = DuplicateOf { duplicate: op.entity };
        let let_go = was.map(|entity| (entity, Body::ReleaseDuplicate(link.clone())));
        let absorb = after.duplicate_of.map(|entity| (entity, Body::AbsorbDuplicate(link)));
        found.extend(let_go.into_iter().chain(absorb).map(|(entity, body)| Consequence { entity, body, n: 0 }));
    }
    let was = match before {
        Some(Entity::Case(case)) => Some(case.as_ref()),
        _ => None,
    };
    found.extend(issued(was, after, op, ctx));
    found
}

fn of_account(before: Option<&Entity>, after: &Account) -> Vec<Consequence> {
    let was = match before {
        Some(Entity::Account(account)) => Some(account),
        _ => None,
    };
    (0..).zip(for_deputies(was, after)).map(|(n, (entity, body))| Consequence { entity, body, n }).collect()
}

/// The deadlines that follow. One beyond what can be told is not issued: the case stands without it, and says so by it.
fn issued(before: Option<&Case>, after: &Case, op: &Op, ctx: &Context<'_>) -> Vec<Consequence> {
    let Some((_, catalogue, subtype)) = subtype_in(after, ctx).filter(|_| ctx.rules >= RULES_WITH_CLOCKS) else {
        return Vec::new();
    };
    let issued = deadlines(before, after, &stages(catalogue, subtype), ctx).unwrap_or_default();
    (0..).zip(issued).map(|(n, body)| Consequence { entity: op.entity, body: Body::IssueDeadline(body), n }).collect()
}
