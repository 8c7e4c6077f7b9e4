//! One exchange with a device: what it captured goes into the log, what changed comes back, all in one request.

mod answer;
mod pull;
mod request;
mod room;

use std::collections::HashMap;

use schema::ids::{AccountId, DeviceId, LogId, OpId};
use schema::limits::DEVICE_ENTITIES_MAX;
use schema::problem::ProblemCode;
use schema::record::Outcome;
use schema::sync::{BatchAnswer, Durability, Receipt, ReceiptOp, SignedReceipt};
use sync_core::log::leaf::outcome_number;
use sync_core::log::{chain, receipt};

use self::request::Request;
pub use self::room::Room;
use super::checkpoint::Checkpoints;
use super::ledger::{Earlier, Ledger, Push, Pushed};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{Db, Durable, Entry, LogHead, Store, StoreError};

/// Everything that reading and writing logs needs. Cheap to clone.
#[derive(Clone)]
pub struct Logs {
    /// The database.
    pub store: Store,
    /// The write path.
    pub ledger: Ledger,
    /// The signer.
    pub checkpoints: Checkpoints,
    /// What time it is.
    pub clock: Clock,
    /// How an acknowledged op survives.
    pub durability: Durability,
    /// How much a device may hold.
    pub room: Room,
}

impl Logs {
    /// With the cap of a device as it is for everybody.
    pub fn new(store: Store, ledger: Ledger, checkpoints: Checkpoints, clock: Clock, durability: Durability) -> Self {
        Self { store, ledger, checkpoints, clock, durability, room: Room::new(DEVICE_ENTITIES_MAX) }
    }

    /// How far everything survives the loss of the server.
    ///
    /// # Errors
    /// The database's.
    pub fn durable(&self, db: &mut Db, head: &LogHead) -> std::result::Result<Durable, StoreError> {
        match self.durability {
            Durability::Local => Ok(Durable { rev: head.rev, confirmed_ms: self.clock.now_ms() }),
            Durability::Backup | Durability::Replica => {
                let durable = db.durable(head.num)?;
                Ok(Durable { rev: durable.rev.min(head.rev), ..durable })
            }
        }
    }
}

/// Who syncs, as the token and the installation's own tables say.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// The device is revoked: it may still deliver, and gets nothing.
    pub revoked: bool,
}

/// What became of the push part.
struct Delivered {
    batch: BatchAnswer,
    /// The entries of the pushed lines, in their order.
    entries: Vec<Entry>,
    receipt: Option<SignedReceipt>,
}

/// Pushes and pulls: `body` is the decompressed request, the answer is NDJSON.
///
/// # Errors
/// A request that is no sync request, of another's device, or too old; or the server failed. Then nothing was taken.
pub async fn exchange(logs: &Logs, caller: Caller, body: Vec<u8>) -> Result<Vec<u8>> {
    let arrived_ms = logs.clock.now_ms();
    let prepared = {
        let logs = logs.clone();
        blocking(move || prepare(&logs, caller, &body, arrived_ms, false)).await?
    };
    let delivered = deliver(logs, prepared.push).await?;
    let logs = logs.clone();
    blocking(move || {
        if let Err(error) = logs.checkpoints.sign_if_due(prepared.header.log) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, log.id = %prepared.header.log, "no checkpoint was signed");
        }
        answer::write(&logs, caller, &prepared.header, &delivered)
    })
    .await
}

/// What became of a batch that somebody carried here in a file.
pub enum Carried {
    /// Each line has its outcome, now or from before.
    Taken(Vec<Outcome>),
    /// Its numbers are others' by now: the phone was renumbered, or sends what comes before. It brings them itself.
    Refused {
        /// So many lines.
        ops: usize,
    },
}

/// Looks at a batch of a file: the log that it is for, and how many ops are in it.
///
/// # Errors
/// `tampered_file`: it can't be read, or the device did not sign it. `foreign_file`: the log does not know the device.
pub fn check_carried(logs: &Logs, caller: Caller, body: &[u8]) -> Result<(LogId, usize)> {
    let prepared = prepare(logs, caller, body, 0, true).map_err(|error| match error.code() {
        ProblemCode::Internal => error,
        ProblemCode::Forbidden => Error::refused(ProblemCode::ForeignFile),
        _ => Error::refused(ProblemCode::TamperedFile),
    })?;
    match prepared.push.signed_by {
        Some(_) => Ok((prepared.header.log, prepared.push.lines.len())),
        None => Err(Error::refused(ProblemCode::TamperedFile)),
    }
}

/// Takes in a batch of a file, as the phone would have pushed it.
///
/// # Errors
/// As [`exchange`].
pub async fn carried(logs: &Logs, caller: Caller, body: Vec<u8>) -> Result<Carried> {
    let arrived_ms = logs.clock.now_ms();
    let prepared = {
        let logs = logs.clone();
        blocking(move || prepare(&logs, caller, &body, arrived_ms, true)).await?
    };
    let ops = prepared.push.lines.len();
    let delivered = deliver(logs, prepared.push).await?;
    if delivered.entries.len() < ops {
        tracing::warn!(device.id = %caller.device, batch = ?delivered.batch, "a batch of a file was not taken");
        return Ok(Carried::Refused { ops });
    }
    let all = [Outcome::Accepted, Outcome::AcceptedWithConflict, Outcome::Rejected, Outcome::Parked];
    let of_entry = |entry: &Entry| all.into_iter().find(|outcome| outcome_number(*outcome) == entry.outcome);
    Ok(Carried::Taken(delivered.entries.iter().filter_map(of_entry).collect()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::refused(ProblemCode::Unavailable))?
}

/// A request that was read, with its signature checked: all that needs no lock.
struct Prepared {
    header: schema::sync::SyncHeader,
    push: Push,
}

fn prepare(logs: &Logs, caller: Caller, body: &[u8], arrived_ms: u64, carried: bool) -> Result<Prepared> {
    let Request { header, lines } = request::read(body)?;
    if header.device != caller.device {
        return Err(Error::refused(ProblemCode::Forbidden));
    }
    let device = logs.store.read(|db| {
        let Some(head) = db.head(header.log)? else { return Ok(None) };
        super::ledger::read_entity(db, head.num, header.device.into())
    })?;
    let Some(schema::entity::Entity::Device(device)) = device else {
        return Err(Error::refused(ProblemCode::Forbidden));
    };
    if device.account != caller.account {
        return Err(Error::refused(ProblemCode::Forbidden));
    }
    let message = chain::batch_message(&header);
    let good = header.signature.is_some_and(|signature| chain::verify(&device.key, &message, &signature));
    let push = Push {
        lines,
        arrived_ms,
        carried,
        signed_by: good.then_some(device.key),
        earlier: earlier(logs, &header),
        header: header.clone(),
    };
    Ok(Prepared { header, push })
}

/// What became before a restore of what comes again, as this server's own signed receipts say. Of several restores the
/// first receipt counts.
fn earlier(logs: &Logs, header: &schema::sync::SyncHeader) -> HashMap<OpId, Earlier> {
    let verifier = logs.checkpoints.signer().verifier();
    let receipts = header.receipts.iter().filter_map(|signed| receipt::open(verifier, signed).ok());
    let mut found: HashMap<OpId, Earlier> = HashMap::new();
    for receipt in receipts.filter(|receipt| receipt.log == header.log && receipt.device == header.device) {
        for op in receipt.ops {
            let (rev, first_received_ms) = (op.rev, op.first_received_ms);
            let earlier = Earlier { epoch: receipt.epoch, rev, first_received_ms, number: op.number };
            let known = found.get(&op.op).is_some_and(|known| known.first_received_ms <= first_received_ms);
            if !known {
                found.insert(op.op, earlier);
            }
        }
    }
    found
}

async fn deliver(logs: &Logs, push: Push) -> Result<Delivered> {
    let header = push.header.clone();
    if push.lines.is_empty() {
        return Ok(Delivered { batch: BatchAnswer::Nothing, entries: Vec::new(), receipt: None });
    }
    match logs.ledger.push(push).await? {
        Pushed::Taken(entries) => {
            let receipt = receipt_for(logs, &header, &entries)?;
            Ok(Delivered { batch: BatchAnswer::Taken, entries, receipt: Some(receipt) })
        }
        Pushed::Refused(batch) => Ok(Delivered { batch, entries: Vec::new(), receipt: None }),
        Pushed::UnknownDevice => Err(Error::refused(ProblemCode::Forbidden)),
    }
}

fn receipt_for(
    logs: &Logs,
    header: &schema::sync::SyncHeader,
    entries: &[Entry],
) -> std::result::Result<SignedReceipt, StoreError> {
    // The epoch in force, not that of an entry: lines from before a restore are answered by the log of today.
    let head = logs.store.read(|db| db.head(header.log))?.ok_or(StoreError::Damaged("a receipt of no log"))?;
    let ops = entries
        .iter()
        .map(|entry| ReceiptOp {
            op: entry.op,
            rev: entry.rev,
            first_received_ms: entry.first_received_ms,
            leaf: entry.leaf,
            number: number_in(&entry.record),
        })
        .collect();
    logs.checkpoints.receipt(&Receipt {
        log: header.log,
        epoch: head.epoch,
        device: header.device,
        incarnation: header.incarnation,
        first_seq: header.first_seq,
        chain: header.chain,
        ops,
    })
}

/// The official number that a record gave.
fn number_in(record: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        number: Option<String>,
    }
    serde_json::from_str::<Numbered>(record).ok()?.number
}

#[cfg(test)]
mod pull_tests;
#[cfg(test)]
mod scope_tests;
#[cfg(test)]
mod tests;
