//! How much a phone may hold of what others made. Beyond it pulling stops, and sending never does.

use schema::limits::{DEVICE_BYTES_MAX, DEVICE_ENTITIES_MAX};
use schema::sync::SyncHeader;
use serde_json::json;

use super::attention::{Raise, Trouble, open_in, raise, settle_log};
use super::error::PhoneError;
use super::tables::rows::Version;
use super::tables::{self, Row, Tables};
use crate::sync::answer::Answer;

/// What is held, and how much it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    entities: u64,
    bytes: u64,
}

const MOST: Held = Held { entities: DEVICE_ENTITIES_MAX, bytes: DEVICE_BYTES_MAX };

/// The most rows to ask for: none where the phone is full, so that it is told only what it must drop.
pub(crate) fn rows_wanted(db: &dyn Tables) -> Result<Option<u32>, PhoneError> {
    Ok(held(db)?.is_full(MOST).then_some(0))
}

impl Held {
    fn is_full(self, most: Self) -> bool {
        self.entities >= most.entities || self.bytes >= most.bytes
    }
}

/// Photos are not in the tables.
fn held(db: &dyn Tables) -> Result<Held, PhoneError> {
    Ok(Held { entities: tables::count::<Version>(db, Version::KEY, &[])?, bytes: db.bytes()? })
}

/// Whether everything that was asked for could be given.
pub(crate) fn had_room(header: &SyncHeader, answer: &Answer) -> bool {
    header.rows != Some(0) && answer.end.scope_too_large.is_none()
}

/// Tells the person where something was held back, and no longer when nothing is.
pub(crate) fn note(
    db: &dyn Tables,
    log: i64,
    header: &SyncHeader,
    answer: &Answer,
    wall_ms: i64,
) -> Result<(), PhoneError> {
    if had_room(header, answer) {
        return settle_log(db, Trouble::ScopeTooLarge, log);
    }
    if !open_in(db, Trouble::ScopeTooLarge, log)?.is_empty() {
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
    use super::{Held, MOST};

    #[test]
    fn a_phone_is_full_by_entities_or_by_bytes() {
        let held = Held { entities: 3, bytes: 4096 };
        assert!(!held.is_full(MOST));
        assert!(held.is_full(Held { entities: 3, ..MOST }));
        assert!(!held.is_full(Held { entities: 4, ..MOST }));
        assert!(held.is_full(Held { bytes: 4096, ..MOST }));
    }
}
