//! How a limit was counted, day by day: for whoever must explain a deadline.

use jiff::civil::Date;
use schema::deadline::{Confidence, CountedDay, DayModel, Due, Limit, TimeUnit};

use super::calendar::{WorkingCalendar, day, next};
use super::limit::{TimeError, due, work_on};

/// A deadline with the account of its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// When it ends.
    pub due: Due,
    /// Every day from the first to the last.
    pub days: Vec<CountedDay>,
}

/// Counts a limit day by day.
///
/// # Errors
/// [`TimeError`].
pub fn count(from_ms: u64, limit: Limit, calendar: &WorkingCalendar) -> Result<Counted, TimeError> {
    let due = due(from_ms, limit, calendar)?;
    let (first, last) = (calendar.day_of(from_ms)?, calendar.day_of(due.at_ms)?);
    let (mut date, mut number, mut days) = (first, 0, Vec::new());
    while date <= last {
        let kind = calendar.kind(date);
        let counts_as_day = match limit.unit {
            TimeUnit::WorkingDays(DayModel::Legal) => date > first && kind.working,
            TimeUnit::CalendarDays => date > first,
            TimeUnit::UrgentHours | TimeUnit::WorkingHours | TimeUnit::WorkingDays(DayModel::Hours) => false,
        };
        number += u32::from(counts_as_day);
        let counted_ms = match limit.unit {
            TimeUnit::UrgentHours => wall_on(date, from_ms, due.at_ms, calendar)?,
            TimeUnit::WorkingHours | TimeUnit::WorkingDays(DayModel::Hours) => {
                work_on(date, from_ms, due.at_ms, calendar)?
            }
            TimeUnit::WorkingDays(DayModel::Legal) | TimeUnit::CalendarDays => 0,
        };
        days.push(CountedDay {
            day: day(date),
            working: kind.working,
            name: kind.name,
            known: kind.known,
            counted_ms,
            counted_day: counts_as_day.then_some(number),
        });
        date = next(date)?;
    }
    debug_assert!(due.confidence == Confidence::Exact || days.iter().any(|it| !it.known));
    Ok(Counted { due, days })
}

/// The wall-clock time of a day between two instants.
fn wall_on(date: Date, from_ms: u64, to_ms: u64, calendar: &WorkingCalendar) -> Result<u64, TimeError> {
    let midnight = |date: Date| calendar.instant(date.to_datetime(jiff::civil::Time::midnight()));
    Ok(midnight(next(date)?)?.min(to_ms).saturating_sub(midnight(date)?.max(from_ms)))
}
