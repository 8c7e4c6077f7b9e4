//! How a log stands: how far it survives the loss of this server, which restores it went through, what of the lost did
//! not come back.

use std::collections::BTreeSet;

use schema::api::{LogStanding, RestoredEpoch};
use schema::entity::{Entity, Restored};
use schema::ids::{EpochId, LogId};
use schema::limits::BACKUP_OVERDUE_MS;
use schema::problem::ProblemCode;

use super::ledger::read_entity;
use crate::error::{Error, Result};
use crate::store::{Db, LogHead};

/// Ranges listed; more say nothing new.
const RANGES_MAX: usize = 100;

/// How all logs stand.
///
/// # Errors
/// The database's.
pub fn all(db: &mut Db, now_ms: u64) -> Result<Vec<LogStanding>> {
    let heads = db.heads()?;
    heads.iter().map(|head| one(db, head, now_ms)).collect()
}

/// How one of them stands.
///
/// # Errors
/// `not_found`, and the database's.
pub fn of(db: &mut Db, log: LogId, now_ms: u64) -> Result<LogStanding> {
    let head = db.head(log)?.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    one(db, &head, now_ms)
}

fn one(db: &mut Db, head: &LogHead, now_ms: u64) -> Result<LogStanding> {
    let durable = db.durable(head.num)?;
    let epochs: Vec<EpochId> = db.epochs(head.num)?.iter().map(|epoch| epoch.epoch).collect();
    let returned = db.returned(head.num)?;
    let restored = match read_entity(db, head.num, head.log.into())? {
        Some(Entity::Log(log)) => log.restored,
        _ => Vec::new(),
    };
    let newest = restored.last().map(|restored| restored.epoch);
    let restored = restored.iter().map(|restored| {
        let before = epochs.iter().take_while(|epoch| **epoch != restored.epoch).last();
        // What was lost was of the epoch before, or of one that this database never knew.
        let lost =
            |epoch: &EpochId| Some(epoch) == before || (Some(restored.epoch) == newest && !epochs.contains(epoch));
        let came = returned.iter().filter(|came| lost(&came.epoch)).map(|came| came.rev);
        epoch(restored, came.filter(|rev| *rev > restored.kept_rev).collect())
    });
    Ok(LogStanding {
        log: head.log,
        epoch: head.epoch,
        head: head.rev,
        durable: durable.rev.min(head.rev),
        durable_ms: durable.confirmed_ms,
        overdue: now_ms.saturating_sub(durable.confirmed_ms) > BACKUP_OVERDUE_MS,
        restored: restored.collect(),
    })
}

fn epoch(restored: &Restored, revs: BTreeSet<u64>) -> RestoredEpoch {
    let last_known_rev = revs.last().copied().unwrap_or(0).max(restored.last_signed_head);
    RestoredEpoch {
        epoch: restored.epoch,
        rev: restored.by.rev,
        began_ms: restored.by.received_ms,
        kept_rev: restored.kept_rev,
        last_known_rev,
        returned: u64::try_from(revs.len()).unwrap_or(u64::MAX),
        not_returned: holes(restored.kept_rev, last_known_rev, &revs),
        acknowledged: restored.acknowledged.is_some(),
    }
}

/// The ranges between `kept` and `last` that are not in `revs`.
fn holes(kept: u64, last: u64, revs: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut holes = Vec::new();
    let mut next = kept.saturating_add(1);
    for rev in revs.iter().copied().chain([last.saturating_add(1)]) {
        if rev > next {
            holes.push((next, rev - 1));
        }
        next = next.max(rev.saturating_add(1));
    }
    holes.truncate(RANGES_MAX);
    holes
}

#[cfg(test)]
mod tests {
    use super::holes;

    #[test]
    fn what_nobody_brought_back_is_told_in_ranges() {
        assert_eq!(holes(10, 20, &[12, 13, 17].into()), [(11, 11), (14, 16), (18, 20)]);
        assert_eq!(holes(10, 20, &[].into()), [(11, 20)]);
        assert_eq!(holes(10, 12, &[11, 12].into()), []);
        assert_eq!(holes(10, 5, &[].into()), [], "nothing was lost");
    }
}
