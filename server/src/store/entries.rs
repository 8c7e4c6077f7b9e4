//! Entries: what the log is made of. Written once, never changed.

use std::collections::{BTreeSet, HashMap};

use diesel::{ExpressionMethods, QueryDsl, Queryable, RunQueryDsl, insert_into};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId, OpId};
use schema::record::OutcomeLine;

use super::columns::{bound, column, hash, number, small, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{Epoch, LogNum, LogTx};
use super::packed::{pack, unpack, unpack_text};
use super::references::id_of;
use super::tables::{entry, parked};

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its revision.
    pub rev: u64,
    /// The epoch it was entered in.
    pub epoch: EpochId,
    /// The op.
    pub op: OpId,
    /// The device.
    pub device: DeviceId,
    /// The incarnation it was entered under; 0 for the server.
    pub incarnation: u64,
    /// Its number there; 0 for the server.
    pub device_seq: u64,
    /// Who asked; nil for the server.
    pub actor: AccountId,
    /// The entity of its leaf.
    pub entity: EntityId,
    /// The kind of its leaf.
    pub kind: String,
    /// The outcome as a number.
    pub outcome: u8,
    /// The case state after it as a number.
    pub state_after: u8,
    /// Receipt.
    pub received_ms: u64,
    /// First receipt.
    pub first_received_ms: u64,
    /// The entity's leaf before.
    pub prev_leaf: Hash,
    /// Its leaf.
    pub leaf: Hash,
    /// The line as it came.
    pub line: Vec<u8>,
    /// The record as it was written.
    pub record: String,
}

impl Entry {
    /// The answer to its op: the same bytes for ever.
    pub fn outcome_line(&self) -> OutcomeLine {
        OutcomeLine {
            op: self.op,
            rev: self.rev,
            epoch: self.epoch,
            incarnation: self.incarnation,
            device_seq: self.device_seq,
            entity: self.entity,
            kind: self.kind.clone(),
            prev_leaf: self.prev_leaf,
            received_ms: self.received_ms,
            first_received_ms: self.first_received_ms,
            state_after: self.state_after,
            record: self.record.clone(),
        }
    }
}

#[derive(Queryable)]
struct Row {
    rev: i64,
    op: Vec<u8>,
    device: i64,
    incarnation: Option<i64>,
    device_seq: Option<i64>,
    actor: Option<i64>,
    entity: Vec<u8>,
    kind: String,
    outcome: i16,
    state_after: i16,
    received_ms: i64,
    first_received_ms: i64,
    prev_leaf: Vec<u8>,
    leaf: Vec<u8>,
    line: Vec<u8>,
    record: Vec<u8>,
}

/// Everything of a row but its log.
macro_rules! columns {
    () => {
        (
            entry::rev,
            entry::op,
            entry::device,
            entry::incarnation,
            entry::device_seq,
            entry::actor,
            entry::entity,
            entry::kind,
            entry::outcome,
            entry::state_after,
            entry::received_ms,
            entry::first_received_ms,
            entry::prev_leaf,
            entry::leaf,
            entry::line,
            entry::record,
        )
    };
}

impl LogTx<'_> {
    /// Writes an entry.
    ///
    /// # Errors
    /// The database's; a repeated op or device number is a defect of the caller.
    pub fn insert_entry(&mut self, new: &Entry) -> Result<(), StoreError> {
        let device = self.reference(new.device.bytes())?;
        let by_server = new.actor == AccountId::NIL;
        let actor = if by_server { None } else { Some(self.reference(new.actor.bytes())?) };
        let numbered = new.device_seq > 0;
        let incarnation = if numbered { Some(column(new.incarnation)?) } else { None };
        let device_seq = if numbered { Some(column(new.device_seq)?) } else { None };
        insert_into(entry::table)
            .values((
                entry::log.eq(self.head.num.0),
                entry::rev.eq(column(new.rev)?),
                entry::op.eq(new.op.bytes().as_slice()),
                entry::device.eq(device),
                entry::incarnation.eq(incarnation),
                entry::device_seq.eq(device_seq),
                entry::actor.eq(actor),
                entry::entity.eq(new.entity.bytes().as_slice()),
                entry::kind.eq(&new.kind),
                entry::outcome.eq(i16::from(new.outcome)),
                entry::state_after.eq(i16::from(new.state_after)),
                entry::received_ms.eq(column(new.received_ms)?),
                entry::first_received_ms.eq(column(new.first_received_ms)?),
                entry::prev_leaf.eq(new.prev_leaf.0.as_slice()),
                entry::leaf.eq(new.leaf.0.as_slice()),
                entry::line.eq(pack(&new.line)),
                entry::record.eq(pack(new.record.as_bytes())),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// The entries of ops, as far as they are known.
    ///
    /// # Errors
    /// The database's.
    pub fn entries_of_ops(&mut self, log: LogNum, ops: &[OpId]) -> Result<Vec<Entry>, StoreError> {
        let ids: Vec<&[u8]> = ops.iter().map(|op| op.bytes().as_slice()).collect();
        let rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::op.eq_any(ids))
            .order(entry::rev)
            .select(columns!())
            .load(&mut self.conn)?;
        self.complete(log, rows)
    }

    /// The entries of a kind that name an entity, in order.
    ///
    /// # Errors
    /// The database's.
    pub fn entries_of_kind(&mut self, log: LogNum, entity: EntityId, kind: &str) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::entity.eq(entity.bytes().as_slice()))
            .filter(entry::kind.eq(kind))
            .order(entry::rev)
            .select(columns!())
            .load(&mut self.conn)?;
        self.complete(log, rows)
    }

    /// The entries behind a revision, in order, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn entries_after(&mut self, log: LogNum, rev: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::rev.gt(bound(rev)))
            .order(entry::rev)
            .limit(limit_of(limit)?)
            .select(columns!())
            .load(&mut self.conn)?;
        self.complete(log, rows)
    }

    /// The entries of a kind behind a revision and up to another, in order, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn entries_of_kind_in(
        &mut self,
        log: LogNum,
        kind: &str,
        (after, up_to): (u64, u64),
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::rev.gt(bound(after)))
            .filter(entry::rev.le(bound(up_to)))
            .filter(entry::kind.eq(kind))
            .order(entry::rev)
            .limit(limit_of(limit)?)
            .select(columns!())
            .load(&mut self.conn)?;
        self.complete(log, rows)
    }

    /// The entries of an entity behind a revision, in order, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn entries_of_entity(
        &mut self,
        log: LogNum,
        entity: EntityId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::entity.eq(entity.bytes().as_slice()))
            .filter(entry::rev.gt(bound(after)))
            .order(entry::rev)
            .limit(limit_of(limit)?)
            .select(columns!())
            .load(&mut self.conn)?;
        self.complete(log, rows)
    }

    /// What a device has to know of its own ops behind a revision: their entries, and those of the ops that ended the
    /// custody of one of them. In order, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn own_entries(
        &mut self,
        log: LogNum,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(Vec::new()) };
        let after = bound(after);
        let mut rows: Vec<Row> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::device.eq(device))
            .filter(entry::rev.gt(after))
            .order(entry::rev)
            .limit(limit_of(limit)?)
            .select(columns!())
            .load(&mut self.conn)?;
        let decided: Vec<Option<i64>> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::device.eq(device))
            .filter(parked::decided_rev.gt(after))
            .order(parked::decided_rev)
            .limit(limit_of(limit)?)
            .select(parked::decided_rev)
            .load(&mut self.conn)?;
        let own: BTreeSet<i64> = rows.iter().map(|row| row.rev).collect();
        let others: BTreeSet<i64> = decided.into_iter().flatten().filter(|rev| !own.contains(rev)).collect();
        if !others.is_empty() {
            let more: Vec<Row> = entry::table
                .filter(entry::log.eq(log.0))
                .filter(entry::rev.eq_any(others))
                .select(columns!())
                .load(&mut self.conn)?;
            rows.extend(more);
            rows.sort_by_key(|row| row.rev);
            rows.truncate(limit);
        }
        self.complete(log, rows)
    }

    /// What a device sent under an incarnation between two numbers, both included: the op and its line, by number.
    /// Numbers under which a known op came again are those of the replays.
    ///
    /// # Errors
    /// The database's.
    pub fn sent(
        &mut self,
        log: LogNum,
        device: DeviceId,
        incarnation: u64,
        first: u64,
        last: u64,
    ) -> Result<HashMap<u64, (OpId, Vec<u8>)>, StoreError> {
        use super::tables::replay;
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(HashMap::new()) };
        let rows: Vec<(Option<i64>, Vec<u8>, Vec<u8>)> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::device.eq(device))
            .filter(entry::incarnation.eq(column(incarnation)?))
            .filter(entry::device_seq.between(bound(first), bound(last)))
            .select((entry::device_seq, entry::op, entry::line))
            .load(&mut self.conn)?;
        let mut sent = HashMap::new();
        for (seq, op, line) in rows {
            let seq = seq.ok_or(StoreError::Damaged("an entry of a device without its number"))?;
            sent.insert(number(seq, "a device number below zero")?, (OpId(uuid(&op)?), unpack(&line)?));
        }
        let again: Vec<(i64, Vec<u8>)> = replay::table
            .filter(replay::log.eq(log.0))
            .filter(replay::device.eq(device))
            .filter(replay::incarnation.eq(column(incarnation)?))
            .filter(replay::device_seq.between(bound(first), bound(last)))
            .select((replay::device_seq, replay::op))
            .load(&mut self.conn)?;
        for (seq, op) in again {
            let line: Vec<u8> = entry::table
                .filter(entry::log.eq(log.0))
                .filter(entry::op.eq(&op))
                .select(entry::line)
                .first(&mut self.conn)?;
            sent.insert(number(seq, "a device number below zero")?, (OpId(uuid(&op)?), unpack(&line)?));
        }
        Ok(sent)
    }

    /// The leaf hashes of the entries with these revisions, in order.
    ///
    /// # Errors
    /// The database's.
    pub fn leaves(&mut self, log: LogNum, revs: std::ops::Range<u64>) -> Result<Vec<Hash>, StoreError> {
        let rows: Vec<Vec<u8>> = entry::table
            .filter(entry::log.eq(log.0))
            .filter(entry::rev.ge(bound(revs.start)))
            .filter(entry::rev.lt(bound(revs.end)))
            .order(entry::rev)
            .select(entry::leaf)
            .load(&mut self.conn)?;
        rows.iter().map(|leaf| hash(leaf)).collect()
    }

    fn complete(&mut self, log: LogNum, rows: Vec<Row>) -> Result<Vec<Entry>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = rows.iter().flat_map(|row| [Some(row.device), row.actor]).flatten().collect();
        let ids = self.referenced(log, &numbers)?;
        let epochs = self.epochs(log)?;
        rows.into_iter().map(|row| entry_of(row, &ids, &epochs)).collect()
    }
}

fn entry_of(row: Row, ids: &HashMap<i64, Vec<u8>>, epochs: &[Epoch]) -> Result<Entry, StoreError> {
    let rev = number(row.rev, "a revision below zero")?;
    let epoch = epochs.iter().rev().find(|epoch| epoch.first_rev <= rev);
    let seq = |column: Option<i64>| number(column.unwrap_or(0), "a device number below zero");
    Ok(Entry {
        rev,
        epoch: epoch.ok_or(StoreError::Damaged("an entry before the first epoch"))?.epoch,
        op: OpId(uuid(&row.op)?),
        device: DeviceId(id_of(ids, row.device)?),
        incarnation: seq(row.incarnation)?,
        device_seq: seq(row.device_seq)?,
        actor: row.actor.map_or(Ok(AccountId::NIL), |actor| id_of(ids, actor).map(AccountId))?,
        entity: EntityId(uuid(&row.entity)?),
        kind: row.kind,
        outcome: small(row.outcome, "an outcome out of range")?,
        state_after: small(row.state_after, "a state out of range")?,
        received_ms: number(row.received_ms, "a time below zero")?,
        first_received_ms: number(row.first_received_ms, "a time below zero")?,
        prev_leaf: hash(&row.prev_leaf)?,
        leaf: hash(&row.leaf)?,
        line: unpack(&row.line)?,
        record: unpack_text(&row.record)?,
    })
}

pub(super) fn limit_of(limit: usize) -> Result<i64, StoreError> {
    i64::try_from(limit).map_err(|_| StoreError::Damaged("a limit beyond 2^63"))
}
