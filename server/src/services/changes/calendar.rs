//! What a working calendar would change: the years it covers, the days it counts otherwise, the deadlines it moves.

use std::collections::{BTreeMap, BTreeSet};

use schema::calendar::{Calendar, Day, Shift};
use schema::case::Case;
use schema::catalogue::Text;
use schema::clock::Running;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{AccountId, UnitId};
use serde::Serialize;
use sync_core::case::kind_of;
use sync_core::catalogue::subtype;
use sync_core::clock::{recounted, stages};
use sync_core::line::singleton_id;
use sync_core::time::WorkingCalendar;

use super::super::ledger::{Parsed, calendar_document, read_entity};
use super::{each, said};
use crate::store::{Db, LogHead, StoreError};

/// What a calendar would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarChange {
    /// The version in force; none if there is none.
    pub from: Option<String>,
    /// The new one.
    pub to: String,
    /// The years in which it is exact.
    pub years: (i16, i16),
    /// Days that are worked now and were not, or the other way round, in the years of either.
    pub days: Vec<ChangedDay>,
    /// Units whose shifts change.
    pub shifts: Vec<Text>,
    /// Deadlines that it moves or makes exact.
    pub deadlines: u64,
    /// It is the one in force.
    pub unchanged: bool,
    /// Shifts of units, or of people, that are not here.
    pub errors: Vec<Text>,
}

/// A day that counts otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedDay {
    /// Which.
    pub day: Day,
    /// Whether it is worked by the new calendar.
    pub works: bool,
}

fn years(calendar: &Calendar) -> (i16, i16) {
    let years = calendar.layers.first().map(|layer| layer.years.as_slice()).unwrap_or_default();
    (years.first().map_or(0, |year| year.year), years.last().map_or(0, |year| year.year))
}

/// The days of some years that two calendars count otherwise.
fn changed_days(now: &WorkingCalendar, next: &WorkingCalendar, (first, last): (i16, i16)) -> Vec<ChangedDay> {
    let days = (first..=last)
        .flat_map(|year| (1..=12).flat_map(move |month| (1..=31).map(move |day| Day { year, month, day })));
    let differs = |day: Day| {
        let (was, is) = (now.day(day).ok()?, next.day(day).ok()?);
        (was.working != is.working).then_some(ChangedDay { day, works: is.working })
    };
    days.filter_map(differs).collect()
}

/// What a calendar would change in a log.
///
/// # Errors
/// The database's.
pub fn calendar_change(
    db: &mut Db,
    parsed: &Parsed,
    head: &LogHead,
    sha256: Hash,
    next: &Calendar,
    ready: &WorkingCalendar,
) -> Result<CalendarChange, StoreError> {
    let in_force = match read_entity(db, head.num, singleton_id(head.log, "calendar"))? {
        Some(Entity::Calendar(it)) => Some(it),
        _ => None,
    };
    let (first, last) = years(next);
    let people = people(db, head)?;
    let mut change = CalendarChange {
        from: in_force.as_ref().map(|it| it.version.clone()),
        to: next.version.clone(),
        years: (first, last),
        days: Vec::new(),
        shifts: Vec::new(),
        deadlines: 0,
        unchanged: in_force.as_ref().is_some_and(|it| it.sha256 == sha256),
        errors: next.shifts.iter().flat_map(|shift| strangers(shift, &people)).collect(),
    };
    let before = match &in_force {
        Some(it) => calendar_document(db, head.num, &it.sha256)?.map_or_else(Vec::new, |it| it.shifts),
        None => Vec::new(),
    };
    change.shifts = changed_shifts(&before, &next.shifts, &people);
    let Some(in_force) = in_force.filter(|it| it.sha256 != sha256) else { return Ok(change) };
    if let Some(now) = parsed.calendar(db, head.num, head.log, in_force.sha256)? {
        change.days = changed_days(&now, ready, (first, last));
    }
    let mut cases = Vec::new();
    each(db, head.num, "case", |entity| match entity {
        Entity::Case(case) if case.clocks.iter().any(|clock| clock.running == Running::Running) => cases.push(case),
        _ => {}
    })?;
    for case in cases {
        change.deadlines += moved(db, parsed, head, &case, sha256, ready)?;
    }
    Ok(change)
}

/// The units that are here with their names, and the accounts.
type People = (BTreeMap<UnitId, Text>, BTreeSet<AccountId>);

fn people(db: &mut Db, head: &LogHead) -> Result<People, StoreError> {
    let (mut units, mut accounts) = People::default();
    for kind in ["unit", "account"] {
        each(db, head.num, kind, |entity| match entity {
            Entity::Unit(unit) => drop(units.insert(unit.id, unit.name)),
            Entity::Account(account) => drop(accounts.insert(account.id)),
            _ => {}
        })?;
    }
    Ok((units, accounts))
}

fn strangers(shift: &Shift, (units, accounts): &People) -> Vec<Text> {
    let unknown = |zh: &str, en: &str, id: &dyn std::fmt::Display| {
        let Text { zh: name_zh, en: name_en } = &shift.name;
        said(format!("班次 {name_zh}：没有{zh} {id}"), format!("shift {name_en}: there is no {en} {id}"))
    };
    let unit = (!units.contains_key(&shift.unit)).then(|| unknown("单位", "unit", &shift.unit));
    let of = shift.accounts.iter().filter(|account| !accounts.contains(account));
    unit.into_iter().chain(of.map(|account| unknown("账号", "account", account))).collect()
}

/// The units whose shifts are others than before, by name.
fn changed_shifts(before: &[Shift], next: &[Shift], (units, _): &People) -> Vec<Text> {
    let of = |shifts: &[Shift], unit| -> Vec<Shift> { shifts.iter().filter(|it| it.unit == unit).cloned().collect() };
    let named: BTreeSet<UnitId> = before.iter().chain(next).map(|shift| shift.unit).collect();
    let changed = named.into_iter().filter(|unit| of(before, *unit) != of(next, *unit));
    changed.filter_map(|unit| units.get(&unit).cloned()).collect()
}

fn moved(
    db: &mut Db,
    parsed: &Parsed,
    head: &LogHead,
    case: &Case,
    sha256: Hash,
    ready: &WorkingCalendar,
) -> Result<u64, StoreError> {
    let (Some(pinned), Some((category, code))) = (case.catalogue, kind_of(case)) else { return Ok(0) };
    let Some(catalogue) = parsed.catalogue(db, head.num, pinned)? else { return Ok(0) };
    let Some((_, found)) = subtype(&catalogue, &category, &code) else { return Ok(0) };
    let moved = recounted(case, &stages(&catalogue, found), ready, sha256, case.changed_ms).unwrap_or_default();
    Ok(u64::try_from(moved.len()).unwrap_or(u64::MAX))
}
