//! What-if: a start and a limit as a person writes them, answered with the account of its days.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use schema::deadline::{Confidence, CountedDay, DayModel, Limit};
use serde::Serialize;

use super::calendar::{WorkingCalendar, date};
use super::count::count;
use super::limit::TimeError;
use super::written::{NotRead, read_limit};

/// The answer to a what-if question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// When the limit begins, with the zone's offset.
    pub from: String,
    /// The limit.
    pub limit: Limit,
    /// When it ends, with the zone's offset.
    pub due: String,
    /// The same instant, in ms.
    pub due_ms: u64,
    /// Whether it can still move.
    pub confidence: Confidence,
    /// The account, day by day.
    pub days: Vec<CountedDay>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The start is no civil time.
    #[error("{0:?}不是当地时间，应如 2026-02-13T16:30 / is no civil time of that form")]
    From(String),
    /// The limit is none.
    #[error(transparent)]
    Limit(#[from] NotRead),
    /// It can't be counted.
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// Answers when a limit ends that begins at a civil time of the calendar's zone.
///
/// # Errors
/// [`NoAnswer`].
pub fn answer(
    from: &str,
    limit: &str,
    model: Option<DayModel>,
    calendar: &WorkingCalendar,
) -> Result<Answer, NoAnswer> {
    let civil: DateTime = from.trim().parse().map_err(|_| NoAnswer::From(from.to_owned()))?;
    let from_ms = calendar.instant(civil)?;
    let limit = read_limit(limit, model)?;
    let counted = count(from_ms, limit, calendar)?;
    let zoned = |at_ms: u64| -> Result<String, TimeError> {
        let at = i64::try_from(at_ms).ok().and_then(|at_ms| Timestamp::from_millisecond(at_ms).ok());
        Ok(with_offset(at.ok_or(TimeError::Range)?, calendar.zone()))
    };
    Ok(Answer {
        from: zoned(from_ms)?,
        limit,
        due: zoned(counted.due.at_ms)?,
        due_ms: counted.due.at_ms,
        confidence: counted.due.confidence,
        days: counted.days,
    })
}

fn with_offset(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

impl Answer {
    /// The answer for a person, a line a day, in Chinese or English.
    pub fn said(&self, chinese: bool) -> String {
        let pick = |zh: &'static str, en: &'static str| if chinese { zh } else { en };
        let confidence = match self.confidence {
            Confidence::Exact => pick("确定", "exact"),
            Confidence::Provisional => {
                pick("暂定：含尚未公布日历的日期，日历载入后重算", "provisional: some days have no calendar yet")
            }
        };
        let mut lines = vec![format!("{} {}  ({confidence})", pick("期限", "due"), self.due)];
        lines.extend(self.days.iter().map(|day| {
            let kind = match (day.working, &day.name) {
                (true, Some(_)) => pick("调休上班", "worked for"),
                (true, None) => pick("工作日", "worked"),
                (false, _) => pick("休息", "off"),
            };
            let name = day.name.as_ref().map_or("", |name| if chinese { &name.zh } else { &name.en });
            let unknown = if day.known { "" } else { pick("（日历未公布）", " (no calendar yet)") };
            let counted = match (day.counted_day, day.counted_ms / 60_000) {
                (Some(number), _) if chinese => format!("第{number}日"),
                (Some(number), _) => format!("day {number}"),
                (None, 0) => String::new(),
                (None, minutes) if chinese => format!("计{}小时{:02}分", minutes / 60, minutes % 60),
                (None, minutes) => format!("{} h {:02} min", minutes / 60, minutes % 60),
            };
            format!("  {} {}  {kind} {name}{unknown}  {counted}", day.day, weekday(day, chinese)).trim_end().to_owned()
        }));
        lines.join("\n")
    }
}

fn weekday(day: &CountedDay, chinese: bool) -> &'static str {
    let names = if chinese {
        ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
    } else {
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    };
    let place = date(day.day).map(|date| date.weekday().to_monday_zero_offset()).ok();
    place.and_then(|place| names.get(usize::try_from(place).ok()?)).copied().unwrap_or("")
}
