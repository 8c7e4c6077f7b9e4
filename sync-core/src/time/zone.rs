//! The zone that civil times are of.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schema::calendar::Day;

use super::calendar::day;

/// The civil day of an instant.
pub fn day_at(at_ms: u64, zone: &TimeZone) -> Option<Day> {
    let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    Some(day(zone.to_datetime(at).date()))
}

/// A time zone by its IANA name. China's is always there; others where there is a zone database, which a browser has
/// none of that is reached from here.
pub fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "Asia/Shanghai" => Some(jiff::tz::get!("Asia/Shanghai")),
        _ => TimeZone::get(name).ok(),
    }
}
