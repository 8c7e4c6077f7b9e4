//! What a working calendar would change: the years it covers, the days it counts otherwise, the deadlines it moves.

use schema::calendar::{Calendar, Day};
use schema::case::Case;
use schema::clock::Running;
use schema::entity::Entity;
use schema::hash::Hash;
use serde::Serialize;
use sync_core::case::kind_of;
use sync_core::catalogue::subtype;
use sync_core::clock::{recounted, stages};
use sync_core::line::singleton_id;
use sync_core::time::WorkingCalendar;

use super::super::ledger::{Parsed, read_entity};
use super::each;
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
    /// Deadlines that it moves or makes exact.
    pub deadlines: u64,
    /// It is the one in force.
    pub unchanged: bool,
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
    let mut change = CalendarChange {
        from: in_force.as_ref().map(|it| it.version.clone()),
        to: next.version.clone(),
        years: (first, last),
        days: Vec::new(),
        deadlines: 0,
        unchanged: in_force.as_ref().is_some_and(|it| it.sha256 == sha256),
    };
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
