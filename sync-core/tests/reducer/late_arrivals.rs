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

#[test]
fn another_kind_with_its_fields_after_filing_is_a_proposal_as_a_whole() {
    let mut desk = Desk::new();
    let mut body = a_report(&[]);
    body.subtype = "barbecue".parse().expect("code");
    body.fields.clear();
    desk.must(INSPECTOR, Body::Report(body));
    desk.must(SUPERVISOR, Body::File(schema::op::File { condition: "smoke".parse().expect("code") }));
    let barbecue = serde_json::json!({"category": "stall", "subtype": "barbecue"});
    let occupation = serde_json::json!({"category": "stall", "subtype": "road_occupation"});
    let change = |goods: &str| {
        let Body::Amend(mut both) = amend("kind", barbecue.clone(), occupation.clone()) else { panic!("an amend") };
        let Body::Amend(field) = amend("field.goods", serde_json::Value::Null, goods.into()) else { panic!("one") };
        both.changes.extend(field.changes);
        Body::Amend(both)
    };
    let decision = desk.act(INSPECTOR, change("toys"));
    assert_eq!(decision.record.outcome, Outcome::AcceptedWithConflict, "{:?}", decision.record);
    let case = desk.case();
    assert_eq!(case.fields[&"kind".parse().expect("field")].value, barbecue);
    assert!(!case.fields.contains_key(&"field.goods".parse().expect("field")), "no field of a kind it is not");
    let proposed: Vec<_> = case.conflicts.iter().map(|it| (it.field.to_string(), it.loser.value.clone())).collect();
    assert_eq!(proposed, [("kind".to_owned(), occupation.clone()), ("field.goods".to_owned(), "toys".into())]);
    // What fits neither kind is refused, as before.
    let nonsense = amend("field.storeys", serde_json::Value::Null, 3.into());
    assert_eq!(refused(&desk.act(INSPECTOR, nonsense)), Some(RefusalCode::Validation));
    desk.must(SUPERVISOR, change("toys"));
    assert_eq!(desk.case().fields[&"field.goods".parse().expect("field")].value, "toys");
    assert!(desk.case().conflicts.is_empty());
}

#[test]
fn custody_ends_from_its_first_op_on() {
    let mut desk = Desk::at(State::Reported);
    let mut rest = Rest::new(&desk);
    rest.device_revoked = true;
    let mut parked = Vec::new();
    for byte in [8, 9] {
        let op = desk.op(INSPECTOR, CASE, &add(byte));
        let taken = desk.take_with(&op, &rest);
        parked.push(ParkedOp { op, rev: desk.rev, received_ms: (1, 1), record: taken.record });
    }
    let (first, second) = (parked[0].op.op, parked[1].op.op);
    let mut rest = Rest::new(&desk);
    rest.parked = parked;
    for ends in [Body::Release, Body::Discard] {
        let op = desk.op(SUPERVISOR, CASE, &ends(schema::op::Parked { parked: second, reason: sealed(2) }));
        let decision = desk.take_with(&op, &rest);
        assert_eq!(refused(&decision), Some(RefusalCode::Validation));
        assert_eq!(decision.record.detail["first"], first.to_string(), "it says where to begin");
    }
    let op = desk.op(SUPERVISOR, CASE, &Body::Release(schema::op::Parked { parked: first, reason: sealed(2) }));
    let decision = desk.take_with(&op, &rest);
    let ended: Vec<_> = decision.record.released.iter().map(|it| it.op).collect();
    assert_eq!(ended, [first, second]);
    let photos: Vec<_> = desk.case().evidence.iter().skip(1).map(|it| it.sha256.0[0]).collect();
    assert_eq!(photos, [8, 9]);
}

#[test]
fn a_line_that_cannot_be_taken_is_let_go_by_whoever_supervises_the_whole_log() {
    let mut desk = Desk::new();
    let device = schema::entity::Device {
        id: schema::ids::DeviceId(OTHER_CASE.0),
        account: desk.accounts[INSPECTOR].id,
        algorithm: "ES256".to_owned(),
        key: schema::hash::DeviceKey([1; 65]),
        label: "phone".to_owned(),
        enrolled_rev: 1,
        revoked: None,
    };
    desk.entities.insert(OTHER_CASE, schema::entity::Entity::Device(device));
    let why = schema::op::Unreadable { why: RefusalCode::NotAnOp };
    let line = desk.op(INSPECTOR, OTHER_CASE, &Body::Unreadable(why));
    let record = desk.take(&line).record;
    let mut rest = Rest::new(&desk);
    rest.parked = vec![ParkedOp { op: line.clone(), rev: 1, received_ms: (1, 1), record }];
    let body = Body::Discard(schema::op::Parked { parked: line.op, reason: sealed(2) });
    for (who, code) in [(SUPERVISOR, Some(RefusalCode::UnknownEntity)), (CHIEF, None)] {
        let op = desk.op(who, OTHER_CASE, &body);
        assert_eq!(desk.take_with(&op, &rest).record.code, code);
    }
}
