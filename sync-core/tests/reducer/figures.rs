//! What counts of a case, from its document and its entries. Times are those of Shanghai.

use schema::clock::Timed;
use schema::figures::Measure;
use schema::op::{Body, CheckVerdict, EvidenceRole, ReturnAssignment};
use sync_core::catalogue::subtype;
use sync_core::clock::stages;
use sync_core::figures::{Ending, Facts, Period, Timing, counted, facts, needs_entries, with_entries};

use crate::bodies::*;
use crate::clocks::at;
use crate::course::{asks, assigned, code, grants, suspend};
use crate::desk::*;

/// What counts of the desk's case, as a server finds it.
fn found(desk: &Desk) -> Facts {
    let mut found = facts(desk.case());
    if needs_entries(desk.case()) {
        complete(desk, &mut found);
    }
    found
}

fn complete(desk: &Desk, facts: &mut Facts) {
    let (_, dog) = subtype(&desk.catalogue, &code("dog"), &code("unleashed")).expect("a subtype");
    with_entries(facts, desk.case(), &desk.told, &stages(&desk.catalogue, dog));
}

fn month(desk: &Desk) -> Vec<Measure> {
    in_period(desk, "2026-03-01T00:00", "2026-04-01T00:00")
}

fn in_period(desk: &Desk, from: &str, until: &str) -> Vec<Measure> {
    let period = Period { from_ms: at(from), until_ms: at(until) };
    let mut found: Vec<Measure> = counted(&found(desk), period).into_iter().map(|(measure, _)| measure).collect();
    found.sort();
    found
}

fn times(found: &[Measure], measure: Measure) -> usize {
    found.iter().filter(|it| **it == measure).count()
}

fn fixed_and_closed(desk: &mut Desk, day: &str) {
    let at = |time: &str| format!("{day}T{time}");
    desk.then(&at("10:10"), CREW, fix(&[photo(2, EvidenceRole::After)]));
    desk.arrive(2);
    desk.then(&at("10:20"), INSPECTOR, check_passes());
    desk.then(&at("10:30"), SUPERVISOR, Body::Close(schema::op::Close { condition: code("ordered_rectified") }));
}

#[test]
fn a_plain_case_is_told_alike_by_its_document_and_its_entries() {
    let mut desk = assigned();
    fixed_and_closed(&mut desk, "2026-03-02");
    assert!(!needs_entries(desk.case()));
    let by_document = facts(desk.case());
    let mut by_entries = by_document.clone();
    by_entries.clocks.clear();
    complete(&desk, &mut by_entries);
    assert_eq!(by_document, by_entries);
    let month = month(&desk);
    for measure in [Measure::Reported, Measure::Filed, Measure::Due, Measure::Closed, Measure::ClosedOnTime] {
        assert_eq!(times(&month, measure), 1, "{measure:?}");
    }
    assert_eq!((times(&month, Measure::UnitDue), times(&month, Measure::UnitOnTime)), (2, 2), "signing, and fixing");
    assert_eq!((times(&month, Measure::OfficeDue), times(&month, Measure::OfficeOnTime)), (4, 4));
    assert_eq!((times(&month, Measure::Checked), times(&month, Measure::PassedFirst)), (1, 1));
    let closed_in = in_period(&desk, "2026-03-02T00:00", "2026-03-03T00:00");
    assert_eq!(times(&closed_in, Measure::Due), 0, "closed on that day, due ten working days later");
}

/// The office checks twice, and both limits count; the document alone has the second.
#[test]
fn a_rework_keeps_the_limits_that_began_before_it() {
    let mut desk = assigned();
    desk.then("2026-03-02T10:10", CREW, fix(&[photo(2, EvidenceRole::After)]));
    desk.arrive(2);
    desk.until("2026-03-04T09:00");
    desk.then("2026-03-04T09:00", INSPECTOR, check(CheckVerdict::Fail));
    fixed_and_closed(&mut desk, "2026-03-04");
    let month = month(&desk);
    assert_eq!(times(&month, Measure::Reworked), 1);
    assert_eq!(
        (times(&month, Measure::Checked), times(&month, Measure::PassedFirst)),
        (1, 0),
        "the first check counts"
    );
    assert_eq!(times(&month, Measure::OfficeDue), 5, "file, assign, check, check, close");
    assert_eq!(times(&month, Measure::OfficeOnTime), 4, "the first check came late");
    assert_eq!(facts(desk.case()).clocks.iter().filter(|it| it.timed == Timed::Office).count(), 4);
}

/// A published figure must not change by what comes after: a case that was closed stays closed for its deadline.
#[test]
fn a_reopened_case_was_closed_for_its_first_deadline_and_is_due_again() {
    let mut desk = assigned();
    fixed_and_closed(&mut desk, "2026-03-02");
    let before = in_period(&desk, "2026-03-16T00:00", "2026-03-17T00:00");
    assert_eq!(
        before,
        [
            Measure::Due,
            Measure::Closed,
            Measure::ClosedOnTime,
            Measure::Received,
            Measure::Checked,
            Measure::PassedFirst
        ]
    );
    desk.then("2026-03-09T09:00", CHIEF, reopen());
    assert_eq!(in_period(&desk, "2026-03-16T00:00", "2026-03-17T00:00"), before);
    let again = in_period(&desk, "2026-03-23T00:00", "2026-03-24T00:00");
    assert_eq!((times(&again, Measure::Due), times(&again, Measure::Closed)), (1, 0));
}

#[test]
fn a_unit_that_hands_back_is_counted_for_it_and_not_timed_any_more() {
    let mut desk = assigned();
    let back =
        Body::ReturnAssignment(ReturnAssignment { reason: code("not_our_duty"), note: None, photos: Vec::new() });
    desk.then("2026-03-02T11:00", CREW, back);
    desk.then("2026-03-02T11:30", SUPERVISOR, assign(UNIT_2));
    desk.then("2026-03-02T14:30", CREW_2, fix(&[photo(2, EvidenceRole::After)]));
    let found = found(&desk);
    let fixes = |timing: &&Timing| timing.timed == Timed::Unit && timing.due_ms > at("2026-03-03T00:00");
    let fixes: Vec<_> = found.clocks.iter().filter(fixes).map(|it| (it.unit, it.ending)).collect();
    assert_eq!(fixes, [(Some(UNIT), Ending::Stands), (Some(UNIT_2), Ending::Met)]);
    let period = Period { from_ms: at("2026-03-01T00:00"), until_ms: at("2026-04-01T00:00") };
    let counts = counted(&found, period);
    assert!(counts.contains(&(Measure::Returned, Some(UNIT))));
    assert!(!counts.contains(&(Measure::Returned, Some(UNIT_2))));
    let received = counts.iter().filter(|(measure, _)| *measure == Measure::Received).count();
    assert_eq!(received, 2, "one of each unit");
    assert!(counts.contains(&(Measure::Due, Some(UNIT_2))), "the case is the unit's that has it");
}

#[test]
fn more_time_and_a_suspension_move_a_limit_out_of_its_period_and_are_named() {
    let mut desk = assigned();
    let third = |desk: &Desk| in_period(desk, "2026-03-03T00:00", "2026-03-04T00:00");
    assert_eq!(times(&third(&desk), Measure::UnitDue), 1, "the limit of the fix");
    desk.then("2026-03-02T15:00", CREW, asks());
    desk.then("2026-03-02T15:10", SUPERVISOR, grants(&desk, true));
    desk.then("2026-03-02T15:20", CHIEF, grants(&desk, true));
    let moved = third(&desk);
    assert_eq!((times(&moved, Measure::UnitDue), times(&moved, Measure::LeftExtended)), (0, 1));

    let mut desk = assigned();
    desk.then("2026-03-02T11:00", SUPERVISOR, suspend("2026-03-09T11:00"));
    assert_eq!(times(&third(&desk), Measure::LeftSuspended), 1, "while it stands");
    desk.until("2026-03-09T11:00");
    let moved = third(&desk);
    assert_eq!((times(&moved, Measure::UnitDue), times(&moved, Measure::LeftSuspended)), (0, 1), "and afterwards");
}
