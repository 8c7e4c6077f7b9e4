//! A case that only some roles see, and one that leaves the phones long after its end.

use schema::case::State;
use schema::entity::Entity;
use schema::limits::{DAY_MS, RELAPSE_WINDOW_DAYS, RESTRICTION_DAYS_MAX};
use schema::op::{Body, Nothing, Restrict, Role};
use schema::record::{Outcome, RefusalCode};
use schema::sync::{Class, Node, Scope};
use sync_core::due::{Due, DueKind, dues};
use sync_core::permission::{default_scopes, may_pull, may_read_handlers, may_see, scopes_of};

use crate::bodies::*;
use crate::desk::*;

fn restrict(roles: &[Role], days: u64) -> Body {
    Body::Restrict(Restrict { roles: roles.to_vec(), until_ms: 1_000_000 + days * DAY_MS, reason: sealed(7) })
}

fn who_sees(desk: &Desk) -> Vec<usize> {
    let case = &desk.entities[&CASE];
    (0..PEOPLE).filter(|who| may_see(&desk.accounts[*who], case, Some(&desk.areas))).collect()
}

/// What the scopes say and what the rights say is the same: a case reaches exactly the phones of those who may see it.
fn who_pulls(desk: &Desk) -> Vec<usize> {
    let lies_in = scopes_of(&desk.entities[&CASE], Some(&desk.areas));
    let pulls = |who: &usize| {
        let account = &desk.accounts[*who];
        let named = default_scopes(account, Some(&desk.areas));
        assert!(named.iter().all(|scope| may_pull(account, *scope, Some(&desk.areas))), "{named:?}");
        lies_in.iter().any(|scope| may_pull(account, *scope, Some(&desk.areas)))
            && lies_in.iter().any(|scope| named.contains(scope))
    };
    (0..PEOPLE).filter(pulls).collect()
}

fn archive(desk: &mut Desk) -> sync_core::apply::Decision {
    let id = schema::ids::OpId(uuid::Uuid::from_u128(0xA000_0000 + u128::from(desk.rev)));
    let device = schema::ids::DeviceId(uuid::Uuid::from_u128(77));
    let body = Body::Archive(Nothing {});
    let op = sync_core::line::server_op(LOG, id, device, CASE, &body, 5).expect("writable");
    desk.take(&op)
}

#[test]
fn a_restricted_case_is_there_for_the_named_roles_and_auditors_alone() {
    let mut desk = Desk::at(State::Assigned);
    let everybody = who_sees(&desk);
    assert!(everybody.contains(&INSPECTOR) && everybody.contains(&CREW));
    desk.must(SUPERVISOR, restrict(&[Role::Supervisor], 30));
    assert_eq!(who_sees(&desk), [SUPERVISOR, CHIEF, AUDITOR, SUPERVISOR_IN_UNIT]);
    assert_eq!(who_pulls(&desk), who_sees(&desk));
    // Its maker and the unit that has it are told that there is no such case, whatever they ask for.
    for who in [INSPECTOR, CREW, SUPERVISOR_EAST] {
        assert_eq!(refused(&desk.act(who, add(3))), Some(RefusalCode::UnknownEntity));
        assert!(!may_read_handlers(&desk.accounts[who], &desk.entities[&CASE], Some(&desk.areas)));
    }
    desk.must(SUPERVISOR, restrict(&[Role::Supervisor, Role::Crew], 30));
    assert!(who_sees(&desk).contains(&CREW) && !who_sees(&desk).contains(&CREW_2));
    assert_eq!(who_pulls(&desk), who_sees(&desk));
    desk.must(SUPERVISOR, restrict(&[Role::Supervisor, Role::Inspector], 30));
    assert!(who_sees(&desk).contains(&INSPECTOR) && !who_sees(&desk).contains(&CREW));
    assert_eq!(who_pulls(&desk), who_sees(&desk));
}

#[test]
fn who_restricts_stays_among_those_who_see_and_ends_nobody_elses() {
    let mut desk = Desk::at(State::Reported);
    let code = |decision: &sync_core::apply::Decision| decision.record.code;
    assert_eq!(code(&desk.act(INSPECTOR, restrict(&[Role::Inspector], 1))), Some(RefusalCode::NotPermitted));
    for wrong in [&[Role::Inspector][..], &[], &[Role::Supervisor, Role::Admin]] {
        assert_eq!(code(&desk.act(SUPERVISOR, restrict(wrong, 1))), Some(RefusalCode::Validation), "{wrong:?}");
    }
    assert_eq!(code(&desk.act(SUPERVISOR, restrict(&[Role::Supervisor], 0))), Some(RefusalCode::Validation));
    let too_long = restrict(&[Role::Supervisor], RESTRICTION_DAYS_MAX + 1);
    assert_eq!(code(&desk.act(SUPERVISOR, too_long)), Some(RefusalCode::Validation));
    desk.must(AUDITOR, restrict(&[Role::Supervisor], 5));
    assert_eq!(code(&desk.act(SUPERVISOR, restrict(&[Role::Supervisor], 1))), Some(RefusalCode::NotPermitted));
    desk.must(AUDITOR, restrict(&[Role::Auditor], 9));
    assert_eq!(who_sees(&desk), [AUDITOR]);
}

#[test]
fn an_ended_case_leaves_all_scopes_and_comes_back_when_it_goes_on() {
    let mut desk = Desk::at(State::Reported);
    assert_eq!(archive(&mut desk).record.outcome, Outcome::Rejected, "it has not ended");
    let mut desk = Desk::at(State::Closed);
    let seen = who_sees(&desk);
    assert_eq!(archive(&mut desk).record.outcome, Outcome::Accepted);
    assert_eq!(who_sees(&desk), seen, "it stays readable");
    assert!(who_pulls(&desk).is_empty());
    assert!(dues(&desk.entities[&CASE], || Ok::<_, ()>(None)).expect("no catalogue is asked").is_empty());
    desk.must(INSPECTOR, Body::Comment(schema::op::Comment { text: sealed(3) }));
    assert!(who_pulls(&desk).is_empty(), "a remark does not bring it back");
    desk.must(CHIEF, reopen());
    assert!(who_pulls(&desk).contains(&INSPECTOR));
    for news in [check(schema::op::CheckVerdict::Fail), add(5)] {
        let mut desk = Desk::at(State::Closed);
        archive(&mut desk);
        desk.must(INSPECTOR, news);
        assert!(who_pulls(&desk).contains(&AUDITOR), "what an auditor must look at brings it back");
    }
}

#[test]
fn what_is_due_follows_from_the_case_and_never_comes_before_the_relapse_window() {
    let mut desk = Desk::at(State::Closed);
    let of = |desk: &Desk, days: Option<u16>| dues(&desk.entities[&CASE], || Ok::<_, ()>(days)).expect("dues");
    let end = desk.case().end.clone().expect("closed").step.by;
    let after = |days: u64| end.received_ms + days * DAY_MS;
    let archive = |due_ms| Due { kind: DueKind::Archive, due_ms, occurrence: end.rev };
    assert_eq!(of(&desk, None), [archive(after(u64::from(RELAPSE_WINDOW_DAYS)))]);
    assert_eq!(of(&desk, Some(400)), [archive(after(400))]);
    assert_eq!(of(&desk, Some(3)), [archive(after(u64::from(RELAPSE_WINDOW_DAYS)))]);
    desk.must(AUDITOR, restrict(&[Role::Auditor], 2));
    let until = Due { kind: DueKind::LiftRestriction, due_ms: 1_000_000 + 2 * DAY_MS, occurrence: desk.rev };
    assert_eq!(of(&desk, None)[0], until);
    assert!(matches!(&desk.entities[&CASE], Entity::Case(case) if case.restricted.is_some()));
    let scopes = scopes_of(&desk.entities[&CASE], Some(&desk.areas));
    assert!(scopes.contains(&Scope { node: Node::Area(GRID_1), class: Class::For(Role::Auditor) }));
}
