//! A boundary moves: shown before, at its date, once over several servers, and gone on with after a kill.

use std::collections::BTreeMap;

use jiff::civil::date;
use schema::area::AreaTree;
use schema::case::Case;
use schema::entity::Entity;
use schema::ids::{EntityId, GrantId};
use schema::limits::DAY_MS;
use schema::op::{Body, ImportDocument, RevokeGrant, Role};
use sync_core::line::{sha256, singleton_id};

use super::Installation;
use crate::error::Error;
use crate::services::ledger::{Append, Ledger, ServerOp, parse_entity};
use crate::services::passwords::Passwords;
use crate::services::rebuild::rebuild;
use crate::services::world::{START_MS, World, district, grid, id, root};

/// More than two transactions of placing look at.
const CASES: usize = 450;
/// A server on the world's database.
fn server(world: &World) -> Installation {
    let (store, clock) = (world.logs.store.clone(), world.clock.clone());
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    Installation::new(store, ledger, clock, Passwords::new())
}

fn tree(border_e7: i32) -> AreaTree {
    serde_json::from_slice(&district(border_e7)).unwrap()
}

async fn reported(world: &World, count: usize) {
    let mut phone = world.person(1, Role::Inspector, root()).await;
    let lines: Vec<_> = (0..count).map(|_| phone.report(1)).collect();
    for some in lines.chunks(150) {
        phone.sync(world, some).await;
    }
}

fn cases(world: &World) -> Vec<Case> {
    let log = world.log;
    let found = world.logs.store.read(move |db| {
        let num = db.head(log)?.unwrap().num;
        db.entities_of_kind(num, "case", EntityId::NIL, 10_000)
    });
    let read = |document: String| match parse_entity(&document).unwrap() {
        Entity::Case(case) => *case,
        other => panic!("{other:?}"),
    };
    found.unwrap().into_iter().filter_map(|stored| stored.document).map(read).collect()
}

fn placed(world: &World) -> BTreeMap<EntityId, usize> {
    let mut counted = BTreeMap::new();
    for entry in world.entries().into_iter().filter(|entry| entry.kind == "place") {
        *counted.entry(entry.entity).or_default() += 1;
    }
    counted
}

fn rebuilds(world: &World) {
    let scratch = world.folder.path().join("rebuild.db");
    assert_eq!(rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap().differences, []);
}

#[tokio::test]
async fn what_would_change_is_shown_and_nothing_is_changed_by_it() {
    let world = World::new().await;
    reported(&world, 3).await;
    let server = server(&world);
    let head = world.head_rev();
    let mut next = tree(500_000);
    next.areas[3].name.zh = "改名".to_owned();
    let change = server.area_change(&next).await.unwrap();
    assert_eq!((change.cases, change.moves.len(), change.moves[0].cases), (3, 1, 3));
    assert_eq!((&change.moves[0].from, &change.moves[0].to), (&grid(1).to_string(), &grid(2).to_string()));
    assert_eq!(change.changed[0].what, ["name", "boundary"]);
    assert_eq!((change.errors.len(), change.added.len(), change.removed.len()), (0, 0, 0));
    assert!(server.area_change(&tree(2_000_000)).await.unwrap().unchanged);
    assert_eq!(world.head_rev(), head);

    // An account and a grid that goes; a version that is in force with other content.
    world.person(2, Role::Inspector, grid(2)).await;
    let mut without = tree(500_000);
    without.areas.pop();
    without.version = "2000000".to_owned();
    let errors = server.area_change(&without).await.unwrap().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().any(|error| error.en.contains("inspector") && error.zh.contains(&grid(2).to_string())));
}

#[tokio::test]
async fn many_cases_are_placed_once_each_however_many_servers_do_it_and_after_a_kill() {
    let world = World::new().await;
    reported(&world, CASES).await;
    // The import is in the log, and its server is killed before it has placed a single case.
    let bytes = district(500_000);
    let document =
        ImportDocument { sha256: sha256(&bytes), size: bytes.len().try_into().unwrap(), version: "2".into() };
    let ops = vec![ServerOp::fresh(singleton_id(world.log, "areas"), Body::ImportAreas(document.clone())).unwrap()];
    let append = Append { documents: vec![(document.sha256, bytes)], ops };
    world.logs.ledger.append(world.log, append).await.unwrap();
    assert!(placed(&world).is_empty());
    rebuilds(&world);

    let (one, other) = (server(&world), server(&world));
    let (first, second) = tokio::join!(one.areas_due(), other.areas_due());
    first.and(second).unwrap();
    let found = placed(&world);
    assert_eq!(found.len(), CASES);
    assert!(found.values().all(|count| *count == 1));
    assert!(cases(&world).iter().all(|case| case.area == grid(2)));
    let head = world.head_rev();
    one.areas_due().await.unwrap();
    assert_eq!(world.head_rev(), head, "all is placed: nothing is left to do");
    rebuilds(&world);
}

#[tokio::test]
async fn a_planned_boundary_takes_effect_at_its_date_once_and_not_before() {
    let world = World::new().await;
    reported(&world, 2).await;
    let (one, other) = (server(&world), server(&world));
    for past in [date(2020, 1, 1), date(1999, 12, 31)] {
        assert!(matches!(one.plan_areas(&tree(500_000), past).await, Err(Error::Faults(_))), "{past}");
    }
    let day = jiff::Timestamp::from_millisecond(i64::try_from(START_MS + 3 * DAY_MS).unwrap()).unwrap();
    let day = day.to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date();
    one.plan_areas(&tree(500_000), day).await.unwrap();
    assert!(matches!(one.plan_areas(&tree(600_000), day).await, Err(Error::Faults(_))), "one at a time");
    one.cancel_areas().await.unwrap();
    assert!(one.planned_areas().await.unwrap().is_none());
    assert!(matches!(one.cancel_areas().await, Err(Error::Faults(_))), "nothing is left to cancel");
    let from_ms = one.plan_areas(&tree(500_000), day).await.unwrap();
    let planned = other.planned_areas().await.unwrap().unwrap();
    assert_eq!((planned.from_ms, planned.change.moves[0].cases), (from_ms, 2), "any server shows it");

    let imports = |world: &World| world.entries().into_iter().filter(|entry| entry.kind == "import_areas").count();
    let before = imports(&world);
    world.clock.set(from_ms - 1);
    one.areas_due().await.unwrap();
    assert_eq!(imports(&world), before, "not before its time");
    world.clock.set(from_ms);
    let (first, second) = tokio::join!(one.areas_due(), other.areas_due());
    first.and(second).unwrap();
    one.areas_due().await.unwrap();
    assert_eq!(imports(&world), before + 1, "once, whichever server does it");
    assert!(cases(&world).iter().all(|case| case.area == grid(2)));
    assert!(one.planned_areas().await.unwrap().is_none());
    rebuilds(&world);
}

#[tokio::test]
async fn a_planned_tree_that_a_grant_would_fall_out_of_waits_until_that_is_mended() {
    let world = World::new().await;
    let server = server(&world);
    let mut without = tree(2_000_000);
    without.areas.pop();
    without.version = "without".to_owned();
    let from_ms = server.plan_areas(&without, date(2099, 1, 1)).await.unwrap();
    let phone = world.person(7, Role::Inspector, grid(2)).await;
    world.clock.set(from_ms);
    server.areas_due().await.unwrap();
    assert!(server.planned_areas().await.unwrap().is_some(), "it waits");
    let revoke = Body::RevokeGrant(RevokeGrant { grant: GrantId(id(6, 7)) });
    world.append(phone.account.into(), revoke).await;
    server.areas_due().await.unwrap();
    assert!(server.planned_areas().await.unwrap().is_none());
}
