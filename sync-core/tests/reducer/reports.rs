//! A report is never rejected for its content.

use schema::case::State;
use schema::op::{Body, EvidenceRole, SettleOnSite};
use schema::record::{Outcome, RefusalCode};
use serde_json::json;

use crate::bodies::*;
use crate::desk::*;

fn flags_of(change: impl FnOnce(&mut schema::op::Report)) -> Vec<String> {
    let mut desk = Desk::new();
    let mut body = a_report(&[photo(1, EvidenceRole::Before)]);
    change(&mut body);
    desk.must(INSPECTOR, Body::Report(body));
    desk.case().flags.clone()
}

#[test]
fn what_is_wrong_with_a_report_is_flagged() {
    assert!(flags_of(|_| {}).is_empty());
    assert_eq!(flags_of(|it| it.photos.clear()), ["evidence_missing"]);
    assert_eq!(flags_of(|it| it.subtype = "other".parse().expect("code")), ["unknown_subtype"]);
    assert_eq!(flags_of(|it| it.position.lat_e7 = 5000), ["no_grid", "outside_own_area"]);
    assert_eq!(flags_of(|it| it.position.lon_e7 = 1000), ["several_grids"]);
    assert_eq!(flags_of(|it| it.position.lon_e7 = 1500), ["outside_own_area"]);
    assert_eq!(flags_of(|it| it.position.accuracy_m = Some(500)), ["position_vague"]);
    assert_eq!(flags_of(|it| it.subject = Some("x".repeat(500))), ["subject_too_long"]);
    assert_eq!(
        flags_of(|it| {
            it.fields.insert("goods".parse().expect("code"), json!("fish"));
            it.fields.insert("colour".parse().expect("code"), json!("red"));
        }),
        ["field_invalid:goods", "field_unknown:colour"]
    );
}

#[test]
fn a_position_in_no_grid_lies_in_the_root_area_and_one_in_two_in_the_lower() {
    let mut desk = Desk::new();
    let mut body = a_report(&[]);
    body.position.lat_e7 = 5000;
    desk.must(INSPECTOR, Body::Report(body));
    assert_eq!(desk.case().area, ROOT);
    let mut desk = Desk::new();
    let mut body = a_report(&[]);
    body.position.lon_e7 = 1000;
    desk.must(INSPECTOR, Body::Report(body));
    assert_eq!(desk.case().area, GRID_1);
}

/// What stands in a line can never be redacted: the server keeps it in custody, and nobody can let it into the case.
#[test]
fn a_name_typed_where_a_sealed_one_belongs_is_parked_and_stays_out_of_the_case() {
    let mut desk = Desk::new();
    let mut body = a_report(&[]);
    body.fields.insert("keeper".parse().expect("code"), json!("a name in plain text"));
    let report = desk.op(INSPECTOR, CASE, &Body::Report(body.clone()));
    let decision = desk.take(&report);
    assert_eq!(decision.record.outcome, Outcome::Parked);
    assert_eq!(decision.record.code, Some(RefusalCode::PlainPersonal));
    assert_eq!(decision.record.detail.get("field"), Some(&json!("field.keeper")));
    assert!(decision.after.is_none());
    assert!(!serde_json::to_string(&decision.record).expect("json").contains("plain text"));

    let mut desk = Desk::at(State::Reported);
    let decision = desk.act(INSPECTOR, amend("field.keeper", json!(null), json!("a name in plain text")));
    assert_eq!(decision.record.code, Some(RefusalCode::PlainPersonal));
    let mut comment = desk.op(INSPECTOR, CASE, &add(1));
    comment.kind = "comment".to_owned();
    comment.body = json!({"text": "a name in plain text"}).as_object().expect("object").clone();
    let decision = desk.take(&comment);
    assert_eq!(decision.record.code, Some(RefusalCode::Validation));
    assert!(!serde_json::to_string(&decision.record).expect("json").contains("plain text"));
}

#[test]
fn a_value_that_no_catalogue_knows_stays_in_the_line() {
    let mut desk = Desk::new();
    let mut body = a_report(&[]);
    body.fields.insert("colour".parse().expect("code"), json!("13812341234"));
    desk.must(INSPECTOR, Body::Report(body));
    assert!(!serde_json::to_string(desk.case()).expect("json").contains("13812341234"));
}

#[test]
fn settling_on_site_reports_and_closes_where_the_subtype_allows_it() {
    let mut desk = Desk::new();
    let mut settled = SettleOnSite { report: a_report(&[]), outcome: "persuaded".parse().expect("code") };
    desk.must(INSPECTOR, Body::SettleOnSite(settled.clone()));
    assert_eq!(desk.case().state, State::Closed);
    assert_eq!(desk.case().end.as_ref().expect("ended").area, GRID_1);
    desk.must(SUPERVISOR, reopen());
    assert_eq!(desk.case().state, State::Reported, "what was never filed starts as a report");

    let mut desk = Desk::new();
    settled.report.subtype = "barbecue".parse().expect("code");
    desk.must(INSPECTOR, Body::SettleOnSite(settled));
    assert_eq!(desk.case().state, State::Reported);
    assert!(desk.case().flags.contains(&"not_settleable".to_owned()));
}

#[test]
fn a_report_whose_body_can_not_be_read_is_kept_for_a_person() {
    let mut desk = Desk::new();
    let mut op = desk.op(INSPECTOR, CASE, &report(&[]));
    op.body.remove("position");
    let decision = desk.take(&op);
    assert_eq!(decision.record.outcome, Outcome::Parked);
    assert_eq!(refused(&decision), Some(RefusalCode::Validation));
}

#[test]
fn kinds_newer_than_this_program_are_kept_for_a_person() {
    let mut desk = Desk::at(State::Reported);
    let mut op = desk.op(INSPECTOR, CASE, &add(3));
    op.kind_version = 2;
    assert_eq!(refused(&desk.take(&op)), Some(RefusalCode::KindTooNew));
    op.kind_version = 1;
    op.kind = "teleport".to_owned();
    assert_eq!(refused(&desk.take(&op)), Some(RefusalCode::KindTooNew));
}

#[test]
fn a_photo_that_was_here_already_is_verified_by_a_consequence() {
    let mut desk = Desk::at(State::Reported);
    desk.must(INSPECTOR_2, add(1));
    let item = desk.case().evidence.last().cloned().expect("claimed");
    assert!(item.verified_rev.is_some());
}
