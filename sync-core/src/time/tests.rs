//! Deadlines by the vectors of the field, by laws, and by what a clumsy calendar may hold.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use schema::calendar::{CITY_CALENDAR, Calendar};
use schema::deadline::{Confidence, DayModel, Due, Limit, NotALimit, TimeUnit};

use super::limit::work_between;
use super::*;

const HOUR_MS: u64 = 3_600_000;

fn city() -> WorkingCalendar {
    WorkingCalendar::new(&read(CITY_CALENDAR.as_bytes()).unwrap(), zone()).unwrap()
}

fn zone() -> TimeZone {
    TimeZone::get("Asia/Shanghai").unwrap()
}

fn at(civil: &str) -> u64 {
    let civil: DateTime = civil.parse().unwrap();
    u64::try_from(zone().to_timestamp(civil).unwrap().as_millisecond()).unwrap()
}

fn shown(due: Due) -> String {
    let at = jiff::Timestamp::from_millisecond(i64::try_from(due.at_ms).unwrap()).unwrap();
    zone().to_datetime(at).strftime("%m-%d %H:%M").to_string()
}

fn limit(amount: u32, unit: TimeUnit) -> Limit {
    Limit { amount, unit }
}

const DAYS_A: TimeUnit = TimeUnit::WorkingDays(DayModel::Hours);
const DAYS_B: TimeUnit = TimeUnit::WorkingDays(DayModel::Legal);

#[test]
fn the_vectors_of_the_field_hold() {
    // Start; 2 urgent hours; 2 and 4 working hours; 1 and 2 days of the hour model; the days of 1, 2 and 15 legal days.
    let table = [
        ("2026-02-13T16:30", "02-13 18:30 02-14 08:30 02-14 10:30 02-14 16:30 02-24 16:30", "02-14 02-24 03-12"),
        ("2026-02-14T17:00", "02-14 19:00 02-24 09:00 02-24 11:00 02-24 17:00 02-25 17:00", "02-24 02-25 03-13"),
        ("2026-09-30T17:00", "09-30 19:00 10-08 09:00 10-08 11:00 10-08 17:00 10-09 17:00", "10-08 10-09 10-27"),
        ("2026-09-19T10:00", "09-19 12:00 09-20 10:00 09-20 12:00 09-20 18:00 09-21 18:00", "09-20 09-21 10-15"),
        ("2026-05-08T13:00", "05-08 15:00 05-08 16:00 05-08 18:00 05-09 12:00 05-11 12:00", "05-09 05-11 05-28"),
        ("2025-09-26T15:00", "09-26 17:00 09-26 17:00 09-28 09:00 09-28 15:00 09-29 15:00", "09-28 09-29 10-23"),
        ("2026-01-01T09:00", "01-01 11:00 01-04 10:00 01-04 12:00 01-04 18:00 01-05 18:00", "01-04 01-05 01-22"),
        ("2026-12-24T15:00", "12-24 17:00 12-24 17:00 12-25 09:00 12-25 15:00 12-28 15:00", "12-25 12-28"),
    ];
    let city = city();
    for (start, hours, days) in table {
        let counted = |limit: Limit| {
            let due = due(at(start), limit, &city).unwrap();
            assert_eq!(due.confidence, Confidence::Exact, "{start} {limit:?}");
            assert_eq!(count(at(start), limit, &city).unwrap().due, due);
            shown(due)
        };
        let wanted = [
            limit(2, TimeUnit::UrgentHours),
            limit(2, TimeUnit::WorkingHours),
            limit(4, TimeUnit::WorkingHours),
            limit(1, DAYS_A),
            limit(2, DAYS_A),
        ];
        assert_eq!(wanted.map(counted).join(" "), hours, "{start}");
        for (amount, day) in [1, 2, 15].into_iter().zip(days.split(' ')) {
            assert_eq!(counted(limit(amount, DAYS_B)), format!("{day} 18:00"), "{start}: {amount} legal days");
        }
    }
}

#[test]
fn beyond_the_loaded_years_a_deadline_is_provisional_and_says_by_which_day() {
    let city = city();
    let crossing = count(at("2026-12-24T15:00"), limit(15, DAYS_B), &city).unwrap();
    assert_eq!(crossing.due.confidence, Confidence::Provisional);
    assert!(crossing.days.iter().any(|day| !day.known && day.day.to_string() == "2027-01-01"));
    let exact = due(at("2026-12-24T15:00"), limit(48, TimeUnit::UrgentHours), &city).unwrap();
    assert_eq!(exact.confidence, Confidence::Exact, "the wall clock needs no calendar");
    // The next year's notice makes it exact, and here moves it.
    let mut next: Calendar = serde_json::from_str(CITY_CALENDAR).unwrap();
    next.version = "2027-1".into();
    next.layers[0].years.push(
        serde_json::from_value(serde_json::json!({"year": 2027, "source": "a notice", "holidays": [
            {"name": {"zh": "元旦", "en": "New Year's Day"}, "off": ["2027-01-01", "2027-01-03"], "work": [],
             "statutory": ["2027-01-01"]}]}))
        .unwrap(),
    );
    let next = WorkingCalendar::new(&next, zone()).unwrap();
    let again = due(at("2026-12-24T15:00"), limit(15, DAYS_B), &next).unwrap();
    assert_eq!((shown(crossing.due), shown(again)), ("01-14 18:00".into(), "01-15 18:00".into()));
    assert_eq!(again.confidence, Confidence::Exact);
}

#[test]
fn the_account_of_a_deadline_names_each_day() {
    let counted = count(at("2026-02-13T16:30"), limit(2, DAYS_A), &city()).unwrap();
    let worked: Vec<_> = counted
        .days
        .iter()
        .filter(|day| day.counted_ms > 0)
        .map(|day| (day.day.to_string(), day.counted_ms / 60_000, day.name.as_ref().map(|name| name.zh.as_str())))
        .collect();
    let wanted = [("2026-02-13", 90, None), ("2026-02-14", 480, Some("春节")), ("2026-02-24", 390, None)];
    assert_eq!(worked, wanted.map(|(day, minutes, name)| (day.to_owned(), minutes, name)));
    assert_eq!(counted.days.len(), 12);
    let legal = count(at("2026-02-13T16:30"), limit(2, DAYS_B), &city()).unwrap();
    let numbers: Vec<_> = legal.days.iter().filter_map(|day| Some((day.day.to_string(), day.counted_day?))).collect();
    assert_eq!(numbers, [("2026-02-14".to_owned(), 1), ("2026-02-24".to_owned(), 2)]);
}

#[test]
fn a_city_overrules_the_nation_and_seasons_have_their_hours() {
    let mut calendar: Calendar = serde_json::from_str(CITY_CALENDAR).unwrap();
    calendar.layers.push(
        serde_json::from_value(serde_json::json!({"name": {"zh": "市", "en": "City"}, "years": [{"year": 2026,
            "source": "city notice", "holidays": [
                {"name": {"zh": "台风", "en": "Typhoon"}, "off": ["2026-07-15", "2026-07-16"]},
                {"name": {"zh": "抢险", "en": "Relief work"}, "work": ["2026-10-05"]}]}]}))
        .unwrap(),
    );
    calendar.seasons = serde_json::from_value(serde_json::json!([
        {"from": "05-01", "to": "09-30", "hours": [["08:00", "12:00"], ["14:30", "18:30"]]},
        {"from": "10-01", "to": "04-30", "hours": [["08:30", "12:00"], ["13:30", "18:00"]]}]))
    .unwrap();
    let calendar = WorkingCalendar::new(&calendar, zone()).unwrap();
    let due = |start: &str, amount| shown(due(at(start), limit(amount, TimeUnit::WorkingHours), &calendar).unwrap());
    assert_eq!(due("2026-07-14T17:30", 2), "07-17 09:00");
    assert_eq!(due("2026-04-30T17:00", 2), "05-06 09:00", "the evening of one season, the morning of the next");
    assert_eq!(due("2026-10-01T09:00", 1), "10-05 09:30");
    let day = calendar.day("2026-07-15".parse().unwrap()).unwrap();
    assert_eq!((day.working, day.statutory, day.name.unwrap().en), (false, false, "Typhoon".into()));
}

#[test]
fn what_is_wrong_with_a_calendar_is_told_all_at_once() {
    let with = |change: fn(&mut serde_json::Value)| {
        let mut calendar = serde_json::from_str(CITY_CALENDAR).unwrap();
        change(&mut calendar);
        read(&serde_json::to_vec(&calendar).unwrap())
            .unwrap_err()
            .iter()
            .map(|it| &*it.en)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let hole = with(|it| {
        it["layers"][0]["years"].as_array_mut().unwrap().remove(3);
    });
    assert_eq!(hole, "layers[0].years: 2023 comes behind 2021; the years of the first layer have no hole");
    let year = "National 2019 New Year's Day: ";
    let days = with(|it| {
        it["layers"][0]["years"][0]["holidays"][0]["off"] = serde_json::json!(["2019-02-30", "2020-01-01"]);
    });
    assert!(
        days.contains(&format!("{year}there is no day 2019-02-30\n{year}2020-01-01 lies in another year")),
        "{days}"
    );
    let both = with(|it| {
        it["layers"][0]["years"][0]["holidays"][0]["work"] = serde_json::json!(["2019-01-01", "2019-01-03"]);
    });
    assert!(both.contains("2019-01-01 is off and worked"), "{both}");
    assert!(both.contains("2019-01-03 is worked anyway"), "{both}");
    let hours = with(|it| {
        it["seasons"] = serde_json::json!([
            {"from": "01-01", "to": "06-30", "hours": [["08:00", "12:00"], ["11:00", "18:00"]]},
            {"from": "07-02", "to": "12-31", "hours": [["08:00", "12:00"], ["14:00", "17:00"]]}]);
    });
    assert!(hours.contains("overlapping"), "{hours}");
    assert!(hours.contains("a working day has one length"), "{hours}");
    assert!(hours.contains("07-01 lies in 0 of them"), "{hours}");
    assert!(with(|it| it["seasons"] = serde_json::json!([])).contains("01-01 lies in 0"));
    assert!(with(|it| it["holidays"] = serde_json::json!([])).contains("unknown field"));
    assert!(with(|it| it["seasons"][0]["hours"][0][0] = "8:00".into()).contains("HH:MM"));
    assert!(with(|it| it["layers"] = serde_json::json!([])).contains("the first one is the nation's"));
}

#[test]
fn limits_are_read_as_people_write_them_and_an_unknown_unit_is_an_error() {
    let legal = Some(DayModel::Legal);
    for (text, model, unit) in [
        ("2 working_days", legal, DAYS_B),
        ("2个工作日", Some(DayModel::Hours), DAYS_A),
        ("2天", legal, DAYS_B),
        ("2紧急工作时", None, TimeUnit::UrgentHours),
        (" 2 working_hours ", None, TimeUnit::WorkingHours),
        ("2小时", None, TimeUnit::WorkingHours),
        ("2 自然日", None, TimeUnit::CalendarDays),
        ("2紧急工作日", None, TimeUnit::CalendarDays),
    ] {
        assert_eq!(read_limit(text, model), Ok(limit(2, unit)), "{text}");
    }
    assert_eq!(read_limit("2工作日", None), Err(NotRead::Limit(NotALimit::ModelMissing)));
    assert_eq!(read_limit("2工作时", legal), Err(NotRead::Limit(NotALimit::ModelUnfit)));
    assert_eq!(read_limit("2 weeks", None), Err(NotRead::Unit("weeks".into())));
    assert_eq!(read_limit("2", None), Err(NotRead::Unit(String::new())));
    assert_eq!(read_limit("2 weeks", legal), Err(NotRead::Unit("weeks".into())));
    assert_eq!(read_limit("两天", legal), Err(NotRead::Amount("两天".into())));
    for text in ["0 working_hours", "3661 working_hours", "99999999999 working_hours"] {
        assert_eq!(read_limit(text, None), Err(NotRead::Limit(NotALimit::Amount)), "{text}");
    }
    let json = |text: &str| serde_json::from_str::<Limit>(text).map_err(|error| error.to_string());
    assert_eq!(json(r#"{"amount":2,"unit":"working_days","model":"legal"}"#), Ok(limit(2, DAYS_B)));
    assert!(json(r#"{"amount":2,"unit":"fortnights"}"#).is_err_and(|why| why.contains("unknown variant")));
    assert!(json(r#"{"amount":2,"unit":"working_days"}"#).is_err_and(|why| why.contains("need a model")));
    assert!(json(r#"{"amount":2}"#).is_err_and(|why| why.contains("missing field")));
    assert_eq!(
        serde_json::to_string(&limit(2, TimeUnit::UrgentHours)).unwrap(),
        r#"{"amount":2,"unit":"urgent_hours"}"#
    );
}

#[test]
fn a_zone_whose_clock_is_set_back_loses_no_working_time() {
    // Berlin: on 2026-10-25 the hour from 02:00 comes twice.
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut calendar: Calendar = serde_json::from_str(CITY_CALENDAR).unwrap();
    calendar.layers[0].years.last_mut().unwrap().holidays = serde_json::from_value(serde_json::json!([
        {"name": {"zh": "夜班", "en": "Night shift"}, "work": ["2026-10-25"]}]))
    .unwrap();
    calendar.seasons[0].hours = vec![("00:00".parse().unwrap(), "08:00".parse().unwrap())];
    let calendar = WorkingCalendar::new(&calendar, zone.clone()).unwrap();
    let midnight = zone.to_timestamp("2026-10-25T00:00".parse().unwrap()).unwrap().as_millisecond();
    let midnight = u64::try_from(midnight).unwrap();
    let found = due(midnight, limit(9, TimeUnit::WorkingHours), &calendar).unwrap();
    assert_eq!(found.at_ms - midnight, 9 * HOUR_MS, "the night had nine hours");
}

prop_compose! {
    fn units()(which in 0..5_u8) -> TimeUnit {
        match which {
            0 => TimeUnit::UrgentHours,
            1 => TimeUnit::WorkingHours,
            2 => DAYS_A,
            3 => DAYS_B,
            _ => TimeUnit::CalendarDays,
        }
    }
}

/// Any minute from 2019 to 2027, most of them in working hours or close by.
fn starts() -> impl Strategy<Value = u64> {
    (at("2019-01-01T00:00") / 60_000..at("2027-06-01T00:00") / 60_000).prop_map(|minute| minute * 60_000)
}

proptest! {
    #[test]
    fn a_later_start_or_a_larger_amount_never_ends_earlier(
        start in starts(), wait_minutes in 0..20_000_u64, amount in 1..60_u32, more in 0..20_u32, unit in units()
    ) {
        let city = city();
        let first = due(start, limit(amount, unit), &city).unwrap();
        prop_assert!(first.at_ms > start);
        prop_assert!(due(start + wait_minutes * 60_000, limit(amount, unit), &city).unwrap().at_ms >= first.at_ms);
        prop_assert!(due(start, limit(amount + more, unit), &city).unwrap().at_ms >= first.at_ms);
    }

    #[test]
    fn a_deadline_in_working_time_lies_in_a_working_slot(start in starts(), amount in 1..60_u32, unit in units()) {
        let city = city();
        let working = matches!(unit, TimeUnit::WorkingHours | TimeUnit::WorkingDays(_));
        let found = due(start, limit(amount, unit), &city).unwrap();
        let slots = city.slots(city.day_of(found.at_ms).unwrap()).unwrap();
        let in_slot = slots.iter().any(|(from, to)| *from < found.at_ms && found.at_ms <= *to);
        prop_assert!(!working || in_slot);
    }

    #[test]
    fn splitting_a_limit_changes_nothing(start in starts(), one in 1..30_u32, two in 1..30_u32, unit in units()) {
        let city = city();
        let whole = due(start, limit(one + two, unit), &city).unwrap();
        let part = due(start, limit(one, unit), &city).unwrap();
        let rest = due(part.at_ms, limit(two, unit), &city).unwrap();
        prop_assert_eq!(whole.at_ms, rest.at_ms);
    }

    #[test]
    fn a_pause_moves_a_deadline_by_the_time_of_its_own_kind_that_passed(
        start in starts(), amount in 1..40_u32, unit in units(), part in 0..1000_u64, pause_minutes in 0..30_000_u64
    ) {
        let city = city();
        let limit = limit(amount, unit);
        let before = due(start, limit, &city).unwrap();
        let paused = start + (before.at_ms - start) * part / 1000 / 60_000 * 60_000;
        let resumed = paused + pause_minutes * 60_000;
        let after = shifted(before, limit, paused, resumed, &city).unwrap();
        prop_assert_eq!(shifted(before, limit, paused, paused, &city).unwrap().at_ms, before.at_ms);
        prop_assert!(after.at_ms >= before.at_ms);
        if let TimeUnit::WorkingHours | TimeUnit::WorkingDays(DayModel::Hours) = unit {
            let work = |from, to| work_between(from, to, &city).unwrap().0;
            let own = work(start, after.at_ms) - work(paused, resumed);
            prop_assert_eq!(own, work(start, before.at_ms), "working time outside the pause is the limit");
        }
        if let TimeUnit::UrgentHours = unit {
            prop_assert_eq!(after.at_ms - before.at_ms, resumed - paused);
        }
        // Two pauses, one directly behind the other, are one.
        let middle = paused + (resumed - paused) / 120_000 * 60_000;
        let twice = shifted(shifted(before, limit, paused, middle, &city).unwrap(), limit, middle, resumed, &city);
        prop_assert_eq!(twice.unwrap().at_ms, after.at_ms);
    }
}
