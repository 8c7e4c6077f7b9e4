//! What others keep, beside what we compute. `cargo xtask test` fetches their packages.

use std::process::Command;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schema::calendar::{CITY_CALENDAR, Day};
use sync_core::time::{WorkingCalendar, read};

/// Prints each day of the span with 1 if it is worked.
const DAYS: &str = "
import datetime, chinese_calendar
day = datetime.date(2019, 1, 1)
while day.year < 2027:
    print(day.isoformat(), int(chinese_calendar.is_workday(day)))
    day += datetime.timedelta(1)
";

#[test]
fn every_day_of_the_national_calendar_is_what_chinesecalendar_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/wheels");
    let wheels = std::fs::read_dir(folder).expect("target/wheels: run `cargo xtask test`, which fetches it");
    let mut named = wheels.map(|entry| entry.expect("a file").path());
    let wheel = named
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("chinesecalendar-")))
        .expect("the wheel of chinesecalendar: run `cargo xtask test`, which fetches it");
    let said = Command::new("python3").args(["-c", DAYS]).env("PYTHONPATH", wheel).output().expect("python3");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let zone = TimeZone::posix("CST-8").unwrap();
    let ours = WorkingCalendar::new(&read(CITY_CALENDAR.as_bytes()).unwrap(), zone).unwrap();
    let mut day = Date::constant(2019, 1, 1);
    let mut compared = 0;
    for line in String::from_utf8(said.stdout).unwrap().lines() {
        let (named, worked) = line.split_once(' ').expect("a day and a digit");
        assert_eq!(named, day.to_string(), "no day is left out");
        let kind = ours.day(Day { year: day.year(), month: day.month(), day: day.day() }).unwrap();
        assert_eq!((kind.working, kind.known), (worked == "1", true), "{named}");
        day = day.tomorrow().unwrap();
        compared += 1;
    }
    assert_eq!(compared, 2922, "eight years");
    let beyond = ours.day(Day { year: 2027, month: 1, day: 1 }).unwrap();
    assert!(!beyond.known, "and nothing is said of the next");
}
