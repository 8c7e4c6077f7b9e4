//! INV-REPLAY: folding the log from empty gives every view again.

use schema::op::{
    Assign, Body, EvidenceRole, File, FixResult, ImportDocument, Parked, Reason, Role, Sealed, SubmitFix,
};
use schema::record::{Outcome, RefusalCode};
use sync_core::context::VerifiedPhoto;
use sync_core::line::{sha256, singleton_id};

use super::rebuild;
use crate::services::documents;
use crate::services::world::{World, district, grid, photo, root, unit};
use crate::store::StoreError;

#[tokio::test]
async fn a_rebuild_of_a_busy_log_finds_no_difference() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut boss = world.person(2, Role::Supervisor, root()).await;
    let mut crew = world.crew(3).await;

    let before = photo(1, EvidenceRole::Before);
    let report = phone.report_with(1, vec![before.clone()], Some("13800000000"));
    let mut junk = phone.report(1);
    junk.bytes = b"junk".to_vec();
    junk.values.clear();
    phone.sync(&world, &[report.clone(), junk]).await;
    let seen = VerifiedPhoto { size: 1000, pixels: Some((40, 30)), flags: vec!["library".into()] };
    world.logs.store.write(|db| db.insert_photo(&before.sha256, &seen, 1)).map_err(|e: StoreError| e).unwrap();
    assert_eq!(world.logs.ledger.photo_arrived(before.sha256).await.unwrap().len(), 1);

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
    let answer = boss.sync(&world, &lines).await;
    assert_eq!(answer.record(lines[0].op).number.as_deref(), Some("ZG202600001"), "{:?}", answer.outcomes);
    let fix = SubmitFix { result: FixResult::Fixed, note: None, photos: vec![photo(2, EvidenceRole::After)] };
    let lines = [crew.op(report.entity, &Body::SubmitFix(fix), vec![])];
    let answer = crew.sync(&world, &lines).await;
    assert_eq!(answer.record(lines[0].op).outcome, Outcome::Accepted, "{:?}", answer.outcomes);

    // The crew's grant ends: its report is parked and released.
    let reason = Reason { reason: Sealed { sealed: sha256(b"why") } };
    let grant = schema::ids::GrantId(crate::services::world::id(6, 3));
    world.append(crew.account.into(), Body::RevokeGrant(schema::op::RevokeGrant { grant })).await;
    let late = crew.report(2);
    let answer = crew.sync(&world, std::slice::from_ref(&late)).await;
    assert_eq!(answer.record(late.op).outcome, Outcome::Parked, "{:?}", answer.outcomes);
    let ends = Parked { parked: late.op, reason: reason.reason };
    let lines = [boss.op(late.entity, &Body::Release(ends), vec![])];
    let answer = boss.sync(&world, &lines).await;
    assert_eq!(answer.record(lines[0].op).released.len(), 1, "{:?}", answer.outcomes);
    let second = crew.sync(&world, &[]).await;
    assert!(second.outcomes.iter().any(|line| line.op == lines[0].op), "the second outcome comes to its author");

    // The border moves: the case in grid 1 lies in grid 2 now.
    documents::import_areas(&world.logs.ledger, world.log, district(500_000)).await.unwrap();
    let entries = world.entries();
    assert!(entries.iter().any(|entry| entry.kind == "place"));

    let scratch = world.folder.path().join("rebuild.db");
    let found = rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
    assert_eq!(found.differences, []);
    assert_eq!(found.entries, world.head_rev());
    assert!(found.rows > 20);
    assert!(!scratch.exists());
}

#[tokio::test]
async fn a_document_that_came_later_was_not_there_for_what_was_decided_before() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let mut admin = world.person(2, Role::Admin, root()).await;
    // The next catalogue knows no such subtype: whoever reads it finds fault where there was none.
    let mut next: serde_json::Value = serde_json::from_slice(&world.document(&world.catalogue)).unwrap();
    next["version"] = "next".into();
    next["categories"].as_array_mut().unwrap().retain(|category| category["code"] != "stall");
    let bytes = serde_json::to_vec(&next).unwrap();
    let size = u64::try_from(bytes.len()).unwrap();
    let import = ImportDocument { sha256: sha256(&bytes), size, version: "next".into() };
    let entity = singleton_id(world.log, "catalogue");
    let early = admin.op(entity, &Body::ImportCatalogue(import), vec![]);
    let answer = admin.sync(&world, std::slice::from_ref(&early)).await;
    assert_eq!(answer.record(early.op).code, Some(RefusalCode::DocumentMissing));
    phone.catalogue = sha256(&bytes);
    let report = phone.report(1);
    let answer = phone.sync(&world, std::slice::from_ref(&report)).await;
    let flags = answer.record(report.op).flags;
    assert!(!flags.contains(&"unknown_subtype".to_owned()), "decided by the catalogue in force: {flags:?}");
    documents::import_catalogue(&world.logs.ledger, world.log, bytes).await.unwrap();

    let scratch = world.folder.path().join("rebuild.db");
    let found = rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
    assert_eq!(found.differences, []);
}

#[tokio::test]
async fn a_rebuild_names_every_row_that_was_tampered_with() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let report = phone.report(1);
    phone.sync(&world, &[report]).await;
    world
        .logs
        .store
        .with_log(world.log, StoreError::is_transient, |tx| {
            tx.put_photo_refs(
                schema::ids::EntityId::NIL,
                &std::collections::BTreeMap::new(),
                &std::collections::BTreeMap::from([(schema::hash::Hash::ZERO, true)]),
            )
        })
        .map_err(|e: StoreError| e)
        .unwrap();
    let scratch = world.folder.path().join("rebuild.db");
    let found = rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
    assert_eq!(found.different, 1);
    assert_eq!(found.differences[0].table, "photo_ref");
    assert_eq!(found.differences[0].rebuilt, None);
}
