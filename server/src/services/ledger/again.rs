//! What was taken away at the server stays away, though the log that said so was lost: it is done again, as the same op.

use std::sync::Arc;

use schema::ids::{AccountId, EntityId, LogId};
use schema::op::Body;

use super::enter::Desk;
use super::work::Work;
use super::writer::Writer;
use crate::services::acts::{Act, TakenAway, is_kept};
use crate::services::signer::{SignedHead, SignerError};
use crate::store::StoreError;

impl Writer {
    /// What is remembered of a log outside its database, where this process has not written to it yet, and what was
    /// taken away before; what a group is about to do is remembered before it is done.
    pub(super) fn remembered(
        &mut self,
        log: LogId,
        group: &[Work],
    ) -> Result<(Vec<SignedHead>, Arc<TakenAway>), SignerError> {
        let Some(memory) = &mut self.memory else { return Ok(Default::default()) };
        let (unchecked, away) = (memory.unchecked(log)?, memory.taken_away(log)?);
        let mut acts = Vec::new();
        for work in group {
            let Work::Append(append, _) = work else { continue };
            for op in append.ops.iter().filter(|op| is_kept(&op.body)) {
                let (body, values) = (op.body.clone(), op.values.clone());
                acts.push(Act { op: op.id, entity: op.entity, body, values });
            }
        }
        memory.keep_acts(log, &acts)?;
        Ok((unchecked, away))
    }
}

impl Desk<'_, '_> {
    /// Takes away again what a log that was set back has given back.
    pub(super) fn take_away_again(&mut self, received_ms: u64) -> Result<(), StoreError> {
        let away = self.away;
        for entity in away.entities() {
            if self.seen.held(self.tx, entity)?.entity.is_some() {
                self.take_away_from(entity, received_ms)?;
            }
        }
        Ok(())
    }

    /// The same for one entity, which may have come back with a phone a moment ago.
    pub(super) fn take_away_from(&mut self, entity: EntityId, received_ms: u64) -> Result<(), StoreError> {
        let away = self.away;
        for act in away.from(entity) {
            if !self.tx.db.entries_of_ops(self.tx.head.num, &[act.op])?.is_empty() {
                continue;
            }
            if let Body::DisableAccount(_) = act.body {
                self.tx.db.set_disabled(AccountId(entity.0), true)?;
            }
            let mut incoming = self.by_server(act.op, entity, &act.body, received_ms)?;
            incoming.values.clone_from(&act.values);
            self.enter(incoming)?;
        }
        Ok(())
    }
}
