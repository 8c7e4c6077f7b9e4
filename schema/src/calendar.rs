//! The working calendar (工作日历): which days are worked and at which hours, as data. A national layer with its make-up
//! days (调休), city layers over it, working hours by season.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalogue::Text;
use crate::ids::{AccountId, UnitId};

/// The calendar that the product comes with: the national arrangements of 2019 to 2026, 08:00-12:00 and 14:00-18:00.
/// A [`Calendar`] document.
pub const CITY_CALENDAR: &str = include_str!("../calendars/city.json");

/// A calendar document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its version; each import needs a new one.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// What departs from Monday to Friday. The first layer is the nation's: its years are the span in which the
    /// calendar is exact. A later layer overrules the earlier ones on the days that it names.
    pub layers: Vec<Layer>,
    /// Working hours. Every day of a year lies in exactly one season.
    pub seasons: Vec<Season>,
    /// The shifts of units that keep other hours. A unit without any keeps those of the seasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
}

/// A shift of a unit (班次). Limits of the unit in working hours are counted by its shifts, and while one runs those who
/// are on it hear what the unit must hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// Whose.
    pub unit: UnitId,
    /// Its name.
    pub name: Text,
    /// On which days it begins.
    pub days: ShiftDays,
    /// When it begins, in the city's civil time.
    pub from: TimeOfDay,
    /// When it ends: on the next day, where this is not after `from`.
    pub to: TimeOfDay,
    /// Who is on it; empty: the whole unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
}

/// On which days a shift begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShiftDays {
    /// On days that are worked, make-up days with them.
    Working,
    /// On days that are off.
    Off,
    /// On every day.
    Every,
}

/// The arrangements of one authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Whose they are.
    pub name: Text,
    /// By year, in order.
    pub years: Vec<Year>,
}

/// The arrangements for a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Year {
    /// Which year.
    pub year: i16,
    /// The notice that says so.
    pub source: String,
    /// Its holidays.
    pub holidays: Vec<Holiday>,
}

/// A holiday with what was moved for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Its name.
    pub name: Text,
    /// First and last day off; none where days are only worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<(Day, Day)>,
    /// Days that are worked though they would be off (调休上班).
    #[serde(default)]
    pub work: Vec<Day>,
    /// The statutory days among those off (法定节假日); the others are weekends and days moved.
    #[serde(default)]
    pub statutory: Vec<Day>,
}

/// Working hours of a part of the year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Season {
    /// First day.
    pub from: MonthDay,
    /// Last day. A season may run over the turn of the year.
    pub to: MonthDay,
    /// From and to, in order, in the city's civil time.
    pub hours: Vec<(TimeOfDay, TimeOfDay)>,
}

/// Why a text is no day, day of a year, or time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotATime {
    /// The text.
    pub text: String,
    /// The form it should have.
    pub form: &'static str,
}

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not of the form {}", self.text, self.form)
    }
}

impl std::error::Error for NotATime {}

/// A day of the civil calendar, `YYYY-MM-DD`. Whether there is such a day is for the reader of the calendar to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// The year, 1 to 9999.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month, 1 to 31.
    pub day: i8,
}

/// A day of any year, `MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month, 1 to 31.
    pub day: i8,
}

/// A time of day, `HH:MM`, up to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// Minutes since midnight, 0 to 1440.
    pub minutes: u16,
}

/// Reads digits of exactly these widths, separated by `separator`.
fn parts<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[u16; N]> {
    let mut found = [0; N];
    let mut pieces = text.split(separator);
    for (place, width) in found.iter_mut().zip(widths) {
        let piece = pieces.next()?;
        let digits = piece.len() == width && piece.bytes().all(|byte| byte.is_ascii_digit());
        *place = digits.then(|| piece.parse().ok()).flatten()?;
    }
    pieces.next().is_none().then_some(found)
}

fn month_and_day(month: u16, day: u16) -> Option<(i8, i8)> {
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then(|| Some((i8::try_from(month).ok()?, i8::try_from(day).ok()?))).flatten()
}

impl FromStr for Day {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let read = || {
            let [year, month, day] = parts(text, '-', [4, 2, 2])?;
            let (month, day) = month_and_day(month, day)?;
            Some(Self { year: i16::try_from(year).ok().filter(|year| *year > 0)?, month, day })
        };
        read().ok_or_else(|| NotATime { text: text.to_owned(), form: "YYYY-MM-DD" })
    }
}

impl FromStr for MonthDay {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let read = || {
            let [month, day] = parts(text, '-', [2, 2])?;
            month_and_day(month, day).map(|(month, day)| Self { month, day })
        };
        read().ok_or_else(|| NotATime { text: text.to_owned(), form: "MM-DD" })
    }
}

impl FromStr for TimeOfDay {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let read = || {
            let [hours, minutes] = parts(text, ':', [2, 2])?;
            let time = Self { minutes: hours * 60 + minutes };
            (minutes < 60 && time.minutes <= 24 * 60).then_some(time)
        };
        read().ok_or_else(|| NotATime { text: text.to_owned(), form: "HH:MM" })
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

macro_rules! as_text {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text!(Day, MonthDay, TimeOfDay);
