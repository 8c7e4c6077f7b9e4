//! The work-flow as a table: from every state, every step, by somebody who may take it.

use schema::case::State;
use schema::op::{Body, CheckVerdict, EvidenceRole, LinkDuplicate, Nothing, Reason, ReturnAssignment, WaiveEvidence};
use schema::record::{Outcome, RefusalCode};

use crate::bodies::*;
use crate::desk::*;

/// Each step with who takes it and, for each state, where the case stands afterwards; none: `stale_state`.
fn steps() -> Vec<(&'static str, usize, Body, [Option<State>; 9])> {
    use State::{Assigned, Checked, Closed, Declined, Duplicate, Filed, Fixed, Reported, Void};
    let not_ours = ReturnAssignment { reason: "not_ours".parse().expect("code"), note: None, photos: Vec::new() };
    let link = Body::LinkDuplicate(LinkDuplicate { of: OTHER_CASE });
    let unlink = Body::UnlinkDuplicate(Reason { reason: sealed(3) });
    let no = None;
    vec![
        ("file", SUPERVISOR, file(), [Some(Filed), no, no, no, no, no, no, no, no]),
        ("decline", SUPERVISOR, decline(), [Some(Declined), no, no, no, no, no, no, no, no]),
        ("assign", SUPERVISOR, assign(UNIT), [no, Some(Assigned), Some(Assigned), no, no, no, no, no, no]),
        ("accept", CREW, Body::Accept(Nothing {}), [no, no, Some(Assigned), no, no, no, no, no, no]),
        ("return", CREW, Body::ReturnAssignment(not_ours), [no, no, Some(Filed), no, no, no, no, no, no]),
        ("submit_fix", CREW, fix(&[]), [no, no, Some(Fixed), no, no, no, no, no, no]),
        ("check pass", INSPECTOR, check_passes(), [no, no, no, Some(Checked), no, no, no, no, no]),
        (
            "check fail",
            INSPECTOR,
            check(CheckVerdict::Fail),
            [no, no, no, Some(Assigned), Some(Assigned), Some(Closed), no, no, no],
        ),
        ("close", SUPERVISOR, close(), [no, no, no, no, Some(Closed), no, no, no, no]),
        ("reopen", CHIEF, reopen(), [no, no, no, no, no, Some(Filed), Some(Reported), no, no]),
        ("void", SUPERVISOR, void(), [Some(Void), Some(Void), Some(Void), Some(Void), Some(Void), no, no, no, no]),
        (
            "link_duplicate",
            SUPERVISOR,
            link,
            [Some(Duplicate), Some(Duplicate), Some(Duplicate), Some(Duplicate), Some(Duplicate), no, no, no, no],
        ),
        ("unlink_duplicate", SUPERVISOR, unlink, [no, no, no, no, no, no, no, Some(Reported), no]),
    ]
}

#[test]
fn every_step_from_every_state_does_what_the_table_says() {
    for (name, who, body, expected) in steps() {
        for (state, expected) in State::ALL.into_iter().zip(expected) {
            let mut desk = Desk::at(state);
            if !desk.entities.contains_key(&OTHER_CASE) {
                let other = desk.op(INSPECTOR, OTHER_CASE, &report(&[]));
                desk.take(&other);
            }
            let visible = desk.case().assignment.is_some() || who != CREW;
            let decision = desk.act(who, body.clone());
            match expected {
                Some(after) => {
                    assert_eq!(decision.record.outcome, Outcome::Accepted, "{name} from {state:?}: {decision:?}");
                    assert_eq!(desk.case().state, after, "{name} from {state:?}");
                }
                None if visible => {
                    assert_eq!(refused(&decision), Some(RefusalCode::StaleState), "{name} from {state:?}");
                    assert_eq!(desk.case().state, state, "{name} from {state:?}");
                }
                None => {
                    assert_eq!(refused(&decision), Some(RefusalCode::UnknownEntity), "{name} from {state:?}");
                    assert_eq!(decision.leaf_entity.0, desk.op(who, CASE, &body).device.0);
                }
            }
        }
    }
}

#[test]
fn the_official_number_is_given_once_and_kept_through_a_reopening() {
    let mut desk = Desk::at(State::Closed);
    let number = desk.case().number.clone().expect("numbered at filing");
    assert_eq!(number, "T20260001");
    desk.must(CHIEF, reopen());
    desk.must(SUPERVISOR, assign(UNIT_2));
    assert_eq!(desk.case().number.as_ref(), Some(&number));
    assert_eq!(desk.case().reopened, 1);
    assert_eq!(desk.case().former_units, [UNIT]);
}

#[test]
fn only_one_level_above_who_closed_it_reopens() {
    let mut desk = Desk::at(State::Closed);
    assert_eq!(refused(&desk.act(SUPERVISOR, reopen())), Some(RefusalCode::NotPermitted));
    assert_eq!(refused(&desk.act(INSPECTOR, reopen())), Some(RefusalCode::NotPermitted));
    assert_eq!(refused(&desk.act(SUPERVISOR_EAST, reopen())), Some(RefusalCode::UnknownEntity));
    desk.must(CHIEF, reopen());
}

#[test]
fn four_eyes_are_counted_by_person_and_unit() {
    let mut desk = Desk::at(State::Fixed);
    assert_eq!(refused(&desk.act(SUPERVISOR_IN_UNIT, check_passes())), Some(RefusalCode::FourEyes));
    // A second account of the person who submitted the fix.
    let fixer = desk.accounts[CREW].person;
    desk.accounts[SUPERVISOR].person = fixer;
    assert_eq!(refused(&desk.act(SUPERVISOR, check_passes())), Some(RefusalCode::FourEyes));
    assert_eq!(desk.case().state, State::Fixed);
    // Bad news may come from anybody who may check.
    desk.must(SUPERVISOR_IN_UNIT, check(CheckVerdict::Fail));
    assert_eq!(desk.case().reworks, 1);
}

#[test]
fn a_case_is_not_closed_on_evidence_that_has_not_arrived() {
    let mut desk = Desk::at(State::Assigned);
    desk.must(CREW, fix(&[photo(2, EvidenceRole::After)]));
    desk.must(INSPECTOR, check_passes());
    let decision = desk.act(SUPERVISOR, close());
    assert_eq!(refused(&decision), Some(RefusalCode::EvidenceIncomplete));
    assert_eq!(
        decision.record.detail["missing"],
        serde_json::json!([format!("{}", photo(2, EvidenceRole::After).sha256)])
    );
    let waive =
        || Body::WaiveEvidence(WaiveEvidence { photo: photo(2, EvidenceRole::After).sha256, reason: sealed(4) });
    let fixer = desk.accounts[CREW].person;
    let own = std::mem::replace(&mut desk.accounts[SUPERVISOR].person, fixer);
    assert_eq!(refused(&desk.act(SUPERVISOR, waive())), Some(RefusalCode::FourEyes), "the fixer can't waive");
    desk.accounts[SUPERVISOR].person = own;
    desk.must(SUPERVISOR, waive());
    desk.must(SUPERVISOR, close());
    assert!(desk.case().evidence.iter().any(|item| item.waived.is_some()), "a waived photo stays visible");
}

#[test]
fn a_case_is_not_closed_with_fewer_photos_than_its_subtype_wants() {
    let mut desk = Desk::at(State::Assigned);
    desk.must(CREW, fix(&[]));
    desk.must(INSPECTOR, check_passes());
    let decision = desk.act(SUPERVISOR, close());
    assert_eq!(refused(&decision), Some(RefusalCode::EvidenceIncomplete));
    assert_eq!(decision.record.detail["too_few"], serde_json::json!(["after"]));
}

#[test]
fn a_duplicate_is_linked_on_both_sides_and_unlinked_on_both() {
    let mut desk = Desk::at(State::Duplicate);
    assert_eq!(desk.case().duplicate_of, Some(OTHER_CASE));
    assert_eq!(desk.case_of(OTHER_CASE).duplicates, [CASE]);
    desk.must(SUPERVISOR, Body::UnlinkDuplicate(Reason { reason: sealed(3) }));
    assert_eq!(desk.case().duplicate_of, None);
    assert!(desk.case_of(OTHER_CASE).duplicates.is_empty());
}

#[test]
fn a_case_can_not_be_its_own_duplicate_nor_of_one_that_ended_so() {
    let mut desk = Desk::at(State::Reported);
    let own = Body::LinkDuplicate(LinkDuplicate { of: CASE });
    assert_eq!(refused(&desk.act(SUPERVISOR, own)), Some(RefusalCode::Validation));
    let mut desk = Desk::at(State::Duplicate);
    let mut back = desk.op(SUPERVISOR, OTHER_CASE, &Body::LinkDuplicate(LinkDuplicate { of: CASE }));
    back.op = schema::ids::OpId(uuid::Uuid::from_u128(42));
    assert_eq!(refused(&desk.take(&back)), Some(RefusalCode::Validation), "no circle of duplicates");
}

#[test]
fn who_may_not_see_a_case_learns_nothing() {
    for who in [SUPERVISOR_EAST, CREW_2, ADMIN] {
        for body in [file(), add(7), amend("subject", "stall 12".into(), "x".into()), fix(&[])] {
            let mut desk = Desk::at(State::Reported);
            let decision = desk.act(who, body);
            assert_eq!(refused(&decision), Some(RefusalCode::UnknownEntity), "{who}");
            assert_eq!(decision.state_after, 0);
            assert!(decision.after.is_none());
        }
    }
}

#[test]
fn auditors_read_and_do_not_write() {
    for body in [file(), add(7), amend("subject", "stall 12".into(), "x".into()), close(), report(&[])] {
        let mut desk = Desk::at(State::Reported);
        let decision = desk.act(AUDITOR, body);
        assert_eq!(decision.record.outcome, Outcome::Rejected);
    }
}

#[test]
fn a_number_that_was_given_before_a_restore_is_given_back() {
    let mut desk = Desk::at(State::Reported);
    let op = desk.op(SUPERVISOR, CASE, &file());
    let rest = Rest { earlier_number: Some("T20250007"), ..Rest::new(&desk) };
    let decision = desk.take_with(&op, &rest);
    assert_eq!(desk.case().number.as_deref(), Some("T20250007"));
    assert_eq!(decision.record.flags, ["number_given_back"]);
}
