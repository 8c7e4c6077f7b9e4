//! The server was restored from a backup: what it lost comes back from the phones that still hold it.

use schema::ids::EpochId;
use serde_json::json;

use super::attention::{Raise, Trouble, raise};
use super::entropy::Entropy;
use super::error::PhoneError;
use super::store::{LogState, log_by_row};
use super::tables::rows::{Cursor, Photo, PhotoRef, StoredOp};
use super::tables::{self, Row, Tables, values};
use super::{base, outbox, trust};

/// Goes over to a new epoch: everything from the server is pulled anew, and every op above `durable` is undecided
/// again, under a new incarnation, with its bytes and its receipts as they are.
pub(crate) fn begin(
    db: &dyn Tables,
    log: &LogState,
    epoch: EpochId,
    entropy: &mut dyn Entropy,
    wall_ms: i64,
) -> Result<(), PhoneError> {
    let again = ops_again(db, log)?;
    base::forget(db, values!(log.id))?;
    for cursor in tables::select::<Cursor>(db, Cursor::KEY, values!(log.id))? {
        tables::put(db, &Cursor { rev: 0, ..cursor })?;
    }
    photos_again(db, log)?;
    trust::forget_above(db, log.id, log.durable)?;
    // Own outcomes up to `durable` are as they were; the rest is told anew.
    let held = log_by_row(db, log.id)?;
    let own = held.own.min(held.durable);
    tables::put(db, &LogState { epoch: Some(epoch), own, head: 0, pulled: false, ..held })?;
    outbox::renumber(db, log.id, entropy)?;
    raise(
        db,
        &Raise {
            trouble: Trouble::Restored,
            log: log.id,
            op: None,
            entity: None,
            detail: json!({"old_epoch": log.epoch, "new_epoch": epoch, "sent_again": again, "durable": log.durable}),
            since_ms: wall_ms,
        },
    )
}

/// Takes back what was decided above `durable`. Says how many ops are undecided again.
fn ops_again(db: &dyn Tables, log: &LogState) -> Result<u64, PhoneError> {
    let lost = |rev: Option<u64>| rev.is_some_and(|rev| rev > log.durable);
    let mut again = 0_u64;
    for mut own in tables::select::<StoredOp>(db, StoredOp::BY_ENTITY, values!(log.id))? {
        let first_lost = lost(own.rev);
        if !first_lost && !lost(own.second_rev) {
            continue;
        }
        (own.second, own.second_rev) = (None, None);
        if first_lost {
            own.state = "undecided".to_owned();
            (own.outcome, own.rev, own.answer) = (None, None, None);
            again = again.saturating_add(1);
        }
        tables::put(db, &own)?;
    }
    Ok(again)
}

/// Photos that the log does not durably say it has are offered again.
fn photos_again(db: &dyn Tables, log: &LogState) -> Result<(), PhoneError> {
    for named in tables::select::<PhotoRef>(db, PhotoRef::BY_LOG, values!(log.id))? {
        if named.verified_rev.is_some_and(|rev| rev <= log.durable) {
            continue;
        }
        if let Some(photo) = tables::get::<Photo>(db, values!(named.sha256))?.filter(|photo| photo.here) {
            tables::put(db, &Photo { uploaded: false, offset: 0, ..photo })?;
        }
        tables::put(db, &PhotoRef { verified_rev: None, ..named })?;
    }
    Ok(())
}
