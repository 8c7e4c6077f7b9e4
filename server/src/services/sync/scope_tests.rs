//! Scopes of the server: restriction and its end, archiving, exits that are too old to be told, the cap of a device,
//! redaction, and that a rebuild agrees with all of it.

use std::collections::BTreeMap;

use schema::ids::EntityId;
use schema::limits::{DAY_MS, EXITS_KEPT_DAYS};
use schema::op::{Body, Close, Decline, RedactValue, Restrict, Role, Sealed};
use schema::record::{Outcome, RefusalCode};
use schema::sync::{Node, Scope};
use sync_core::line::sha256;

use crate::services::documents;
use crate::services::ledger::Ledger;
use crate::services::rebuild::rebuild;
use crate::services::sync::Room;
use crate::services::world::{Answer, Phone, World, district, grid, root};

/// Pulls what the server says the phone should name, until there is no more.
async fn pull(world: &World, phone: &mut Phone) -> Vec<Answer> {
    let mut answers: Vec<Answer> = Vec::new();
    loop {
        let answer = phone.sync(world, &[]).await;
        for scope in &answer.drops {
            phone.scopes.remove(scope);
        }
        let mut new = false;
        for scope in answer.head.default_scopes.iter().filter(|scope| !answer.drops.contains(scope)) {
            new |= phone.scopes.insert(*scope, phone.scopes.get(scope).copied().unwrap_or(0)).is_none();
        }
        let done = !answer.end.more && !new;
        answers.push(answer);
        if done {
            return answers;
        }
    }
}

fn got(answers: &[Answer], entity: EntityId) -> bool {
    answers.iter().any(|answer| answer.entities.iter().any(|line| line.id == entity))
}

fn left(answers: &[Answer], entity: EntityId) -> bool {
    answers.iter().any(|answer| answer.exits.iter().any(|exit| exit.entity == entity))
}

fn agrees(world: &World) {
    let scratch = world.folder.path().join("rebuilt.db");
    let found = rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
    assert_eq!(found.differences, [], "a rebuild agrees");
}

fn restrict(world: &World, roles: &[Role], days: u64) -> Body {
    let until_ms = world.clock.now_ms() + days * DAY_MS;
    Body::Restrict(Restrict { roles: roles.to_vec(), until_ms, reason: Sealed { sealed: sha256(b"covert") } })
}

#[tokio::test]
async fn a_restriction_hides_a_case_from_the_op_on_until_the_ticker_lifts_it_once() {
    let world = World::new().await;
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut auditor = world.person(2, Role::Auditor, root()).await;
    let report = inspector.report_with(1, vec![], Some("13800000000"));
    inspector.sync(&world, std::slice::from_ref(&report)).await;
    assert!(got(&pull(&world, &mut inspector).await, report.entity));
    assert!(got(&pull(&world, &mut auditor).await, report.entity));
    let op = auditor.op(report.entity, &restrict(&world, &[Role::Auditor], 3), vec![]);
    let answer = auditor.sync(&world, std::slice::from_ref(&op)).await;
    assert_eq!(answer.record(op.op).outcome, Outcome::Accepted);
    assert!(got(&[answer], report.entity));
    let answers = pull(&world, &mut inspector).await;
    assert!(left(&answers, report.entity) && !got(&answers, report.entity));
    // A new phone of the maker learns nothing of it.
    let mut second = world.phone(inspector.account, 9).await;
    assert!(!got(&pull(&world, &mut second).await, report.entity));
    let comment = inspector.op(report.entity, &Body::Accept(schema::op::Nothing {}), vec![]);
    let answer = inspector.sync(&world, std::slice::from_ref(&comment)).await;
    assert_eq!(answer.record(comment.op).code, Some(RefusalCode::UnknownEntity));

    world.clock.set(world.clock.now_ms() + 3 * DAY_MS - 1);
    assert_eq!(world.logs.ledger.tick(world.clock.now_ms()).await.unwrap(), 0);
    world.clock.set(world.clock.now_ms() + 1);
    // Two servers notice it at once.
    let other = Ledger::start(world.logs.store.clone(), world.clock.clone()).unwrap();
    let now_ms = world.clock.now_ms();
    let (one, two) = tokio::join!(world.logs.ledger.tick(now_ms), other.tick(now_ms));
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(world.entries().iter().filter(|entry| entry.kind == "lift_restriction").count(), 1);
    assert!(got(&pull(&world, &mut inspector).await, report.entity));
    assert!(got(&pull(&world, &mut second).await, report.entity));
    agrees(&world);
}

#[tokio::test]
async fn a_case_leaves_every_phone_180_days_after_its_end_and_a_rebuild_agrees() {
    let world = World::new().await;
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let (ends, stays) = (inspector.report(1), inspector.report(1));
    inspector.sync(&world, &[ends.clone(), stays.clone()]).await;
    let decline = Body::Decline(Decline { reason: "no_violation".parse().unwrap(), note: None });
    let op = boss.op(ends.entity, &decline, vec![]);
    assert_eq!(boss.sync(&world, std::slice::from_ref(&op)).await.record(op.op).outcome, Outcome::Accepted);
    pull(&world, &mut inspector).await;
    world.clock.set(world.clock.now_ms() + 180 * DAY_MS);
    assert_eq!(world.logs.ledger.tick(world.clock.now_ms()).await.unwrap(), 1);
    assert_eq!(world.logs.ledger.tick(world.clock.now_ms()).await.unwrap(), 0);
    let answers = pull(&world, &mut inspector).await;
    assert!(left(&answers, ends.entity) && !got(&answers, ends.entity) && !left(&answers, stays.entity));
    let mut late = world.phone(inspector.account, 8).await;
    let answers = pull(&world, &mut late).await;
    assert!(!got(&answers, ends.entity) && got(&answers, stays.entity));
    let close = boss.op(ends.entity, &Body::Close(Close { condition: "x".parse().unwrap() }), vec![]);
    let answer = boss.sync(&world, std::slice::from_ref(&close)).await;
    assert_eq!(answer.record(close.op).code, Some(RefusalCode::StaleState), "it is still there to be asked about");
    agrees(&world);
}

/// R15, R16: an exit that nobody tells any more must not leave a case on a phone for ever.
#[tokio::test]
async fn a_phone_that_was_away_too_long_drops_its_scopes_and_begins_anew() {
    let world = World::new().await;
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut neighbour = world.person(3, Role::Supervisor, grid(1)).await;
    let reports = [inspector.report(1), inspector.report(1)];
    inspector.sync(&world, &reports).await;
    pull(&world, &mut neighbour).await;
    let mut fresh = neighbour_like(&world).await;
    documents::import_areas(&world.logs.ledger, world.log, district(500_000)).await.unwrap();
    world.clock.set(world.clock.now_ms() + (EXITS_KEPT_DAYS + 1) * DAY_MS);
    let later = inspector.report(1);
    inspector.sync(&world, std::slice::from_ref(&later)).await;
    pull(&world, &mut fresh).await;
    world.logs.ledger.tick_in(world.log).await.unwrap();
    let answers = pull(&world, &mut neighbour).await;
    let dropped: Vec<Scope> = answers.iter().flat_map(|answer| answer.drops.clone()).collect();
    assert!(dropped.contains(&Scope::normal(Node::Area(grid(1)))), "what left is not told any more: all is dropped");
    assert!(!left(&answers, reports[0].entity) && !got(&answers, reports[0].entity));
    let answers = pull(&world, &mut fresh).await;
    assert!(answers.iter().all(|answer| answer.drops.is_empty()), "who was here in time goes on");
    agrees(&world);
}

async fn neighbour_like(world: &World) -> Phone {
    world.person(4, Role::Supervisor, grid(1)).await
}

/// R19: what fits is begun, the rest is named; what was begun goes on.
#[tokio::test]
async fn a_device_begins_no_more_than_it_may_hold() {
    let mut world = World::new().await;
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let reports: Vec<_> = (0..12).map(|_| inspector.report(1)).collect();
    inspector.sync(&world, &reports).await;
    world.logs.room = Room::new(10);
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let answers = pull(&world, &mut boss).await;
    let told = answers.iter().filter_map(|answer| answer.end.scope_too_large.as_ref()).next_back().unwrap();
    assert_eq!(told.entities_max, 10);
    assert!(told.entities >= 12);
    assert!(told.held_back.contains(&Scope::normal(Node::Area(root()))));
    assert!(!got(&answers, reports[0].entity));
    assert_eq!(boss.scopes[&Scope::normal(Node::Area(root()))], 0, "its cursor stays where it is");
    assert!(boss.scopes[&Scope::normal(Node::Log)] > 0, "what fits is begun");
    // A phone without room is told only what it must drop, and its own outcomes.
    world.logs.room = Room::new(1000);
    let (mut header, _) = boss.request(&[]);
    header.rows = Some(0);
    let answer = boss.send_bytes(&world, serde_json::to_vec(&header).unwrap()).await.unwrap();
    assert!(answer.entities.is_empty() && answer.end.scopes == header.scopes);
    assert!(got(&pull(&world, &mut boss).await, reports[0].entity), "with room it goes on");
}

/// R19 for what runs already: a scope that grows beyond the cap stands still on the phone, and the phone is told; smaller
/// ones go on, and so does it when there is room again.
#[tokio::test]
async fn a_scope_that_grows_beyond_the_cap_stands_still_until_there_is_room() {
    let mut world = World::new().await;
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let reports: Vec<_> = (0..3).map(|_| inspector.report(1)).collect();
    inspector.sync(&world, &reports).await;
    pull(&world, &mut boss).await;
    let held = count(&world, &boss);
    world.logs.room = Room::new(held + 2);
    let area = Scope::normal(Node::Area(root()));
    let mut told = Vec::new();
    for _ in 0..4 {
        let report = inspector.report(1);
        inspector.sync(&world, std::slice::from_ref(&report)).await;
        let cursor = boss.scopes[&area];
        let answers = pull(&world, &mut boss).await;
        let held_back = answers.iter().filter_map(|answer| answer.end.scope_too_large.clone()).next_back();
        assert_eq!(got(&answers, report.entity), held_back.is_none());
        assert_eq!(boss.scopes[&area] == cursor, held_back.is_some(), "its cursor stays where it is");
        assert!(held_back.iter().all(|held_back| held_back.held_back == [area]), "{held_back:?}");
        told.push(held_back.map(|held_back| held_back.entities));
    }
    assert_eq!(told, [None, None, Some(held + 3), Some(held + 4)]);
    let own = boss.report(2);
    let answers = [boss.sync(&world, std::slice::from_ref(&own)).await];
    assert!(got(&answers, own.entity), "what it makes itself comes by a smaller scope");
    world.logs.room = Room::new(1000);
    assert!(got(&pull(&world, &mut boss).await, own.entity), "with room it goes on");
    assert_eq!(count(&world, &boss), held + 5);
}

/// How many entities a phone's scopes hold.
fn count(world: &World, phone: &Phone) -> u64 {
    let scopes: Vec<Scope> = phone.scopes.keys().copied().collect();
    let count = world.logs.store.read(|db| {
        let head = db.head(world.log)?.unwrap();
        let numbers: Vec<_> = db.scope_numbers(head.num, &scopes)?.into_values().collect();
        db.entities_in(head.num, &numbers)
    });
    let count: Result<u64, crate::store::StoreError> = count;
    count.unwrap()
}

/// A redaction deletes the value and nothing else: no line, leaf, outcome or document changes.
#[tokio::test]
async fn a_redacted_value_is_gone_and_everything_still_verifies() {
    let world = World::new().await;
    let mut maker = world.person(1, Role::Inspector, grid(1)).await;
    let report = maker.report_with(1, vec![], Some("13800000000"));
    maker.sync(&world, std::slice::from_ref(&report)).await;
    let before = world.entries();
    let sealed = report.values.iter().find(|value| value.value == "13800000000").unwrap().sealed;
    let body = RedactValue { value: sealed, reason: "个人信息保护法 47 条".into() };
    let entry = world.append(report.entity, Body::RedactValue(body)).await;
    assert_eq!(entry.outcome, 1, "{}", entry.record);
    maker.scopes = BTreeMap::from([(Scope::normal(Node::Area(grid(1))), 0)]);
    let answer = maker.send(&world, &[]).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("13800000000"));
    assert!(String::from_utf8_lossy(&answer.bytes).contains(&sealed.to_string()), "its hash stays");
    assert_eq!(world.entries()[..before.len()], before[..]);
    let again = maker.send(&world, std::slice::from_ref(&report)).await.unwrap();
    assert!(!again.outcomes.is_empty());
    maker.scopes = BTreeMap::from([(Scope::normal(Node::Area(grid(1))), 0)]);
    let answer = maker.send(&world, &[]).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("13800000000"), "a re-send brings it back to nobody");
    agrees(&world);
}

/// After new areas people lie under what lies above them now, as cases do.
#[tokio::test]
async fn accounts_follow_a_new_area_tree() {
    let world = World::new().await;
    world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    pull(&world, &mut boss).await;
    let tree: schema::area::AreaTree = serde_json::from_slice(&district(2_000_000)).unwrap();
    let mut moved = tree.clone();
    moved.version = "other".into();
    // The community goes, and its grids lie right below the subdistrict.
    let community = moved.areas.remove(2);
    for area in &mut moved.areas {
        if area.parent == Some(community.id) {
            area.parent = community.parent;
        }
    }
    documents::import_areas(&world.logs.ledger, world.log, serde_json::to_vec(&moved).unwrap()).await.unwrap();
    assert_eq!(world.entries().iter().filter(|entry| entry.kind == "rescope").count(), 1);
    let scope = Scope::normal(Node::Area(community.id));
    let rows = world.logs.store.read(|db| {
        let head = db.head(world.log)?.unwrap();
        let num = db.scope_numbers(head.num, &[scope])?[&scope];
        db.entities_in(head.num, &[num])
    });
    let rows: Result<u64, crate::store::StoreError> = rows;
    assert_eq!(rows.unwrap(), 0, "nothing lies in an area that is no more");
    agrees(&world);
}
