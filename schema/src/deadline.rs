//! Limits (时限) and what becomes of them: an amount and a time unit give a due instant, by a calendar.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::Day;
use crate::catalogue::Text;

/// The most of any time unit that a limit may name: ten years of days.
pub const AMOUNT_MAX: u32 = 3_660;

/// A limit: `{"amount":15,"unit":"working_days","model":"legal"}`. Its unit is named, and of working days the way they
/// are counted; there is no default for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Limit {
    /// How many, 1 to [`AMOUNT_MAX`].
    pub amount: u32,
    /// Of what.
    pub unit: TimeUnit,
}

/// A time unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// 紧急工作时: hours of the wall clock; nothing stops them.
    UrgentHours,
    /// 工作时: hours of working time.
    WorkingHours,
    /// 工作日: working days.
    WorkingDays(DayModel),
    /// 自然日: days of the civil calendar; the time of day stays.
    CalendarDays,
}

/// A limit as it is written.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// How many, 1 to 3660.
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
    /// How working days are counted; of working days alone, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<DayModel>,
}

/// A time unit as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 紧急工作时
    UrgentHours,
    /// 工作时
    WorkingHours,
    /// 工作日
    WorkingDays,
    /// 自然日
    CalendarDays,
}

/// Why something written is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotALimit {
    /// Its amount is 0, or above [`AMOUNT_MAX`].
    Amount,
    /// Working days without the way they are counted.
    ModelMissing,
    /// A way of counting days for a unit that has but one.
    ModelUnfit,
}

impl fmt::Display for NotALimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount => write!(f, "时限数值应为 1 至 {AMOUNT_MAX} / the amount of a limit is 1 to {AMOUNT_MAX}"),
            Self::ModelMissing => {
                f.write_str("工作日须指明算法 hours 或 legal / working_days need a model: hours or legal")
            }
            Self::ModelUnfit => f.write_str("只有工作日才有算法 / only working_days have a model"),
        }
    }
}

impl std::error::Error for NotALimit {}

impl TryFrom<Written> for Limit {
    type Error = NotALimit;
    fn try_from(written: Written) -> Result<Self, NotALimit> {
        let unit = match (written.unit, written.model) {
            (Unit::WorkingDays, Some(model)) => TimeUnit::WorkingDays(model),
            (Unit::WorkingDays, None) => return Err(NotALimit::ModelMissing),
            (Unit::UrgentHours, None) => TimeUnit::UrgentHours,
            (Unit::WorkingHours, None) => TimeUnit::WorkingHours,
            (Unit::CalendarDays, None) => TimeUnit::CalendarDays,
            (Unit::UrgentHours | Unit::WorkingHours | Unit::CalendarDays, Some(_)) => {
                return Err(NotALimit::ModelUnfit);
            }
        };
        let fits = (1..=AMOUNT_MAX).contains(&written.amount);
        fits.then_some(Self { amount: written.amount, unit }).ok_or(NotALimit::Amount)
    }
}

impl From<Limit> for Written {
    fn from(limit: Limit) -> Self {
        let (unit, model) = match limit.unit {
            TimeUnit::UrgentHours => (Unit::UrgentHours, None),
            TimeUnit::WorkingHours => (Unit::WorkingHours, None),
            TimeUnit::WorkingDays(model) => (Unit::WorkingDays, Some(model)),
            TimeUnit::CalendarDays => (Unit::CalendarDays, None),
        };
        Self { amount: limit.amount, unit, model }
    }
}

/// How working days are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayModel {
    /// A day is the working hours of one: the deadline keeps the time of day.
    Hours,
    /// The first day does not count, the limit ends with business on the last one (Civil Code of the PRC, articles 201
    /// and 203; Administrative Compulsion Law, article 69).
    Legal,
}

/// Whether a deadline can still move for want of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Every day that was counted is known.
    Exact,
    /// It counts days that no loaded calendar covers, by Monday to Friday; it is computed again when one is loaded.
    Provisional,
}

/// When a limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The instant, in ms.
    pub at_ms: u64,
    /// Whether it can still move.
    pub confidence: Confidence,
}

/// One day of an account of how a limit was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedDay {
    /// Which day, in the city's civil time.
    pub day: Day,
    /// It is a working day.
    pub working: bool,
    /// The holiday that it belongs to, or is moved for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// A loaded calendar covers it.
    pub known: bool,
    /// Milliseconds of the limit that were counted on it; in the legal model of working days 0.
    pub counted_ms: u64,
    /// Its number among the days counted, in the legal model of working days and for calendar days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_day: Option<u32>,
}
