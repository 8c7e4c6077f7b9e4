//! Working hours and duty by the shifts of a unit.

use jiff::civil::DateTime;
use proptest::prelude::*;
use schema::calendar::{CITY_CALENDAR, Calendar};
use schema::deadline::{Limit, TimeUnit};
use schema::ids::{AccountId, UnitId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::time::limit::work_between;
use crate::time::{WorkingCalendar, due, faults, shifted, zone};

const LI: AccountId = AccountId(Uuid::from_u128(1));
const WANG: AccountId = AccountId(Uuid::from_u128(2));
const SQUAD: UnitId = UnitId(Uuid::from_u128(7));
const OTHERS: UnitId = UnitId(Uuid::from_u128(8));

/// A shift that Li is on.
fn shift(name: &str, days: &str, from: &str, to: &str) -> Value {
    json!({"unit": SQUAD, "name": {"zh": name, "en": name}, "days": days, "from": from, "to": to, "accounts": [LI]})
}

fn document(shifts: Value) -> Calendar {
    let mut document: Value = serde_json::from_str(CITY_CALENDAR).unwrap();
    document["shifts"] = shifts;
    serde_json::from_value(document).unwrap()
}

fn city(shifts: Value) -> WorkingCalendar {
    WorkingCalendar::new(&document(shifts), zone("Asia/Shanghai").unwrap()).unwrap()
}

fn at(civil: &str) -> u64 {
    let civil: DateTime = civil.parse().unwrap();
    u64::try_from(zone("Asia/Shanghai").unwrap().to_timestamp(civil).unwrap().as_millisecond()).unwrap()
}

fn hours(amount: u32) -> Limit {
    Limit { amount, unit: TimeUnit::WorkingHours }
}

#[test]
fn a_unit_with_shifts_works_by_them_on_holidays_too() {
    let city = city(json!([shift("早", "every", "07:00", "15:00"), shift("中", "every", "14:00", "22:00")]));
    let own = city.of_unit(SQUAD).unwrap();
    // In the Spring Festival of 2026: the hour that two shifts share counts once.
    assert_eq!(due(at("2026-02-18T13:30"), hours(2), &own).unwrap().at_ms, at("2026-02-18T15:30"));
    assert_eq!(due(at("2026-02-18T21:00"), hours(2), &own).unwrap().at_ms, at("2026-02-19T08:00"));
    assert_eq!(due(at("2026-02-18T21:00"), hours(2), &city).unwrap().at_ms, at("2026-02-24T10:00"));
    assert!(city.of_unit(OTHERS).is_none(), "who has no shifts keeps the office's hours");
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_it_begins() {
    let city = city(json!([shift("夜", "working", "22:00", "06:00")]));
    let own = city.of_unit(SQUAD).unwrap();
    // Friday night reaches into Saturday; Saturday night is no shift; Sunday 2026-02-28 … is a make-up day.
    assert_eq!(due(at("2026-03-13T23:00"), hours(8), &own).unwrap().at_ms, at("2026-03-16T23:00"));
    assert_eq!(due(at("2026-02-27T23:00"), hours(8), &own).unwrap().at_ms, at("2026-02-28T23:00"));
    let on_duty = |civil, account| city.is_on_duty(SQUAD, account, at(civil)).unwrap();
    assert_eq!(on_duty("2026-03-14T05:59", LI), Some(true));
    assert_eq!(on_duty("2026-03-14T05:59", WANG), Some(false));
    assert_eq!(on_duty("2026-03-14T06:00", LI), None, "no shift runs");
    assert_eq!(on_duty("2026-03-14T23:00", LI), None, "none begins on a Saturday");
    assert_eq!(city.is_on_duty(OTHERS, LI, at("2026-03-14T05:59")).unwrap(), None);
}

#[test]
fn a_shift_for_days_off_and_one_for_all_of_a_unit() {
    let mut weekend = shift("假日", "off", "08:00", "24:00");
    weekend["accounts"] = json!([]);
    let city = city(json!([weekend]));
    let own = city.of_unit(SQUAD).unwrap();
    assert_eq!(due(at("2026-03-13T09:00"), hours(16), &own).unwrap().at_ms, at("2026-03-15T00:00"));
    assert_eq!(city.is_on_duty(SQUAD, WANG, at("2026-03-14T23:59")).unwrap(), Some(true));
}

#[test]
fn what_makes_no_shift_is_refused() {
    let wrong = |shifts| faults(&document(shifts)).into_iter().map(|it| it.en).collect::<Vec<_>>().join("; ");
    assert!(wrong(json!([shift("早", "every", "08:00", "08:00")])).contains("make no time"));
    assert!(wrong(json!([shift("早", "every", "24:00", "08:00")])).contains("make no time"));
    assert!(wrong(json!([shift("", "every", "08:00", "12:00")])).contains("no name"));
    let early = || shift("早", "every", "08:00", "12:00");
    assert!(wrong(json!([early(), early()])).contains("another of this name"));
    let mut twice = early();
    twice["accounts"] = json!([LI, LI]);
    assert!(wrong(json!([twice])).contains("twice"));
    assert_eq!(wrong(json!([early(), shift("夜", "every", "22:00", "06:00")])), "");
    let unknown = serde_json::from_value::<Calendar>(json!({"shifts": [shift("早", "sundays", "08:00", "12:00")]}));
    assert!(unknown.is_err_and(|why| why.to_string().contains("unknown variant")));
}

proptest! {
    #[test]
    fn working_time_by_shifts_keeps_its_laws(
        days in prop::collection::vec(0..3_usize, 1..4), from in 0..1439_u16, length in 30..1439_u16,
        start in at("2026-01-01T00:00") / 60_000..at("2026-11-01T00:00") / 60_000,
        amount in 1..30_u32, more in 1..30_u32, pause in 0..20_000_u64,
    ) {
        let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let shifts: Vec<Value> = days.iter().enumerate().map(|(n, kind)| {
            let from = (from + 300 * u16::try_from(n).unwrap()) % 1440;
            let to = (from + length) % 1440;
            shift(&n.to_string(), ["working", "off", "every"][*kind], &text(from), &text(to))
        }).collect();
        let own = city(json!(shifts)).of_unit(SQUAD).unwrap();
        let start = start * 60_000;
        let part = due(start, hours(amount), &own).unwrap();
        let slots = own.slots(own.day_of(part.at_ms - 1).unwrap()).unwrap();
        prop_assert!(slots.windows(2).all(|pair| pair[0].1 < pair[1].0), "in order, and apart");
        prop_assert!(slots.iter().any(|(from, to)| *from < part.at_ms && part.at_ms <= *to), "due while somebody works");
        let whole = due(start, hours(amount + more), &own).unwrap();
        prop_assert_eq!(whole.at_ms, due(part.at_ms, hours(more), &own).unwrap().at_ms, "splitting changes nothing");
        let resumed = start + pause * 60_000;
        let moved = shifted(part, hours(amount), start, resumed, &own).unwrap();
        let work = |from, to| work_between(from, to, &own).unwrap().0;
        prop_assert_eq!(work(start, moved.at_ms) - work(start, resumed), work(start, part.at_ms));
    }
}
