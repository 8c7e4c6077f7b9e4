//! A time in which no server was at work: noted in every log, and given back to whoever was due in it once that was
//! decided.

use schema::case::Case;
use schema::entity::{Entity, Silence};
use schema::ids::{EntityId, OpId};
use schema::limits::SILENCE_MS;
use schema::op::{Body, NoteSilence};
use sync_core::clock::excused;
use sync_core::line::{consequence_id, ticker_id};

use super::enter::Desk;
use super::writer::Ledger;
use super::{Append, LedgerError, ServerOp};
use crate::store::{Db, Entry, StoreError};

impl Ledger {
    /// Notes that a server is at work, and in every log how long none was if that is longer than [`SILENCE_MS`].
    ///
    /// # Errors
    /// See [`LedgerError`]; the next call takes up what is left.
    pub async fn note_alive(&self, now_ms: u64) -> Result<(), LedgerError> {
        let (last, heads) = self.store.read_async(|db| Ok::<_, StoreError>((db.alive()?, db.heads()?))).await?;
        if let Some(from_ms) = last.filter(|last| now_ms.saturating_sub(*last) > SILENCE_MS) {
            for head in heads {
                let entity = EntityId::from(head.log);
                let body = Body::NoteSilence(NoteSilence { from_ms, to_ms: now_ms });
                // Several servers that come back notice the same one.
                let id = ticker_id(head.log, entity, "", "note_silence", from_ms);
                let ops = vec![ServerOp { id, entity, body, values: Vec::new() }];
                self.append(head.log, Append { ops, ..Append::default() }).await?;
            }
        }
        self.store.write_async(move |db: &mut Db| db.note_alive(now_ms)).await?;
        Ok(())
    }
}

impl Desk<'_, '_> {
    /// Gives back to a case the silences that are excused.
    pub(super) fn excuse(&mut self, id: EntityId, cause: OpId, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        let silences = self.excused_silences()?;
        if silences.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.seen.held(self.tx, id)?;
        let Some(Entity::Case(case)) = held.entity.as_deref() else { return Ok(Vec::new()) };
        let case: Case = case.as_ref().clone();
        let issued =
            self.by_stages(&case, |stages, calendar| excused(&case, stages, &silences, calendar, received_ms))?;
        let mut entries = Vec::new();
        for (n, body) in (0..).zip(issued) {
            let op = consequence_id(self.tx.head.log, cause, &format!("silence {id}"), n);
            let incoming = self.by_server(op, id, &Body::IssueDeadline(body), received_ms)?;
            entries.push(self.enter(incoming)?);
        }
        Ok(entries)
    }

    fn excused_silences(&mut self) -> Result<Vec<Silence>, StoreError> {
        let held = self.seen.held(self.tx, EntityId::from(self.tx.head.log))?;
        let Some(Entity::Log(log)) = held.entity.as_deref() else { return Ok(Vec::new()) };
        let excuses = |silence: &&Silence| silence.decided.as_ref().is_some_and(|decided| decided.excuse);
        Ok(log.silences.iter().filter(excuses).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
