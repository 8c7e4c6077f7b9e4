//! The next sync request of a log: what is unsent, and from where to pull.

use std::collections::BTreeMap;

use schema::hash::Signature;
use schema::ids::{DeviceId, LogId, OpId};
use schema::limits::{BATCH_OPS_MAX, PROTOCOL, SCOPES_MAX};
use schema::op::Captured;
use schema::sync::{Scope, SignedReceipt, SyncHeader};

use super::error::PhoneError;
use super::store::{LogState, Store, identity, log_state};
use super::tables::rows::{Cursor, HeldReceipt, ReceiptOp, StoredOp};
use super::tables::{self, Row, Tables, values};
use super::{outbox, room, trust};
use crate::log::chain::batch_message;
use crate::sync::batch::{self, OpLine};

/// A sync request. The header is kept with it: the answer means nothing without what was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its first line.
    pub header: SyncHeader,
    /// The body before compression.
    pub body: Vec<u8>,
    /// The log is known to reach this revision at least. An answer that says less is not late: its server went back.
    pub certain_rev: u64,
}

/// A request before its signature: the key is not in the store, and may be one that signs in its own time.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsigned {
    header: SyncHeader,
    lines: Vec<OpLine>,
    certain_rev: u64,
}

impl Unsigned {
    /// What the device signs; nothing where no op is in it.
    pub fn message(&self) -> Option<Vec<u8>> {
        (self.header.count > 0).then(|| batch_message(&self.header))
    }

    /// The request as it is sent.
    ///
    /// # Errors
    /// None in practice: everything in it is writable as JSON.
    pub fn signed(mut self, signature: Option<Signature>) -> Result<Request, PhoneError> {
        self.header.signature = signature;
        let body = batch::body(&self.header, &self.lines)?;
        Ok(Request { header: self.header, body, certain_rev: self.certain_rev })
    }
}

impl Store {
    /// What to ask a log next. There is always something to ask: a request without ops pulls.
    ///
    /// # Errors
    /// The store's; [`PhoneError::NotEnrolled`].
    pub fn unsigned_request(&self, log: LogId, ops_max: usize, now: Captured) -> Result<Unsigned, PhoneError> {
        // Another program may capture meanwhile.
        let snapshot = tables::snapshot(self.db())?;
        let log = log_state(&*snapshot, log)?;
        unsigned(&*snapshot, &log, ops_max, now)
    }
}

fn unsigned(db: &dyn Tables, log: &LogState, ops_max: usize, now: Captured) -> Result<Unsigned, PhoneError> {
    let mut ops = outbox::to_send(db, log.id, log.incarnation, ops_max.clamp(1, BATCH_OPS_MAX))?;
    let mut lines: Vec<OpLine> = Vec::with_capacity(ops.len());
    for op in &ops {
        lines.push(outbox::op_line(db, op)?);
    }
    let fitting = batch::fitting(&lines, ops_max);
    ops.truncate(fitting);
    lines.truncate(fitting);
    let mut header = batch_header(db, identity(db)?.device, log, &ops, now)?;
    header.scopes = if log.forked { BTreeMap::new() } else { cursors(db, log.id)? };
    header.rows = room::rows_wanted(db)?;
    header.checkpoint = trust::newest(db, log.id)?;
    header.durable_checkpoint = trust::newest_at_most(db, log.id, log.durable)?;
    Ok(Unsigned { header, lines, certain_rev: trust::certain_rev(db, log)? })
}

/// A batch by itself, for whoever carries it to the server: it pulls nothing.
pub(crate) fn batch_alone(
    db: &dyn Tables,
    device: DeviceId,
    log: &LogState,
    ops: &[StoredOp],
    now: Captured,
) -> Result<Unsigned, PhoneError> {
    let mut lines = Vec::with_capacity(ops.len());
    for op in ops {
        lines.push(outbox::op_line(db, op)?);
    }
    Ok(Unsigned { header: batch_header(db, device, log, ops, now)?, lines, certain_rev: 0 })
}

/// The header of a batch. It pulls nothing.
fn batch_header(
    db: &dyn Tables,
    device: DeviceId,
    log: &LogState,
    ops: &[StoredOp],
    now: Captured,
) -> Result<SyncHeader, PhoneError> {
    Ok(SyncHeader {
        protocol: (PROTOCOL, PROTOCOL),
        log: log.log,
        device,
        epoch: log.epoch,
        app: concat!("rectify-phone/", env!("CARGO_PKG_VERSION")).to_owned(),
        incarnation: log.incarnation,
        first_seq: ops.first().map_or(log.next_seq, |op| op.device_seq),
        count: u32::try_from(ops.len()).map_err(PhoneError::internal)?,
        chain: ops.last().map_or(log.chain, |op| op.chain),
        signature: None,
        clock: now,
        scopes: BTreeMap::new(),
        own: log.own,
        checkpoint: None,
        durable_checkpoint: None,
        rows: None,
        receipts: receipts(db, log, ops.iter().map(|op| op.op))?,
    })
}

/// The cursors to name. A phone never has too many in practice; if it has, the first ones are pulled first.
fn cursors(db: &dyn Tables, log: i64) -> Result<BTreeMap<Scope, u64>, PhoneError> {
    let mut cursors: Vec<Cursor> = tables::select(db, Cursor::KEY, values!(log))?;
    cursors.sort_by_key(|cursor| cursor.rev);
    Ok(cursors.into_iter().take(SCOPES_MAX).map(|cursor| (cursor.scope, cursor.rev)).collect())
}

/// Receipts of an earlier epoch for ops that are pushed again after a restore of the server.
fn receipts(
    db: &dyn Tables,
    log: &LogState,
    ops: impl Iterator<Item = OpId>,
) -> Result<Vec<SignedReceipt>, PhoneError> {
    let Some(epoch) = log.epoch else { return Ok(Vec::new()) };
    let mut found: BTreeMap<i64, SignedReceipt> = BTreeMap::new();
    for op in ops {
        for named in tables::select::<ReceiptOp>(db, ReceiptOp::KEY, values!(op))? {
            let held: Option<HeldReceipt> = tables::get(db, values!(named.receipt))?;
            if let Some(held) = held.filter(|held| held.epoch != epoch) {
                found.insert(held.id, SignedReceipt { text: held.text, signature: held.signature });
            }
        }
    }
    Ok(found.into_values().collect())
}
