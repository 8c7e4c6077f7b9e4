//! The next sync request of a log: what is unsent, and from where to pull.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use schema::ids::{DeviceId, LogId, OpId};
use schema::limits::{BATCH_OPS_MAX, PROTOCOL, SCOPES_MAX};
use schema::op::Captured;
use schema::sync::{Scope, SignedReceipt, SyncHeader};

use super::error::PhoneError;
use super::outbox::StoredOp;
use super::phone::{LogState, Phone, identity, log_state, secret};
use super::row::{Blob, ScopeText, nat};
use super::{outbox, trust};
use crate::log::chain::{DeviceSecret, batch_message};
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

impl Phone {
    /// What to ask a log next. There is always something to ask: a request without ops pulls.
    ///
    /// # Errors
    /// The store's; [`PhoneError::NotEnrolled`].
    pub fn next_request(&mut self, log: LogId, ops_max: usize, now: Captured) -> Result<Request, PhoneError> {
        // One snapshot: another program may capture meanwhile.
        let snapshot = self.db.transaction()?;
        let (identity, log) = (identity(&snapshot)?, log_state(&snapshot, log)?);
        let secret = secret(&snapshot, self.vault.as_ref())?;
        let request = request(&snapshot, (identity.device, &secret), &log, ops_max, now)?;
        snapshot.finish()?;
        Ok(request)
    }
}

fn request(
    db: &Connection,
    (device, secret): (DeviceId, &DeviceSecret),
    log: &LogState,
    ops_max: usize,
    now: Captured,
) -> Result<Request, PhoneError> {
    let mut ops = outbox::to_send(db, log.id, log.incarnation, ops_max.clamp(1, BATCH_OPS_MAX))?;
    let mut lines: Vec<OpLine> = Vec::with_capacity(ops.len());
    for op in &ops {
        lines.push(outbox::op_line(db, op)?);
    }
    let fitting = batch::fitting(&lines, ops_max);
    ops.truncate(fitting);
    lines.truncate(fitting);
    let mut header = batch_header(db, device, secret, log, &ops, now)?;
    header.scopes = if log.forked { BTreeMap::new() } else { cursors(db, log.id)? };
    header.checkpoint = trust::newest(db, log.id)?;
    header.durable_checkpoint = trust::newest_at_most(db, log.id, log.durable)?;
    let body = batch::body(&header, &lines)?;
    Ok(Request { header, body, certain_rev: trust::certain_rev(db, log)? })
}

/// The header of a batch, signed. It pulls nothing.
pub(crate) fn batch_header(
    db: &Connection,
    device: DeviceId,
    secret: &DeviceSecret,
    log: &LogState,
    ops: &[StoredOp],
    now: Captured,
) -> Result<SyncHeader, PhoneError> {
    let mut header = SyncHeader {
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
    };
    if header.count > 0 {
        header.signature = Some(secret.sign(&batch_message(&header)));
    }
    Ok(header)
}

/// The cursors to name. A phone never has too many in practice; if it has, the first ones are pulled first.
fn cursors(db: &Connection, log: i64) -> Result<BTreeMap<Scope, u64>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT scope, rev FROM cursor WHERE log = ?1 ORDER BY rev LIMIT ?2")?;
    let most = i64::try_from(SCOPES_MAX).unwrap_or(i64::MAX);
    let rows = statement
        .query_map(params![log, most], |row| Ok((row.get::<_, ScopeText>(0)?.0, nat(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Receipts of an earlier epoch for ops that are pushed again after a restore of the server.
fn receipts(
    db: &Connection,
    log: &LogState,
    ops: impl Iterator<Item = OpId>,
) -> Result<Vec<SignedReceipt>, PhoneError> {
    let Some(epoch) = log.epoch else { return Ok(Vec::new()) };
    let mut found: BTreeMap<i64, SignedReceipt> = BTreeMap::new();
    let mut statement = db.prepare_cached(
        "SELECT id, text, signature FROM receipt_op JOIN receipt ON receipt = id WHERE op = ?1 AND epoch != ?2",
    )?;
    for op in ops {
        let rows = statement.query_map(params![Blob(op), Blob(epoch)], |row| {
            let signature = row.get::<_, Blob<schema::hash::Signature>>(2)?.0;
            Ok((row.get::<_, i64>(0)?, SignedReceipt { text: row.get(1)?, signature }))
        })?;
        for row in rows {
            let (id, receipt) = row?;
            found.insert(id, receipt);
        }
    }
    Ok(found.into_values().collect())
}
