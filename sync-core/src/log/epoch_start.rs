//! How an epoch began: its first entry, proven to lie in the tree directly behind what it says was kept.
//! It does not know what a device held before: that the tree extends that is for the device to check.

use schema::ids::{EpochId, LogId};
use schema::op::Body;
use schema::record::{Outcome, Record};
use schema::sync::{EpochStart, TreeHead};

use super::leaf;
use super::tree::{verify_consistency, verify_inclusion};
use crate::line::{self, ReadBody, sha256};

/// Why an epoch did not begin as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EpochStartError {
    /// The line or its record is not that of a `start_epoch` by the server that took effect.
    #[error("the epoch's first entry is no start_epoch")]
    NotAStart,
    /// It is of another log or epoch, or does not stand directly behind what it kept.
    #[error("the start_epoch does not fit its place")]
    Elsewhere,
    /// The tree does not hold it.
    #[error("the tree does not hold the start_epoch")]
    NotInTree,
    /// The tree does not extend what it says was kept.
    #[error("the tree does not extend what the start_epoch says was kept")]
    NotKept,
}

/// Checks the beginning of an epoch against the tree of a verified checkpoint. Says what was kept: its last revision.
///
/// # Errors
/// See [`EpochStartError`].
pub fn check(log: LogId, epoch: EpochId, tree: &TreeHead, start: &EpochStart) -> Result<u64, EpochStartError> {
    let op = line::read(start.line.as_bytes()).map_err(|_| EpochStartError::NotAStart)?;
    let ReadBody::Known(body) = line::body(&op) else { return Err(EpochStartError::NotAStart) };
    let Body::StartEpoch(body) = *body else { return Err(EpochStartError::NotAStart) };
    let record: Record = crate::json::read(&start.outcome.record).map_err(|_| EpochStartError::NotAStart)?;
    if record.outcome != Outcome::Accepted || start.outcome.kind != "start_epoch" || start.outcome.op != op.op {
        return Err(EpochStartError::NotAStart);
    }
    let behind = body.kept_rev.checked_add(1) == Some(start.outcome.rev);
    if op.log != log || op.entity.0 != log.0 || start.outcome.epoch != epoch || body.old_epoch == epoch || !behind {
        return Err(EpochStartError::Elsewhere);
    }
    let leaf = leaf::of_outcome(log, op.device, op.actor, sha256(start.line.as_bytes()), &start.outcome);
    if !op.actor.0.is_nil() || !verify_inclusion(&leaf::hash(&leaf), body.kept_rev, tree, &start.inclusion) {
        return Err(EpochStartError::NotInTree);
    }
    let kept = TreeHead { size: body.kept_rev, root: body.kept_root };
    if !verify_consistency(&kept, tree, &start.kept) {
        return Err(EpochStartError::NotKept);
    }
    Ok(body.kept_rev)
}
