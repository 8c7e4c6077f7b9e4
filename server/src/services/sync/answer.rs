//! Writing the answer to a sync: everything in it is read from one snapshot of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::catalogue::ReaderClass;
use schema::entity::{Account, Entity};
use schema::ids::EntityId;
use schema::limits::{PAGE_BYTES_MAX, PAGE_ROWS_MAX, PROTOCOL};
use schema::problem::ProblemCode;
use schema::sync::{Class, ExitLine, Scope, SyncEnd, SyncHead, SyncHeader, SyncLine, ValueLine};
use serde::Serialize;
use sync_core::area::AreaIndex;
use sync_core::permission::{default_scopes, may_pull, may_read_handlers};

use super::pull::{Change, Merge};
use super::room::Room;
use super::{Caller, Delivered, Logs};
use crate::error::{Error, Result};
use crate::services::checkpoint;
use crate::services::ledger::{parse_entity, read_entity};
use crate::store::{Db, Kept, KeptValue, LogHead, LogNum, ReadOf, StoreError, is_named_in};

/// Own outcomes in one answer, beside those of the batch.
const OWN_MAX: usize = 500;

/// Writes the answer. What of it is personal or restricted is noted before it goes out.
pub(super) fn write(logs: &Logs, caller: Caller, header: &SyncHeader, delivered: &Delivered) -> Result<Vec<u8>> {
    let Written { answer, log, reads, kept } = written(logs, caller, header, delivered)?;
    if !reads.is_empty() || !kept.is_empty() {
        let (who, now_ms) = ((caller.account, Some(caller.device)), logs.clock.now_ms());
        logs.store.write(|db| {
            db.note_kept(log, caller.account, &kept, now_ms)?;
            db.note_reads(log, who, "sync", now_ms, &reads)
        })?;
    }
    Ok(answer)
}

/// An answer, and what is to be noted before it goes out.
struct Written {
    answer: Vec<u8>,
    log: LogNum,
    reads: Vec<ReadOf>,
    kept: Vec<Kept>,
}

fn written(logs: &Logs, caller: Caller, header: &SyncHeader, delivered: &Delivered) -> Result<Written> {
    logs.store.read(|db| {
        let head = db.head(header.log)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        let areas = logs.ledger.parsed().areas_in_force(db, head.num, head.log)?;
        // Another log may still have the device; of this one it gets nothing any more.
        let device = read_entity(db, head.num, caller.device.into())?;
        let revoked = caller.revoked || matches!(&device, Some(Entity::Device(device)) if device.revoked.is_some());
        let account = match read_entity(db, head.num, caller.account.into())? {
            Some(Entity::Account(account)) if !revoked => Some(account),
            _ => None,
        };
        let room = &logs.room;
        let mut answer =
            Answer { db, head, account, areas, room, out: Vec::new(), reads: Vec::new(), kept: Vec::new() };
        answer.head(logs, header, delivered)?;
        // A device that last saw another epoch learns of the new one first; it pulls anew from 0.
        let same_epoch = header.epoch.is_none_or(|epoch| epoch == answer.head.epoch);
        answer.outcomes_of(delivered)?;
        let end = if revoked {
            SyncEnd { scopes: BTreeMap::new(), own: header.own, more: false, scope_too_large: None }
        } else if !same_epoch {
            SyncEnd { scopes: BTreeMap::new(), own: 0, more: true, scope_too_large: None }
        } else {
            answer.news(header, delivered)?
        };
        answer.line(&SyncLine::End(end))?;
        Ok(Written { answer: answer.out, log: answer.head.num, reads: answer.reads, kept: answer.kept })
    })
}

struct Answer<'a> {
    db: &'a mut Db,
    head: LogHead,
    account: Option<Account>,
    areas: Option<Arc<AreaIndex>>,
    room: &'a Room,
    out: Vec<u8>,
    reads: Vec<ReadOf>,
    kept: Vec<Kept>,
}

impl Answer<'_> {
    fn line(&mut self, line: &impl Serialize) -> std::result::Result<(), StoreError> {
        serde_json::to_writer(&mut self.out, line)
            .map_err(|_| StoreError::Damaged("an answer that can't be written"))?;
        self.out.push(b'\n');
        Ok(())
    }

    fn head(&mut self, logs: &Logs, header: &SyncHeader, delivered: &Delivered) -> std::result::Result<(), StoreError> {
        let (checkpoint, consistency) = checkpoint::newest(self.db, &self.head, header.checkpoint.as_ref())?;
        let durable = logs.durable(self.db, &self.head)?;
        let is_new = header.epoch.is_some_and(|epoch| epoch != self.head.epoch);
        let epoch_start =
            if is_new { checkpoint::epoch_start(self.db, &self.head, header.durable_checkpoint)? } else { None };
        let scopes = self.account.as_ref().map(|account| default_scopes(account, self.areas.as_deref()));
        let head = SyncHead {
            protocol: PROTOCOL,
            log: self.head.log,
            epoch: self.head.epoch,
            head: self.head.rev,
            durable: durable.rev,
            durability: logs.durability,
            durable_ms: durable.confirmed_ms,
            now_ms: logs.clock.now_ms(),
            batch: delivered.batch.clone(),
            receipt: delivered.receipt.clone(),
            checkpoint,
            consistency,
            default_scopes: scopes.unwrap_or_default(),
            epoch_start: epoch_start.map(Box::new),
        };
        self.line(&SyncLine::Head(Box::new(head)))
    }

    /// The outcomes of what was pushed now, in the order of the lines; a line that came twice has one.
    fn outcomes_of(&mut self, delivered: &Delivered) -> std::result::Result<(), StoreError> {
        let mut told = BTreeSet::new();
        for entry in &delivered.entries {
            if told.insert(entry.rev) {
                self.line(&SyncLine::Outcome(Box::new(entry.outcome_line())))?;
            }
        }
        Ok(())
    }

    /// Own outcomes first, then rows: never beyond the revision up to which own outcomes are complete.
    fn news(&mut self, header: &SyncHeader, delivered: &Delivered) -> std::result::Result<SyncEnd, StoreError> {
        let own = self.db.own_entries(self.head.num, header.device, header.own, OWN_MAX)?;
        let coverage = match own.last() {
            Some(last) if own.len() >= OWN_MAX => last.rev,
            _ => self.head.rev,
        };
        let told: BTreeSet<u64> = delivered.entries.iter().map(|entry| entry.rev).collect();
        for entry in own.iter().filter(|entry| !told.contains(&entry.rev)) {
            self.line(&SyncLine::Outcome(Box::new(entry.outcome_line())))?;
        }
        let (mut cursors, dropped) = self.cursors(header)?;
        if let Some(account) = &self.account {
            self.kept = self.db.newly_kept(self.head.num, account.id, &cursors)?;
        }
        // A scope that is begun anew is named in the next request.
        let restarts = dropped.iter().any(|scope| self.may_pull(*scope));
        let scope_too_large = self.room.hold_back(self.db, &self.head, &mut cursors)?;
        let rows = header.rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(PAGE_ROWS_MAX);
        if rows == 0 {
            return Ok(SyncEnd { scopes: cursors, own: coverage, more: coverage < self.head.rev, scope_too_large });
        }
        let reached = self.rows(&cursors, coverage, rows.clamp(1, PAGE_ROWS_MAX))?;
        for cursor in cursors.values_mut() {
            *cursor = reached.max(*cursor);
        }
        let more = restarts || reached < self.head.rev;
        Ok(SyncEnd { scopes: cursors, own: coverage, more, scope_too_large })
    }

    /// The cursors that may go on, and the scopes that the device must drop: those it may not name any more, and those
    /// it left so long ago that nobody knows what left them since. The latter it begins anew, at 0.
    fn cursors(&mut self, header: &SyncHeader) -> std::result::Result<(BTreeMap<Scope, u64>, Vec<Scope>), StoreError> {
        let kept_from = self.db.exits_kept_from(self.head.num)?;
        let mut cursors = BTreeMap::new();
        let mut dropped = Vec::new();
        for (scope, cursor) in &header.scopes {
            let knows = *cursor == 0 || *cursor >= kept_from;
            if knows && self.may_pull(*scope) {
                cursors.insert(*scope, *cursor);
            } else {
                self.line(&SyncLine::Drop(*scope))?;
                dropped.push(*scope);
            }
        }
        Ok((cursors, dropped))
    }

    fn may_pull(&self, scope: Scope) -> bool {
        self.account.as_ref().is_some_and(|account| may_pull(account, scope, self.areas.as_deref()))
    }

    /// Writes a page of rows. Returns how far every scope is covered: the end, if nothing was left out.
    fn rows(
        &mut self,
        cursors: &BTreeMap<Scope, u64>,
        coverage: u64,
        limit: usize,
    ) -> std::result::Result<u64, StoreError> {
        let mut merge = Merge::new(self.db, self.head.num, cursors, coverage, limit)?;
        let mut page: Vec<Change> = Vec::new();
        let mut reached = 0;
        let mut rows = 0;
        let start = self.out.len();
        loop {
            let next = merge.next(self.db)?;
            let full = next.as_ref().is_some_and(|next| rows > 0 && rows + next.into.len() + next.out_of.len() > limit);
            // Documents are fetched a few at a time, so that the size of a page is known before it is too large.
            if full || next.is_none() || page.len() >= 50 {
                reached = page.last().map_or(reached, |last| last.rev);
                self.changes(&std::mem::take(&mut page))?;
            }
            match next {
                None => return Ok(coverage),
                Some(_) if full || self.out.len() - start >= PAGE_BYTES_MAX => return Ok(reached),
                Some(next) => {
                    rows += next.into.len() + next.out_of.len();
                    page.push(next);
                }
            }
        }
    }

    fn changes(&mut self, page: &[Change]) -> std::result::Result<(), StoreError> {
        let entered: Vec<EntityId> =
            page.iter().filter(|change| !change.into.is_empty()).map(|change| change.entity).collect();
        let documents = self.db.documents_of(self.head.num, &entered)?;
        let mut values: BTreeMap<EntityId, Vec<KeptValue>> = BTreeMap::new();
        for value in self.db.values_of(self.head.num, &entered)? {
            values.entry(value.entity).or_default().push(value);
        }
        for change in page {
            for scope in &change.out_of {
                let exit = ExitLine { scope: *scope, entity: change.entity, rev: change.rev };
                self.line(&SyncLine::Exit(exit))?;
            }
            let Some((_, document)) = documents.get(&change.entity) else { continue };
            for (n, scope) in change.into.iter().enumerate() {
                self.entity_line(change, scope, (n == 0).then_some(document.as_str()));
            }
            if change.into.iter().any(|scope| scope.class != Class::Normal) {
                self.note_restricted(change.entity, document);
            }
            if let (false, Some(values)) = (change.into.is_empty(), values.remove(&change.entity)) {
                self.values(document, values)?;
            }
        }
        Ok(())
    }

    /// A [`schema::sync::EntityLine`], written by hand: the stored document goes out as it is, without being parsed.
    fn entity_line(&mut self, change: &Change, scope: &Scope, document: Option<&str>) {
        let Change { rev, entity, .. } = change;
        let start = format!("{{\"entity\":{{\"scope\":\"{scope}\",\"id\":\"{entity}\",\"rev\":{rev},\"document\":");
        self.out.extend_from_slice(start.as_bytes());
        self.out.extend_from_slice(document.unwrap_or("null").as_bytes());
        self.out.extend_from_slice(b"}}\n");
    }

    /// The values that a document shows and this reader may read.
    fn values(&mut self, document: &str, values: Vec<KeptValue>) -> std::result::Result<(), StoreError> {
        let Some(account) = &self.account else { return Ok(()) };
        let handlers_only = values.iter().any(|value| value.class == ReaderClass::Handlers);
        let may_read = handlers_only && may_read_handlers(account, &parse_entity(document)?, self.areas.as_deref());
        let mut personal = ReadOf { entity: EntityId::NIL, values: Vec::new() };
        for kept in values {
            let readable = match kept.class {
                ReaderClass::CaseReaders => true,
                ReaderClass::Handlers => may_read,
            };
            if readable && is_named_in(document, &kept.value.sealed) {
                if kept.class != ReaderClass::CaseReaders {
                    personal.entity = kept.entity;
                    personal.values.push(kept.value.sealed);
                }
                self.line(&SyncLine::Value(ValueLine { entity: kept.entity, value: kept.value }))?;
            }
        }
        self.reads.extend(Some(personal).filter(|read| !read.values.is_empty()));
        Ok(())
    }

    /// Notes that a case went out by a class that is not everybody's. Accounts and devices are no case.
    fn note_restricted(&mut self, entity: EntityId, document: &str) {
        if matches!(parse_entity(document), Ok(Entity::Case(_))) {
            self.reads.push(ReadOf { entity, values: Vec::new() });
        }
    }
}
