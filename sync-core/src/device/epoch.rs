//! The server was restored from a backup: what it lost comes back from the phones that still hold it.

use rusqlite::{Connection, params};
use schema::ids::EpochId;
use serde_json::json;

use super::attention::{Raise, Trouble, raise};
use super::entropy::Entropy;
use super::error::PhoneError;
use super::phone::LogState;
use super::row::{Blob, int};
use super::{outbox, trust};

/// Goes over to a new epoch: everything from the server is pulled anew, and every op above `durable` is undecided
/// again, under a new incarnation, with its bytes and its receipts as they are.
pub(crate) fn begin(
    db: &Connection,
    log: &LogState,
    epoch: EpochId,
    entropy: &mut dyn Entropy,
    wall_ms: i64,
) -> Result<(), PhoneError> {
    let durable = int(log.durable);
    let again = db.execute(
        "UPDATE own_op SET state = 'undecided', outcome = NULL, rev = NULL, answer = NULL, second = NULL,
             second_rev = NULL WHERE log = ?1 AND rev > ?2",
        params![log.id, durable],
    )?;
    db.execute(
        "UPDATE own_op SET second = NULL, second_rev = NULL WHERE log = ?1 AND second_rev > ?2",
        params![log.id, durable],
    )?;
    for table in ["base", "base_scope", "view", "listing"] {
        db.execute(&format!("DELETE FROM {table} WHERE log = ?1"), params![log.id])?;
    }
    db.execute("UPDATE cursor SET rev = 0 WHERE log = ?1", params![log.id])?;
    db.execute(
        "UPDATE photo SET uploaded = 0, offset = 0 WHERE here = 1 AND sha256 IN
             (SELECT sha256 FROM photo_ref WHERE log = ?1 AND (verified_rev IS NULL OR verified_rev > ?2))",
        params![log.id, durable],
    )?;
    db.execute(
        "UPDATE photo_ref SET verified_rev = NULL WHERE log = ?1 AND verified_rev > ?2",
        params![log.id, durable],
    )?;
    trust::forget_above(db, log.id, log.durable)?;
    // Own outcomes up to `durable` are as they were; the rest is told anew.
    db.execute(
        "UPDATE log SET epoch = ?2, own = MIN(own, durable), head = 0, pulled = 0 WHERE id = ?1",
        params![log.id, Blob(epoch)],
    )?;
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
