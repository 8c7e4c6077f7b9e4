//! Where nobody is responsible, and where several are: grid by grid, subtype by subtype, line by line.

use std::collections::BTreeSet;

use jiff::civil::Date;
use schema::area::Level;
use schema::calendar::Day;
use schema::catalogue::{Catalogue, Code};
use schema::ids::{AreaId, UnitId};
use schema::responsibility::{Line, Part, Place, Responsibilities, Rule};

use super::{Gone, among, in_force, line, matter_of, rules_at};
use crate::area::AreaIndex;

/// A subtype in a grid, with the units that should lead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The grid.
    pub grid: AreaId,
    /// The category.
    pub category: Code,
    /// The subtype.
    pub subtype: Code,
    /// The units: none is a gap, several are an overlap.
    pub units: Vec<UnitId>,
}

/// Two lines that reach a common place and name different units as narrowly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// The number of one rule, from 1.
    pub one: usize,
    /// And of the other.
    pub other: usize,
}

/// What a document says on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// Every grid with every subtype. Lines are left out: one reaches a part of a grid only.
    pub pairs: Vec<Pair>,
    /// Lines that overlap.
    pub crossings: Vec<Crossing>,
}

impl Review {
    /// Pairs that nobody has.
    pub fn gaps(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| pair.units.is_empty())
    }

    /// Pairs that several have.
    pub fn overlaps(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(|pair| pair.units.len() > 1)
    }
}

/// Looks at every grid and subtype on a day.
pub fn review(document: &Responsibilities, areas: &AreaIndex, catalogue: &Catalogue, on: Day, gone: &Gone) -> Review {
    let mut pairs = Vec::new();
    for grid in areas.areas().iter().filter(|area| area.level == Level::Grid) {
        let here = rules_at(document, areas, grid.id, None, on);
        for (category, subtype) in subtypes(catalogue) {
            let leads = among(&here, category, subtype, gone).leads;
            let units = leads.iter().filter_map(|it| it.unit).collect();
            pairs.push(Pair { grid: grid.id, category: category.clone(), subtype: subtype.clone(), units });
        }
    }
    Review { pairs, crossings: crossings(document, catalogue, on, gone) }
}

fn subtypes(catalogue: &Catalogue) -> impl Iterator<Item = (&Code, &Code)> {
    catalogue
        .categories
        .iter()
        .flat_map(|category| category.subtypes.iter().map(|subtype| (&category.code, &subtype.code)))
}

fn crossings(document: &Responsibilities, catalogue: &Catalogue, on: Day, gone: &Gone) -> Vec<Crossing> {
    let leads = |rule: &Rule| {
        let stands = rule.unit.is_some_and(|unit| !gone.units.contains(&unit));
        rule.role == Part::Lead && stands && in_force(rule, on)
    };
    let lines: Vec<(usize, &Rule, &Line)> = (1..)
        .zip(&document.rules)
        .filter_map(|(number, rule)| match &rule.place {
            Place::Line(named) if leads(rule) => Some((number, rule, named)),
            _ => None,
        })
        .collect();
    let as_narrow = |one: &Rule, other: &Rule| {
        subtypes(catalogue).any(|(category, subtype)| {
            let of = |rule: &Rule| matter_of(&rule.matter, category, subtype);
            of(one).is_some() && of(one) == of(other)
        })
    };
    let mut found = Vec::new();
    for (place, (one, rule, named)) in lines.iter().enumerate() {
        for (other, second, beside) in lines.iter().skip(place + 1) {
            if rule.unit != second.unit && as_narrow(rule, second) && line::meet(named, beside) {
                found.push(Crossing { one: *one, other: *other });
            }
        }
    }
    found
}

/// A day, and the later ones on which a rule begins or has ended: between them nothing changes.
pub fn turns(document: &Responsibilities, from: Day) -> BTreeSet<Day> {
    let after = |day: Day| {
        let next = Date::new(day.year, day.month, day.day).ok()?.tomorrow().ok()?;
        Some(Day { year: next.year(), month: next.month(), day: next.day() })
    };
    let turn = |rule: &Rule| [Some(rule.from), rule.until.and_then(after)];
    let later = document.rules.iter().flat_map(turn).flatten().filter(|day| *day > from);
    later.chain([from]).collect()
}
