//! Pulling: everything allowed arrives once in its newest version, nothing else does, however small the pages.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Assign, Body, Comment, File, Role, Sealed};
use schema::record::{Outcome, Record, RefusalCode};
use schema::sync::{Node, Scope};
use sync_core::line::sha256;

use crate::services::documents;
use crate::services::world::{Answer, Phone, World, district, grid, root, unit};

fn area(n: u128) -> Scope {
    Scope::normal(Node::Area(grid(n)))
}

/// Pulls until there is no more, with pages of so many rows; returns what the phone holds.
async fn pull(world: &World, phone: &mut Phone, rows: u32) -> HashMap<EntityId, u64> {
    let mut held = HashMap::new();
    loop {
        let (mut header, _) = phone.request(&[]);
        header.rows = Some(rows);
        let body = serde_json::to_vec(&header).unwrap();
        let answer = phone.send_bytes(world, body).await.unwrap();
        for line in &answer.entities {
            let before = held.insert(line.id, line.rev).unwrap_or(0);
            assert!(line.rev >= before, "a feed never goes back");
            assert!(line.rev <= answer.end.own, "rows never exceed the coverage of own outcomes");
        }
        for (scope, cursor) in &answer.end.scopes {
            assert!(*cursor >= phone.scopes[scope], "a cursor never goes back");
        }
        phone.follow(&answer);
        if !answer.end.more {
            return held;
        }
    }
}

/// INV-NO-SKIP, INV-CURSOR-MONOTONE: any page size yields the same rows.
#[tokio::test]
async fn pages_of_any_size_give_every_row() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let mut reports = Vec::new();
    for n in 0..30 {
        reports.push(phone.report(1 + n % 2));
    }
    phone.sync(&world, &reports).await;
    let text = Sealed { sealed: sha256(b"x") };
    let remarks: Vec<_> =
        reports[..7].iter().map(|report| boss.op(report.entity, &Body::Comment(Comment { text }), vec![])).collect();
    boss.sync(&world, &remarks).await;
    let scopes = [Scope::normal(Node::Area(root())), area(1), Scope::normal(Node::Account(boss.account))];
    let mut results = Vec::new();
    for rows in [1, 2, 3, 7, 500] {
        boss.own = 0;
        boss.scopes = scopes.iter().map(|scope| (*scope, 0)).collect();
        let held = pull(&world, &mut boss, rows).await;
        assert!(reports.iter().all(|report| held.contains_key(&report.entity)), "{rows} rows");
        assert!(boss.scopes.values().all(|cursor| *cursor == world.head_rev()), "cursors move to the head");
        results.push(held.into_iter().collect::<BTreeMap<_, _>>());
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

/// INV-SCOPE-LEAK: what the account may not name is dropped, and none of it is sent.
#[tokio::test]
async fn a_scope_that_is_not_ones_own_is_dropped() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut other = world.person(2, Role::Crew, root()).await;
    let report = phone.report(1);
    phone.sync(&world, std::slice::from_ref(&report)).await;
    other.scopes = BTreeMap::from([(area(1), 0), (Scope::normal(Node::Account(phone.account)), 0)]);
    let answer = other.send(&world, &[]).await.unwrap();
    assert_eq!(answer.drops.len(), 2);
    assert!(answer.entities.is_empty());
    assert!(answer.end.scopes.is_empty());
}

/// A value of class `handlers` goes to handlers only; free text to all who read the case.
#[tokio::test]
async fn sealed_values_go_to_their_readers_only() {
    let world = World::new().await;
    let mut maker = world.person(1, Role::Inspector, grid(1)).await;
    let mut colleague = world.person(2, Role::Inspector, grid(1)).await;
    let report = maker.report_with(1, vec![], Some("13800000000"));
    maker.sync(&world, std::slice::from_ref(&report)).await;
    for (phone, expected) in [(&mut maker, 2), (&mut colleague, 1)] {
        phone.scopes = BTreeMap::from([(area(1), 0)]);
        let answer = phone.send(&world, &[]).await.unwrap();
        assert_eq!(answer.values.len(), expected);
        let document = answer.entities.iter().find(|line| line.id == report.entity).unwrap();
        let entity: Entity = serde_json::from_str(document.document.as_ref().unwrap().get()).unwrap();
        assert!(matches!(entity, Entity::Case(_)));
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("13800000000") || expected == 2);
    }
}

/// Whatever a person types or a program sends, no database stumbles over it, and no push waits behind it.
#[tokio::test]
async fn a_value_of_any_characters_comes_back_as_it_was() {
    let world = World::new().await;
    let mut maker = world.person(1, Role::Inspector, grid(1)).await;
    let typed = "12\0号\u{1}\n\u{ffff}🐕' \\x00";
    let report = maker.report_with(1, vec![], Some(typed));
    let mut odd = maker.report(1);
    odd.bytes = String::from_utf8(odd.bytes).unwrap().replace("\"report\"", "\"re\\u0000port\"").into_bytes();
    let fine = maker.report(1);
    let answer = maker.sync(&world, &[report.clone(), odd, fine]).await;
    let outcomes = answer.outcomes.iter().map(|line| serde_json::from_str::<Record>(&line.record).unwrap().outcome);
    let outcomes: Vec<Outcome> = outcomes.collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Parked, Outcome::Accepted], "a kind is a plain word");
    maker.scopes = BTreeMap::from([(area(1), 0)]);
    let answer = maker.send(&world, &[]).await.unwrap();
    assert!(answer.values.iter().any(|value| value.entity == report.entity && value.value.value == typed));
}

/// An entity that moves is told to both sides.
#[tokio::test]
async fn a_case_that_moves_leaves_one_area_and_enters_the_other() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let report = phone.report(1);
    phone.sync(&world, std::slice::from_ref(&report)).await;
    boss.scopes = BTreeMap::from([(area(1), 0), (area(2), 0)]);
    assert_eq!(pull(&world, &mut boss, 500).await.len(), 1 + accounts_in_grid_1());
    documents::import_areas(&world.logs.ledger, world.log, district(500_000)).await.unwrap();
    let answer = boss.send(&world, &[]).await.unwrap();
    let moved = &answer.entities[0];
    assert_eq!((moved.id, moved.scope), (report.entity, area(2)));
    assert_eq!((answer.exits[0].entity, answer.exits[0].scope), (report.entity, area(1)));
    boss.follow(&answer);
    // Back again: the old exit is not told to somebody who comes late.
    documents::import_areas(&world.logs.ledger, world.log, district(2_000_000)).await.unwrap();
    boss.scopes = BTreeMap::from([(area(1), 1)]);
    let answer = boss.send(&world, &[]).await.unwrap();
    assert!(answer.exits.is_empty());
    assert!(answer.entities.iter().any(|line| line.id == report.entity));
}

/// The account of the grid's inspector lies in the grid too.
fn accounts_in_grid_1() -> usize {
    1
}

#[tokio::test]
async fn what_is_assigned_reaches_the_unit_once_with_its_document() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let mut crew = world.crew(3).await;
    let report = phone.report(1);
    phone.sync(&world, std::slice::from_ref(&report)).await;
    let file = File { condition: "hawks_unlicensed".parse().unwrap() };
    let assign = Assign {
        unit: unit(),
        co_units: vec![],
        co_limits: Default::default(),
        holder: Some(crew.account),
        note: None,
    };
    let lines =
        [boss.op(report.entity, &Body::File(file), vec![]), boss.op(report.entity, &Body::Assign(assign), vec![])];
    boss.sync(&world, &lines).await;
    crew.scopes =
        BTreeMap::from([(Scope::normal(Node::Unit(unit())), 0), (Scope::normal(Node::Account(crew.account)), 0)]);
    let answer = crew.sync(&world, &[]).await;
    let lines: Vec<_> = answer.entities.iter().filter(|line| line.id == report.entity).collect();
    assert_eq!(lines.len(), 2, "by the unit and by the account");
    assert_eq!(lines.iter().filter(|line| line.document.is_some()).count(), 1);
    let expected: BTreeSet<_> = answer.head.default_scopes.iter().copied().collect();
    assert!(expected.contains(&Scope::normal(Node::Unit(unit()))));
}

/// A revoked device may still deliver; everything is parked and nothing is pulled.
#[tokio::test]
async fn a_revoked_device_delivers_and_gets_nothing() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let report = phone.report(1);
    let reason = schema::op::Reason { reason: Sealed { sealed: sha256(b"lost") } };
    world.append(phone.device.into(), Body::RevokeDevice(reason)).await;
    phone.revoked = true;
    phone.scopes = BTreeMap::from([(area(1), 0)]);
    let answer = phone.send(&world, std::slice::from_ref(&report)).await.unwrap();
    let record = answer.record(report.op);
    assert_eq!((record.outcome, record.code), (Outcome::Parked, Some(RefusalCode::ActorRevoked)));
    assert!(answer.entities.is_empty() && answer.end.scopes.is_empty());
    assert!(answer.head.default_scopes.is_empty());
}

#[tokio::test]
async fn another_epoch_is_told_before_anything_is_pulled() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    phone.epoch = Some(schema::ids::EpochId(uuid::Uuid::from_u128(404)));
    phone.scopes = BTreeMap::from([(area(1), 17)]);
    let report = phone.report(1);
    let answer: Answer = phone.send(&world, std::slice::from_ref(&report)).await.unwrap();
    assert_eq!(answer.record(report.op).outcome, Outcome::Accepted, "an op is taken whatever the epoch");
    assert!(answer.entities.is_empty() && answer.end.scopes.is_empty() && answer.end.more);
    phone.took(&[report]);
    phone.epoch = Some(answer.head.epoch);
    phone.scopes = BTreeMap::from([(area(1), 0)]);
    assert!(!phone.send(&world, &[]).await.unwrap().entities.is_empty());
}

/// Its log revoked it; the installation, which knows of all logs, did not.
#[tokio::test]
async fn a_device_revoked_in_a_log_gets_nothing_of_that_log() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let report = phone.report(1);
    phone.sync(&world, &[report]).await;
    let reason = schema::op::Reason { reason: Sealed { sealed: sha256(b"lost") } };
    world.append(phone.device.into(), Body::RevokeDevice(reason)).await;
    phone.scopes = BTreeMap::from([(area(1), 0)]);
    let answer = phone.send(&world, &[]).await.unwrap();
    assert!(answer.entities.is_empty() && answer.values.is_empty() && answer.end.scopes.is_empty());
    assert!(answer.head.default_scopes.is_empty());
}
