//! The writer: groups, savepoints, many writers at once, photos.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use schema::hash::Hash;
use schema::op::{Body, EvidenceRole, Role, SetAccount};
use schema::record::RefusalCode;
use schema::sync::BatchAnswer;
use sync_core::context::VerifiedPhoto;
use sync_core::log::tree::Frontier;

use super::{Append, ServerOp};
use crate::services::world::{World, grid, id, photo, root};
use crate::store::{Db, LogNum, StoreError};

fn read<T>(world: &World, work: impl FnOnce(&mut Db, LogNum) -> Result<T, StoreError>) -> T {
    let read: Result<T, StoreError> = world.logs.store.read(|db| {
        let head = db.head(world.log)?.expect("the log");
        work(db, head.num)
    });
    read.unwrap()
}

/// Many phones at once: each op once, in its device's order, the tree that of the leaves; a reader that polls meanwhile
/// misses nothing (INV-SEQ-VISIBLE).
#[tokio::test]
async fn eight_writers_at_once_lose_and_repeat_nothing() {
    const BATCHES: usize = 10;
    const LINES: usize = 7;
    let world = Arc::new(World::new().await);
    let start = world.head_rev();
    let done = Arc::new(AtomicBool::new(false));
    let poller = {
        let (world, done) = (Arc::clone(&world), Arc::clone(&done));
        std::thread::spawn(move || {
            let mut seen = start;
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let page = read(&world, |db, log| db.entries_after(log, seen, 100));
                for entry in &page {
                    assert_eq!(entry.rev, seen + 1, "a reader saw a revision before the one below it");
                    seen = entry.rev;
                }
                if last_look && page.is_empty() {
                    return seen;
                }
            }
        })
    };
    let mut writers = Vec::new();
    for n in 0..8 {
        let mut phone = world.person(10 + n, Role::Inspector, grid(1)).await;
        let world = Arc::clone(&world);
        let work = async move {
            for _ in 0..BATCHES {
                let lines: Vec<_> = (0..LINES).map(|_| phone.report(1)).collect();
                phone.send(&world, &lines).await.unwrap();
                // The answer is lost; the batch goes again.
                let answer = phone.sync(&world, &lines).await;
                assert_eq!(answer.head.batch, BatchAnswer::Taken);
                assert_eq!(answer.outcomes.len(), LINES);
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        writers.push(std::thread::spawn(move || runtime.block_on(work)));
    }
    for writer in writers {
        writer.join().unwrap();
    }
    done.store(true, Ordering::SeqCst);
    assert_eq!(poller.join().unwrap(), world.head_rev());
    let entries = world.entries();
    let reports: BTreeSet<_> = entries.iter().filter(|entry| entry.kind == "report").map(|entry| entry.op).collect();
    assert_eq!(reports.len(), 8 * BATCHES * LINES);
    let tree: Frontier = entries.iter().map(|entry| entry.leaf).collect();
    let head = world.logs.store.read(|db| db.head(world.log)).map_err(|e: StoreError| e).unwrap().unwrap();
    assert_eq!((tree.root(), tree.size()), (head.root, head.rev));
}

/// One job that can't be entered fails alone, in the middle of a group that is committed together.
#[tokio::test]
async fn a_job_that_fails_leaves_nothing_and_its_neighbours_go_on() {
    let world = World::new().await;
    let before = world.head_rev();
    let person = schema::ids::PersonId(id(5, 50));
    let fresh = |n| {
        let body = Body::SetAccount(SetAccount { name: "neighbour".into(), person });
        ServerOp::fresh(schema::ids::EntityId(id(2, n)), body).unwrap()
    };
    // The same id twice in one job breaks the log's own uniqueness: a defect, caught by the database.
    let twice = fresh(51);
    let jobs = [vec![fresh(50)], vec![fresh(53)], vec![fresh(52), twice.clone(), twice], vec![fresh(54)]];
    let (held, is_held) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let store = world.logs.store.clone();
    let holder = std::thread::spawn(move || {
        let done: Result<(), StoreError> = store.write(|_| {
            held.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        done.unwrap();
    });
    is_held.recv().unwrap();
    let commits = *world.logs.ledger.commits().borrow();
    let mut waiting = Vec::new();
    for ops in jobs {
        let (ledger, log) = (world.logs.ledger.clone(), world.log);
        waiting.push(tokio::spawn(async move { ledger.append(log, Append { ops, ..Append::default() }).await }));
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    holder.join().unwrap();
    let mut done = Vec::new();
    for job in waiting {
        done.push(job.await.unwrap().is_ok());
    }
    assert_eq!(done, [true, true, false, true]);
    assert!(*world.logs.ledger.commits().borrow() - commits <= 2, "the last three went together");
    let entered: Vec<_> = world.entries().into_iter().filter(|it| it.rev > before).map(|it| it.entity.0).collect();
    assert_eq!(entered, [id(2, 50), id(2, 53), id(2, 54)]);
    assert_eq!(read(&world, |db, log| db.entity(log, schema::ids::EntityId(id(2, 52)))), None);
}

#[tokio::test]
async fn a_log_that_is_not_there_is_told() {
    let world = World::new().await;
    let nowhere = schema::ids::LogId(id(0, 404));
    let error = world.logs.ledger.append(nowhere, Append::default()).await.unwrap_err();
    assert!(matches!(error, super::LedgerError::UnknownLog(log) if log == nowhere));
}

/// Whichever comes first, op or photo, the log tells once that the photo is here, to each case that names it.
#[tokio::test]
async fn a_photo_is_told_once_to_each_case_that_names_it() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let claim = photo(9, EvidenceRole::Before);
    let first = [phone.report_with(1, vec![claim.clone()], None), phone.report_with(1, vec![claim.clone()], None)];
    phone.sync(&world, &first).await;
    let seen = VerifiedPhoto { size: 1000, pixels: None, flags: vec![] };
    assert_eq!(world.logs.ledger.photo_arrived(claim.sha256).await.unwrap(), [], "its row is not there yet");
    world.logs.store.write(|db| db.insert_photo(&claim.sha256, &seen, 1)).map_err(|e: StoreError| e).unwrap();
    assert_eq!(world.logs.ledger.sweep_photos().await.unwrap(), 1);
    assert_eq!(world.logs.ledger.photo_arrived(claim.sha256).await.unwrap(), []);
    assert_eq!(world.logs.ledger.sweep_photos().await.unwrap(), 0);
    let later = phone.report_with(1, vec![claim.clone()], None);
    phone.sync(&world, std::slice::from_ref(&later)).await;
    let told: Vec<_> =
        world.entries().into_iter().filter(|entry| entry.kind == "photo_verified").map(|entry| entry.entity).collect();
    assert_eq!(told.len(), 3);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 3);
    assert!(read(&world, |db, log| db.waiting_for(log, &claim.sha256)).is_empty());
}

/// Later ops of the same device on the same entity wait behind a parked one; other entities flow.
#[tokio::test]
async fn what_is_behind_a_parked_op_waits_with_it() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Auditor, root()).await;
    let mut other = world.person(2, Role::Inspector, grid(1)).await;
    let report = phone.report(1);
    let text = schema::op::Sealed { sealed: Hash::ZERO };
    let remark = phone.op(report.entity, &Body::Comment(schema::op::Comment { text }), vec![]);
    let answer = phone.sync(&world, &[report.clone(), remark.clone()]).await;
    assert_eq!(answer.record(report.op).code, Some(RefusalCode::NeedsSupervisor));
    assert_eq!(answer.record(remark.op).code, Some(RefusalCode::BehindParked));
    let waiting = read(&world, |db, log| db.parked_after(log, 0, 10));
    assert_eq!(waiting.iter().map(|row| row.op).collect::<Vec<_>>(), [report.op, remark.op]);
    let line = [other.report(1)];
    assert_eq!(other.sync(&world, &line).await.record(line[0].op).code, None);
}

/// A phone's wall clock decides nothing; receipt times never run backwards even if the server's clock does.
#[tokio::test]
async fn receipt_times_never_run_backwards() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let first = [phone.report(1)];
    phone.sync(&world, &first).await;
    world.clock.set(5);
    let second = [phone.report(1)];
    phone.sync(&world, &second).await;
    let entries = world.entries();
    assert!(entries.windows(2).all(|pair| pair[0].received_ms <= pair[1].received_ms));
}
