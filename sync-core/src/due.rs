//! What the server must do to an entity when a time has come. It follows from the entity and its catalogue alone, so
//! the table of what is due is a view; what is done about it is an entry.

use schema::entity::Entity;
use schema::limits::RELAPSE_WINDOW_DAYS;
use schema::op::{Body, Nothing};

use crate::case::has_ended;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueKind {
    /// A restriction ends.
    LiftRestriction,
    /// A case leaves the phones.
    Archive,
}

impl DueKind {
    /// Its number in the table of what is due.
    pub fn number(self) -> u8 {
        match self {
            Self::LiftRestriction => 1,
            Self::Archive => 2,
        }
    }

    /// The kind of a number.
    pub fn of_number(number: u8) -> Option<Self> {
        [Self::LiftRestriction, Self::Archive].into_iter().find(|kind| kind.number() == number)
    }

    /// What the server then asks for.
    pub fn body(self) -> Body {
        match self {
            Self::LiftRestriction => Body::LiftRestriction(Nothing {}),
            Self::Archive => Body::Archive(Nothing {}),
        }
    }
}

/// One thing that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// What.
    pub kind: DueKind,
    /// When, in ms of the server's time.
    pub due_ms: u64,
    /// Tells it from the same thing due another time: the revision that gave cause to it.
    pub occurrence: u64,
}

/// All that is due for an entity. `archive_days` is what its catalogue says of that, asked for only where it matters.
///
/// # Errors
/// Those of `archive_days`.
pub fn dues<E>(entity: &Entity, archive_days: impl FnOnce() -> Result<Option<u16>, E>) -> Result<Vec<Due>, E> {
    let Entity::Case(case) = entity else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if let Some(restriction) = &case.restricted {
        let (due_ms, occurrence) = (restriction.until_ms, restriction.by.rev);
        found.push(Due { kind: DueKind::LiftRestriction, due_ms, occurrence });
    }
    if has_ended(case) && case.archived.is_none() && !case.needs_audit {
        let (ended_ms, occurrence) =
            case.end.as_ref().map_or((case.changed_ms, 0), |end| (end.step.by.received_ms, end.step.by.rev));
        let days = archive_days()?.unwrap_or(RELAPSE_WINDOW_DAYS).max(RELAPSE_WINDOW_DAYS);
        let due_ms = ended_ms.saturating_add(u64::from(days).saturating_mul(DAY_MS));
        found.push(Due { kind: DueKind::Archive, due_ms, occurrence });
    }
    Ok(found)
}
