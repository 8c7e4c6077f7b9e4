//! The facts that a decision may rest on, read under the head lock from this log at the revision before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use schema::catalogue::Catalogue;
use schema::entity::{Account, DocumentInForce, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, EntityId, EpochId, UnitId};
use schema::op::{Body, Op};
use schema::record::{Interval, Record};
use sync_core::area::AreaIndex;
use sync_core::case::photos_of;
use sync_core::context::{Context, InForce, ParkedOp, RULES, VerifiedPhoto};
use sync_core::line::{self, ReadBody, singleton_id};
use sync_core::time::WorkingCalendar;

use super::parsed::Parsed;
use super::seen::{Held, Seen};
use crate::store::{Entry, LogTx, StoreError};

/// What came with an op, beside the op itself.
#[derive(Debug, Clone)]
pub(super) struct Receipt {
    /// Receipt, in ms: never before that of the entry before.
    pub(super) received_ms: u64,
    pub(super) first_received_ms: u64,
    pub(super) captured: Option<Interval>,
    pub(super) by_server: bool,
    /// The official number that it gave before a restore, by a receipt that is ours; in a replay, one so recorded.
    pub(super) number: Option<String>,
    /// In a replay: what the recorded decision rested on.
    pub(super) recorded: Option<Recorded>,
}

/// What a recorded decision rested on that the log's entities do not tell.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    /// The version of the rules.
    pub(super) rules: u32,
    /// The photos that were here.
    pub(super) verified: Vec<Hash>,
    /// It took effect: the documents that it names were here.
    pub(super) took_effect: bool,
}

/// The owner of what a [`Context`] borrows.
#[derive(Debug)]
pub(super) struct Facts {
    receipt: Receipt,
    epoch: EpochId,
    rev: u64,
    earlier_epochs: Vec<(EpochId, u64)>,
    actor: Option<Account>,
    device_revoked: bool,
    behind_parked: bool,
    catalogue: Option<(Hash, Arc<Catalogue>)>,
    catalogues: Arc<BTreeMap<Hash, Catalogue>>,
    areas: Option<(Hash, Arc<AreaIndex>)>,
    calendar: Option<(Hash, Arc<WorkingCalendar>)>,
    verified: BTreeMap<Hash, VerifiedPhoto>,
    documents: BTreeSet<Hash>,
    units: BTreeSet<UnitId>,
    accounts: BTreeMap<AccountId, Account>,
    other: Held,
    pub(super) parked: Vec<ParkedOp>,
    pub(super) next_number: (i16, u64),
}

impl Facts {
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            epoch: self.epoch,
            earlier_epochs: &self.earlier_epochs,
            rev: self.rev,
            received_ms: self.receipt.received_ms,
            first_received_ms: self.receipt.first_received_ms,
            captured: self.receipt.captured,
            rules: self.receipt.recorded.as_ref().map_or(RULES, |it| it.rules),
            actor: self.actor.as_ref(),
            by_server: self.receipt.by_server,
            device_revoked: self.device_revoked,
            behind_parked: self.behind_parked,
            catalogue: self.catalogue.as_ref().map(in_force_ref),
            catalogues: &self.catalogues,
            areas: self.areas.as_ref().map(in_force_ref),
            calendar: self.calendar.as_ref().map(in_force_ref),
            verified: &self.verified,
            documents: &self.documents,
            units: &self.units,
            accounts: &self.accounts,
            other: self.other.entity.as_deref(),
            parked: &self.parked,
            next_number: self.next_number,
            earlier_number: self.receipt.number.as_deref(),
        }
    }

    /// The area tree in force.
    pub(super) fn areas(&self) -> Option<&AreaIndex> {
        self.areas.as_ref().map(|(_, areas)| areas.as_ref())
    }

    /// The working calendar in force.
    pub(super) fn calendar(&self) -> Option<&WorkingCalendar> {
        self.calendar.as_ref().map(|(_, calendar)| calendar.as_ref())
    }

    /// A pinned catalogue, if it is here; the one in force otherwise.
    pub(super) fn catalogue(&self, pinned: Option<Hash>) -> Option<&Catalogue> {
        let pinned = pinned.and_then(|sha256| self.catalogues.get(&sha256));
        pinned.or_else(|| self.catalogue.as_ref().map(|(_, document)| document.as_ref()))
    }
}

fn in_force_ref<T>((sha256, document): &(Hash, Arc<T>)) -> InForce<'_, T> {
    InForce { sha256: *sha256, document }
}

/// What ops name beside their entity.
#[derive(Debug, Default)]
struct Named {
    photos: BTreeSet<Hash>,
    units: BTreeSet<UnitId>,
    accounts: BTreeSet<AccountId>,
    catalogues: BTreeSet<Hash>,
    documents: BTreeSet<Hash>,
    other: Option<EntityId>,
}

/// Reads the facts for one op.
pub(super) fn gather(
    tx: &mut LogTx<'_>,
    seen: &mut Seen,
    parsed: &Parsed,
    op: &Op,
    before: Option<&Entity>,
    receipt: Receipt,
) -> Result<Facts, StoreError> {
    let body = known_body(op);
    let parked = match &body {
        Some(Body::Release(ends) | Body::Discard(ends)) => custody(tx, op, ends.parked)?,
        _ => Vec::new(),
    };
    let mut named = Named::default();
    for body in body.iter().chain(parked.iter().filter_map(|parked| known_body(&parked.op)).collect::<Vec<_>>().iter())
    {
        named.add(body);
    }
    named.add_case(before, body.as_ref());
    let log = tx.head.num;
    let imported = document(tx, seen, "catalogue")?;
    let catalogue = match &imported {
        Some(it) => parsed.catalogue(tx.db, log, it.sha256)?.map(|document| (it.sha256, document)),
        None => None,
    };
    // A catalogue that is imported later is none yet: a replay finds its document here already.
    named.catalogues.retain(|sha256| imported.as_ref().is_some_and(|it| it.earlier.contains(sha256)));
    let areas = match in_force(tx, seen, "areas")? {
        Some(sha256) => parsed.areas(tx.db, log, sha256)?.map(|document| (sha256, document)),
        None => None,
    };
    let calendar = match in_force(tx, seen, "calendar")? {
        Some(sha256) => parsed.calendar(tx.db, log, tx.head.log, sha256)?.map(|document| (sha256, document)),
        None => None,
    };
    let catalogues = parsed.catalogues(tx.db, log, named.catalogues.iter().copied().collect())?;
    let verified = verified(tx, &named.photos, &receipt)?;
    let mut documents = BTreeSet::new();
    for sha256 in &named.documents {
        let here = match &receipt.recorded {
            Some(recorded) => recorded.took_effect,
            None => tx.db.has_document(log, sha256)?,
        };
        if here {
            documents.insert(*sha256);
        }
    }
    let actor = if receipt.by_server { None } else { seen.account(tx, op.actor)? };
    let device = if receipt.by_server { None } else { seen.device(tx, op.device)? };
    Ok(Facts {
        epoch: tx.head.epoch,
        rev: tx.head.rev + 1,
        earlier_epochs: seen.earlier_epochs(tx)?,
        behind_parked: !receipt.by_server && is_behind_parked(tx, seen, op)?,
        device_revoked: device.is_some_and(|device| device.revoked.is_some()),
        actor,
        catalogue,
        catalogues,
        areas,
        calendar,
        verified,
        documents,
        units: units(tx, seen, &named)?,
        accounts: accounts(tx, seen, &named)?,
        other: named.other.map(|id| seen.held(tx, id)).transpose()?.unwrap_or_default(),
        parked,
        next_number: next_number(tx, seen, receipt.received_ms)?,
        receipt,
    })
}

fn known_body(op: &Op) -> Option<Body> {
    match line::body(op) {
        ReadBody::Known(body) => Some(*body),
        ReadBody::TooNew | ReadBody::Misfit(_) => None,
    }
}

/// The document in force of a log's only entity of a kind.
pub(super) fn in_force(tx: &mut LogTx<'_>, seen: &mut Seen, name: &str) -> Result<Option<Hash>, StoreError> {
    Ok(document(tx, seen, name)?.map(|it| it.sha256))
}

/// The documents of a log's only entity of a kind: the one in force, and those before it.
fn document(tx: &mut LogTx<'_>, seen: &mut Seen, name: &str) -> Result<Option<DocumentInForce>, StoreError> {
    let id = singleton_id(tx.head.log, name);
    Ok(match seen.held(tx, id)?.entity.as_deref() {
        Some(
            Entity::Catalogue(document)
            | Entity::Areas(document)
            | Entity::Calendar(document)
            | Entity::Responsibilities(document),
        ) => Some(document.clone()),
        _ => None,
    })
}

/// The photos whose bytes are here. In a replay, those that were here then: what a photo looks like decides nothing.
fn verified(
    tx: &mut LogTx<'_>,
    photos: &BTreeSet<Hash>,
    receipt: &Receipt,
) -> Result<BTreeMap<Hash, VerifiedPhoto>, StoreError> {
    match &receipt.recorded {
        Some(recorded) => {
            let unseen = || VerifiedPhoto { size: 0, pixels: None, flags: Vec::new() };
            Ok(recorded.verified.iter().map(|sha256| (*sha256, unseen())).collect())
        }
        None => tx.db.photos(&photos.iter().copied().collect::<Vec<_>>()),
    }
}

fn units(tx: &mut LogTx<'_>, seen: &mut Seen, named: &Named) -> Result<BTreeSet<UnitId>, StoreError> {
    let mut units = BTreeSet::new();
    for unit in &named.units {
        let held = seen.held(tx, (*unit).into())?;
        // One that has ended takes no cases and no members.
        if matches!(held.entity.as_deref(), Some(Entity::Unit(unit)) if unit.merged.is_none()) {
            units.insert(*unit);
        }
    }
    Ok(units)
}

fn accounts(tx: &mut LogTx<'_>, seen: &mut Seen, named: &Named) -> Result<BTreeMap<AccountId, Account>, StoreError> {
    let mut accounts = BTreeMap::new();
    for id in &named.accounts {
        if let Some(account) = seen.account(tx, *id)? {
            accounts.insert(*id, account);
        }
    }
    Ok(accounts)
}

/// Whether an earlier op of this device on this entity waits for a person. A line that can't be taken names the
/// device as its entity and holds up nothing.
fn is_behind_parked(tx: &mut LogTx<'_>, seen: &mut Seen, op: &Op) -> Result<bool, StoreError> {
    if !seen.may_have_custody(tx, op.device)? {
        return Ok(false);
    }
    let waiting = tx.db.in_custody(tx.head.num, op.entity, op.device)?;
    Ok(waiting.iter().any(|row| !row.unreadable))
}

/// All that the device of the parked op that an op is about has in custody on its entity, in order: they are decided
/// in that order, or not at all. A line that can't be taken stands alone.
fn custody(tx: &mut LogTx<'_>, op: &Op, parked: schema::ids::OpId) -> Result<Vec<ParkedOp>, StoreError> {
    let log = tx.head.num;
    let Some(named) = tx.db.parked_op(log, parked)? else { return Ok(Vec::new()) };
    if named.entity != op.entity || named.decided_rev.is_some() {
        return Ok(Vec::new());
    }
    let behind = tx.db.in_custody(log, named.entity, named.device)?;
    let ops: Vec<_> = behind
        .iter()
        .filter(|row| row.rev == named.rev || (!named.unreadable && !row.unreadable))
        .map(|row| row.op)
        .collect();
    tx.db.entries_of_ops(log, &ops)?.iter().map(|entry| parked_op(tx, op, entry)).collect()
}

fn parked_op(tx: &LogTx<'_>, about: &Op, entry: &Entry) -> Result<ParkedOp, StoreError> {
    let record: Record =
        serde_json::from_str(&entry.record).map_err(|_| StoreError::Damaged("a record that can't be read"))?;
    let unreadable = || schema::op::Unreadable { why: record.code.unwrap_or(schema::record::RefusalCode::NotAnOp) };
    let op = if entry.kind == "unreadable" {
        // Nothing can be done by it; it can only be let go.
        line::server_op(tx.head.log, entry.op, entry.device, about.entity, &Body::Unreadable(unreadable()), 0)
            .map_err(|_| StoreError::Damaged("an op that can't be written"))?
    } else {
        line::read(&entry.line).map_err(|_| StoreError::Damaged("a line that can't be read"))?
    };
    Ok(ParkedOp { op, rev: entry.rev, received_ms: (entry.received_ms, entry.first_received_ms), record })
}

/// Year and serial of the next official number, in the log's zone.
fn next_number(tx: &mut LogTx<'_>, seen: &mut Seen, received_ms: u64) -> Result<(i16, u64), StoreError> {
    let zone = seen.zone(tx)?;
    let received = i64::try_from(received_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let year = received.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone).year();
    // Receipt times never run backwards, but a zone's year might, on an hour set back: the later one stays.
    let year = year.max(tx.head.number_year);
    Ok(if year == tx.head.number_year { (year, tx.head.next_serial) } else { (year, 1) })
}

impl Named {
    fn add(&mut self, body: &Body) {
        self.photos.extend(photos_of(body).iter().map(|photo| photo.sha256));
        match body {
            Body::Report(report) => self.catalogues.extend(report.catalogue),
            Body::SettleOnSite(settled) => self.catalogues.extend(settled.report.catalogue),
            Body::Assign(body) => {
                self.units.insert(body.unit);
                self.units.extend(&body.co_units);
                self.accounts.extend(body.holder);
            }
            Body::LinkDuplicate(body) => self.other = Some(body.of),
            Body::ImportAreas(body)
            | Body::ImportCatalogue(body)
            | Body::ImportCalendar(body)
            | Body::ImportResponsibilities(body) => {
                self.documents.insert(body.sha256);
            }
            Body::PlanAreas(body) => {
                self.documents.insert(body.document.sha256);
            }
            Body::SetMembership(body) => {
                self.units.insert(body.unit);
            }
            Body::EnrolDevice(body) => {
                self.accounts.insert(body.account);
            }
            Body::SetAbsent(body) => {
                self.accounts.insert(body.deputy);
            }
            Body::MergeUnit(body) => {
                self.units.insert(body.successor);
            }
            Body::HandOver(body) => {
                self.units.insert(UnitId(body.to.0));
                self.accounts.insert(AccountId(body.to.0));
            }
            // The others name nothing but their entity.
            _ => {}
        }
    }

    /// What the case itself names: its catalogue, and where the op may end it, its evidence.
    fn add_case(&mut self, before: Option<&Entity>, body: Option<&Body>) {
        let Some(Entity::Case(case)) = before else { return };
        self.catalogues.extend(case.catalogue);
        if let Some(Body::Close(_)) = body {
            self.photos.extend(case.evidence.iter().map(|evidence| evidence.sha256));
        }
    }
}
