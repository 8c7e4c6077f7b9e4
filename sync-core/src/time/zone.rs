//! The zone that civil times are of.

use jiff::tz::TimeZone;

/// A time zone by its IANA name. China's is always there; others where there is a zone database, which a browser has
/// none of that is reached from here.
pub fn zone(name: &str) -> Option<TimeZone> {
    match name {
        "Asia/Shanghai" => Some(jiff::tz::get!("Asia/Shanghai")),
        _ => TimeZone::get(name).ok(),
    }
}
