//! Units that help, each by its own limit; and checks in between while an order must be kept.

use schema::case::Case;
use schema::clock::{Clock, Running, Timed};
use schema::deadline::{Limit, TimeUnit};
use schema::ids::UnitId;
use schema::op::{
    Assign, Body, CheckVerdict, EndStage, EvidenceRole, FinishHelp, InterimCheck, PhotoClaim, ReturnAssignment,
};
use schema::record::RefusalCode;

use crate::bodies::*;
use crate::clocks::{at, desk, is};
use crate::desk::*;

fn code(text: &str) -> schema::catalogue::Code {
    text.parse().expect("code")
}

fn assign_with(co_units: &[UnitId], own: &[(UnitId, Limit)]) -> Body {
    let (co_units, co_limits) = (co_units.to_vec(), own.iter().copied().collect());
    Body::Assign(Assign { unit: UNIT, co_units, co_limits, holder: None, note: None })
}

fn helped(photos: &[PhotoClaim]) -> Body {
    Body::FinishHelp(FinishHelp { note: None, photos: photos.to_vec() })
}

fn helpers(case: &Case) -> Vec<&Clock> {
    case.clocks.iter().filter(|clock| clock.timed == Timed::Helper).collect()
}

/// A stall, filed on Monday, 2 March 2026, at 09:30.
fn filed() -> Desk {
    let mut desk = desk();
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[photo(1, EvidenceRole::Before)]));
    desk.arrive(1);
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    desk
}

#[test]
fn a_unit_that_helps_is_timed_by_its_own_limit_and_met_by_its_own_word() {
    let mut desk = filed();
    let four_hours = Limit { amount: 4, unit: TimeUnit::WorkingHours };
    for wrong in [(UNIT_2, Limit { amount: 0, unit: TimeUnit::WorkingHours }), (UNIT, four_hours)] {
        desk.now_ms = Some(at("2026-03-02T09:45"));
        let decision = desk.act(SUPERVISOR, assign_with(&[UNIT_2], &[wrong]));
        assert_eq!(refused(&decision), Some(RefusalCode::Validation), "{wrong:?}");
    }
    desk.then("2026-03-02T10:00", SUPERVISOR, assign_with(&[UNIT_2], &[(UNIT_2, four_hours)]));
    let clocks = helpers(desk.case());
    assert_eq!(clocks.len(), 1);
    assert_eq!((clocks[0].unit, clocks[0].due.at_ms), (Some(UNIT_2), at("2026-03-02T16:00")), "noon does not count");

    desk.now_ms = Some(at("2026-03-02T11:00"));
    assert_eq!(refused(&desk.act(CREW, helped(&[]))), Some(RefusalCode::StaleState), "the lead unit does not help");
    desk.then("2026-03-02T11:30", CREW, fix(&[photo(2, EvidenceRole::After)]));
    assert!(matches!(helpers(desk.case())[0].running, Running::Running), "the lead's fix is not the helper's part");
    desk.then("2026-03-02T15:00", CREW_2, helped(&[photo(3, EvidenceRole::After)]));
    assert!(matches!(helpers(desk.case())[0].running, Running::Met { .. }));
    assert!(desk.case().evidence.iter().any(|item| item.sha256 == photo(3, EvidenceRole::After).sha256));
    desk.now_ms = Some(at("2026-03-02T15:30"));
    assert_eq!(refused(&desk.act(CREW_2, helped(&[]))), Some(RefusalCode::StaleState), "once");
}

#[test]
fn a_helper_without_a_limit_of_its_own_has_the_catalogues_and_is_marked_when_it_is_over() {
    let mut desk = filed();
    desk.then("2026-03-02T10:00", SUPERVISOR, assign_with(&[UNIT_2], &[]));
    assert_eq!(helpers(desk.case())[0].due.at_ms, at("2026-03-04T10:00"), "two days of eight working hours");
    let done = desk.until("2026-03-04T12:00");
    assert!(done.contains(&"mark_overdue help/overdue".to_owned()), "{done:?}");
    assert!(helpers(desk.case())[0].overdue_rev.is_some());
    assert_eq!(is(&desk, "fix").unit, Some(UNIT), "the lead's clock is another one");
}

#[test]
fn a_unit_that_is_asked_to_help_no_more_has_no_clock_that_runs() {
    let mut desk = filed();
    desk.then("2026-03-02T10:00", SUPERVISOR, assign_with(&[UNIT_2], &[]));
    let reason = code("not_our_duty");
    let returned = Body::ReturnAssignment(ReturnAssignment { reason, note: None, photos: Vec::new() });
    desk.then("2026-03-02T11:00", CREW, returned);
    assert!(matches!(helpers(desk.case())[0].running, Running::Stopped { .. }));
    desk.then("2026-03-02T14:00", SUPERVISOR, assign_with(&[UNIT_2], &[]));
    assert!(matches!(helpers(desk.case())[0].running, Running::Running), "asked again, it is timed anew");
    assert_eq!(helpers(desk.case())[0].started_ms, at("2026-03-02T14:00"));
}

fn looked(verdict: CheckVerdict, photos: &[PhotoClaim]) -> Body {
    Body::InterimCheck(InterimCheck { stage: code("stop_work"), verdict, note: None, photos: photos.to_vec() })
}

/// A structure that is being built; the order to stop was served on Monday, 2 March 2026, at 11:00.
fn stopped() -> Desk {
    let mut desk = desk();
    let mut found = a_report(&[photo(1, EvidenceRole::Before)]);
    (found.category, found.subtype, found.fields) = (code("illegal_structure"), code("being_built"), [].into());
    found.fields.insert(code("stock_kind"), "new".into());
    desk.then("2026-03-02T09:00", INSPECTOR, Body::Report(found));
    desk.arrive(1);
    let condition = desk.catalogue.categories[0].subtypes[0].filing_conditions[0].code.clone();
    desk.then("2026-03-02T09:30", SUPERVISOR, Body::File(schema::op::File { condition }));
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    let served = EndStage { stage: code("stop_work"), note: None, photos: vec![photo(2, EvidenceRole::Document)] };
    desk.then("2026-03-02T11:00", CREW, Body::EndStage(served));
    desk
}

fn marks(desk: &mut Desk, until: &str) -> usize {
    desk.until(until).iter().filter(|done| done.starts_with("ask_interim_check")).count()
}

#[test]
fn an_order_to_stop_is_looked_after_every_seven_days_until_the_fix() {
    let mut desk = stopped();
    assert_eq!(marks(&mut desk, "2026-03-09T10:59"), 0);
    assert_eq!(marks(&mut desk, "2026-03-20T11:00"), 1, "asked once, until somebody looked");
    let wants = |desk: &Desk| desk.case().interim[0].asked_rev.is_some();
    assert!(wants(&desk));

    desk.now_ms = Some(at("2026-03-20T11:10"));
    assert_eq!(
        refused(&desk.act(INSPECTOR, looked(CheckVerdict::Pass, &[]))),
        Some(RefusalCode::Validation),
        "no photo"
    );
    let by_the_unit = desk.act(SUPERVISOR_IN_UNIT, looked(CheckVerdict::Pass, &[photo(3, EvidenceRole::Check)]));
    assert_eq!(refused(&by_the_unit), Some(RefusalCode::FourEyes), "nobody looks after an order of their own unit");
    desk.then("2026-03-20T11:30", INSPECTOR, looked(CheckVerdict::Fail, &[photo(3, EvidenceRole::Check)]));
    assert!(!wants(&desk));
    assert_eq!(desk.case().interim[0].checks[0].code, "fail");
    assert_eq!(marks(&mut desk, "2026-03-27T11:30"), 1, "seven days from when somebody looked");

    desk.then("2026-03-27T15:00", CREW, fix(&[photo(4, EvidenceRole::After)]));
    assert_eq!(marks(&mut desk, "2026-05-01T12:00"), 0);
    desk.now_ms = Some(at("2026-05-01T12:00"));
    let late = desk.act(INSPECTOR, looked(CheckVerdict::Pass, &[photo(5, EvidenceRole::Check)]));
    assert_eq!(refused(&late), Some(RefusalCode::StaleState));
}
