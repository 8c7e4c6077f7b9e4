//! Fields are merged by what was seen, never by clocks; the loser is kept.

use schema::case::{ConflictReason, FieldName, State};
use schema::record::{Outcome, RefusalCode};
use serde_json::{Value, json};

use crate::bodies::*;
use crate::desk::*;

fn subject(desk: &Desk) -> Value {
    desk.case().fields.get(&FieldName::Subject).map(|held| held.value.clone()).unwrap_or_default()
}

#[test]
fn a_value_that_nobody_touched_since_is_changed_without_conflict() {
    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR_2, amend("subject", "stall 12".into(), "stall 13".into()));
    assert_eq!(subject(&desk), "stall 13");
    assert!(desk.case().conflicts.is_empty());
}

#[test]
fn the_same_change_twice_is_no_conflict() {
    let mut desk = Desk::at(State::Reported);
    let body = amend("subject", "stall 12".into(), "stall 13".into());
    desk.must(INSPECTOR, body.clone());
    desk.must(INSPECTOR_2, body);
    assert!(desk.case().conflicts.is_empty());
}

#[test]
fn between_equals_the_later_arrival_stands_and_the_loser_is_kept() {
    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR, amend("subject", "stall 12".into(), "A".into()));
    let decision = desk.act(INSPECTOR_2, amend("subject", "stall 12".into(), "B".into()));
    assert_eq!(decision.record.outcome, Outcome::AcceptedWithConflict);
    assert_eq!(decision.record.conflicts, [FieldName::Subject]);
    assert_eq!(subject(&desk), "B");
    let conflict = &desk.case().conflicts[0];
    assert_eq!((conflict.loser.value.clone(), conflict.why), (json!("A"), ConflictReason::LaterArrival));
}

#[test]
fn the_higher_role_wins_whoever_comes_later() {
    let mut desk = Desk::at(State::Reported);
    desk.must(SUPERVISOR, amend("subject", "stall 12".into(), "A".into()));
    desk.act(INSPECTOR, amend("subject", "stall 12".into(), "B".into()));
    assert_eq!(subject(&desk), "A");
    assert_eq!(desk.case().conflicts[0].loser.value, "B");
    assert_eq!(desk.case().conflicts[0].loser_by, Some(desk.accounts[INSPECTOR].id));

    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR, amend("subject", "stall 12".into(), "A".into()));
    desk.act(SUPERVISOR, amend("subject", "stall 12".into(), "B".into()));
    assert_eq!(subject(&desk), "B");
    assert_eq!(desk.case().conflicts[0].loser.value, "A");
}

#[test]
fn the_loser_wins_again_by_one_op_and_a_second_swap_is_the_supervisors() {
    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR, amend("subject", "stall 12".into(), "A".into()));
    desk.act(INSPECTOR_2, amend("subject", "stall 12".into(), "B".into()));
    desk.must(INSPECTOR, amend("subject", "B".into(), "A".into()));
    assert_eq!(subject(&desk), "A");
    assert!(desk.case().conflicts[0].swapped);
    let decision = desk.act(INSPECTOR_2, amend("subject", "A".into(), "B".into()));
    assert_eq!(decision.record.outcome, Outcome::AcceptedWithConflict);
    assert_eq!(subject(&desk), "A", "the second swap is the supervisor's");
    desk.must(SUPERVISOR, amend("subject", "A".into(), "B".into()));
    assert_eq!(subject(&desk), "B");
    assert!(desk.case().conflicts.is_empty(), "settled");
}

#[test]
fn a_supervisor_settles_by_confirming_what_stands() {
    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR, amend("subject", "stall 12".into(), "A".into()));
    desk.act(INSPECTOR_2, amend("subject", "stall 12".into(), "B".into()));
    desk.must(SUPERVISOR, amend("subject", "B".into(), "B".into()));
    assert!(desk.case().conflicts.is_empty());
}

#[test]
fn a_new_position_moves_the_case_to_its_grid() {
    let mut desk = Desk::at(State::Reported);
    let was = desk.case().fields[&FieldName::Position].value.clone();
    desk.must(INSPECTOR, amend("position", was, json!({"lat_e7": 500, "lon_e7": 1500})));
    assert_eq!(desk.case().area, GRID_2);
}

#[test]
fn values_that_do_not_fit_are_refused_by_name_and_change_nothing() {
    let cases = [
        ("field.length_m", json!("long")),
        ("field.length_m", json!(0)),
        ("field.goods", json!("fish")),
        ("field.nothing", json!(1)),
        ("subject", json!(3)),
        ("kind", json!({"category": "stall", "subtype": "nothing"})),
        ("position", json!({"lat_e7": 910_000_000, "lon_e7": 0})),
    ];
    for (field, to) in cases {
        let mut desk = Desk::at(State::Reported);
        let before = desk.case().clone();
        let decision = desk.act(INSPECTOR, amend(field, Value::Null, to));
        assert_eq!(refused(&decision), Some(RefusalCode::Validation), "{field}");
        assert_eq!(decision.record.detail["field"], field);
        assert_eq!(*desk.case(), before);
    }
}
