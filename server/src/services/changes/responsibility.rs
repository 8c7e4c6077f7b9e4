//! What other responsibilities (属地 × 属事) would change, and where nobody or several are responsible.

use std::collections::BTreeMap;

use schema::area::Area;
use schema::calendar::Day;
use schema::catalogue::{Catalogue, Code, Text};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AreaId, UnitId};
use schema::responsibility::{Place, Responsibilities};
use serde::Serialize;
use sync_core::area::AreaIndex;
use sync_core::catalogue::subtype;
use sync_core::line::singleton_id;
use sync_core::responsibility::{Directory, Gone, Pair, Review, faults, review, turns};

use super::super::ledger::{Parsed, read_entity};
use super::each;
use crate::store::{Db, LogHead, StoreError};

/// What a document says from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponsibilityReport {
    /// Its version.
    pub version: String,
    /// The day.
    pub on: Day,
    /// How many rules it has.
    pub rules: usize,
    /// How many grids × subtypes there are.
    pub pairs: usize,
    /// How many of them nobody has on that day. A gap that is to come is listed, and not counted.
    pub without: usize,
    /// Where nobody is responsible.
    pub gaps: Vec<Open>,
    /// Where several are.
    pub overlaps: Vec<Open>,
    /// Streets, roads and rivers that overlap, by their rules' numbers and names.
    pub crossings: Vec<(usize, usize, Text)>,
}

/// A subtype in some grids that nobody has, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The first day on which it is so.
    pub since: Day,
    /// The category.
    pub category: Code,
    /// The subtype.
    pub subtype: Code,
    /// What the subtype is called.
    pub name: Text,
    /// The units; none for a gap.
    pub units: Vec<Text>,
    /// The codes of the grids.
    pub grids: Vec<String>,
}

/// What a document would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponsibilityChange {
    /// The version in force; none if there is none.
    pub from: Option<String>,
    /// It is the one in force.
    pub unchanged: bool,
    /// How many grids × subtypes have other units than now.
    pub moved: usize,
    /// Why it can't take effect.
    pub errors: Vec<Text>,
    /// What it says.
    pub report: ResponsibilityReport,
}

/// What a document is read against.
struct Ground<'a> {
    areas: &'a AreaIndex,
    catalogue: &'a Catalogue,
    people: Directory,
    units: BTreeMap<UnitId, Text>,
}

impl Ground<'_> {
    fn review(&self, document: &Responsibilities, on: Day) -> Review {
        review(document, self.areas, self.catalogue, on, &self.people.gone)
    }

    /// Each gap and overlap with the first day on which it is so.
    fn report(&self, document: &Responsibilities, on: Day) -> ResponsibilityReport {
        let mut first: BTreeMap<Pair, Day> = BTreeMap::new();
        let (mut pairs, mut crossings) = (0, Vec::new());
        for day in turns(document, on) {
            let found = self.review(document, day);
            pairs = found.pairs.len();
            for pair in found.gaps().chain(found.overlaps()) {
                first.entry(pair.clone()).or_insert(day);
            }
            for crossing in found.crossings.iter().map(|it| (it.one, it.other)) {
                if !crossings.contains(&crossing) {
                    crossings.push(crossing);
                }
            }
        }
        let (gaps, overlaps): (Vec<_>, Vec<_>) = first.into_iter().partition(|(pair, _)| pair.units.is_empty());
        ResponsibilityReport {
            version: document.version.clone(),
            on,
            rules: document.rules.len(),
            pairs,
            without: gaps.iter().filter(|(_, since)| *since == on).count(),
            gaps: self.grouped(gaps),
            overlaps: self.grouped(overlaps),
            crossings: crossings
                .into_iter()
                .map(|(one, other)| (one, other, lines_named(document, one, other)))
                .collect(),
        }
    }

    fn grouped(&self, pairs: Vec<(Pair, Day)>) -> Vec<Open> {
        let mut by_kind: BTreeMap<(Day, Code, Code, Vec<UnitId>), Vec<AreaId>> = BTreeMap::new();
        for (pair, since) in pairs {
            by_kind.entry((since, pair.category, pair.subtype, pair.units)).or_default().push(pair.grid);
        }
        let code_of = |grid: &AreaId| self.areas.area(*grid).map(|area: &Area| area.code.clone()).unwrap_or_default();
        let open = |((since, category, code, units), grids): ((Day, Code, Code, Vec<UnitId>), Vec<AreaId>)| {
            let name = subtype(self.catalogue, &category, &code).map(|(_, found)| found.name.clone());
            let mut grids: Vec<String> = grids.iter().map(code_of).collect();
            grids.sort();
            Open {
                since,
                name: name.unwrap_or_else(|| Text { zh: code.to_string(), en: code.to_string() }),
                units: units.iter().filter_map(|unit| self.units.get(unit).cloned()).collect(),
                category,
                subtype: code,
                grids,
            }
        };
        by_kind.into_iter().map(open).collect()
    }
}

fn lines_named(document: &Responsibilities, one: usize, other: usize) -> Text {
    let name = |number: usize| match document.rules.get(number.saturating_sub(1)).map(|rule| &rule.place) {
        Some(Place::Line(line)) => line.name.clone(),
        _ => Text { zh: String::new(), en: String::new() },
    };
    let (one, other) = (name(one), name(other));
    Text { zh: format!("{} × {}", one.zh, other.zh), en: format!("{} × {}", one.en, other.en) }
}

fn with_ground<T>(
    db: &mut Db,
    parsed: &Parsed,
    head: &LogHead,
    look: impl FnOnce(&Ground<'_>) -> T,
) -> Result<Option<T>, StoreError> {
    let (mut people, mut units) = (Directory::default(), BTreeMap::new());
    for kind in ["account", "unit"] {
        each(db, head.num, kind, |entity| {
            let gone = Gone::among([&entity]);
            people.gone.units.extend(gone.units);
            people.gone.accounts.extend(gone.accounts);
            match entity {
                Entity::Account(account) => {
                    people.accounts.insert(account.id);
                }
                Entity::Unit(unit) => {
                    people.units.insert(unit.id);
                    units.insert(unit.id, unit.name);
                }
                _ => {}
            }
        })?;
    }
    let catalogue = match read_entity(db, head.num, singleton_id(head.log, "catalogue"))? {
        Some(Entity::Catalogue(it)) => parsed.catalogue(db, head.num, it.sha256)?,
        _ => None,
    };
    let areas = parsed.areas_in_force(db, head.num, head.log)?;
    let (Some(catalogue), Some(areas)) = (catalogue, areas) else { return Ok(None) };
    Ok(Some(look(&Ground { areas: &areas, catalogue: &catalogue, people, units })))
}

/// The document in force, with its hash.
fn in_force(db: &mut Db, head: &LogHead) -> Result<Option<(Hash, Responsibilities)>, StoreError> {
    let Some(Entity::Responsibilities(it)) = read_entity(db, head.num, singleton_id(head.log, "responsibilities"))?
    else {
        return Ok(None);
    };
    let Some(bytes) = db.document(head.num, &it.sha256)? else { return Ok(None) };
    let document = serde_json::from_slice(&bytes);
    document.map(|document| Some((it.sha256, document))).map_err(|_| StoreError::Damaged("responsibilities"))
}

/// What the document in force says from a day on; none where there is none, or neither areas nor a catalogue.
///
/// # Errors
/// The database's.
pub fn responsibility_report(
    db: &mut Db,
    parsed: &Parsed,
    head: &LogHead,
    on: Day,
) -> Result<Option<ResponsibilityReport>, StoreError> {
    let Some((_, document)) = in_force(db, head)? else { return Ok(None) };
    with_ground(db, parsed, head, |ground| ground.report(&document, on))
}

/// What a document would change, from a day on; none where there are neither areas nor a catalogue.
///
/// # Errors
/// The database's.
pub fn responsibility_change(
    db: &mut Db,
    parsed: &Parsed,
    head: &LogHead,
    (sha256, next): (Hash, &Responsibilities),
    on: Day,
) -> Result<Option<ResponsibilityChange>, StoreError> {
    let now = in_force(db, head)?;
    with_ground(db, parsed, head, |ground| {
        let after = ground.review(next, on).pairs;
        let moved = match &now {
            Some((_, now)) => {
                let before = ground.review(now, on).pairs;
                after.iter().zip(&before).filter(|(after, before)| after.units != before.units).count()
            }
            None => after.iter().filter(|pair| !pair.units.is_empty()).count(),
        };
        ResponsibilityChange {
            from: now.as_ref().map(|(_, now)| now.version.clone()),
            unchanged: now.as_ref().is_some_and(|(now, _)| *now == sha256),
            moved,
            errors: faults(next, ground.areas, ground.catalogue, &ground.people),
            report: ground.report(next, on),
        }
    })
}
