//! What a phone may say of its own undecided ops, by what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::case::State;
use schema::record::{Outcome, RefusalCode};
use sync_core::sync::overlay::{Estimate, Known, OwnOp, view};

use crate::bodies::*;
use crate::desk::*;

fn known(desk: &Desk, with_catalogue: bool) -> Known {
    Known {
        epoch: EPOCH,
        account: Some(desk.accounts[INSPECTOR].clone()),
        catalogue: with_catalogue.then(|| (CATALOGUE, Arc::new(desk.catalogue.clone()))),
        catalogues: Arc::new(BTreeMap::new()),
        calendar: None,
        areas: None,
        units: BTreeSet::new(),
        accounts: BTreeMap::new(),
        now_ms: 1,
    }
}

#[test]
fn without_the_catalogue_a_phone_does_not_say_that_a_value_does_not_fit() {
    let desk = Desk::at(State::Reported);
    let case = desk.entities[&CASE].clone();
    let op = desk.op(INSPECTOR, CASE, &amend("field.goods", "fruit".into(), "no such goods".into()));
    let own = [OwnOp { op, accepted: None, other: None }];
    let estimate = |with_catalogue| {
        let shown = view(Some((&case, desk.rev)), &own, &known(&desk, with_catalogue));
        assert_eq!(shown.entity, Some(case.clone()), "and shows the case as it is");
        shown.estimates[0].clone()
    };
    assert_eq!(estimate(false), Estimate::Unknown);
    let Estimate::Likely { outcome, code, .. } = estimate(true) else { panic!("with the catalogue it can tell") };
    assert_eq!((outcome, code), (Outcome::Rejected, Some(RefusalCode::Validation)));
}

#[test]
fn a_report_whose_author_the_phone_does_not_know_yet_is_shown_as_the_report_tells_it() {
    let desk = Desk::new();
    let op = desk.op(INSPECTOR, CASE, &report(&[photo(1, schema::op::EvidenceRole::Before)]));
    let mut known = known(&desk, false);
    known.account = None;
    let shown = view(None, &[OwnOp { op, accepted: None, other: None }], &known);
    assert!(shown.provisional);
    let Some(schema::entity::Entity::Case(case)) = shown.entity else { panic!("a case") };
    assert_eq!(
        (case.state, case.reporter.account, case.evidence.len()),
        (State::Reported, desk.accounts[INSPECTOR].id, 1)
    );
    assert_eq!(case.fields[&"subject".parse().expect("field")].value, "stall 12");
    assert_eq!((case.number, case.flags), (None, Vec::new()));
}

#[test]
fn a_deadline_that_the_server_has_not_issued_yet_is_reckoned_and_names_no_entry() {
    let mut desk = crate::clocks::desk();
    desk.then("2026-03-02T09:00", INSPECTOR, report(&[]));
    desk.then("2026-03-02T09:30", SUPERVISOR, file());
    let filed = desk.entities[&CASE].clone();
    let op = desk.op(SUPERVISOR, CASE, &assign(UNIT));
    let mut known = known(&desk, true);
    known.account = Some(desk.accounts[SUPERVISOR].clone());
    known.units = BTreeSet::from([UNIT]);
    known.areas = Some((schema::hash::Hash([8; 32]), Arc::new(desk.areas.clone())));
    known.calendar = desk.calendar.clone().map(|calendar| (schema::hash::Hash([6; 32]), Arc::new(calendar)));
    known.now_ms = crate::clocks::at("2026-03-02T10:00");
    let own = [OwnOp { op, accepted: None, other: None }];
    let shown = view(Some((&filed, desk.rev)), &own, &known);
    let Some(schema::entity::Entity::Case(reckoned)) = shown.entity else { panic!("a case") };
    desk.then("2026-03-02T10:00", SUPERVISOR, assign(UNIT));
    let issued = desk.case().clocks.iter().filter(|clock| clock.unit == Some(UNIT));
    let mut found = 0;
    for clock in issued {
        let guess = reckoned.clocks.iter().find(|it| it.stage == clock.stage).expect("reckoned, too");
        assert_eq!((guess.issued_rev, guess.due, guess.soon_ms), (0, clock.due, clock.soon_ms));
        assert_ne!(clock.issued_rev, 0);
        found += 1;
    }
    assert!(found > 0, "the unit is timed");
}
