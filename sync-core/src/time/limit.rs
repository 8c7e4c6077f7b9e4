//! When a limit ends, and how a pause moves that.

use jiff::ToSpan;
use jiff::civil::Date;
use schema::deadline::{Confidence, DayModel, Due, Limit, TimeUnit};

use super::calendar::{WorkingCalendar, next};

const HOUR_MS: u64 = 3_600_000;

/// Days looked through for working time before a calendar is taken to have none.
const DAYS_MAX: u32 = 36_600;

/// Why something can't be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// An instant or a day beyond what can be told.
    #[error("an instant or a day out of range")]
    Range,
    /// The calendar has faults: it must be read with [`read`](super::read) first.
    #[error("the calendar has faults")]
    Faulty,
    /// The end lies before the beginning.
    #[error("the end lies before the beginning")]
    Backwards,
}

/// When a limit that begins at `from_ms` ends. Working time that fills a slot exactly ends at that slot's end.
///
/// # Errors
/// [`TimeError`].
pub fn due(from_ms: u64, limit: Limit, calendar: &WorkingCalendar) -> Result<Due, TimeError> {
    let amount = u64::from(limit.amount);
    match limit.unit {
        TimeUnit::UrgentHours => exact(from_ms.checked_add(amount * HOUR_MS)),
        TimeUnit::WorkingHours => after_work(from_ms, amount * HOUR_MS, calendar),
        TimeUnit::WorkingDays(DayModel::Hours) => after_work(from_ms, amount * calendar.day_ms(), calendar),
        TimeUnit::WorkingDays(DayModel::Legal) => after_working_days(from_ms, limit.amount, calendar),
        TimeUnit::CalendarDays => {
            let end = calendar.civil(from_ms)?.checked_add(i64::from(limit.amount).days());
            exact(Some(calendar.instant(end.map_err(|_| TimeError::Range)?)?))
        }
    }
}

/// Where a pause from `paused_ms` to `resumed_ms` moves a due instant: by as much of the limit's own time as passed in
/// it, for working days of the legal model by the working days behind the day of the pause.
///
/// # Errors
/// [`TimeError`].
pub fn shifted(
    due: Due,
    limit: Limit,
    paused_ms: u64,
    resumed_ms: u64,
    calendar: &WorkingCalendar,
) -> Result<Due, TimeError> {
    let passed_ms = resumed_ms.checked_sub(paused_ms).ok_or(TimeError::Backwards)?;
    let (moved, counted) = match limit.unit {
        TimeUnit::UrgentHours | TimeUnit::CalendarDays => (exact(due.at_ms.checked_add(passed_ms))?, Confidence::Exact),
        TimeUnit::WorkingHours | TimeUnit::WorkingDays(DayModel::Hours) => {
            let (work_ms, counted) = work_between(paused_ms, resumed_ms, calendar)?;
            (after_work(due.at_ms, work_ms, calendar)?, counted)
        }
        TimeUnit::WorkingDays(DayModel::Legal) => {
            let (days, counted) = working_days_between(paused_ms, resumed_ms, calendar)?;
            (after_working_days(due.at_ms, days, calendar)?, counted)
        }
    };
    Ok(Due { at_ms: moved.at_ms, confidence: moved.confidence.max(due.confidence).max(counted) })
}

fn exact(at_ms: Option<u64>) -> Result<Due, TimeError> {
    Ok(Due { at_ms: at_ms.ok_or(TimeError::Range)?, confidence: Confidence::Exact })
}

fn confidence(calendar: &WorkingCalendar, day: Date) -> Confidence {
    if calendar.kind(day).known { Confidence::Exact } else { Confidence::Provisional }
}

/// The instant at which so much working time has passed. No time at all ends where it began.
fn after_work(from_ms: u64, work_ms: u64, calendar: &WorkingCalendar) -> Result<Due, TimeError> {
    let mut left_ms = work_ms;
    if left_ms == 0 {
        return exact(Some(from_ms));
    }
    let mut day = calendar.day_of(from_ms)?;
    let mut sure = Confidence::Exact;
    for _ in 0..DAYS_MAX {
        sure = sure.max(confidence(calendar, day));
        for (start, end) in calendar.slots(day)? {
            let start = start.max(from_ms);
            let there_ms = end.saturating_sub(start);
            if there_ms >= left_ms {
                return Ok(Due { at_ms: start + left_ms, confidence: sure });
            }
            left_ms -= there_ms;
        }
        day = next(day)?;
    }
    Err(TimeError::Range)
}

/// The end of business of the `days`-th working day after the day of `from_ms`. No days at all end where they began.
fn after_working_days(from_ms: u64, days: u32, calendar: &WorkingCalendar) -> Result<Due, TimeError> {
    let mut left = days;
    if left == 0 {
        return exact(Some(from_ms));
    }
    let mut day = calendar.day_of(from_ms)?;
    let mut sure = confidence(calendar, day);
    for _ in 0..DAYS_MAX {
        day = next(day)?;
        sure = sure.max(confidence(calendar, day));
        if let Some((_, end)) = calendar.slots(day)?.last() {
            left -= 1;
            if left == 0 {
                return Ok(Due { at_ms: *end, confidence: sure });
            }
        }
    }
    Err(TimeError::Range)
}

/// The working time between two instants.
pub(super) fn work_between(
    from_ms: u64,
    to_ms: u64,
    calendar: &WorkingCalendar,
) -> Result<(u64, Confidence), TimeError> {
    let (mut day, last) = (calendar.day_of(from_ms)?, calendar.day_of(to_ms)?);
    let (mut work_ms, mut sure) = (0, Confidence::Exact);
    while day <= last {
        sure = sure.max(confidence(calendar, day));
        work_ms += work_on(day, from_ms, to_ms, calendar)?;
        day = next(day)?;
    }
    Ok((work_ms, sure))
}

/// The working time of one day that lies between two instants.
pub(super) fn work_on(day: Date, from_ms: u64, to_ms: u64, calendar: &WorkingCalendar) -> Result<u64, TimeError> {
    let slots = calendar.slots(day)?;
    Ok(slots.into_iter().map(|(start, end)| end.min(to_ms).saturating_sub(start.max(from_ms))).sum())
}

/// The working days behind the day of one instant, up to that of another.
fn working_days_between(from_ms: u64, to_ms: u64, calendar: &WorkingCalendar) -> Result<(u32, Confidence), TimeError> {
    let (mut day, last) = (calendar.day_of(from_ms)?, calendar.day_of(to_ms)?);
    let (mut days, mut sure) = (0, confidence(calendar, day));
    while day < last {
        day = next(day)?;
        sure = sure.max(confidence(calendar, day));
        days += u32::from(calendar.kind(day).working);
    }
    Ok((days, sure))
}
