//! The shifts of units (班次): their own working hours, and who of them is on duty at an instant.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use schema::calendar::{Shift, ShiftDays};
use schema::ids::{AccountId, UnitId};
use schema::limits::DAY_MINUTES;

use super::WorkingCalendar;
use crate::time::TimeError;

impl WorkingCalendar {
    /// This calendar with the hours of a unit's shifts in the place of the office's; none if the unit has no shifts.
    pub fn of_unit(&self, unit: UnitId) -> Option<Self> {
        self.shifts_of(unit).next()?;
        Some(Self { on_shifts_of: Some(unit), ..self.clone() })
    }

    /// Whether somebody of a unit is on duty at an instant. None where the calendar does not say: the unit has no
    /// shifts, or none runs then.
    ///
    /// # Errors
    /// [`TimeError::Range`].
    pub fn is_on_duty(&self, unit: UnitId, account: AccountId, at_ms: u64) -> Result<Option<bool>, TimeError> {
        let at = self.civil(at_ms)?;
        let minute = u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs());
        let mut found = None;
        for shift in self.shifts_of(unit) {
            let runs = self.spans(shift, at.date())?.iter().any(|(from, to)| (*from..*to).contains(&minute));
            if runs {
                let has = shift.accounts.is_empty() || shift.accounts.contains(&account);
                found = Some(found.unwrap_or(false) || has);
            }
        }
        Ok(found)
    }

    fn shifts_of(&self, unit: UnitId) -> impl Iterator<Item = &Shift> {
        self.shifts.iter().filter(move |shift| shift.unit == unit)
    }

    /// The hours of a unit's shifts on a day as instants, in order. Shifts that overlap are one time.
    pub(super) fn shift_slots(&self, unit: UnitId, day: Date) -> Result<Vec<(u64, u64)>, TimeError> {
        let mut spans = Vec::new();
        for shift in self.shifts_of(unit) {
            spans.extend(self.spans(shift, day)?);
        }
        spans.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::new();
        for (from, to) in spans {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        merged.into_iter().map(|(from, to)| Ok((self.at(day, from)?, self.at(day, to)?))).collect()
    }

    /// The minutes of a day in which a shift runs: what it began the day before, and what begins on it.
    fn spans(&self, shift: &Shift, day: Date) -> Result<Vec<(u16, u16)>, TimeError> {
        let (from, to) = (shift.from.minutes, shift.to.minutes);
        let over_midnight = to <= from;
        let yesterday = day.yesterday().map_err(|_| TimeError::Range)?;
        let night = (over_midnight && to > 0 && self.begins_on(shift, yesterday)).then_some((0, to));
        let own = self.begins_on(shift, day).then_some((from, if over_midnight { DAY_MINUTES } else { to }));
        Ok(night.into_iter().chain(own).collect())
    }

    fn begins_on(&self, shift: &Shift, day: Date) -> bool {
        match shift.days {
            ShiftDays::Every => true,
            ShiftDays::Working => self.kind(day).working,
            ShiftDays::Off => !self.kind(day).working,
        }
    }

    /// A minute of a day as an instant; the last is the next midnight.
    pub(super) fn at(&self, day: Date, minutes: u16) -> Result<u64, TimeError> {
        let civil = day.to_datetime(Time::midnight());
        self.instant(civil.checked_add(i64::from(minutes).minutes()).map_err(|_| TimeError::Range)?)
    }
}

#[cfg(test)]
mod tests;
