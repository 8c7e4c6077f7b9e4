//! What supervisors say of cases, over and over.

use schema::hash::Hash;
use schema::ids::AccountId;
use schema::op::{Assign, Body, EvidenceRole, File, PhotoClaim, Taken, TakenBy};

use super::unit;

/// Files a report of hawkers.
pub(crate) fn file() -> Body {
    Body::File(File { condition: "hawks_unlicensed".parse().unwrap() })
}

/// Gives a case to the unit, and to somebody of it.
pub(crate) fn assign(holder: Option<AccountId>) -> Body {
    Body::Assign(Assign { unit: unit(), co_units: vec![], co_limits: Default::default(), holder, note: None })
}

pub(crate) fn photo(n: u8, role: EvidenceRole) -> PhotoClaim {
    let taken = Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false };
    PhotoClaim { sha256: Hash([n; 32]), size: 1000, role, taken }
}
