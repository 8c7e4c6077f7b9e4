//! One op becomes one entry, whatever its outcome, and the views follow it. The head lock is held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId, OpId};
use schema::op::{Body, Op, SealedValue};
use schema::record::{Leaf, Outcome, Record, RefusalCode};
use sync_core::apply::{Decision, apply};
use sync_core::consequence::{Consequence, consequences};
use sync_core::context::{Context, NUMBER_GIVEN_BACK, RULES};
use sync_core::line::{self, consequence_id, server_op, sha256};
use sync_core::log::leaf;
use sync_core::permission::scopes_of;

use super::facts::{self, Facts, Receipt};
use super::listed::{kind_name, listed, photos_named};
use super::parsed::Parsed;
use super::seen::{Held, Seen};
use super::telling::Told;
use crate::services::acts::TakenAway;
use crate::store::{Entry, LogTx, NewVersion, ParkedRow, StoreError};

/// Consequences of consequences end here; a rule that reaches it is a defect.
const DEPTH_MAX: u32 = 8;

/// Official numbers skipped after a restore.
const NUMBERS_SKIPPED: u64 = 100_000;

/// A line on its way into the log.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    /// The id it gets: its own, or a derived one if it can't be taken.
    pub(super) id: OpId,
    pub(super) device: DeviceId,
    pub(super) incarnation: u64,
    pub(super) device_seq: u64,
    pub(super) actor: AccountId,
    pub(super) line: Vec<u8>,
    /// The op, or why the line can't be taken as one.
    pub(super) op: Result<Box<Op>, RefusalCode>,
    pub(super) values: Vec<SealedValue>,
    pub(super) receipt: Receipt,
    /// In a replay: deciding it failed then, and it was parked. What was a defect then may be mended now.
    pub(super) failed: bool,
}

/// Tells what follows from a decided op.
type Tell = fn(Option<&Entity>, &Op, &Decision, &Context<'_>) -> Vec<Consequence>;

/// The transaction's means to enter ops.
pub(super) struct Desk<'a, 'db> {
    pub(super) tx: &'a mut LogTx<'db>,
    pub(super) seen: &'a mut Seen,
    pub(super) parsed: &'a Parsed,
    /// What was taken away before this process first wrote to the log.
    pub(super) away: &'a TakenAway,
}

/// What was written.
struct Written {
    entry: Entry,
    after: Option<Arc<Entity>>,
    notices: Vec<Told>,
}

/// What was decided, with what the views need to follow.
struct Decided {
    decision: Decision,
    before: Held,
    facts: Option<Facts>,
}

impl Desk<'_, '_> {
    /// Enters a line and, directly behind it, what follows from it.
    pub(super) fn enter(&mut self, incoming: Incoming) -> Result<Entry, StoreError> {
        self.enter_at(incoming, 0)
    }

    /// Enters a line exactly as it was entered once, without what follows from it: that has entries of its own.
    pub(super) fn enter_again(&mut self, incoming: Incoming) -> Result<Entry, StoreError> {
        let decided = self.decide(&incoming)?;
        self.write(&incoming, decided).map(|written| written.entry)
    }

    fn enter_at(&mut self, incoming: Incoming, depth: u32) -> Result<Entry, StoreError> {
        self.enter_telling(incoming, depth, consequences)
    }

    fn enter_telling(&mut self, mut incoming: Incoming, depth: u32, tell: Tell) -> Result<Entry, StoreError> {
        incoming.receipt.received_ms = incoming.receipt.received_ms.max(self.tx.head.last_received_ms);
        let mut decided = self.decide(&incoming)?;
        let following = following(&incoming, &mut decided, tell);
        let received_ms = incoming.receipt.received_ms;
        let Written { entry, after, notices } = self.write(&incoming, decided)?;
        self.queue(&notices, received_ms)?;
        for Consequence { n, entity, body } in following {
            let body = match body {
                Body::PhotoVerified(body) => Body::PhotoVerified(self.with_signals(entity, body)?),
                other => other,
            };
            self.enter_consequence(&entry, n, entity, &body, received_ms, depth)?;
        }
        if entry.kind == "grant" && matches!(after.as_deref(), Some(Entity::Account(_))) {
            self.enrol_phones(&entry, received_ms)?;
        }
        if matches!(entry.kind.as_str(), "import_calendar" | "decide_silence") && after.is_some() {
            self.begin_placing(&entry)?;
        }
        if entry.kind == "import_areas" && after.is_some() {
            self.begin_placing(&entry)?;
            self.rescope_accounts(&entry, received_ms)?;
        }
        if matches!(entry.kind.as_str(), "hand_over" | "merge_unit") && after.is_some() {
            self.begin_handing(&entry, received_ms)?;
        }
        if after.is_some() {
            self.take_away_from(entry.entity, received_ms)?;
        }
        Ok(entry)
    }

    fn enter_consequence(
        &mut self,
        cause: &Entry,
        n: u32,
        entity: EntityId,
        body: &Body,
        received_ms: u64,
        depth: u32,
    ) -> Result<(), StoreError> {
        if depth >= DEPTH_MAX {
            return Err(StoreError::Damaged("a chain of consequences without an end"));
        }
        let (kind, _) = line::kind_and_body(body).map_err(|_| StoreError::Damaged("a body that can't be written"))?;
        let id = consequence_id(self.tx.head.log, cause.op, &kind, n);
        let incoming = self.by_server(id, entity, body, received_ms)?;
        self.enter_at(incoming, depth + 1).map(|_| ())
    }

    /// An op of the server's own.
    pub(super) fn by_server(
        &mut self,
        id: OpId,
        entity: EntityId,
        body: &Body,
        received_ms: u64,
    ) -> Result<Incoming, StoreError> {
        let device = match (body, self.seen.log(self.tx)?) {
            (Body::CreateLog(body), _) => body.server_device,
            (_, Some(log)) => log.server_device,
            (_, None) => return Err(StoreError::Damaged("a log without its first entry")),
        };
        let damaged = |_| StoreError::Damaged("an op that can't be written");
        let op = server_op(self.tx.head.log, id, device, entity, body, received_ms).map_err(damaged)?;
        let text = line::write(&op).map_err(damaged)?;
        Ok(Incoming {
            id,
            device,
            incarnation: 0,
            device_seq: 0,
            actor: AccountId::NIL,
            line: text.into_bytes(),
            op: Ok(Box::new(op)),
            values: Vec::new(),
            receipt: Receipt {
                received_ms,
                first_received_ms: received_ms,
                captured: None,
                by_server: true,
                number: None,
                recorded: None,
            },
            failed: false,
        })
    }

    fn decide(&mut self, incoming: &Incoming) -> Result<Decided, StoreError> {
        let op = match &incoming.op {
            Ok(op) => op,
            Err(why) => {
                let rules = incoming.receipt.recorded.as_ref().map_or(RULES, |it| it.rules);
                let decision = custody_of_line(incoming.device, *why, rules);
                return Ok(Decided { decision, before: Held::default(), facts: None });
            }
        };
        let before = self.seen.held(self.tx, op.entity)?;
        let entity = before.entity.as_deref();
        let facts = facts::gather(self.tx, self.seen, self.parsed, op, entity, incoming.receipt.clone())?;
        let context = facts.context();
        let decision = if incoming.failed {
            custody_of_line(incoming.device, RefusalCode::Internal, context.rules)
        } else {
            catch_unwind(AssertUnwindSafe(|| apply(entity, op, &context))).unwrap_or_else(|_| {
                tracing::error!(op = %op.op, kind = op.kind, "deciding an op failed; it is parked");
                custody_of_line(incoming.device, RefusalCode::Internal, RULES)
            })
        };
        Ok(Decided { decision, before, facts: Some(facts) })
    }

    /// Writes the entry and brings every view up to it.
    fn write(&mut self, incoming: &Incoming, decided: Decided) -> Result<Written, StoreError> {
        let Decided { decision, before, facts } = decided;
        let leaf_held = self.seen.held(self.tx, decision.leaf_entity)?;
        let entry = self.entry(incoming, &decision, leaf_held.head_leaf())?;
        self.tx.insert_entry(&entry)?;
        for run in self.tx.head.frontier.push_completing(entry.leaf) {
            self.tx.insert_run(&run)?;
        }
        self.tx.head.rev = entry.rev;
        self.tx.head.last_received_ms = entry.received_ms;
        let after = decision.after.clone().map(Arc::new);
        match &after {
            Some(after) => self.put_version(&entry, &before, after)?,
            None => self.move_leaf(decision.leaf_entity, leaf_held, entry.leaf)?,
        }
        self.follow_custody(incoming, &decision, &entry)?;
        self.keep_values(incoming, &decision, &before, facts.as_ref(), entry.rev)?;
        self.follow_redaction(incoming, &decision)?;
        let mut notices = Vec::new();
        if let Some(facts) = &facts {
            self.follow_numbers(&entry, incoming, &decision, facts);
            notices = self.tell(incoming, &decision.record, &before, after.as_deref(), (facts, &entry))?;
        }
        Ok(Written { entry, after, notices })
    }

    fn follow_numbers(&mut self, entry: &Entry, incoming: &Incoming, decision: &Decision, facts: &Facts) {
        let given = match numbers_given(&decision.record) {
            // What was issued after the backup is not known: no number is given twice, be it of another year by now.
            _ if incoming.receipt.by_server && entry.kind == "start_epoch" => NUMBERS_SKIPPED,
            0 => return,
            // It was taken from the counter once.
            _ if gave_back(&decision.record) => return,
            given => given,
        };
        let (year, serial) = facts.next_number;
        self.tx.head.number_year = year;
        self.tx.head.next_serial = serial + given;
    }

    fn entry(&self, incoming: &Incoming, decision: &Decision, prev_leaf: Hash) -> Result<Entry, StoreError> {
        let record = serde_json::to_string(&decision.record)
            .map_err(|_| StoreError::Damaged("a record that can't be written"))?;
        let kind = incoming.op.as_ref().map_or("unreadable", |op| op.kind.as_str());
        let leaf = Leaf {
            log: self.tx.head.log,
            epoch: self.tx.head.epoch,
            rev: self.tx.head.rev + 1,
            op: incoming.id,
            device: incoming.device,
            incarnation: incoming.incarnation,
            device_seq: incoming.device_seq,
            actor: incoming.actor,
            entity: decision.leaf_entity,
            prev_leaf,
            received_ms: incoming.receipt.received_ms,
            first_received_ms: incoming.receipt.first_received_ms,
            outcome: leaf::outcome_number(decision.record.outcome),
            state_after: decision.state_after,
            line_hash: sha256(&incoming.line),
            record_hash: sha256(record.as_bytes()),
            kind: kind.to_owned(),
        };
        Ok(Entry {
            rev: leaf.rev,
            epoch: leaf.epoch,
            op: leaf.op,
            device: leaf.device,
            incarnation: leaf.incarnation,
            device_seq: leaf.device_seq,
            actor: leaf.actor,
            entity: leaf.entity,
            outcome: leaf.outcome,
            state_after: leaf.state_after,
            received_ms: leaf.received_ms,
            first_received_ms: leaf.first_received_ms,
            prev_leaf,
            leaf: leaf::hash(&leaf),
            line: incoming.line.clone(),
            record,
            kind: leaf.kind,
        })
    }

    fn put_version(&mut self, entry: &Entry, before: &Held, after: &Arc<Entity>) -> Result<(), StoreError> {
        let areas = self.areas()?;
        let scopes = scopes_of(after, areas.as_deref());
        let document = serde_json::to_string(after.as_ref())
            .map_err(|_| StoreError::Damaged("a document that can't be written"))?;
        let new = NewVersion {
            id: entry.entity,
            rev: entry.rev,
            kind: kind_name(after),
            state: entry.state_after,
            head_leaf: entry.leaf,
            changed_ms: entry.received_ms,
            listed: listed(after),
            document,
        };
        let photos_before = before.entity.as_deref().map(photos_named).unwrap_or_default();
        let stored = self.tx.put_version(before.stored.as_ref(), new, &scopes)?;
        self.tx.put_photo_refs(entry.entity, &photos_before, &photos_named(after))?;
        self.follow_dues(entry.entity, before, after)?;
        self.seen.put(entry.entity, Held { stored: Some(stored), entity: Some(Arc::clone(after)) });
        Ok(())
    }

    fn move_leaf(&mut self, id: EntityId, mut held: Held, leaf: Hash) -> Result<(), StoreError> {
        let stored = self.tx.move_head_leaf(held.stored.take(), id, leaf)?;
        held.stored = Some(stored);
        self.seen.put(id, held);
        Ok(())
    }

    fn follow_custody(&mut self, incoming: &Incoming, decision: &Decision, entry: &Entry) -> Result<(), StoreError> {
        let record = &decision.record;
        if record.outcome == Outcome::Parked {
            let code = record.code.unwrap_or(RefusalCode::Internal);
            let code = serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned));
            self.seen.took_custody(incoming.device);
            self.tx.park(&ParkedRow {
                rev: entry.rev,
                op: entry.op,
                entity: incoming.op.as_ref().map_or(EntityId::from(incoming.device), |op| op.entity),
                device: incoming.device,
                code: code.unwrap_or_default(),
                unreadable: incoming.op.is_err(),
                decided_rev: None,
            })?;
        }
        if !record.released.is_empty() {
            let revs: Vec<u64> = record.released.iter().map(|released| released.rev).collect();
            self.tx.end_custody(&revs, entry.rev)?;
        }
        Ok(())
    }
}

/// What follows from a decided op. Where that can't be told the op is parked: its sender can do nothing about it.
fn following(incoming: &Incoming, decided: &mut Decided, tell: Tell) -> Vec<Consequence> {
    let (Ok(op), Some(facts)) = (&incoming.op, &decided.facts) else { return Vec::new() };
    let (before, decision) = (decided.before.entity.as_deref(), &decided.decision);
    match catch_unwind(AssertUnwindSafe(|| tell(before, op, decision, &facts.context()))) {
        Ok(found) => found,
        Err(_) => {
            tracing::error!(op = %op.op, kind = op.kind, "telling what follows from an op failed; it is parked");
            decided.decision = custody_of_line(incoming.device, RefusalCode::Internal, RULES);
            Vec::new()
        }
    }
}

/// A line is taken into custody without anybody having decided about it.
fn custody_of_line(device: DeviceId, why: RefusalCode, rules: u32) -> Decision {
    let record = Record {
        outcome: Outcome::Parked,
        code: Some(why),
        detail: serde_json::Map::new(),
        rules,
        acting: None,
        person: None,
        units: Vec::new(),
        catalogue: None,
        areas: None,
        area: None,
        captured: None,
        verified: Vec::new(),
        flags: Vec::new(),
        conflicts: Vec::new(),
        number: None,
        released: Vec::new(),
    };
    Decision { record, after: None, state_after: 0, leaf_entity: EntityId::from(device) }
}

/// Whether an entry gave a number again that it had given before a restore, by itself or through what it released.
pub(super) fn gave_back(record: &Record) -> bool {
    let released = record.released.iter().flat_map(|released| &released.record.flags);
    record.flags.iter().chain(released).any(|flag| flag == NUMBER_GIVEN_BACK)
}

fn numbers_given(record: &Record) -> u64 {
    let released = record.released.iter().filter(|released| released.record.number.is_some()).count();
    u64::try_from(released).unwrap_or(u64::MAX).max(u64::from(record.number.is_some()))
}

#[cfg(test)]
mod tests;
