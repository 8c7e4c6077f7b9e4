//! A batch of a device: taken whole or not at all, each line an entry or the repeat of one.

use std::collections::HashMap;

use schema::entity::Device;
use schema::hash::{DeviceKey, Hash};
use schema::ids::{EpochId, OpId};
use schema::op::{Op, SealedValue};
use schema::record::RefusalCode;
use schema::sync::{BatchAnswer, SyncHeader};
use sync_core::capture;
use sync_core::line::{sha256, unreadable_id};
use sync_core::log::chain;

use super::enter::{Desk, Incoming};
use super::facts::Receipt;
use crate::store::{Batch, Entry, StoreError};

/// A line of a push with the values behind it.
#[derive(Debug, Clone)]
pub struct PushLine {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The op, or why it is none.
    pub op: Result<Box<Op>, RefusalCode>,
    /// The values that came behind it.
    pub values: Vec<SealedValue>,
}

/// A push, parsed and with its signature checked, before it meets the log.
#[derive(Debug, Clone)]
pub struct Push {
    /// Its header.
    pub header: SyncHeader,
    /// Its op lines.
    pub lines: Vec<PushLine>,
    /// When it arrived.
    pub arrived_ms: u64,
    /// It came in a file that somebody carried: when it was written, in the server's time, nobody knows.
    pub carried: bool,
    /// The key that its signature was found good by; none if it was not.
    pub signed_by: Option<DeviceKey>,
    /// What became of ops before a restore, by receipts whose signature is good.
    pub earlier: HashMap<OpId, Earlier>,
}

/// What became of an op before a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// In which epoch.
    pub epoch: EpochId,
    /// Its revision there.
    pub rev: u64,
    /// When a server first received it.
    pub first_received_ms: u64,
    /// The official number it gave.
    pub number: Option<String>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// Each line is an entry, or was one before: the entries in the order of the lines.
    Taken(Vec<Entry>),
    /// Nothing was taken.
    Refused(BatchAnswer),
    /// The log does not know the device.
    UnknownDevice,
}

impl Desk<'_, '_> {
    /// Takes a push, or refuses it as a whole.
    pub(super) fn push(&mut self, push: &Push) -> Result<Pushed, StoreError> {
        let header = &push.header;
        let Some(device) = self.seen.device(self.tx, header.device)? else { return Ok(Pushed::UnknownDevice) };
        if push.lines.is_empty() {
            return Ok(Pushed::Taken(Vec::new()));
        }
        // Before anything is read: what nobody signed costs nothing.
        if push.signed_by != Some(device.key) {
            return Ok(Pushed::Refused(BatchAnswer::BadSignature));
        }
        let log = self.tx.head.num;
        let last = self.tx.db.last_seq(log, header.device, header.incarnation)?;
        if header.first_seq > last + 1 {
            return Ok(Pushed::Refused(BatchAnswer::Gap { expected: last + 1 }));
        }
        let overlap_end = numbered(push).last().map_or(last, |(seq, _)| seq.min(last));
        let sent = self.tx.db.sent(log, header.device, header.incarnation, header.first_seq, overlap_end)?;
        for (seq, line) in numbered(push) {
            if sent.get(&seq).is_some_and(|(_, bytes)| *bytes != line.bytes) {
                return Ok(Pushed::Refused(BatchAnswer::Reused { device_seq: seq }));
            }
        }
        if self.chain_after(push)? != header.chain {
            return Ok(Pushed::Refused(BatchAnswer::BadSignature));
        }
        let mut known = self.known(push, &sent)?;
        let mut entries = Vec::with_capacity(push.lines.len());
        for (seq, line) in numbered(push) {
            entries.push(self.take(push, &device, seq, line, &sent, &mut known)?);
        }
        self.keep_batch(push, last)?;
        Ok(Pushed::Taken(entries))
    }

    /// The device chain after the last line, from the last batch that ended before the first.
    fn chain_after(&mut self, push: &Push) -> Result<Hash, StoreError> {
        let header = &push.header;
        let log = self.tx.head.num;
        let before = header.first_seq.saturating_sub(1);
        let end = self.tx.db.batch_end(log, header.device, header.incarnation, before)?;
        let (end, mut chain) = end.unwrap_or((0, Hash::ZERO));
        let next = |chain: &Hash, seq: u64, bytes: &[u8]| {
            chain::next(chain, header.log, header.incarnation, seq, &sha256(bytes))
        };
        if end < before {
            let between = self.tx.db.sent(log, header.device, header.incarnation, end + 1, before)?;
            for seq in end + 1..=before {
                let (_, bytes) = between.get(&seq).ok_or(StoreError::Damaged("a device number without its line"))?;
                chain = next(&chain, seq, bytes);
            }
        }
        for (seq, line) in numbered(push) {
            chain = next(&chain, seq, &line.bytes);
        }
        Ok(chain)
    }

    /// The entries of all ops of a push that are known already.
    fn known(&mut self, push: &Push, sent: &HashMap<u64, (OpId, Vec<u8>)>) -> Result<HashMap<OpId, Entry>, StoreError> {
        let mut ids: Vec<OpId> = sent.values().map(|(op, _)| *op).collect();
        ids.extend(push.lines.iter().filter_map(|line| line.op.as_ref().ok()).map(|op| op.op));
        ids.sort();
        ids.dedup();
        let entries = self.tx.db.entries_of_ops(self.tx.head.num, &ids)?;
        Ok(entries.into_iter().map(|entry| (entry.op, entry)).collect())
    }

    fn take(
        &mut self,
        push: &Push,
        device: &Device,
        seq: u64,
        line: &PushLine,
        sent: &HashMap<u64, (OpId, Vec<u8>)>,
        known: &mut HashMap<OpId, Entry>,
    ) -> Result<Entry, StoreError> {
        let header = &push.header;
        if let Some((op, _)) = sent.get(&seq) {
            return known.get(op).cloned().ok_or(StoreError::Damaged("a device number without its entry"));
        }
        let op = match &line.op {
            Ok(op) => match known.get(&op.op) {
                Some(entry) if entry.line == line.bytes => {
                    let entry = entry.clone();
                    self.tx.insert_replay(header.device, header.incarnation, seq, entry.op)?;
                    return Ok(entry);
                }
                Some(_) => Err(RefusalCode::OpIdReused),
                None if op.log != header.log || op.device != device.id || op.actor != device.account => {
                    Err(RefusalCode::NotYours)
                }
                None => Ok(op.clone()),
            },
            Err(why) => Err(*why),
        };
        let id = match &op {
            Ok(op) => op.op,
            Err(_) => unreadable_id(header.log, header.device, header.incarnation, seq, &line.bytes),
        };
        let received_ms = push.arrived_ms.max(self.tx.head.last_received_ms);
        let earlier = push.earlier.get(&id);
        let first_received_ms = earlier.map_or(received_ms, |earlier| earlier.first_received_ms).min(received_ms);
        let number = earlier.and_then(|earlier| earlier.number.clone());
        let sampled = op.as_ref().ok().filter(|_| !push.carried);
        let captured = sampled.and_then(|op| capture::interval(&op.captured, &header.clock, push.arrived_ms));
        let entry = self.enter(Incoming {
            id,
            device: device.id,
            incarnation: header.incarnation,
            device_seq: seq,
            actor: device.account,
            line: line.bytes.clone(),
            op,
            values: line.values.clone(),
            receipt: Receipt { received_ms, first_received_ms, captured, by_server: false, number, recorded: None },
            failed: false,
        })?;
        if let Some(earlier) = earlier {
            self.tx.note_returned(entry.op, earlier.epoch, earlier.rev)?;
        }
        known.insert(entry.op, entry.clone());
        Ok(entry)
    }

    /// Keeps what the device signed, where it says anything new.
    fn keep_batch(&mut self, push: &Push, last: u64) -> Result<(), StoreError> {
        let header = &push.header;
        let (Some((last_seq, _)), Some(signature)) = (numbered(push).last(), header.signature) else { return Ok(()) };
        if last_seq <= last {
            return Ok(());
        }
        self.tx.insert_batch(&Batch {
            device: header.device,
            incarnation: header.incarnation,
            first_seq: header.first_seq,
            last_seq,
            chain: header.chain,
            signature,
            clock: header.clock,
            received_ms: push.arrived_ms.max(self.tx.head.last_received_ms),
        })
    }
}

fn numbered(push: &Push) -> impl Iterator<Item = (u64, &PushLine)> {
    (push.header.first_seq..).zip(&push.lines)
}
