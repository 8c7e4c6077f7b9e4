//! A calendar made ready to count by.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schema::calendar::{Calendar, Day, MonthDay, Season, Shift};
use schema::catalogue::Text;
use schema::ids::UnitId;

use super::limit::TimeError;

mod shifts;

/// What a day is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayKind {
    /// It is worked.
    pub working: bool,
    /// A loaded calendar covers it. Otherwise Monday to Friday is all that is known.
    pub known: bool,
    /// It is a statutory holiday (法定节假日).
    pub statutory: bool,
    /// The holiday that it belongs to, or is moved for.
    pub name: Option<Text>,
}

/// A calendar in a zone.
#[derive(Debug, Clone)]
pub struct WorkingCalendar {
    named: Arc<BTreeMap<Date, (bool, bool, Text)>>,
    first: i16,
    last: i16,
    seasons: Arc<[Season]>,
    shifts: Arc<[Shift]>,
    /// The hours are those of this unit's shifts.
    on_shifts_of: Option<UnitId>,
    zone: TimeZone,
}

impl WorkingCalendar {
    /// Makes a calendar ready. It must be one without [faults](super::faults()).
    ///
    /// # Errors
    /// [`TimeError::Faulty`].
    pub fn new(calendar: &Calendar, zone: TimeZone) -> Result<Self, TimeError> {
        if !super::faults(calendar).is_empty() {
            return Err(TimeError::Faulty);
        }
        let years = calendar.layers.first().map(|layer| layer.years.as_slice()).unwrap_or_default();
        let (Some(first), Some(last)) = (years.first(), years.last()) else { return Err(TimeError::Faulty) };
        let mut named = BTreeMap::new();
        for holiday in calendar.layers.iter().flat_map(|layer| &layer.years).flat_map(|year| &year.holidays) {
            if let Some((from, to)) = holiday.off {
                let (mut day, to) = (date(from)?, date(to)?);
                while day <= to {
                    let statutory = holiday.statutory.iter().any(|it| date(*it) == Ok(day));
                    named.insert(day, (false, statutory, holiday.name.clone()));
                    day = next(day)?;
                }
            }
            for day in &holiday.work {
                named.insert(date(*day)?, (true, false, holiday.name.clone()));
            }
        }
        Ok(Self {
            named: Arc::new(named),
            first: first.year,
            last: last.year,
            seasons: calendar.seasons.as_slice().into(),
            shifts: calendar.shifts.as_slice().into(),
            on_shifts_of: None,
            zone,
        })
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What a day is.
    ///
    /// # Errors
    /// [`TimeError::Range`]: there is no such day.
    pub fn day(&self, day: Day) -> Result<DayKind, TimeError> {
        Ok(self.kind(date(day)?))
    }

    pub(super) fn kind(&self, day: Date) -> DayKind {
        let known = (self.first..=self.last).contains(&day.year());
        match self.named.get(&day) {
            Some((working, statutory, name)) => {
                DayKind { working: *working, known, statutory: *statutory, name: Some(name.clone()) }
            }
            None => DayKind { working: is_weekday(day), known, statutory: false, name: None },
        }
    }

    /// Whether an instant lies between 06:00 and 22:00 of a day that is no statutory holiday: what the law forbids at
    /// night and on such days may be done then (Administrative Compulsion Law of the PRC, article 43).
    ///
    /// # Errors
    /// [`TimeError::Range`].
    pub fn is_day(&self, at_ms: u64) -> Result<bool, TimeError> {
        let at = self.civil(at_ms)?;
        Ok((6..22).contains(&at.hour()) && !self.kind(at.date()).statutory)
    }

    /// The civil day of an instant.
    pub(super) fn day_of(&self, at_ms: u64) -> Result<Date, TimeError> {
        Ok(self.civil(at_ms)?.date())
    }

    pub(super) fn civil(&self, at_ms: u64) -> Result<DateTime, TimeError> {
        let at_ms = i64::try_from(at_ms).map_err(|_| TimeError::Range)?;
        let at = Timestamp::from_millisecond(at_ms).map_err(|_| TimeError::Range)?;
        Ok(self.zone.to_datetime(at))
    }

    pub(super) fn instant(&self, civil: DateTime) -> Result<u64, TimeError> {
        let at = self.zone.to_timestamp(civil).map_err(|_| TimeError::Range)?;
        u64::try_from(at.as_millisecond()).map_err(|_| TimeError::Range)
    }

    /// The working hours of a day as instants, in order; none of a day that is not worked.
    pub(super) fn slots(&self, day: Date) -> Result<Vec<(u64, u64)>, TimeError> {
        if let Some(unit) = self.on_shifts_of {
            return self.shift_slots(unit, day);
        }
        if !self.kind(day).working {
            return Ok(Vec::new());
        }
        let season = self.seasons.iter().find(|season| lies_in(season, day)).ok_or(TimeError::Faulty)?;
        season.hours.iter().map(|(from, to)| Ok((self.at(day, from.minutes)?, self.at(day, to.minutes)?))).collect()
    }

    /// The working time of one day of the hour model, in ms.
    pub(super) fn day_ms(&self) -> u64 {
        let minutes = self.seasons.first().map_or(0, minutes_of);
        u64::from(minutes) * 60_000
    }
}

/// The working minutes of a day of a season.
pub(super) fn minutes_of(season: &Season) -> u32 {
    season.hours.iter().map(|(from, to)| u32::from(to.minutes.saturating_sub(from.minutes))).sum()
}

pub(super) fn lies_in(season: &Season, day: Date) -> bool {
    let day = MonthDay { month: day.month(), day: day.day() };
    if season.from <= season.to {
        (season.from..=season.to).contains(&day)
    } else {
        day >= season.from || day <= season.to
    }
}

pub(super) fn is_weekday(day: Date) -> bool {
    day.weekday().to_monday_zero_offset() < 5
}

pub(super) fn date(day: Day) -> Result<Date, TimeError> {
    Date::new(day.year, day.month, day.day).map_err(|_| TimeError::Range)
}

pub(super) fn day(date: Date) -> Day {
    Day { year: date.year(), month: date.month(), day: date.day() }
}

pub(super) fn next(day: Date) -> Result<Date, TimeError> {
    day.tomorrow().map_err(|_| TimeError::Range)
}
