//! The clocks of a case: who is timed, from when to when, and what moves a deadline. Times are those of Shanghai.

use schema::calendar::CITY_CALENDAR;
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::clock::{Clock, Running};
use schema::deadline::Confidence;
use schema::entity::Entity;
use schema::ids::OpId;
use schema::op::{Body, CheckVerdict, ReturnAssignment};
use schema::record::{Interval, Outcome};
use sync_core::clock::{recounted, stages};
use sync_core::due::{asked, dues};
use sync_core::line;
use sync_core::time::{WorkingCalendar, read};
use uuid::Uuid;

use crate::bodies::*;
use crate::desk::*;

/// Milliseconds of a civil time in Shanghai, `2026-03-02T09:00`.
pub(crate) fn at(civil: &str) -> u64 {
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let civil: jiff::civil::DateTime = civil.parse().expect("a civil time");
    let at = civil.to_zoned(zone).expect("an instant").timestamp().as_millisecond();
    u64::try_from(at).expect("after 1970")
}

fn calendar() -> WorkingCalendar {
    let calendar = read(CITY_CALENDAR.as_bytes()).expect("the shipped calendar");
    WorkingCalendar::new(&calendar, jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone")).expect("no faults")
}

/// A desk by the shipped catalogue and calendar.
pub(crate) fn desk() -> Desk {
    let catalogue: Catalogue = serde_json::from_str(CITY_CATALOGUE).expect("the shipped catalogue");
    Desk { catalogue, calendar: Some(calendar()), ..Desk::new() }
}

pub(crate) fn is(desk: &Desk, stage: &str) -> Clock {
    let found = desk.case().clocks.iter().find(|clock| clock.stage.as_str() == stage);
    found.unwrap_or_else(|| panic!("no clock {stage}: {:?}", desk.case().clocks)).clone()
}

impl Desk {
    /// An op at a time.
    pub(crate) fn then(&mut self, civil: &str, who: usize, body: Body) {
        self.now_ms = Some(at(civil));
        self.must(who, body);
    }

    /// A time passes: the server does what is due, as its ticker does.
    pub(crate) fn until(&mut self, civil: &str) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            let entity = Entity::Case(Box::new(self.case().clone()));
            let mut due = dues(&entity, || Ok::<_, ()>(None)).expect("what is due");
            due.sort_by_key(|due| due.due_ms);
            let Some(next) = due.into_iter().find(|due| due.due_ms <= at(civil)) else { break };
            self.now_ms = Some(next.due_ms);
            let asked = asked(&entity, next).expect("something is asked for");
            let (kind, _) = line::kind_and_body(&asked.body).expect("writable");
            let id = OpId(Uuid::from_u128(0xD000_0000 + u128::from(self.rev)));
            let device = schema::ids::DeviceId(Uuid::from_u128(77));
            let op = line::server_op(LOG, id, device, CASE, &asked.body, next.due_ms).expect("writable");
            assert_eq!(self.take(&op).record.outcome, Outcome::Accepted);
            done.push(format!("{kind} {}", asked.clock));
        }
        self.now_ms = Some(at(civil));
        done
    }
}

fn returned() -> Body {
    let reason = "not_our_duty".parse().expect("code");
    Body::ReturnAssignment(ReturnAssignment { reason, note: None, photos: Vec::new() })
}

/// Monday, 2 March 2026: an ordinary day.
fn assigned() -> Desk {
    let mut desk = desk();
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.arrive(1);
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    desk
}

#[test]
fn the_office_the_unit_and_the_case_are_timed_apart() {
    let mut desk = assigned();
    assert!(matches!(is(&desk, "file").running, Running::Met { at_ms, .. } if at_ms == at("2026-03-02T09:30")));
    assert_eq!(is(&desk, "file").due.at_ms, at("2026-03-02T11:00"), "two working hours from the report");
    assert!(matches!(is(&desk, "assign").running, Running::Met { .. }));
    let fix_clock = is(&desk, "fix");
    assert_eq!((fix_clock.unit, fix_clock.running.clone()), (Some(UNIT), Running::Running));
    assert_eq!(fix_clock.due.at_ms, at("2026-03-02T12:00"), "two urgent hours from the assignment, signed for or not");
    assert_eq!(is(&desk, "accept").due.at_ms, at("2026-03-02T16:00"), "noon does not count");
    assert!(desk.case().deadline_issued);

    desk.then("2026-03-02T11:30", CREW, fix(&[photo(2, schema::op::EvidenceRole::After)]));
    assert!(matches!(is(&desk, "fix").running, Running::Met { by_phone: false, .. }));
    assert_eq!(is(&desk, "fix").overdue_rev, None);
    assert!(matches!(is(&desk, "accept").running, Running::Met { .. }), "who fixed it has signed for it");
    assert_eq!(is(&desk, "check").due.at_ms, at("2026-03-03T11:30"), "one day of eight working hours");
    assert_eq!(desk.until("2026-03-02T18:00"), ["mark_due_soon check/soon"], "what is met is not marked");
}

#[test]
fn a_return_stops_the_units_clock_and_the_same_unit_gets_the_rest() {
    let mut desk = assigned();
    desk.then("2026-03-02T11:00", CREW, returned());
    assert!(matches!(is(&desk, "fix").running, Running::Paused { .. }));
    assert_eq!(is(&desk, "assign").due.at_ms, at("2026-03-02T15:00"), "the office's clock runs meanwhile");
    desk.then("2026-03-02T14:30", SUPERVISOR, assign(UNIT));
    assert_eq!(is(&desk, "fix").due.at_ms, at("2026-03-02T15:30"), "one hour was left");
    desk.then("2026-03-02T15:00", CREW, returned());
    desk.then("2026-03-02T15:10", SUPERVISOR, assign(UNIT_2));
    assert_eq!(is(&desk, "fix").due.at_ms, at("2026-03-02T17:10"), "another unit has all of it");
    assert_eq!(is(&desk, "case").started_ms, at("2026-03-02T09:30"), "the case's own clock was started once");
}

#[test]
fn a_failed_check_gives_back_what_the_check_took_and_no_more() {
    let mut desk = assigned();
    desk.then("2026-03-02T11:00", CREW, fix(&[]));
    desk.then("2026-03-02T15:00", INSPECTOR, check(CheckVerdict::Fail));
    assert_eq!(is(&desk, "fix").due.at_ms, at("2026-03-02T16:00"), "the hour that was left");
    assert_eq!(is(&desk, "fix").running, Running::Running);
}

#[test]
fn the_server_notes_what_is_due_once_each_and_in_order() {
    let mut desk = assigned();
    let done = desk.until("2026-03-04T10:00");
    let of_fix: Vec<&str> = done.iter().map(String::as_str).filter(|done| done.contains("fix/")).collect();
    assert_eq!(
        of_fix,
        ["mark_due_soon fix/soon", "mark_overdue fix/overdue", "escalate fix/1", "escalate fix/2", "escalate fix/3"]
    );
    let fix_clock = is(&desk, "fix");
    assert!(fix_clock.soon_rev < fix_clock.overdue_rev && fix_clock.escalated == 3);
    assert!(desk.until("2026-03-04T10:00").is_empty());
    desk.then("2026-03-04T10:00", CREW, fix(&[]));
    assert_eq!(is(&desk, "fix").overdue_rev, fix_clock.overdue_rev, "that it was overdue stays");
}

#[test]
fn what_was_made_in_time_and_came_late_is_met_by_the_phones_time() {
    let mut desk = assigned();
    desk.until("2026-03-02T20:00");
    let interval = Interval { from_ms: at("2026-03-02T11:50"), to_ms: at("2026-03-02T11:51") };
    desk.captured = Some(interval);
    desk.then("2026-03-02T20:00", CREW, fix(&[]));
    let Running::Met { at_ms, by_phone, .. } = is(&desk, "fix").running else { panic!("not met") };
    assert_eq!((at_ms, by_phone), (at("2026-03-02T20:00"), true), "both times are shown");
    assert!(is(&desk, "fix").overdue_rev.is_some());
}

#[test]
fn an_end_stops_every_clock_and_undoing_a_link_lets_them_run_on() {
    let mut desk = assigned();
    let other = desk.op(INSPECTOR, OTHER_CASE, &report(&[]));
    desk.take(&other);
    let before = is(&desk, "fix");
    desk.then("2026-03-02T10:30", CHIEF, Body::LinkDuplicate(schema::op::LinkDuplicate { of: OTHER_CASE }));
    assert!(matches!(is(&desk, "fix").running, Running::Stopped { .. }));
    assert!(desk.until("2026-03-02T12:30").is_empty());
    desk.then("2026-03-02T12:30", CHIEF, Body::UnlinkDuplicate(schema::op::Reason { reason: sealed(3) }));
    assert_eq!(is(&desk, "fix").due, before.due, "the link gave nobody time");
    assert!(desk.until("2026-03-02T12:30").contains(&"mark_overdue fix/overdue".to_owned()));
}

/// A deadline beyond the loaded calendar says so, and is counted again when the calendar comes.
#[test]
fn a_provisional_deadline_is_recounted_by_the_calendar_that_comes() {
    let mut desk = desk();
    desk.then("2026-12-29T09:00", INSPECTOR, report(&[]));
    desk.then("2026-12-29T09:10", SUPERVISOR, file());
    let of_case = is(&desk, "case");
    assert_eq!(of_case.due.confidence, Confidence::Provisional);

    let mut with_2027 = read(CITY_CALENDAR.as_bytes()).expect("the shipped calendar");
    let last = with_2027.layers[0].years.last().expect("years").clone();
    let holiday = schema::calendar::Holiday {
        name: last.holidays[0].name.clone(),
        off: Some(("2027-01-01".parse().expect("day"), "2027-01-03".parse().expect("day"))),
        work: vec!["2027-01-09".parse().expect("day")],
        statutory: vec!["2027-01-01".parse().expect("day")],
    };
    with_2027.layers[0].years.push(schema::calendar::Year { year: 2027, source: last.source, holidays: vec![holiday] });
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("a zone");
    let with_2027 = WorkingCalendar::new(&with_2027, zone).expect("no faults");

    let subtype = &desk.catalogue.categories[2].subtypes[0];
    let stages = stages(&desk.catalogue, subtype);
    let now_ms = at("2026-12-30T08:00");
    let found = recounted(desk.case(), &stages, &with_2027, schema::hash::Hash([5; 32]), now_ms).expect("counted");
    let moved = found.iter().find(|issued| issued.stage.as_str() == "case").expect("the case's deadline moves");
    assert_eq!((moved.was, moved.due.confidence), (Some(of_case.due), Confidence::Exact));
    assert_eq!(moved.due.at_ms, of_case.due.at_ms, "New Year's Day was taken off, the Saturday behind it was worked");
    let body = Body::IssueDeadline(moved.clone());
    let op = line::server_op(
        LOG,
        OpId(Uuid::from_u128(0xC0)),
        schema::ids::DeviceId(Uuid::from_u128(77)),
        CASE,
        &body,
        now_ms,
    );
    desk.take(&op.expect("writable"));
    assert_eq!(is(&desk, "case").due, moved.due);
}

/// A unit that works at night is timed by its nights; the office beside it is not.
#[test]
fn working_hours_of_a_unit_with_shifts_are_those_of_its_shifts() {
    let night = |unit: schema::ids::UnitId| {
        let mut document = read(CITY_CALENDAR.as_bytes()).expect("the shipped calendar");
        document.shifts = vec![schema::calendar::Shift {
            unit,
            name: document.title.clone(),
            days: schema::calendar::ShiftDays::Every,
            from: "20:00".parse().expect("a time"),
            to: "04:00".parse().expect("a time"),
            accounts: Vec::new(),
        }];
        WorkingCalendar::new(&document, sync_core::time::zone("Asia/Shanghai").expect("a zone")).expect("no faults")
    };
    let mut desk = Desk { calendar: Some(night(UNIT)), ..desk() };
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[photo(1, schema::op::EvidenceRole::Before)]));
    desk.arrive(1);
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    let accept = is(&desk, "accept");
    assert_eq!(accept.due.at_ms, at("2026-03-03T00:00"), "four working hours from eight in the evening");
    assert_eq!(accept.soon_ms, Some(at("2026-03-02T22:00")));
    assert_eq!(is(&desk, "fix").due.at_ms, at("2026-03-02T12:00"), "urgent hours stay what they are");

    // Another roster: what runs is counted anew.
    let subtype = &desk.catalogue.categories[2].subtypes[0];
    let stages = stages(&desk.catalogue, subtype);
    let (other, now_ms) = (night(UNIT_2), at("2026-03-02T11:00"));
    let found = recounted(desk.case(), &stages, &other, schema::hash::Hash([5; 32]), now_ms).expect("counted");
    let moved: Vec<_> = found.iter().map(|issued| (issued.stage.as_str(), issued.due.at_ms)).collect();
    assert_eq!(moved, [("accept", at("2026-03-02T16:00"))]);

    desk.then("2026-03-02T10:30", CREW, returned());
    assert_eq!(is(&desk, "assign").due.at_ms, at("2026-03-02T14:30"), "the office's hours are the office's");
}

/// Before clocks no case had any, and their kinds were too new: a log of that time folds as it did.
#[test]
fn older_rules_know_of_no_clocks() {
    let mut desk = Desk { rules: 2, ..desk() };
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[]));
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    assert!(desk.case().clocks.is_empty());
    let decision = desk.act(SUPERVISOR, Body::Urge(schema::op::Urge { note: None }));
    assert_eq!(refused(&decision), Some(schema::record::RefusalCode::KindTooNew));
    desk.then("2026-03-02T10:05", SUPERVISOR, void());
}
