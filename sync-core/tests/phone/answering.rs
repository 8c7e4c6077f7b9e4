//! How the small server answers a request: push, receipt, checkpoint, pull.

use std::collections::BTreeMap;

use schema::entity::{Account, Entity};
use schema::ids::{DeviceId, EntityId};
use schema::record::OutcomeLine;
use schema::sync::{
    BatchAnswer, Durability, EntityLine, EpochStart, Receipt, ReceiptOp, Scope, SyncEnd, SyncHead, SyncHeader,
    SyncLine, TreeHead, ValueLine,
};
use serde_json::value::RawValue;
use sync_core::line;
use sync_core::log::tree::{Frontier, MemoryHashes, prove_consistency, prove_inclusion};
use sync_core::log::{chain, checkpoint, receipt};
use sync_core::permission::{default_scopes, scopes_of};

use super::server::{LOG, Server};

impl Server {
    /// Answers a request.
    pub(crate) fn sync(&mut self, body: &[u8]) -> Vec<u8> {
        self.now_ms += 1_000;
        let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let header: SyncHeader = serde_json::from_slice(lines.next().unwrap()).unwrap();
        let mut ops: Vec<&[u8]> = Vec::new();
        let mut values = Vec::new();
        for line in lines {
            match line::is_value_line(line) {
                true => values.push((line::read_value(line).unwrap(), ops.len() - 1)),
                false => ops.push(line),
            }
        }
        assert_eq!(u32::try_from(ops.len()).unwrap(), header.count);
        let (batch, outcomes) = self.push(&header, &ops);
        if batch == BatchAnswer::Taken {
            for (value, op) in values {
                let entity = line::read(ops[op]).map_or(EntityId::NIL, |op| op.entity);
                self.values.insert(value.sealed, (value, entity));
            }
        }
        self.answer(&header, batch, outcomes)
    }

    fn push(&mut self, header: &SyncHeader, ops: &[&[u8]]) -> (BatchAnswer, Vec<OutcomeLine>) {
        if ops.is_empty() {
            return (BatchAnswer::Nothing, Vec::new());
        }
        let signature = header.signature.expect("a batch is signed");
        let key = self.keys.get(&header.device).expect("an enrolled device");
        if !chain::verify(key, &chain::batch_message(header), &signature) {
            return (BatchAnswer::BadSignature, Vec::new());
        }
        let last = self.seqs.get(&(header.device, header.incarnation)).copied().unwrap_or(0);
        if header.first_seq > last + 1 {
            return (BatchAnswer::Gap { expected: last + 1 }, Vec::new());
        }
        let numbered: Vec<(u64, &[u8])> = (header.first_seq..).zip(ops.iter().copied()).collect();
        for (seq, line) in &numbered {
            let known = line::read(line).ok().and_then(|op| self.entry_of(op.op));
            if *seq <= last && known.is_none() {
                return (BatchAnswer::Reused { device_seq: *seq }, Vec::new());
            }
        }
        let mut outcomes = Vec::new();
        for (seq, line) in numbered {
            let op = line::read(line).unwrap();
            let known = self.entry_of(op.op).map(|entry| entry.outcome.clone());
            let outcome = known.unwrap_or_else(|| self.append(&op, line, header.incarnation, seq));
            outcomes.push(outcome);
            self.seqs.insert((header.device, header.incarnation), seq.max(last));
        }
        (BatchAnswer::Taken, outcomes)
    }

    pub(crate) fn tree_head(&self) -> TreeHead {
        let mut frontier = Frontier::default();
        for leaf in &self.leaves {
            frontier.push(*leaf);
        }
        frontier.head()
    }

    fn answer(&self, header: &SyncHeader, batch: BatchAnswer, pushed: Vec<OutcomeLine>) -> Vec<u8> {
        let mut lines = Vec::new();
        let consistency = header.checkpoint.map(|held| {
            let mut hashes: MemoryHashes = self.leaves.iter().copied().collect();
            if held.size <= self.head() {
                prove_consistency(&mut hashes, held.size, self.head()).unwrap()
            } else {
                Vec::new()
            }
        });
        let account = self.account_of(header.device);
        let head = SyncHead {
            protocol: 1,
            log: LOG,
            epoch: self.epoch,
            head: self.head(),
            durable: self.durable,
            durability: Durability::Backup,
            durable_ms: self.durable_ms,
            now_ms: self.now_ms,
            receipt: (batch == BatchAnswer::Taken).then(|| self.receipt(header, &pushed)),
            batch,
            checkpoint: Some(self.signer.checkpoint(&checkpoint::origin("demo", LOG, self.epoch), &self.tree_head())),
            consistency: consistency.unwrap_or_default(),
            default_scopes: account.map(|it| default_scopes(it, Some(&self.areas))).unwrap_or_default(),
            epoch_start: header.epoch.filter(|epoch| *epoch != self.epoch).and_then(|_| self.epoch_start(header)),
        };
        lines.push(SyncLine::Head(Box::new(head)));
        let own = self.entries.iter().flatten().filter(|it| it.op.device == header.device);
        let mut outcomes: BTreeMap<u64, OutcomeLine> =
            own.filter(|it| it.outcome.rev > header.own).map(|it| (it.outcome.rev, it.outcome.clone())).collect();
        outcomes.extend(pushed.into_iter().map(|outcome| (outcome.rev, outcome)));
        lines.extend(outcomes.into_values().map(|outcome| SyncLine::Outcome(Box::new(outcome))));
        let mut end = SyncEnd { scopes: BTreeMap::new(), own: self.head(), more: false, scope_too_large: None };
        for (scope, cursor) in &header.scopes {
            self.pull(*scope, *cursor, &mut lines, &mut end);
        }
        lines.push(SyncLine::End(end));
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, &line).unwrap();
            bytes.push(b'\n');
        }
        bytes
    }

    /// How its epoch began, as far as it did.
    fn epoch_start(&self, header: &SyncHeader) -> Option<Box<EpochStart>> {
        let start = self.entries.iter().flatten().rfind(|entry| entry.op.kind == "start_epoch")?;
        let mut hashes: MemoryHashes = self.leaves.iter().copied().collect();
        let (kept, head) = (start.outcome.rev - 1, self.head());
        let durable = header.durable_checkpoint.map_or(0, |durable| durable.size);
        Some(Box::new(EpochStart {
            line: line::write(&start.op).unwrap(),
            outcome: start.outcome.clone(),
            inclusion: prove_inclusion(&mut hashes, kept, head).unwrap(),
            kept: prove_consistency(&mut hashes, kept, head).unwrap(),
            durable: prove_consistency(&mut hashes, durable, head).unwrap(),
        }))
    }

    fn account_of(&self, device: DeviceId) -> Option<&Account> {
        self.owners.get(&device).and_then(|owner| self.account(*owner))
    }

    fn receipt(&self, header: &SyncHeader, pushed: &[OutcomeLine]) -> schema::sync::SignedReceipt {
        let ops = pushed.iter().map(|outcome| ReceiptOp {
            op: outcome.op,
            rev: outcome.rev,
            first_received_ms: outcome.first_received_ms,
            leaf: self.leaves[usize::try_from(outcome.rev).unwrap() - 1],
            number: None,
        });
        let (incarnation, first_seq, chain) = (header.incarnation, header.first_seq, header.chain);
        let (device, ops) = (header.device, ops.collect());
        let receipt = Receipt { log: LOG, epoch: self.epoch, device, incarnation, first_seq, chain, ops };
        receipt::sign(&self.signer, &receipt).unwrap()
    }

    fn pull(&self, scope: Scope, cursor: u64, lines: &mut Vec<SyncLine>, end: &mut SyncEnd) {
        let mut rows: Vec<(u64, EntityId, &Entity)> = self
            .entities
            .iter()
            .filter(|(_, (rev, entity))| *rev > cursor && scopes_of(entity, Some(&self.areas)).contains(&scope))
            .map(|(id, (rev, entity))| (*rev, *id, entity))
            .collect();
        rows.sort_by_key(|(rev, id, _)| (*rev, *id));
        let full = rows.len() > self.page_rows;
        rows.truncate(self.page_rows);
        let to = if full { rows.last().map_or(self.head(), |row| row.0) } else { self.head() };
        for (rev, id, entity) in rows {
            let document = RawValue::from_string(serde_json::to_string(entity).unwrap()).unwrap();
            lines.push(SyncLine::Entity(EntityLine { scope, id, rev, document: Some(document) }));
            let values = self.values.values().filter(|(_, of)| *of == id);
            lines.extend(values.map(|(value, _)| SyncLine::Value(ValueLine { entity: id, value: value.clone() })));
        }
        let exits = self.exits.iter().filter(|exit| exit.scope == scope && exit.rev > cursor && exit.rev <= to);
        lines.extend(exits.cloned().map(SyncLine::Exit));
        end.scopes.insert(scope, to);
        end.more |= full;
    }
}
