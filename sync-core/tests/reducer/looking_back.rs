//! Look-backs: planned at the close, seen by nobody of a unit, and what good and bad news do.

use schema::case::{Relapsed, State};
use schema::catalogue::{LookBackDays, LookBacks};
use schema::entity::{Entity, LookBackTask, PastGrant};
use schema::ids::{DeviceId, EntityId, OpId};
use schema::op::{Body, EvidenceRole, LookBack, LookBackVerdict, Place, TakeOver};
use schema::record::{Outcome, RefusalCode};
use schema::sync::{Class, Node, Scope};
use sync_core::apply::Decision;
use sync_core::due::{DueKind, asked, dues, kept_days};
use sync_core::line;
use sync_core::permission::{default_scopes, may_pull, may_see, scopes_of};
use uuid::Uuid;

use crate::bodies::*;
use crate::desk::*;

const DAY_MS: u64 = 24 * 3600 * 1000;
const START_MS: u64 = 1_772_413_200_000;

fn looks(days: &[(u16, u16)]) -> Vec<LookBackDays> {
    days.iter().map(|(days, window_days)| LookBackDays { days: *days, window_days: *window_days }).collect()
}

/// A desk on which stalls are looked at again, with a case that was fixed by [`UNIT`] and not yet checked.
fn fixed() -> Desk {
    let mut desk = Desk { now_ms: Some(START_MS), ..Desk::new() };
    desk.catalogue.categories[0].look_backs = Some(LookBacks {
        plan: looks(&[(7, 7), (30, 7), (90, 14)]),
        after_relapse: looks(&[(2, 7), (10, 7), (30, 14)]),
        escalates_after_days: vec![1, 3],
    });
    desk.must(INSPECTOR, report(&[photo(1, EvidenceRole::Before)]));
    desk.arrive(1);
    desk.now_ms = Some(START_MS + DAY_MS + 5000);
    desk.must(SUPERVISOR, file());
    desk.must(SUPERVISOR, assign(UNIT));
    desk.must(CREW, fix(&[photo(2, EvidenceRole::After)]));
    desk.arrive(2);
    desk
}

fn end(desk: &mut Desk) {
    desk.must(INSPECTOR, check_passes());
    desk.must(SUPERVISOR, close());
}

fn closed() -> Desk {
    let mut desk = fixed();
    end(&mut desk);
    desk
}

fn tasks(desk: &Desk) -> Vec<LookBackTask> {
    let of_now = |task: &LookBackTask| desk.case().end.as_ref().is_none_or(|end| end.step.by.op == task.close);
    let mut found: Vec<LookBackTask> = desk
        .entities
        .values()
        .filter_map(|entity| match entity {
            Entity::LookBackTask(task) => Some(task.as_ref().clone()),
            _ => None,
        })
        .filter(of_now)
        .collect();
    found.sort_by_key(|task| (task.planned_rev, task.nth));
    found
}

fn task(desk: &Desk, nth: usize) -> LookBackTask {
    tasks(desk)[nth - 1].clone()
}

fn look(desk: &mut Desk, who: usize, task: &LookBackTask, verdict: LookBackVerdict, byte: u8) -> Decision {
    let photos = vec![photo(byte, EvidenceRole::Lookback)];
    let op = desk.op(who, task.id, &Body::LookBack(LookBack { verdict, note: None, photos }));
    desk.take(&op)
}

fn held(desk: &mut Desk, who: usize, task: &LookBackTask) -> Decision {
    look(desk, who, task, LookBackVerdict::Held, 21)
}

fn relapsed(desk: &mut Desk, who: usize, task: &LookBackTask) -> Decision {
    look(desk, who, task, LookBackVerdict::Relapsed, 22)
}

fn by_server(desk: &mut Desk, entity: EntityId, body: &Body) -> Decision {
    let id = OpId(Uuid::from_u128(0xD000_0000 + u128::from(desk.rev)));
    let op = line::server_op(LOG, id, DeviceId(Uuid::from_u128(77)), entity, body, 5).expect("writable");
    desk.take(&op)
}

/// A time passes over a task: what the server does, with how many days behind its opening.
fn until(desk: &mut Desk, id: EntityId, to_ms: u64) -> Vec<(String, u64)> {
    let mut done = Vec::new();
    loop {
        let entity = desk.entities[&id].clone();
        let Entity::LookBackTask(task) = &entity else { panic!("no task") };
        let due = dues(&entity, || Ok::<_, ()>(None)).expect("what is due");
        let Some(next) = due.into_iter().find(|due| due.due_ms <= to_ms) else { break };
        desk.now_ms = Some(next.due_ms);
        let asked = asked(&entity, next).expect("something is asked for");
        let (kind, _) = line::kind_and_body(&asked.body).expect("writable");
        assert_eq!(by_server(desk, id, &asked.body).record.outcome, Outcome::Accepted);
        done.push((format!("{kind} {}", asked.clock), (next.due_ms - task.opens_ms) / DAY_MS));
    }
    desk.now_ms = Some(to_ms);
    done
}

#[test]
fn a_close_behind_a_passed_check_plans_each_look_at_the_weekday_and_hour_of_the_report() {
    let desk = closed();
    let ended_ms = desk.case().end.as_ref().expect("closed").step.by.received_ms;
    let reported_ms = desk.case().reported_ms;
    let found = tasks(&desk);
    let days = |ms: u64| (ms - ended_ms) / DAY_MS;
    let windows: Vec<_> = found.iter().map(|task| (task.nth, days(task.opens_ms), days(task.due_ms))).collect();
    assert_eq!(windows, [(1, 7, 14), (2, 30, 37), (3, 90, 104)]);
    for task in &found {
        assert_eq!((task.best_ms - reported_ms) % (7 * DAY_MS), 0, "the weekday and hour of the report");
        assert!((task.opens_ms..task.due_ms).contains(&task.best_ms), "{task:?}");
        assert_eq!((task.case, task.area), (CASE, GRID_1));
    }
    assert_eq!(found[0].best_ms, START_MS + 14 * DAY_MS);
    let document = serde_json::to_string(desk.case()).expect("a document");
    assert!(found.iter().all(|task| !document.contains(&task.id.to_string())), "the case says nothing of it");
    assert_eq!(kept_days(&desk.catalogue, desk.case()), 180 + 104, "the case stays until the last look is long over");
}

#[test]
fn what_was_settled_on_site_or_has_no_plan_is_not_looked_at_again() {
    let mut desk = fixed();
    let settled = schema::op::SettleOnSite { report: a_report(&[]), outcome: "persuaded".parse().expect("code") };
    let op = desk.op(INSPECTOR, OTHER_CASE, &Body::SettleOnSite(settled));
    assert_eq!(desk.take(&op).record.outcome, Outcome::Accepted);
    assert_eq!(desk.case_of(OTHER_CASE).state, State::Closed);
    assert!(tasks(&desk).is_empty());
    desk.catalogue.categories[0].subtypes[0].look_backs =
        Some(LookBacks { plan: Vec::new(), after_relapse: Vec::new(), escalates_after_days: Vec::new() });
    end(&mut desk);
    assert!(tasks(&desk).is_empty(), "a subtype's own plan goes before the category's");
}

#[test]
fn a_look_back_is_for_those_over_the_place_who_are_of_no_unit() {
    let desk = closed();
    let entity = &desk.entities[&task(&desk, 1).id];
    let lies_in = scopes_of(entity, Some(&desk.areas));
    assert!(lies_in.iter().all(|scope| scope.class == Class::Restricted && matches!(scope.node, Node::Area(_))));
    for (who, account) in desk.accounts.iter().enumerate() {
        let may = [INSPECTOR, INSPECTOR_2, SUPERVISOR, CHIEF, AUDITOR].contains(&who);
        assert_eq!(may_see(account, entity, Some(&desk.areas)), may, "person {who} sees it");
        let pulls = |scope: &Scope| may_pull(account, *scope, Some(&desk.areas)) && lies_in.contains(scope);
        assert_eq!(default_scopes(account, Some(&desk.areas)).iter().any(pulls), may, "person {who} pulls it");
        assert_eq!(lies_in.iter().any(pulls), may, "person {who} may ask for it");
    }
}

#[test]
fn nobody_looks_after_their_own_work_and_nobody_too_early() {
    let mut desk = closed();
    let first = task(&desk, 1);
    let code = |decision: Decision| refused(&decision);
    assert_eq!(code(held(&mut desk, INSPECTOR_2, &first)), Some(RefusalCode::Validation), "its time has not come");
    desk.now_ms = Some(first.opens_ms);
    assert_eq!(code(held(&mut desk, CREW, &first)), Some(RefusalCode::UnknownEntity), "the unit does not know of it");
    assert_eq!(code(held(&mut desk, SUPERVISOR_IN_UNIT, &first)), Some(RefusalCode::UnknownEntity));
    assert_eq!(code(held(&mut desk, INSPECTOR, &first)), Some(RefusalCode::FourEyes), "who passed the check");
    let bare = Body::LookBack(LookBack { verdict: LookBackVerdict::Held, note: None, photos: Vec::new() });
    let op = desk.op(INSPECTOR_2, first.id, &bare);
    assert_eq!(refused(&desk.take(&op)), Some(RefusalCode::Validation), "no photo");
    assert_eq!(held(&mut desk, INSPECTOR_2, &first).record.outcome, Outcome::Accepted);
    assert_eq!(code(held(&mut desk, SUPERVISOR, &first)), Some(RefusalCode::StaleState), "once");
    let second = task(&desk, 2);
    desk.now_ms = Some(second.opens_ms);
    assert_eq!(held(&mut desk, INSPECTOR, &second).record.outcome, Outcome::Accepted, "the later ones are theirs, too");
    assert_eq!(desk.case().state, State::Closed);
}

#[test]
fn a_relapse_opens_the_case_one_level_up_counts_for_who_fixed_it_and_is_looked_at_sooner() {
    let mut desk = closed();
    let closed_rev = desk.case().end.as_ref().expect("closed").step.by.rev;
    let first = task(&desk, 1);
    desk.now_ms = Some(first.opens_ms + DAY_MS);
    let decision = relapsed(&mut desk, INSPECTOR_2, &first);
    assert_eq!(decision.record.outcome, Outcome::Accepted);
    let case = desk.case().clone();
    assert_eq!((case.state, case.reopened, case.arbitration), (State::Filed, 1, Some(WEST)));
    let [Relapsed { found, task: by, closed_rev: was, fixed_by, closed_with, .. }] = case.relapses.as_slice() else {
        panic!("{:?}", case.relapses)
    };
    assert_eq!((found.account, *by, *was), (desk.accounts[INSPECTOR_2].id, first.id, closed_rev));
    assert_eq!((*fixed_by, *closed_with), (Some(UNIT), None));
    assert!(case.evidence.iter().any(|item| item.role == EvidenceRole::Lookback && item.by == *found));
    let others: Vec<bool> = tasks(&desk).iter().map(|task| task.dropped.is_some()).collect();
    assert_eq!(others, [false, true, true], "nobody has to look any more");

    assert_eq!(refused(&desk.act(SUPERVISOR, assign(UNIT))), Some(RefusalCode::NotPermitted), "one level up");
    desk.must(CHIEF, assign(UNIT_2));
    desk.must(CREW_2, fix(&[]));
    desk.arrive(22);
    end(&mut desk);
    let ended_ms = desk.case().end.as_ref().expect("closed").step.by.received_ms;
    let days: Vec<u64> = tasks(&desk).iter().map(|task| (task.opens_ms - ended_ms) / DAY_MS).collect();
    assert_eq!(days, [2, 10, 30]);
}

#[test]
fn a_relapse_counts_for_the_unit_that_fixed_it_though_the_case_has_gone_to_another() {
    let mut desk = fixed();
    let hand_over = OpId(Uuid::from_u128(0xAB));
    let goes = TakeOver { hand_over, unit: UNIT_2, co_units: Vec::new(), holder: None };
    by_server(&mut desk, CASE, &Body::TakeOver(goes));
    end(&mut desk);
    let first = task(&desk, 1);
    desk.now_ms = Some(first.opens_ms);
    assert_eq!(first.units, [UNIT, UNIT_2], "nobody of either looks");
    relapsed(&mut desk, INSPECTOR_2, &first);
    let relapse = desk.case().relapses[0].clone();
    assert_eq!((relapse.fixed_by, relapse.closed_with), (Some(UNIT), Some(UNIT_2)));
}

#[test]
fn bad_news_counts_behind_good_and_from_who_could_look_once() {
    let mut desk = closed();
    let first = task(&desk, 1);
    desk.now_ms = Some(first.opens_ms);
    held(&mut desk, SUPERVISOR, &first);
    let mut granted = desk.accounts[INSPECTOR_2].grants.clone();
    granted[0].area = GRID_1;
    let ended_rev = desk.rev + 1;
    desk.accounts[INSPECTOR_2].grants.clear();
    assert_eq!(refused(&relapsed(&mut desk, INSPECTOR_2, &first)), Some(RefusalCode::UnknownEntity), "never had it");
    desk.accounts[INSPECTOR_2].past_grants.push(PastGrant { granted: granted[0].clone(), ended_rev });
    assert_eq!(refused(&held(&mut desk, INSPECTOR_2, &first)), Some(RefusalCode::UnknownEntity), "good news is not");
    let decision = relapsed(&mut desk, INSPECTOR_2, &first);
    assert_eq!((decision.record.outcome, decision.record.acting), (Outcome::Accepted, None));
    assert_eq!(decision.record.flags, ["look_back_late"]);
    assert_eq!(desk.case().state, State::Filed);
    let second = task(&desk, 2);
    let again = relapsed(&mut desk, INSPECTOR, &second);
    assert_eq!(refused(&again), Some(RefusalCode::StaleState), "it is open already");
    assert_eq!(desk.case().relapses.len(), 1);
    let kept = task(&desk, 2).evidence;
    assert!(kept.iter().any(|item| item.late), "what was seen is kept");
}

#[test]
fn a_look_back_that_nobody_makes_is_overdue_and_goes_up_once_each() {
    let mut desk = closed();
    let first = task(&desk, 1);
    let done = until(&mut desk, first.id, first.due_ms + 60 * DAY_MS);
    let done: Vec<(&str, u64)> = done.iter().map(|(what, days)| (what.as_str(), *days)).collect();
    let ways = [
        ("mark_due_soon look_back/opens", 0),
        ("mark_overdue look_back/overdue", 7),
        ("escalate look_back/1", 8),
        ("escalate look_back/2", 10),
    ];
    assert_eq!(done, ways);
    let decision = held(&mut desk, INSPECTOR_2, &first);
    assert_eq!(decision.record.flags, ["look_back_late"], "late is better than never, and says so");
    let left = dues(&desk.entities[&first.id], || Ok::<_, ()>(None)).expect("what is due");
    assert_eq!(left.iter().map(|due| due.kind).collect::<Vec<_>>(), [DueKind::Archive]);
    until(&mut desk, first.id, first.due_ms + 400 * DAY_MS);
    assert!(scopes_of(&desk.entities[&first.id], Some(&desk.areas)).is_empty(), "it leaves the phones");
}

#[test]
fn a_case_that_is_opened_again_is_not_looked_at_and_one_that_moves_takes_its_looks_along() {
    let mut desk = closed();
    by_server(&mut desk, CASE, &Body::Place(Place { area: GRID_EAST }));
    assert!(tasks(&desk).iter().all(|task| task.area == GRID_EAST));
    let mut desk = closed();
    desk.must(CHIEF, reopen());
    assert!(tasks(&desk).iter().all(|task| task.dropped.is_some()));
    assert!(desk.case().relapses.is_empty(), "somebody's word is no relapse");
    end_again(&mut desk);
    let ended_ms = desk.case().end.as_ref().expect("closed").step.by.received_ms;
    assert_eq!((task(&desk, 1).opens_ms - ended_ms) / DAY_MS, 7);
}

fn end_again(desk: &mut Desk) {
    desk.must(SUPERVISOR, assign(UNIT_2));
    desk.must(CREW_2, fix(&[]));
    end(desk);
}
