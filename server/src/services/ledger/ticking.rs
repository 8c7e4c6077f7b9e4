//! What falls due: each thing once, whichever of several servers gets there first.

use std::sync::Arc;

use schema::entity::Entity;
use schema::ids::{EntityId, LogId};
use schema::limits::{DAY_MS, EXITS_KEPT_DAYS};
use sync_core::due::{Asked, Due, asked, dues, kept_days};
use sync_core::line::{kind_and_body, ticker_id};
use tokio::sync::oneshot;

use super::LedgerError;
use super::enter::Desk;
use super::seen::Held;
use super::work::Work;
use super::writer::Ledger;
use crate::store::{Entry, StoreError};

/// Things done in one transaction.
const TICK_MAX: usize = 200;

impl Ledger {
    /// Does what is due in every log. How many things.
    ///
    /// # Errors
    /// See [`LedgerError`]; the next tick takes up what is left.
    pub async fn tick(&self, now_ms: u64) -> Result<usize, LedgerError> {
        let mut count = 0;
        for log in self.store.read_async(move |db| db.logs_with_dues(now_ms)).await? {
            // What was done may make the next thing due: after a pause an overdue clock goes up all its levels at once.
            loop {
                let done = self.tick_in(log).await?;
                count += done;
                if done == 0 {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Does what is due in a log, and forgets what is too old to be told.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub async fn tick_in(&self, log: LogId) -> Result<usize, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(log, Work::Tick(reply)).await?;
        Ok(answer.await.map_err(|_| LedgerError::Stopping)??.len())
    }
}

impl Desk<'_, '_> {
    /// Does what is due by now, at most [`TICK_MAX`] things.
    pub(super) fn fall_due(&mut self, now_ms: u64) -> Result<Vec<Entry>, StoreError> {
        let log = self.tx.head.log;
        let mut entries = Vec::new();
        for (entity, due) in self.tx.db.due(self.tx.head.num, now_ms, TICK_MAX)? {
            let held = self.seen.held(self.tx, entity)?;
            let Some(Asked { clock, body }) = held.entity.as_deref().and_then(|held| asked(held, due)) else {
                tracing::error!(%entity, kind = ?due.kind, "something is due that asks for nothing");
                self.tx.put_dues(entity, &[])?;
                continue;
            };
            let (kind, _) = kind_and_body(&body).map_err(|_| StoreError::Damaged("a body that can't be written"))?;
            let id = ticker_id(log, entity, &clock, &kind, due.occurrence);
            if self.tx.db.entries_of_ops(self.tx.head.num, &[id])?.is_empty() {
                let incoming = self.by_server(id, entity, &body, now_ms)?;
                entries.push(self.enter(incoming)?);
            } else {
                // Done before: what is left of it is no reason to try for ever.
                tracing::error!(%entity, kind, "something done is still due");
                self.tx.put_dues(entity, &[])?;
            }
        }
        Ok(entries)
    }

    /// Forgets exits that are older than any device may stay away.
    pub(super) fn prune_exits(&mut self, now_ms: u64) -> Result<(), StoreError> {
        let log = self.tx.head.num;
        let before_ms = now_ms.saturating_sub(EXITS_KEPT_DAYS.saturating_mul(DAY_MS));
        // Receipt times never run backwards: the newest old entry is found by halving.
        let kept_from = self.tx.db.exits_kept_from(log)?;
        let (mut old, mut young) = (kept_from, self.tx.head.rev.saturating_add(1));
        while young - old > 1 {
            let middle = old + (young - old) / 2;
            let is_old = self.tx.db.received_ms(log, middle)?.is_some_and(|received_ms| received_ms < before_ms);
            if is_old { old = middle } else { young = middle }
        }
        if old > kept_from { self.tx.prune_exits(old) } else { Ok(()) }
    }

    /// Brings the table of what is due up to an entity's new version.
    pub(super) fn follow_dues(&mut self, id: EntityId, before: &Held, after: &Arc<Entity>) -> Result<(), StoreError> {
        let was = match before.entity.as_deref() {
            Some(before) => self.dues_of(before)?,
            None => Vec::new(),
        };
        let now = self.dues_of(after)?;
        if was == now { Ok(()) } else { self.tx.put_dues(id, &now) }
    }

    fn dues_of(&mut self, entity: &Entity) -> Result<Vec<Due>, StoreError> {
        let pinned = match entity {
            Entity::Case(case) => case.catalogue.map(|sha256| (case, sha256)),
            _ => None,
        };
        dues(entity, || {
            let Some((case, sha256)) = pinned else { return Ok(None) };
            let catalogue = self.parsed.catalogue(self.tx.db, self.tx.head.num, sha256)?;
            Ok(catalogue.map(|catalogue| kept_days(&catalogue, case)))
        })
    }
}
