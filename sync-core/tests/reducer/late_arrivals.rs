//! Ops made offline that arrive when the case stands elsewhere: nothing captured is lost, nothing good hides bad news.

use schema::case::{ConflictReason, State};
use schema::op::{Body, CheckVerdict, EvidenceRole};
use schema::record::{Outcome, RefusalCode};
use sync_core::context::ParkedOp;

use crate::bodies::*;
use crate::desk::*;

#[test]
fn evidence_for_a_closed_case_is_kept_as_late_and_the_case_stays_closed() {
    let mut desk = Desk::at(State::Closed);
    let decision = desk.act_at(INSPECTOR, 12, add(9));
    assert_eq!(decision.record.outcome, Outcome::Accepted);
    assert_eq!(decision.record.flags, ["late_evidence"]);
    let case = desk.case();
    assert_eq!(case.state, State::Closed);
    assert!(case.needs_audit);
    assert!(case.evidence.last().is_some_and(|item| item.late));
}

#[test]
fn a_fix_of_a_unit_that_lost_the_case_keeps_its_photos_as_late_evidence() {
    let mut desk = Desk::at(State::Assigned);
    desk.must(SUPERVISOR, assign(UNIT_2));
    let decision = desk.act(CREW, fix(&[photo(9, EvidenceRole::After)]));
    assert_eq!(refused(&decision), Some(RefusalCode::StaleState));
    assert_eq!(decision.record.detail["current"], "assigned");
    assert_eq!(decision.leaf_entity, CASE);
    let item = desk.case().evidence.last().cloned().expect("kept");
    assert!(item.late);
    assert_eq!(item.sha256, photo(9, EvidenceRole::After).sha256);
}

#[test]
fn an_assignment_made_without_seeing_the_present_one_is_stale() {
    let mut desk = Desk::at(State::Filed);
    let seen = desk.rev;
    desk.must(SUPERVISOR, assign(UNIT));
    assert_eq!(refused(&desk.act_at(CHIEF, seen, assign(UNIT_2))), Some(RefusalCode::StaleState));
    desk.must(CHIEF, assign(UNIT_2));
}

#[test]
fn the_second_of_two_closes_is_stale() {
    let mut desk = Desk::at(State::Checked);
    let seen = desk.rev;
    desk.must(SUPERVISOR, close());
    let decision = desk.act_at(CHIEF, seen, close());
    assert_eq!(refused(&decision), Some(RefusalCode::StaleState));
    assert_eq!(decision.record.detail["by"], desk.accounts[SUPERVISOR].id.to_string());
}

#[test]
fn a_close_refuses_evidence_that_its_author_has_not_seen() {
    let mut desk = Desk::at(State::Checked);
    let seen = desk.rev;
    desk.must(INSPECTOR_2, add(9));
    let evidence_rev = desk.rev;
    desk.arrive(9);
    let decision = desk.act_at(SUPERVISOR, seen, close());
    assert_eq!(refused(&decision), Some(RefusalCode::EvidenceSinceBase));
    assert_eq!(decision.record.detail["revs"], serde_json::json!([evidence_rev]));
    desk.must(SUPERVISOR, close());
}

#[test]
fn a_failed_check_of_a_closed_case_is_kept_for_the_auditor() {
    let mut desk = Desk::at(State::Closed);
    let decision = desk.act_at(INSPECTOR_2, 12, check(CheckVerdict::Fail));
    assert_eq!(decision.record.flags, ["failed_check_after_close"]);
    assert_eq!(desk.case().state, State::Closed);
    assert!(desk.case().needs_audit);
}

#[test]
fn an_inspectors_change_after_assignment_is_a_proposal_that_a_supervisor_settles() {
    let mut desk = Desk::at(State::Assigned);
    let decision = desk.act(INSPECTOR, amend("subject", "stall 12".into(), "stall 13".into()));
    assert_eq!(decision.record.outcome, Outcome::AcceptedWithConflict);
    assert_eq!(desk.case().fields[&"subject".parse().expect("field")].value, "stall 12");
    assert_eq!(desk.case().conflicts[0].why, ConflictReason::AfterAssignment);
    desk.must(SUPERVISOR, amend("subject", "stall 12".into(), "stall 13".into()));
    assert!(desk.case().conflicts.is_empty());
    assert_eq!(desk.case().fields[&"subject".parse().expect("field")].value, "stall 13");
}

#[test]
fn what_a_revoked_person_captured_waits_for_a_supervisor_and_takes_effect_when_released() {
    let mut desk = Desk::at(State::Reported);
    let mut rest = Rest::new(&desk);
    rest.device_revoked = true;
    let op = desk.op(INSPECTOR, CASE, &add(9));
    let parked = desk.take_with(&op, &rest);
    assert_eq!(refused(&parked), Some(RefusalCode::ActorRevoked));
    assert!(parked.after.is_none());
    let mut rest = Rest::new(&desk);
    rest.parked = vec![ParkedOp { op: op.clone(), rev: desk.rev, received_ms: (1, 1), record: parked.record }];
    let body = Body::Release(schema::op::Parked { parked: op.op, reason: sealed(2) });
    let release = desk.op(SUPERVISOR, CASE, &body);
    let decision = desk.take_with(&release, &rest);
    assert_eq!(decision.record.outcome, Outcome::Accepted);
    assert_eq!(decision.record.released[0].record.outcome, Outcome::Accepted);
    assert_eq!(decision.record.released[0].op, op.op);
    let item = desk.case().evidence.last().cloned().expect("kept");
    assert_eq!(item.by.account, desk.accounts[INSPECTOR].id, "it stays the inspector's");
}

#[test]
fn a_report_of_somebody_who_may_not_report_is_parked_and_can_be_released_or_discarded() {
    for (body, exists) in [("release", true), ("discard", false)] {
        let mut desk = Desk::new();
        let op = desk.op(ADMIN, CASE, &report(&[]));
        let parked = desk.take(&op);
        assert_eq!(refused(&parked), Some(RefusalCode::NeedsSupervisor));
        assert_eq!(parked.leaf_entity.0, op.device.0);
        let mut rest = Rest::new(&desk);
        rest.parked = vec![ParkedOp { op: op.clone(), rev: desk.rev, received_ms: (1, 1), record: parked.record }];
        let names = schema::op::Parked { parked: op.op, reason: sealed(2) };
        let ends = if body == "release" { Body::Release(names) } else { Body::Discard(names) };
        let decision = desk.op(SUPERVISOR, CASE, &ends);
        let decision = desk.take_with(&decision, &rest);
        assert_eq!(decision.record.outcome, Outcome::Accepted, "{decision:?}");
        assert_eq!(desk.entities.contains_key(&CASE), exists);
    }
}

#[test]
fn what_comes_behind_a_parked_op_is_parked_with_it() {
    let mut desk = Desk::at(State::Reported);
    let mut rest = Rest::new(&desk);
    rest.behind_parked = true;
    let op = desk.op(INSPECTOR, CASE, &add(9));
    assert_eq!(refused(&desk.take_with(&op, &rest)), Some(RefusalCode::BehindParked));
}

#[test]
fn a_member_of_a_unit_that_had_the_case_hands_in_evidence_and_nothing_else() {
    let steps =
        [file(), assign(UNIT), void(), close(), check_passes(), amend("subject", "stall 12".into(), "x".into())];
    for body in steps {
        let mut desk = Desk::new();
        // The crew reported it, so its unit's former case stays in sight.
        desk.must(CREW, report(&[]));
        desk.must(SUPERVISOR, file());
        desk.must(SUPERVISOR, assign(UNIT));
        desk.must(SUPERVISOR, assign(UNIT_2));
        let before = desk.case().clone();
        let decision = desk.act(CREW, body);
        let proposed = decision.record.outcome == Outcome::AcceptedWithConflict;
        assert!(proposed || decision.record.outcome == Outcome::Rejected, "{decision:?}");
        assert_eq!((desk.case().state, &desk.case().fields), (before.state, &before.fields));
    }
}

#[test]
fn nobody_signs_for_the_unit_that_has_the_case_now() {
    let mut desk = Desk::at(State::Assigned);
    desk.must(SUPERVISOR, assign(UNIT_2));
    let late = desk.act(CREW, Body::Accept(schema::op::Nothing {}));
    assert_eq!(refused(&late), Some(RefusalCode::StaleState));
    desk.must(CREW_2, Body::Accept(schema::op::Nothing {}));
}

#[test]
fn a_release_lends_no_step_that_its_author_might_not_take() {
    let mut desk = Desk::at(State::Checked);
    let mut rest = Rest::new(&desk);
    rest.device_revoked = true;
    let op = desk.op(CREW, CASE, &close());
    let parked = desk.take_with(&op, &rest);
    let mut rest = Rest::new(&desk);
    rest.parked = vec![ParkedOp { op: op.clone(), rev: desk.rev, received_ms: (1, 1), record: parked.record }];
    let body = Body::Release(schema::op::Parked { parked: op.op, reason: sealed(2) });
    let release = desk.op(SUPERVISOR, CASE, &body);
    let decision = desk.take_with(&release, &rest);
    assert_eq!(decision.record.released[0].record.code, Some(RefusalCode::NotPermitted));
    assert_eq!(desk.case().state, State::Checked);
}

#[test]
fn a_released_report_keeps_its_first_receipt() {
    let mut desk = Desk::new();
    let op = desk.op(ADMIN, CASE, &report(&[]));
    let parked = desk.take(&op);
    let mut rest = Rest::new(&desk);
    rest.parked = vec![ParkedOp { op: op.clone(), rev: desk.rev, received_ms: (7, 5), record: parked.record }];
    let body = Body::Release(schema::op::Parked { parked: op.op, reason: sealed(2) });
    let release = desk.op(SUPERVISOR, CASE, &body);
    desk.take_with(&release, &rest);
    assert_eq!(desk.case().reported_ms, 5, "clocks run from when the server first had it");
}
