//! How much a phone may hold of what others made. Beyond it pulling stops, and sending never does.

use rusqlite::{Connection, params};
use schema::limits::{DEVICE_BYTES_MAX, DEVICE_ENTITIES_MAX};
use schema::sync::SyncHeader;
use serde_json::json;

use super::attention::{Raise, Trouble, raise, settle_log};
use super::error::PhoneError;
use super::row::nat;
use crate::sync::answer::Answer;

/// What is held, and how much it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    entities: u64,
    bytes: u64,
}

const MOST: Held = Held { entities: DEVICE_ENTITIES_MAX, bytes: DEVICE_BYTES_MAX };

/// The most rows to ask for: none where the phone is full, so that it is told only what it must drop.
pub(crate) fn rows_wanted(db: &Connection) -> Result<Option<u32>, PhoneError> {
    Ok(is_full(db, MOST)?.then_some(0))
}

fn is_full(db: &Connection, most: Held) -> Result<bool, PhoneError> {
    let held = held(db)?;
    Ok(held.entities >= most.entities || held.bytes >= most.bytes)
}

/// The file without its free pages; photos are files of their own.
fn held(db: &Connection) -> Result<Held, PhoneError> {
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let pages = one("PRAGMA page_count")?.saturating_sub(one("PRAGMA freelist_count")?);
    let bytes = nat(pages).saturating_mul(nat(one("PRAGMA page_size")?));
    Ok(Held { entities: nat(one("SELECT COUNT(*) FROM base")?), bytes })
}

/// Whether everything that was asked for could be given.
pub(crate) fn had_room(header: &SyncHeader, answer: &Answer) -> bool {
    header.rows != Some(0) && answer.end.scope_too_large.is_none()
}

/// Tells the person where something was held back, and no longer when nothing is.
pub(crate) fn note(
    db: &Connection,
    log: i64,
    header: &SyncHeader,
    answer: &Answer,
    wall_ms: i64,
) -> Result<(), PhoneError> {
    if had_room(header, answer) {
        return settle_log(db, Trouble::ScopeTooLarge, log);
    }
    let open: i64 = db.query_row(
        "SELECT COUNT(*) FROM attention WHERE kind = ?1 AND log = ?2 AND done = 0",
        params![Trouble::ScopeTooLarge.name(), log],
        |row| row.get(0),
    )?;
    if open > 0 {
        return Ok(());
    }
    let detail = match &answer.end.scope_too_large {
        Some(told) => json!({ "entities": told.entities, "entities_max": told.entities_max }),
        None => json!({ "entities_max": MOST.entities, "bytes_max": MOST.bytes }),
    };
    raise(db, &Raise { trouble: Trouble::ScopeTooLarge, log, op: None, entity: None, detail, since_ms: wall_ms })
}

#[cfg(test)]
mod tests {
    use super::{Held, MOST, is_full};

    #[test]
    fn a_phone_is_full_by_entities_or_by_bytes() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE base (n INTEGER); INSERT INTO base VALUES (1), (2), (3)").unwrap();
        assert!(!is_full(&db, MOST).unwrap());
        assert!(is_full(&db, Held { entities: 3, ..MOST }).unwrap());
        assert!(!is_full(&db, Held { entities: 4, ..MOST }).unwrap());
        assert!(is_full(&db, Held { bytes: 4096, ..MOST }).unwrap());
    }
}
