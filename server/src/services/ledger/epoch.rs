//! A log that was set back goes on in a new epoch, and says so in the epoch's first entry. The head lock is held.

use schema::ids::{EpochId, OpId};
use schema::op::{Body, StartEpoch};
use schema::sync::TreeHead;
use sync_core::line::consequence_id;
use sync_core::log::tree::{prove_consistency, verify_consistency};
use uuid::Uuid;

use super::enter::Desk;
use crate::services::signer::SignedHead;
use crate::store::{Db, Entry, LogHead, StoreError};

/// When a new epoch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewEpoch {
    /// If the log does not extend what is remembered of it.
    IfSetBack,
    /// Whatever is remembered: it was restored.
    Always,
    /// As that, under an id that the caller chose.
    As(EpochId),
}

/// Whether a log extends a head that was signed or acknowledged. What was so in an earlier epoch bound that epoch: the
/// log said in its `start_epoch` what it kept of it.
///
/// # Errors
/// The database's.
pub fn extends(db: &mut Db, head: &LogHead, last: &SignedHead) -> Result<bool, StoreError> {
    if last.epoch != head.epoch {
        let epochs = db.epochs(head.num)?;
        return Ok(epochs.iter().any(|epoch| epoch.epoch == last.epoch));
    }
    let now = TreeHead { size: head.rev, root: head.root };
    if last.head.size > now.size {
        return Ok(false);
    }
    let proof = prove_consistency(&mut db.tree(head.num), last.head.size, now.size)?;
    Ok(verify_consistency(&last.head, &now, &proof))
}

impl Desk<'_, '_> {
    /// Starts a new epoch where it has to start: nothing is ever appended to the old one of a log that was set back.
    pub(super) fn recover(
        &mut self,
        known: &[SignedHead],
        when: NewEpoch,
        received_ms: u64,
    ) -> Result<Option<Entry>, StoreError> {
        let head = self.tx.read_head();
        let mut starts = when != NewEpoch::IfSetBack;
        for last in known {
            starts |= !extends(self.tx.db, &head, last)?;
        }
        // Before its first entry a log has nothing that could have been set back.
        if !starts || head.rev == 0 {
            return Ok(None);
        }
        let epoch = match when {
            NewEpoch::As(epoch) => epoch,
            NewEpoch::IfSetBack | NewEpoch::Always => {
                let mut random = [0; 16];
                getrandom::fill(&mut random).map_err(|_| StoreError::NoRandomness)?;
                EpochId(Uuid::new_v8(random))
            }
        };
        let body = StartEpoch {
            old_epoch: head.epoch,
            kept_rev: head.rev,
            kept_root: head.root,
            last_signed_head: known.iter().map(|last| last.head.size).max().unwrap_or(0),
        };
        tracing::warn!(
            log.id = %head.log, kept_rev = body.kept_rev, last_known_rev = body.last_signed_head,
            "the log was set back: it goes on in a new epoch"
        );
        self.tx.start_epoch(epoch)?;
        self.tx.hold_waiting()?;
        self.seen.clear();
        let id = consequence_id(head.log, OpId(epoch.0), "start_epoch", 0);
        let incoming = self.by_server(id, head.log.into(), &Body::StartEpoch(body), received_ms)?;
        let first = self.enter(incoming)?;
        self.take_away_again(received_ms)?;
        Ok(Some(first))
    }
}
