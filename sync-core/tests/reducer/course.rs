//! What people ask about the time of a case, and the stages of a legal procedure.

use schema::case::State;
use schema::clock::Running;
use schema::ids::OpId;
use schema::op::{
    AppealOverdue, Body, DecideAppeal, DecideExtension, EndStage, EvidenceRole, Reason, RequestExtension, Resume,
    ReturnAssignment, Suspend, Urge,
};
use schema::record::RefusalCode;

use crate::bodies::*;
use crate::clocks::{at, desk, is};
use crate::desk::*;

pub(crate) fn code(text: &str) -> schema::catalogue::Code {
    text.parse().expect("code")
}

/// An unleashed dog, assigned on Monday, 2 March 2026, at 10:00: due a working day later.
pub(crate) fn assigned() -> Desk {
    let mut desk = desk();
    let mut found = a_report(&[photo(1, EvidenceRole::Before)]);
    (found.category, found.subtype, found.fields) = (code("dog"), code("unleashed"), [].into());
    desk.then("2026-03-02T09:00", INSPECTOR, Body::Report(found));
    desk.arrive(1);
    desk.then("2026-03-02T09:30", SUPERVISOR, Body::File(schema::op::File { condition: code("seen_unleashed") }));
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    desk
}

pub(crate) fn suspend(until: &str) -> Body {
    Body::Suspend(Suspend { until_ms: at(until), reason: sealed(1) })
}

#[test]
fn a_suspension_stops_every_clock_once_and_ends_by_itself() {
    let mut desk = assigned();
    for wrong in ["2026-03-02T09:00", "2027-03-04T10:00"] {
        desk.now_ms = Some(at("2026-03-02T10:30"));
        let decision = desk.act(SUPERVISOR, suspend(wrong));
        assert_eq!(refused(&decision), Some(RefusalCode::Validation), "{wrong}");
    }
    desk.then("2026-03-02T11:00", SUPERVISOR, suspend("2026-03-09T11:00"));
    assert!(desk.case().clocks.iter().all(|clock| clock.running != Running::Running));
    assert_eq!(desk.until("2026-03-09T11:00"), ["resume "]);
    assert_eq!(desk.case().suspended, None);
    assert_eq!(is(&desk, "fix").due.at_ms, at("2026-03-10T10:00"), "seven hours were left");
    let decision = desk.act(SUPERVISOR, suspend("2026-03-20T11:00"));
    assert_eq!(refused(&decision), Some(RefusalCode::Quota), "once");
    let decision = desk.act(SUPERVISOR, Body::Resume(Resume { reason: Some(sealed(2)) }));
    assert_eq!(refused(&decision), Some(RefusalCode::StaleState));
}

pub(crate) fn asks() -> Body {
    Body::RequestExtension(RequestExtension { stage: code("fix"), reason: sealed(1) })
}

pub(crate) fn grants(desk: &Desk, grant: bool) -> Body {
    let request = desk.case().extension.as_ref().map_or(OpId::NIL, |extension| extension.request);
    Body::DecideExtension(DecideExtension { request, grant, reason: None })
}

#[test]
fn more_time_takes_two_people_and_is_asked_for_before_the_limit_ends() {
    let mut desk = assigned();
    for (round, due) in [(1, "2026-03-04T10:00"), (2, "2026-03-05T10:00")] {
        desk.then("2026-03-02T15:00", CREW, asks());
        let decision = desk.act(CREW, grants(&desk, true));
        assert_eq!(refused(&decision), Some(RefusalCode::FourEyes), "nobody grants what they asked for");
        desk.then("2026-03-02T15:10", SUPERVISOR, grants(&desk, true));
        let decision = desk.act(SUPERVISOR, grants(&desk, true));
        assert_eq!(refused(&decision), Some(RefusalCode::FourEyes), "two are two people");
        assert_ne!(is(&desk, "fix").due.at_ms, at(due), "one alone moves nothing");
        desk.then("2026-03-02T15:20", CHIEF, grants(&desk, true));
        assert_eq!(is(&desk, "fix").due.at_ms, at(due), "round {round}");
        assert_eq!(desk.case().extension, None);
    }
    let decision = desk.act(CREW, asks());
    assert_eq!(refused(&decision), Some(RefusalCode::Quota), "twice at most");
}

#[test]
fn a_request_ends_by_a_refusal_and_with_the_limit() {
    let mut desk = assigned();
    desk.then("2026-03-02T15:00", CREW, asks());
    desk.then("2026-03-02T15:10", SUPERVISOR, grants(&desk, false));
    assert_eq!(desk.case().extension, None);
    desk.then("2026-03-02T15:20", CREW, asks());
    let late = grants(&desk, true);
    desk.until("2026-03-03T10:30");
    assert_eq!(desk.case().extension, None, "the limit has ended");
    assert_eq!(refused(&desk.act(SUPERVISOR, late)), Some(RefusalCode::StaleState));
    assert_eq!(refused(&desk.act(CREW, asks())), Some(RefusalCode::StaleState));
}

#[test]
fn an_appeal_is_heard_by_two_and_the_fact_stays() {
    let mut desk = assigned();
    desk.until("2026-03-03T11:00");
    desk.then("2026-03-03T11:00", CREW, fix(&[photo(2, EvidenceRole::After)]));
    desk.arrive(2);
    let appeal = || Body::AppealOverdue(AppealOverdue { stage: code("fix"), reason: sealed(1), photos: Vec::new() });
    assert_eq!(refused(&desk.act(CREW, appeal())), Some(RefusalCode::StaleState), "after the close");
    desk.then("2026-03-03T11:10", INSPECTOR, check_passes());
    let close = Body::Close(schema::op::Close { condition: code("ordered_rectified") });
    desk.then("2026-03-03T11:20", SUPERVISOR, close);
    assert_eq!(refused(&desk.act(CREW_2, appeal())), Some(RefusalCode::UnknownEntity), "another unit's");
    desk.then("2026-03-03T12:00", CREW, appeal());
    assert_eq!(refused(&desk.act(CREW, appeal())), Some(RefusalCode::StaleState), "once");
    let decide = |grant| Body::DecideAppeal(DecideAppeal { stage: code("fix"), grant, reason: None });
    desk.then("2026-03-03T12:10", SUPERVISOR, decide(true));
    assert_eq!(refused(&desk.act(SUPERVISOR, decide(true))), Some(RefusalCode::FourEyes));
    desk.then("2026-03-03T12:20", CHIEF, decide(true));
    assert_eq!(refused(&desk.act(CHIEF, decide(false))), Some(RefusalCode::StaleState), "it is decided");
    let clock = is(&desk, "fix");
    assert!(clock.overdue_rev.is_some() && clock.appeal.is_some_and(|appeal| appeal.decisions.len() == 2));
}

#[test]
fn the_third_return_of_a_unit_is_settled_one_level_up() {
    let mut desk = assigned();
    let reason = code("ownership_unclear");
    let returned = Body::ReturnAssignment(ReturnAssignment { reason, note: None, photos: Vec::new() });
    for count in 1..=3 {
        desk.must(CREW, returned.clone());
        assert_eq!(desk.case().returned_by.get(&UNIT), Some(&count));
        if count < 3 {
            desk.must(SUPERVISOR, assign(UNIT));
        }
    }
    let decision = desk.act(SUPERVISOR, assign(UNIT));
    assert_eq!(refused(&decision), Some(RefusalCode::NotPermitted), "the supervisor sent it there three times");
    desk.must(CHIEF, assign(UNIT));
    assert_eq!(desk.case().arbitration, None);
}

#[test]
fn what_has_a_deadline_leaves_the_count_one_level_up() {
    let mut desk = assigned();
    assert_eq!(refused(&desk.act(SUPERVISOR, void())), Some(RefusalCode::NotPermitted));
    desk.must(CHIEF, void());
    assert_eq!(desk.case().state, State::Void);
}

#[test]
fn reminders_are_counted_and_a_leader_may_watch() {
    let mut desk = assigned();
    for _ in 0..3 {
        desk.must(SUPERVISOR, Body::Urge(Urge { note: None }));
    }
    desk.must(CHIEF, Body::Supervise(Reason { reason: sealed(4) }));
    assert_eq!((desk.case().urged, desk.case().supervised.as_ref().map(|mark| mark.reason)), (3, Some(sealed(4))));
}

fn ends(stage: &str, documents: &[u8]) -> Body {
    let photos = documents.iter().map(|byte| photo(*byte, EvidenceRole::Document)).collect();
    Body::EndStage(EndStage { stage: code(stage), note: None, photos })
}

/// An illegal structure that stands: stage by stage, each with its document.
fn structure() -> Desk {
    let mut desk = desk();
    let mut found = a_report(&[photo(1, EvidenceRole::Before)]);
    (found.category, found.subtype, found.fields) = (code("illegal_structure"), code("built"), [].into());
    for spec in &desk.catalogue.categories[0].subtypes[1].fields {
        let value = match &spec.holds {
            schema::catalogue::FieldKind::Choice { choices } => choices[0].code.as_str().into(),
            schema::catalogue::FieldKind::Number { min, .. } => (*min).max(1).into(),
            schema::catalogue::FieldKind::YesNo => true.into(),
            schema::catalogue::FieldKind::Text { .. } | schema::catalogue::FieldKind::Reference { .. } => "A1".into(),
            schema::catalogue::FieldKind::Personal { .. } => continue,
        };
        found.fields.insert(spec.code.clone(), value);
    }
    desk.then("2026-03-02T09:00", INSPECTOR, Body::Report(found));
    desk.then("2026-03-02T09:30", SUPERVISOR, Body::File(schema::op::File { condition: code("built_unpermitted") }));
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    desk
}

#[test]
fn a_legal_procedure_goes_stage_by_stage() {
    let mut desk = structure();
    assert_eq!(refused(&desk.act(CREW, ends("decide", &[40]))), Some(RefusalCode::StaleState), "not yet");
    assert_eq!(refused(&desk.act(CREW, ends("inspect", &[]))), Some(RefusalCode::Validation), "without its document");
    assert_eq!(refused(&desk.act(CREW, ends("nothing", &[40]))), Some(RefusalCode::Validation));
    desk.then("2026-03-02T15:00", CREW, ends("inspect", &[41]));
    let opinion = is(&desk, "planning_opinion");
    assert_eq!(opinion.running, Running::Running);
    assert!(matches!(is(&desk, "case").running, Running::Paused { .. }), "another body is waited for");

    let before = is(&desk, "case").due;
    desk.then("2026-03-12T15:00", SUPERVISOR, ends("planning_opinion", &[42]));
    assert_eq!(is(&desk, "case").running, Running::Running);
    assert_eq!(is(&desk, "case").due.at_ms - before.at_ms, 10 * 24 * 3_600_000, "ten days were not the case's");
    assert_eq!(is(&desk, "decide").due.at_ms, at("2026-03-23T18:00"), "the end of the seventh working day");

    desk.then("2026-03-13T10:00", CREW, ends("decide", &[43]));
    desk.then("2026-03-14T10:00", CREW, ends("serve", &[44]));
    desk.then("2026-03-28T10:00", CREW, ends("self_demolish", &[45]));
    desk.then("2026-04-02T10:00", CREW, ends("remind", &[46]));
    for (when, why) in
        [("2026-04-05T10:00", "Tomb-sweeping Day"), ("2026-04-08T23:00", "night"), ("2026-04-08T05:59", "night")]
    {
        desk.now_ms = Some(at(when));
        assert_eq!(refused(&desk.act(CREW, ends("enforce", &[47]))), Some(RefusalCode::Validation), "{why}");
    }
    desk.then("2026-04-08T10:00", CREW, ends("enforce", &[47]));
    let done: Vec<&str> = desk.case().stages.iter().map(|done| done.stage.as_str()).collect();
    assert_eq!(done, ["inspect", "planning_opinion", "decide", "serve", "self_demolish", "remind", "enforce"]);
    assert_eq!(desk.case().evidence.iter().filter(|item| item.role == EvidenceRole::Document && !item.late).count(), 7);
}

#[test]
fn a_fix_ends_every_stage_that_still_runs() {
    let mut desk = structure();
    desk.then("2026-03-02T16:00", CREW, fix(&[photo(2, EvidenceRole::After)]));
    assert!(matches!(is(&desk, "inspect").running, Running::Met { .. }));
    assert!(desk.case().clocks.iter().all(|clock| clock.stage.as_str() != "planning_opinion"));
}
