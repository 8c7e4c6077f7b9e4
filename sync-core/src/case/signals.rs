//! What people should know about a photo that has arrived: signals for their eyes. Nothing is refused or decided by
//! them, and what was found is recorded in the `photo_verified` entry, so a replay never looks again.

use std::collections::{BTreeMap, BTreeSet};

use schema::case::{Case, Evidence, FieldName, Position};
use schema::hash::Hash;
use schema::ids::OpId;
use schema::limits::{PHOTO_PLACE_FAR_M, PHOTO_TIME_FAR_MS};
use schema::op::{ClaimFlags, EvidenceRole, TakenBy};

use crate::area::distance_m;

/// The same file is evidence elsewhere, or stood in this case already.
pub const PHOTO_USED_BEFORE: &str = "photo_used_before";
/// Another case has a photo that looks the same.
pub const NEAR_DUPLICATE: &str = "near_duplicate";
/// One photo, or the same picture coded anew, is to show the problem and that it is gone.
pub const AFTER_EQUALS_BEFORE: &str = "after_equals_before";
/// The camera says another time than the op.
pub const EXIF_TIME_FAR: &str = "exif_time_far";
/// The camera says another place than the case.
pub const EXIF_PLACE_FAR: &str = "exif_place_far";
/// The device's position came from a mock provider.
pub const MOCK_POSITION: &str = "mock_position";
/// It was chosen from the phone's library, not taken in the app.
pub const FROM_LIBRARY: &str = "from_library";

/// What is known of a photo beside its case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Another entity names the same file.
    pub used_elsewhere: bool,
    /// Another case of the log has a photo that looks the same.
    pub alike_elsewhere: bool,
    /// Photos of this case that are the same picture, coded anew.
    pub same_here: BTreeSet<Hash>,
    /// When the shutter went, as the camera wrote it, in ms.
    pub shutter_ms: Option<i64>,
    /// Where, as the camera wrote it.
    pub position: Option<Position>,
    /// The wall clock of the device at the capture of the ops that name it, in ms: the same phone's clock as the
    /// camera's, so a wrong one is wrong in both.
    pub captured_ms: BTreeMap<OpId, i64>,
}

/// The signals of a photo whose arrival a case is told: those of the photo itself, then those of single claims.
pub fn signals(case: &Case, sha256: &Hash, known: &Known) -> (Vec<String>, Vec<ClaimFlags>) {
    let mut flags = Vec::new();
    if known.used_elsewhere {
        flags.push(PHOTO_USED_BEFORE.to_owned());
    }
    if known.alike_elsewhere {
        flags.push(NEAR_DUPLICATE.to_owned());
    }
    let told = |item: &&Evidence| item.sha256 == *sha256 && item.verified_rev.is_none();
    let claims = case.evidence.iter().filter(told).filter_map(|item| {
        let flags: Vec<String> = of_claim(case, item, known).into_iter().map(str::to_owned).collect();
        (!flags.is_empty()).then_some(ClaimFlags { op: item.by.op, role: item.role, flags })
    });
    (flags, claims.collect())
}

fn of_claim(case: &Case, item: &Evidence, known: &Known) -> Vec<&'static str> {
    let mut flags = Vec::new();
    let earlier = |other: &&Evidence| other.by.rev < item.by.rev;
    if !known.used_elsewhere && case.evidence.iter().filter(earlier).any(|other| other.sha256 == item.sha256) {
        flags.push(PHOTO_USED_BEFORE);
    }
    let same = |other: &Evidence| other.sha256 == item.sha256 || known.same_here.contains(&other.sha256);
    if case.evidence.iter().any(|other| contradicts(other.role, item.role) && same(other)) {
        flags.push(AFTER_EQUALS_BEFORE);
    }
    let apart_ms = known.shutter_ms.zip(known.captured_ms.get(&item.by.op)).map(|(shutter, op)| shutter.abs_diff(*op));
    if apart_ms.is_some_and(|apart| apart > PHOTO_TIME_FAR_MS) {
        flags.push(EXIF_TIME_FAR);
    }
    if known.position.zip(position_of(case)).is_some_and(|(photo, case)| is_far(&photo, &case)) {
        flags.push(EXIF_PLACE_FAR);
    }
    if item.taken.mock_position {
        flags.push(MOCK_POSITION);
    }
    if item.taken.by == TakenBy::Library {
        flags.push(FROM_LIBRARY);
    }
    flags
}

/// Whether the same picture can't honestly be both.
fn contradicts(one: EvidenceRole, other: EvidenceRole) -> bool {
    use EvidenceRole::{After, Before};
    matches!((one, other), (Before, After) | (After, Before))
}

fn position_of(case: &Case) -> Option<Position> {
    crate::json::read_value(case.fields.get(&FieldName::Position)?.value.clone()).ok()
}

fn is_far(photo: &Position, case: &Position) -> bool {
    let vague_m = |position: &Position| u64::from(position.accuracy_m.unwrap_or(0));
    let allowed_m = PHOTO_PLACE_FAR_M.saturating_add(vague_m(photo)).saturating_add(vague_m(case));
    distance_m(photo, case) > allowed_m
}
