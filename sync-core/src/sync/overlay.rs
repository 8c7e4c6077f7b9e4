//! What a device shows: the server's version of an entity with its own ops laid over it, by the reducer that the
//! server runs. It depends only on the base and the ops, never on the order in which anything arrived.
//!
//! The context of a decision is guessed from what the device holds, so its outcomes are estimates and are named so.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use schema::catalogue::Catalogue;
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, EntityId, EpochId, UnitId};
use schema::op::{Body, Op};
use schema::record::{Outcome, Record, RefusalCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::apply::{Decision, apply};
use crate::area::AreaIndex;
use crate::case::{Step, rule};
use crate::consequence::consequences;
use crate::context::{Context, InForce, RULES, VerifiedPhoto};
use crate::line::{ReadBody, body};
use crate::time::WorkingCalendar;

/// What a device holds that decisions rest on.
#[derive(Debug, Clone)]
pub struct Known {
    /// The log's epoch; nil before the first sync.
    pub epoch: EpochId,
    /// The device's own account; none before the first sync.
    pub account: Option<Account>,
    /// The catalogue in force.
    pub catalogue: Option<(Hash, Arc<Catalogue>)>,
    /// Every catalogue held.
    pub catalogues: Arc<BTreeMap<Hash, Catalogue>>,
    /// The working calendar in force, in the zone of its log.
    pub calendar: Option<(Hash, Arc<WorkingCalendar>)>,
    /// The area tree in force.
    pub areas: Option<(Hash, Arc<AreaIndex>)>,
    /// The units it has heard of.
    pub units: BTreeSet<UnitId>,
    /// The accounts it has heard of.
    pub accounts: BTreeMap<AccountId, Account>,
    /// What the time is at the server, as far as it knows.
    pub now_ms: u64,
}

/// An op of this device that its base does not hold yet.
#[derive(Debug, Clone)]
pub struct OwnOp {
    /// The op.
    pub op: Op,
    /// Its entry, where the server has accepted it.
    pub accepted: Option<Entered>,
    /// The entity that it names beside its own (`link_duplicate`), as shown.
    pub other: Option<Entity>,
}

/// Where and when an op was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entered {
    /// Its revision.
    pub rev: u64,
    /// Its receipt.
    pub received_ms: u64,
    /// Its first receipt.
    pub first_received_ms: u64,
}

/// What a device thinks will become of an op. Only the server decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "estimate", rename_all = "snake_case")]
pub enum Estimate {
    /// It can't tell.
    Unknown,
    /// The reducer says so, on what the device holds.
    Likely {
        /// What becomes of it.
        outcome: Outcome,
        /// Why it would be rejected or parked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<RefusalCode>,
        /// What explains the code.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        detail: Map<String, Value>,
        /// What people should know.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<String>,
    },
}

/// An entity as shown.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its document; none if nothing is known of it.
    pub entity: Option<Entity>,
    /// It is made from the report alone: no server version, and no estimate that it will be accepted.
    pub provisional: bool,
    /// The estimate for each op, in order; `Unknown` for those that are decided.
    pub estimates: Vec<Estimate>,
}

/// Lays own ops over a base. `ops` are in device order: undecided, or accepted at a revision above `rev`.
pub fn view(base: Option<(&Entity, u64)>, ops: &[OwnOp], known: &Known) -> View {
    let mut entity = base.map(|(entity, _)| entity.clone());
    let mut rev = base.map_or(0, |(_, rev)| rev);
    let mut provisional = false;
    let mut estimates = Vec::with_capacity(ops.len());
    for own in ops {
        rev = own.accepted.map_or(rev.saturating_add(1), |entered| entered.rev);
        let decision = decide(entity.as_ref(), own, rev, known, false)
            .filter(|made| own.accepted.is_some() || !lacks_catalogue(entity.as_ref(), &made.record, known));
        let after = decision.as_ref().and_then(|decision| decision.after.clone());
        match after {
            Some(after) => {
                entity = Some(without_guessed_number(entity.as_ref(), after));
                provisional = false;
            }
            None if entity.is_none() => {
                entity = provisional_case(own, rev, known);
                provisional = entity.is_some();
            }
            None => {}
        }
        estimates
            .push(decision.filter(|_| own.accepted.is_none()).map_or(Estimate::Unknown, |made| likely(made.record)));
    }
    View { entity, provisional, estimates }
}

fn likely(record: Record) -> Estimate {
    Estimate::Likely { outcome: record.outcome, code: record.code, detail: record.detail, flags: record.flags }
}

/// What the reducer would say to an op.
pub(super) fn ask(before: &Entity, own: &OwnOp, rev: u64, known: &Known) -> Option<Record> {
    decide(Some(before), own, rev, known, false).map(|decision| decision.record)
}

/// A defect of the reducer must not cost a capture: the op is then shown without an estimate, and still sent.
/// `trusted`: as if nobody asked who its author is.
fn decide(before: Option<&Entity>, own: &OwnOp, rev: u64, known: &Known, trusted: bool) -> Option<Decision> {
    let (verified, none) = (verified_photos(before), BTreeSet::new());
    let (received_ms, first_received_ms) = match own.accepted {
        Some(entered) => (entered.received_ms, entered.first_received_ms),
        None => (known.now_ms, known.now_ms),
    };
    let actor = actor(before, known);
    let context = Context {
        epoch: known.epoch,
        earlier_epochs: &[],
        rev,
        received_ms,
        first_received_ms,
        captured: None,
        rules: RULES,
        actor: actor.as_ref(),
        by_server: trusted,
        device_revoked: false,
        behind_parked: false,
        catalogue: known
            .catalogue
            .as_ref()
            .map(|(sha256, document)| InForce { sha256: *sha256, document: document.as_ref() }),
        catalogues: &known.catalogues,
        areas: known.areas.as_ref().map(|(sha256, document)| InForce { sha256: *sha256, document: document.as_ref() }),
        calendar: known
            .calendar
            .as_ref()
            .map(|(sha256, document)| InForce { sha256: *sha256, document: document.as_ref() }),
        verified: &verified,
        documents: &none,
        units: &known.units,
        accounts: &known.accounts,
        other: own.other.as_ref(),
        parked: &[],
        next_number: (0, 0),
        earlier_number: None,
    };
    let decided = || {
        let mut decision = apply(before, &own.op, &context);
        let reckoned = reckoned(before, &own.op, &decision, &context);
        decision.after = reckoned.or(decision.after);
        decision
    };
    catch_unwind(AssertUnwindSafe(decided)).ok()
}

/// A case with the deadlines that would follow from an op. No entry issued them, so their clocks name none.
fn reckoned(before: Option<&Entity>, op: &Op, decision: &Decision, ctx: &Context<'_>) -> Option<Entity> {
    let nobody = Context { rev: 0, by_server: true, ..*ctx };
    let deadlines = consequences(before, op, decision, ctx).into_iter().filter_map(|follows| match follows.body {
        Body::IssueDeadline(_) => Some(follows.body),
        _ => None,
    });
    let mut case = decision.after.clone();
    for body in deadlines {
        let step = Step { op, body: &body, ctx: &nobody, acting: None };
        if let Some(Entity::Case(before)) = &case {
            case = rule(before, &step).after.or(case);
        }
    }
    case
}

/// Without the area tree no grant above a grid can be seen to cover anything. The server let this device see the case,
/// so its grants are taken to cover it.
fn actor(before: Option<&Entity>, known: &Known) -> Option<Account> {
    let mut account = known.account.clone()?;
    if let (None, Some(Entity::Case(case))) = (&known.areas, before) {
        for grant in &mut account.grants {
            grant.area = case.area;
        }
    }
    Some(account)
}

/// The photos of the case whose bytes the server has, as its document says.
fn verified_photos(entity: Option<&Entity>) -> BTreeMap<Hash, VerifiedPhoto> {
    let Some(Entity::Case(case)) = entity else { return BTreeMap::new() };
    case.evidence
        .iter()
        .filter(|evidence| evidence.verified_rev.is_some())
        .map(|evidence| {
            let photo = VerifiedPhoto { size: evidence.size, pixels: evidence.pixels, flags: evidence.flags.clone() };
            (evidence.sha256, photo)
        })
        .collect()
}

/// Official numbers come from the server alone: a guessed one must not be shown to anybody.
fn without_guessed_number(before: Option<&Entity>, mut after: Entity) -> Entity {
    let had_one = matches!(before, Some(Entity::Case(case)) if case.number.is_some());
    if let (false, Entity::Case(case)) = (had_one, &mut after) {
        case.number = None;
    }
    after
}

/// A case as its report alone tells it: what is shown when the device can't know whether the report will be accepted.
fn provisional_case(own: &OwnOp, rev: u64, known: &Known) -> Option<Entity> {
    let mut case = match decide(None, own, rev, known, true)?.after? {
        Entity::Case(case) => case,
        _ => return None,
    };
    case.reporter.account = own.op.actor;
    case.flags.clear();
    Some(Entity::Case(case))
}

/// Without the catalogue that a case goes by, nobody can say that what an op asks for does not fit it.
fn lacks_catalogue(entity: Option<&Entity>, record: &Record, known: &Known) -> bool {
    let goes_by = match entity {
        Some(Entity::Case(case)) => case.catalogue,
        _ => None,
    };
    let in_force = known.catalogue.as_ref().map(|(sha256, _)| *sha256);
    let held = goes_by.map_or(in_force.is_some(), |it| in_force == Some(it) || known.catalogues.contains_key(&it));
    record.code == Some(RefusalCode::Validation) && !held
}

/// The entity that an op names beside its own.
pub fn other_entity(op: &Op) -> Option<EntityId> {
    match body(op) {
        ReadBody::Known(known) => match *known {
            Body::LinkDuplicate(link) => Some(link.of),
            _ => None,
        },
        ReadBody::TooNew | ReadBody::Misfit(_) => None,
    }
}
