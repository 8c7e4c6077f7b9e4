//! Who is responsible for a matter at a place on a day (属地 × 属事), by the document in force. It is advice: a person
//! assigns. The narrower matter goes before the narrower place (decision 084).

use schema::area::Level;
use schema::calendar::Day;
use schema::case::Position;
use schema::catalogue::{Code, Text};
use schema::entity::Entity;
use schema::ids::{AccountId, AreaId, UnitId};
use schema::responsibility::{Matter, Part, Place, Responsibilities, Rule};
use serde::Serialize;

use crate::area::AreaIndex;

mod faults;
mod line;
mod review;
#[cfg(test)]
mod tests;

pub use faults::{Directory, faults, read};
pub use review::{Crossing, Pair, Review, review, turns};

/// How narrowly a rule names the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByMatter {
    /// Whatever there is.
    All,
    /// By its category.
    Category,
    /// By its subtype.
    Subtype,
}

/// How narrowly a rule names the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByPlace {
    /// The whole district and beyond its grids.
    Everywhere,
    /// The district.
    District,
    /// The subdistrict.
    Subdistrict,
    /// The community.
    Community,
    /// The grid.
    Grid,
    /// The street, road or river.
    Line,
}

/// Units and accounts that ended: rules for them count no longer.
#[derive(Debug, Clone, Default)]
pub struct Gone {
    /// The units.
    pub units: Vec<UnitId>,
    /// The accounts.
    pub accounts: Vec<AccountId>,
}

impl Gone {
    /// Those among some entities.
    pub fn among<'a>(entities: impl IntoIterator<Item = &'a Entity>) -> Self {
        let mut gone = Self::default();
        for entity in entities {
            match entity {
                Entity::Account(account) if account.disabled_rev.is_some() => gone.accounts.push(account.id),
                Entity::Unit(unit) if unit.merged.is_some() => gone.units.push(unit.id),
                _ => {}
            }
        }
        gone
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Where it is, if that is known: lines need it.
    pub position: Option<&'a Position>,
    /// The area that it lies in.
    pub area: AreaId,
    /// Its category.
    pub category: &'a Code,
    /// Its subtype.
    pub subtype: &'a Code,
    /// The day, in the district's civil time.
    pub on: Day,
}

/// A unit or person that a rule names, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The rule's number in the document, from 1.
    pub rule: usize,
    /// The unit.
    pub unit: Option<UnitId>,
    /// The person.
    pub person: Option<AccountId>,
    /// How it names the matter.
    pub matter: ByMatter,
    /// How it names the place.
    pub place: ByPlace,
    /// What that place is called; none for everywhere.
    pub named: Option<Text>,
}

impl Candidate {
    fn narrowness(&self) -> (ByMatter, ByPlace) {
        (self.matter, self.place)
    }
}

/// Who should have a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The units that should lead: one; none is a gap; several are an overlap, and a person chooses.
    pub leads: Vec<Candidate>,
    /// Units that lead where nobody is named more narrowly, the narrowest first.
    pub wider: Vec<Candidate>,
    /// Units that help, the narrowest first.
    pub helpers: Vec<Candidate>,
    /// The named chiefs (街长, 路长, 河长), the narrowest first.
    pub persons: Vec<Candidate>,
}

impl Suggestion {
    /// The unit that should lead, if it is clear.
    pub fn lead(&self) -> Option<&Candidate> {
        match self.leads.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// A rule that holds at a place.
struct Here<'a> {
    number: usize,
    rule: &'a Rule,
    place: ByPlace,
    named: Option<&'a Text>,
}

/// Who is responsible.
pub fn suggest(document: &Responsibilities, areas: &AreaIndex, asked: Asked<'_>, gone: &Gone) -> Suggestion {
    let here = rules_at(document, areas, asked.area, asked.position, asked.on);
    among(&here, asked.category, asked.subtype, gone)
}

/// Whether a rule holds on a day.
fn in_force(rule: &Rule, on: Day) -> bool {
    rule.from <= on && rule.until.is_none_or(|until| on <= until)
}

fn rules_at<'a>(
    document: &'a Responsibilities,
    areas: &'a AreaIndex,
    area: AreaId,
    position: Option<&Position>,
    on: Day,
) -> Vec<Here<'a>> {
    let path = areas.path(area);
    let place_of = |rule: &'a Rule| match &rule.place {
        Place::Everywhere => Some((ByPlace::Everywhere, None)),
        Place::Area(named) => {
            let found = areas.area(*named).filter(|found| path.contains(&found.id))?;
            Some((by_level(found.level), Some(&found.name)))
        }
        Place::Line(named) => line::reaches(named, position?).then_some((ByPlace::Line, Some(&named.name))),
    };
    let rules = (1..).zip(&document.rules).filter(|(_, rule)| in_force(rule, on));
    rules
        .filter_map(|(number, rule)| place_of(rule).map(|(place, named)| Here { number, rule, place, named }))
        .collect()
}

fn by_level(level: Level) -> ByPlace {
    match level {
        Level::District => ByPlace::District,
        Level::Subdistrict => ByPlace::Subdistrict,
        Level::Community => ByPlace::Community,
        Level::Grid => ByPlace::Grid,
    }
}

/// How narrowly a matter names a subtype; none if it is not among it.
fn matter_of(matter: &Matter, category: &Code, subtype: &Code) -> Option<ByMatter> {
    let Matter::Kinds(kinds) = matter else { return Some(ByMatter::All) };
    let of_category = kinds.iter().filter(|kind| kind.category == *category);
    of_category
        .filter_map(|kind| match &kind.subtype {
            None => Some(ByMatter::Category),
            Some(named) => (named == subtype).then_some(ByMatter::Subtype),
        })
        .max()
}

fn among(here: &[Here<'_>], category: &Code, subtype: &Code, gone: &Gone) -> Suggestion {
    // The narrowest first, and as the document has them where they are as narrow. Few rules hold at a place.
    let mut found: Vec<(Part, Candidate)> = Vec::new();
    for it in here {
        let Some(matter) = matter_of(&it.rule.matter, category, subtype) else { continue };
        let candidate = Candidate {
            rule: it.number,
            unit: it.rule.unit.filter(|unit| !gone.units.contains(unit)),
            person: it.rule.person.filter(|person| !gone.accounts.contains(person)),
            matter,
            place: it.place,
            named: it.named.cloned(),
        };
        let wider = found.iter().position(|(_, other)| other.narrowness() < candidate.narrowness());
        found.insert(wider.unwrap_or(found.len()), (it.rule.role, candidate));
    }
    let mut suggestion = Suggestion::default();
    for (part, candidate) in &found {
        let Suggestion { leads, wider, persons, .. } = &mut suggestion;
        if candidate.person.is_some() && persons.iter().all(|it| it.person != candidate.person) {
            persons.push(candidate.clone());
        }
        if *part == Part::Lead && candidate.unit.is_some() && !names(leads, candidate) && !names(wider, candidate) {
            let narrowest = leads.first().is_none_or(|it| it.narrowness() == candidate.narrowness());
            if narrowest { leads } else { wider }.push(candidate.clone());
        }
    }
    for (part, candidate) in found {
        let Suggestion { leads, helpers, .. } = &mut suggestion;
        // Whoever leads does not help as well.
        if part == Part::Help && candidate.unit.is_some() && !names(leads, &candidate) && !names(helpers, &candidate) {
            helpers.push(candidate);
        }
    }
    suggestion
}

fn names(some: &[Candidate], candidate: &Candidate) -> bool {
    some.iter().any(|it| it.unit == candidate.unit)
}
