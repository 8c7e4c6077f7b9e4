//! What the server itself appends directly behind an op, in the same transaction.
//! A second entity changes only by a consequence.

use std::collections::BTreeSet;

use schema::case::{Case, Evidence};
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::{Body, DuplicateOf, Op, PhotoVerified};

use crate::apply::Decision;
use crate::case::subtype_in;
use crate::clock::{deadlines, stages};
use crate::context::{Context, RULES_WITH_CLOCKS};
use crate::look_back;
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
/// duplicate link; what a deputy may do; when somebody looks again, and that a case is open again by it.
pub fn consequences(before: Option<&Entity>, op: &Op, decision: &Decision, ctx: &Context<'_>) -> Vec<Consequence> {
    let after = match &decision.after {
        Some(Entity::Case(after)) => after,
        Some(Entity::Account(after)) => return of_account(before, after),
        Some(Entity::LookBackTask(after)) => return look_back::of_task(before, after, op, ctx),
        _ => return Vec::new(),
    };
    let mut found = arrived(op.entity, &after.evidence, ctx);
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
    found.extend(look_back::of_case(was, after, op, ctx));
    found
}

/// Photos that wait to be told as arrived, and whose bytes are here.
pub(crate) fn arrived(entity: EntityId, evidence: &[Evidence], ctx: &Context<'_>) -> Vec<Consequence> {
    let waiting: BTreeSet<Hash> =
        evidence.iter().filter(|item| item.verified_rev.is_none()).map(|item| item.sha256).collect();
    let here = waiting.into_iter().filter_map(|sha256| Some((sha256, ctx.verified.get(&sha256)?)));
    let told = here.map(|(sha256, photo)| {
        let (size, pixels, flags) = (photo.size, photo.pixels, photo.flags.clone());
        Body::PhotoVerified(PhotoVerified { sha256, size, pixels, flags, claims: Vec::new() })
    });
    (0..).zip(told).map(|(n, body)| Consequence { entity, body, n }).collect()
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
