//! Six weeks in the demo city: three hundred cases in all states, as ordered steps of the people who took them.
//! It makes the ops that people would make; what becomes of them the reducer decides.

mod content;
mod hours;
mod photos;
mod tale;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use pictures::drawing::Dice;
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::hash::Hash;
use schema::ids::{AccountId, EntityId};
use schema::op::{Body, SealedValue};
use sync_core::area::AreaIndex;
use sync_core::catalogue;
use sync_core::line::sha256;

use super::city::{City, Duty, city};
use super::ids;
use super::picture::Picture;
use tale::{Draft, Fate, Tale};

/// The demo's cases and the city that they happen in.
#[derive(Debug)]
pub struct Plan {
    /// The city: its areas, units and accounts come before the first step.
    pub city: City,
    /// The steps, by time.
    pub steps: Vec<Step>,
}

/// Who must fix which subtype in this city, and who helps.
pub(super) fn duties() -> impl Iterator<Item = ((&'static str, &'static str), (Duty, Option<Duty>))> {
    content::KINDS.iter().map(|kind| (kind.code, kind.duty))
}

/// One op of one person.
#[derive(Debug)]
pub struct Step {
    /// When it reaches the server, in ms.
    pub at_ms: u64,
    /// Who asks.
    pub account: AccountId,
    /// The case.
    pub entity: EntityId,
    /// What is asked.
    pub body: Body,
    /// The values that travel behind the op.
    pub values: Vec<SealedValue>,
    /// The photos whose bytes arrive with it. A photo that the op names and that is not here never arrived.
    pub photos: Vec<Photo>,
}

/// A photo with its bytes.
#[derive(Debug, Clone)]
pub struct Photo {
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// The recipe it was made by.
    pub picture: Picture,
    /// The file.
    pub jpeg: Arc<[u8]>,
}

/// How many cases end up where.
const FATES: [(Fate, u64); 13] = [
    (Fate::Reported, 23),
    (Fate::ReportedWithoutPhoto, 3),
    (Fate::Filed, 18),
    (Fate::Assigned, 40),
    (Fate::Fixed, 20),
    (Fate::Checked, 12),
    (Fate::Closed, 92),
    (Fate::Settled, 48),
    (Fate::Declined, 14),
    (Fate::Duplicate, 12),
    (Fate::Void, 6),
    (Fate::Reopened, 8),
    (Fate::ClosedAgain, 4),
];

/// What all tales share.
struct World {
    seed: u64,
    now_ms: u64,
    city: City,
    index: AreaIndex,
    catalogue: Catalogue,
    /// SHA-256 of the catalogue document as shipped.
    catalogue_hash: Hash,
}

/// The demo of a seed, its last day being that of `now_ms`. It draws and encodes all photos, on all cores.
pub fn plan(seed: u64, now_ms: u64) -> Plan {
    let (city, drafts) = draft(seed, now_ms);
    let pictures = photos::pictures(&drafts);
    let steps = photos::develop(drafts, &photos::make(&pictures));
    Plan { city, steps }
}

/// The steps with their photos as recipes, by time.
fn draft(seed: u64, now_ms: u64) -> (City, Vec<Draft>) {
    let city = city(seed);
    let (Ok(catalogue), Ok(index)) = (catalogue::read(CITY_CATALOGUE.as_bytes()), AreaIndex::new(&city.areas)) else {
        // Tests prove that neither happens with what is shipped.
        return (city, Vec::new());
    };
    let catalogue_hash = sha256(CITY_CATALOGUE.as_bytes());
    let world = World { seed, now_ms, city, index, catalogue, catalogue_hash };
    let mut fates: Vec<Fate> = FATES.iter().flat_map(|(fate, count)| (0..*count).map(move |_| *fate)).collect();
    shuffle(&mut fates, ids::seed(seed, "fates", 0));
    // Duplicates come last: they need a case to be the same as.
    fates.sort_by_key(|fate| *fate == Fate::Duplicate);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut told: Vec<tale::Told> = Vec::new();
    for (number, fate) in (1..).zip(fates) {
        if let Some(tale) = Tale::tell(&world, number, fate, &told) {
            let (steps, summary) = tale.finish();
            drafts.extend(steps);
            told.push(summary);
        }
    }
    // Stable: steps of one case stay in their order even within one millisecond.
    drafts.sort_by_key(|draft| draft.at_ms);
    (world.city, drafts)
}

fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut dice = Dice::new(seed);
    for last in (1..list.len()).rev() {
        let other = usize::try_from(dice.roll() % u64::try_from(last + 1).unwrap_or(1)).unwrap_or(0);
        list.swap(last, other);
    }
}
