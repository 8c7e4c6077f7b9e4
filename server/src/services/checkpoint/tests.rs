//! INV-MERKLE-APPEND: each checkpoint extends every earlier one, and the signer never signs what does not.

use schema::op::Role;
use schema::sync::TreeHead;
use sync_core::log::tree::verify_consistency;

use super::{CheckpointError, Checkpoints};
use crate::services::ledger::NewEpoch;
use crate::services::signer;
use crate::services::world::{START_MS, World, grid};
use crate::store::StoreError;

/// A device's head is proven to be the beginning of the newest checkpoint, across tiles.
#[tokio::test]
async fn every_checkpoint_extends_the_one_that_a_phone_verified() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let verifier = world.logs.checkpoints.signer().verifier().clone();
    let mut verified: Option<TreeHead> = None;
    for round in 1..=5 {
        let lines: Vec<_> = (0..120).map(|_| phone.report(1)).collect();
        phone.sync(&world, &lines).await;
        world.clock.set(START_MS + round * 60_000);
        let (mut header, _) = phone.request(&[]);
        header.checkpoint = verified;
        let answer = phone.send_bytes(&world, serde_json::to_vec(&header).unwrap()).await.unwrap();
        let newest = verifier.checkpoint(answer.head.checkpoint.as_ref().unwrap()).unwrap();
        assert_eq!(newest.head.size, answer.head.head);
        if let Some(verified) = verified {
            assert!(verify_consistency(&verified, &newest.head, &answer.head.consistency));
        }
        verified = Some(newest.head);
    }
    assert!(verified.unwrap().size > 2 * 256);
}

#[tokio::test]
async fn checkpoints_keep_their_distance() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let first = phone.sync(&world, &[]).await.head.checkpoint.unwrap();
    let line = [phone.report(1)];
    let second = phone.sync(&world, &line).await.head.checkpoint.unwrap();
    assert_eq!(first, second, "within the interval");
    world.clock.set(START_MS + 60_000);
    assert_ne!(phone.sync(&world, &[]).await.head.checkpoint.unwrap(), first);
}

/// A backup may have been made just behind a `start_epoch`: whoever restores it lost what came after all the same.
#[tokio::test]
async fn a_restore_to_the_first_entry_of_an_epoch_starts_another() {
    let world = World::new().await;
    let mut epochs = Vec::new();
    for _ in 0..2 {
        let first = world.logs.ledger.recover(world.log, Vec::new(), NewEpoch::Always).await.unwrap().unwrap();
        assert_eq!((first.kind.as_str(), first.outcome), ("start_epoch", 1), "{}", first.record);
        epochs.push(first.epoch);
    }
    assert_ne!(epochs[0], epochs[1]);
}

/// After a restore of the database the head is smaller than what was signed: nothing is signed in this epoch any more,
/// and at the next start the log says so and goes on in a new one.
#[tokio::test]
async fn a_log_that_was_set_back_goes_on_in_a_new_epoch() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let head = world.logs.store.read(|db| db.head(world.log)).map_err(|e: StoreError| e).unwrap().unwrap();
    let ahead = signer::SignedHead {
        epoch: head.epoch,
        head: TreeHead { size: head.rev + 10, root: schema::hash::Hash([9; 32]) },
    };
    signer::remember(world.folder.path(), world.log, &ahead).unwrap();
    let refused = world.logs.checkpoints.sign_if_due(world.log);
    assert!(matches!(refused, Err(CheckpointError::NotExtending(log)) if log == world.log));

    assert_eq!(world.logs.checkpoints.recover(&world.logs.ledger).await.unwrap(), [world.log]);
    let after = world.logs.store.read(|db| db.head(world.log)).map_err(|e: StoreError| e).unwrap().unwrap();
    assert_ne!(after.epoch, head.epoch);
    let first = world.entries().pop().unwrap();
    assert_eq!((first.kind.as_str(), first.rev, first.epoch), ("start_epoch", head.rev + 1, after.epoch));
    assert_eq!(first.outcome, 1, "{}", first.record);
    world.logs.checkpoints.sign_if_due(world.log).unwrap();
    assert_eq!(world.logs.checkpoints.recover(&world.logs.ledger).await.unwrap(), [], "once is enough");

    phone.epoch = Some(head.epoch);
    let answer = phone.send(&world, &[]).await.unwrap();
    assert_eq!(answer.head.epoch, after.epoch);
    assert!(answer.end.scopes.is_empty());
    let scratch = world.folder.path().join("rebuild.db");
    let found = crate::services::rebuild::rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
    assert_eq!(found.differences, []);
}

/// The backup was of one year, the restore is in the next: its numbers begin anew, and none is given twice. What comes
/// again is answered with a receipt of the epoch of today.
#[tokio::test]
async fn after_a_restore_numbers_skip_and_receipts_are_of_the_new_epoch() {
    const YEAR_MS: u64 = 366 * 24 * 3600 * 1000;
    for (wait_ms, expected) in [(1000, "ZG2026100002"), (YEAR_MS, "ZG2027100001")] {
        let world = World::new().await;
        let mut boss = world.person(1, Role::Supervisor, crate::services::world::root()).await;
        let lines = filed(&mut boss);
        let record = boss.send(&world, &lines).await.unwrap().record(lines[1].op);
        assert_eq!(record.number.as_deref(), Some("ZG202600001"));
        let head = world.logs.store.read(|db| db.head(world.log)).map_err(|e: StoreError| e).unwrap().unwrap();
        let ahead = signer::SignedHead {
            epoch: head.epoch,
            head: TreeHead { size: head.rev + 10, root: schema::hash::Hash([9; 32]) },
        };
        signer::remember(world.folder.path(), world.log, &ahead).unwrap();
        world.clock.set(START_MS + wait_ms);
        world.logs.checkpoints.recover(&world.logs.ledger).await.unwrap();
        let after = world.logs.store.read(|db| db.head(world.log)).map_err(|e: StoreError| e).unwrap().unwrap();

        let again = boss.send(&world, &lines).await.unwrap();
        let verifier = world.logs.checkpoints.signer().verifier();
        let receipt = sync_core::log::receipt::open(verifier, again.head.receipt.as_ref().unwrap()).unwrap();
        assert_eq!(receipt.epoch, after.epoch);
        boss.took(&lines);
        let lines = filed(&mut boss);
        let answer = boss.sync(&world, &lines).await;
        assert_eq!(answer.record(lines[1].op).number.as_deref(), Some(expected));
        let scratch = world.folder.path().join("rebuild.db");
        let found = crate::services::rebuild::rebuild(&world.logs.store, world.log, &scratch, |_| {}).unwrap();
        assert_eq!(found.differences, []);
    }
}

fn filed(boss: &mut crate::services::world::Phone) -> [crate::services::world::Line; 2] {
    let report = boss.report(1);
    let file = schema::op::File { condition: "hawks_unlicensed".parse().unwrap() };
    let file = boss.op(report.entity, &schema::op::Body::File(file), vec![]);
    [report, file]
}

#[tokio::test]
async fn the_key_is_made_once_and_kept_from_others() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    let path = world.folder.path().join("keys/log-signer");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let data = world.folder.path().to_owned();
    let again =
        Checkpoints::open(data.clone(), "rectify.test", 1, world.logs.store.clone(), world.clock.clone()).unwrap();
    assert_eq!(again.signer().verifier_key(), world.logs.checkpoints.signer().verifier_key());
    assert!(Checkpoints::open(data.clone(), "two words", 1, world.logs.store.clone(), world.clock.clone()).is_err());
    std::fs::write(&path, "not a key").unwrap();
    assert!(Checkpoints::open(data, "rectify.test", 1, world.logs.store.clone(), world.clock.clone()).is_err());
}
