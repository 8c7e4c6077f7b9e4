//! What a device shows: the server's version of an entity with its own ops laid over it, by the reducer that the
//! server runs. It depends only on the base and the ops, never on the order in which anything arrived.
//!
//! The context of a decision is guessed from what the device holds, so its outcomes are estimates and are named so.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use schema::case::{By, Case, FieldName, Held, State};
use schema::catalogue::Catalogue;
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, EntityId, EpochId, PersonId, UnitId};
use schema::op::{Body, Op, Report};
use schema::record::{Outcome, Record, RefusalCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::apply::{Decision, apply};
use crate::area::AreaIndex;
use crate::context::{Context, InForce, RULES, VerifiedPhoto};
use crate::line::{ReadBody, body, short_code};

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
        let decision = decide(entity.as_ref(), own, rev, known);
        let after = decision.as_ref().and_then(|decision| decision.after.clone());
        match after {
            Some(after) => {
                entity = Some(without_guessed_number(entity.as_ref(), after));
                provisional = false;
            }
            None if entity.is_none() => {
                entity = provisional_case(&own.op, rev, known).map(|case| Entity::Case(Box::new(case)));
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

/// A defect of the reducer must not cost a capture: the op is then shown without an estimate, and still sent.
fn decide(before: Option<&Entity>, own: &OwnOp, rev: u64, known: &Known) -> Option<Decision> {
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
        by_server: false,
        device_revoked: false,
        behind_parked: false,
        catalogue: known
            .catalogue
            .as_ref()
            .map(|(sha256, document)| InForce { sha256: *sha256, document: document.as_ref() }),
        catalogues: &known.catalogues,
        areas: known.areas.as_ref().map(|(sha256, document)| InForce { sha256: *sha256, document: document.as_ref() }),
        verified: &verified,
        documents: &none,
        units: &known.units,
        accounts: &known.accounts,
        other: own.other.as_ref(),
        parked: &[],
        next_number: (0, 0),
    };
    catch_unwind(AssertUnwindSafe(|| apply(before, &own.op, &context))).ok()
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
fn provisional_case(op: &Op, rev: u64, known: &Known) -> Option<Case> {
    let ReadBody::Known(body) = body(op) else { return None };
    let report = match *body {
        Body::Report(report) => report,
        Body::SettleOnSite(settled) => settled.report,
        _ => return None,
    };
    let by = By {
        account: op.actor,
        person: known.account.as_ref().map_or(PersonId::NIL, |account| account.person),
        device: op.device,
        role: None,
        op: op.op,
        rev,
        received_ms: known.now_ms,
    };
    Some(Case {
        id: op.entity,
        short_code: short_code(op.entity),
        number: None,
        state: State::Reported,
        catalogue: report.catalogue,
        pinned: false,
        source: report.source.clone(),
        area: area_of(&report, known),
        fields: fields_of(&report, rev),
        flags: Vec::new(),
        evidence: report.photos.iter().map(|claim| evidence(claim, &by)).collect(),
        reporter: by,
        comments: Vec::new(),
        comment_count: 0,
        conflicts: Vec::new(),
        filed: None,
        assignment: None,
        former_units: Vec::new(),
        fix: None,
        check: None,
        end: None,
        duplicate_of: None,
        state_before_duplicate: None,
        duplicates: Vec::new(),
        returns: 0,
        reworks: 0,
        reopened: 0,
        needs_audit: false,
        deadline_issued: false,
        first_rev: rev,
        reported_ms: known.now_ms,
        changed_ms: known.now_ms,
    })
}

fn area_of(report: &Report, known: &Known) -> AreaId {
    known.areas.as_ref().map_or(AreaId::NIL, |(_, areas)| areas.locate(&report.position).area)
}

fn fields_of(report: &Report, rev: u64) -> BTreeMap<FieldName, Held> {
    let mut values = vec![
        (FieldName::Kind, json!({"category": report.category, "subtype": report.subtype})),
        (FieldName::Position, json!(report.position)),
    ];
    values.extend(report.note.map(|note| (FieldName::Note, json!(note))));
    values.extend(report.subject.clone().map(|subject| (FieldName::Subject, Value::String(subject))));
    values.extend(report.fields.iter().map(|(code, value)| (FieldName::Field(code.clone()), value.clone())));
    values.into_iter().map(|(name, value)| (name, Held { value, rev, role: None })).collect()
}

fn evidence(claim: &schema::op::PhotoClaim, by: &By) -> schema::case::Evidence {
    schema::case::Evidence {
        sha256: claim.sha256,
        size: claim.size,
        role: claim.role,
        taken: claim.taken,
        by: by.clone(),
        late: false,
        verified_rev: None,
        pixels: None,
        flags: Vec::new(),
        withdrawn: None,
        waived: None,
    }
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
