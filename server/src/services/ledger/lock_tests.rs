//! INV-SEQ-VISIBLE, INV-NO-SKIP, INV-EXACTLY-ONCE with sixteen servers on one database: sixteen ledgers, each with
//! connections of its own, write to one log while a reader follows it as a phone does, a few rows at a time. And the
//! proof that this can fail: on PostgreSQL the head lock is taken away, and the same run sees what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use databases::Kind;
use schema::ids::{EntityId, OpId};
use schema::op::Role;
use schema::sync::BatchAnswer;
use sync_core::log::tree::Frontier;

use super::Ledger;
use crate::clock::Clock;
use crate::services::checkpoint::Checkpoints;
use crate::services::sync::{Logs, exchange};
use crate::services::world::{Answer, Phone, World, grid, root};
use crate::store::{Store, StoreError};

const SERVERS: u128 = 16;
const BATCHES: usize = 8;
const LINES: usize = 4;
/// A reader that has not come to the end of so short a log by then never will.
const PAGES_MAX: usize = 5_000;

/// Takes the lock away: what the statement that locks the head writes is what was there, and that no longer reaches
/// the row. Everything else is as it was.
const WITHOUT_LOCK: &str = "
    ALTER TABLE log RENAME TO log_row;
    CREATE VIEW log AS SELECT * FROM log_row;
    CREATE FUNCTION write_only_changes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW IS DISTINCT FROM OLD THEN
            UPDATE log_row SET epoch = NEW.epoch, rev = NEW.rev, root = NEW.root, frontier = NEW.frontier,
                last_received_ms = NEW.last_received_ms, number_year = NEW.number_year, next_serial = NEW.next_serial,
                next_ref = NEW.next_ref WHERE num = NEW.num;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER write_only_changes INSTEAD OF UPDATE ON log FOR EACH ROW EXECUTE FUNCTION write_only_changes();";

/// Takes the backstop away as well: two entries may have one revision.
const WITHOUT_UNIQUENESS: &str = "ALTER TABLE entry DROP CONSTRAINT entry_pkey";

/// What went wrong in a run: nothing, with the lock.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wrong {
    /// Requests that failed.
    failed: usize,
    /// Ops that were acknowledged and are not in the log where the answer said, once.
    lost: usize,
    /// Cases whose final version the reader never saw.
    missed: usize,
    /// Revisions that no entry has, or more than one.
    holes: usize,
    /// The head is not the tree of the entries.
    other_tree: bool,
}

/// One more server on the same database.
fn server(world: &World, address: &str, clock: &Clock) -> Logs {
    let store = Store::open(address).unwrap();
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    let folder = world.folder.path().to_owned();
    let checkpoints = Checkpoints::open(folder, "rectify.test", 60_000, store.clone(), clock.clone()).unwrap();
    Logs::new(store, ledger, checkpoints, clock.clone(), world.logs.durability)
}

fn run(kind: Kind, break_it: impl FnOnce(&str)) -> Wrong {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = kind.address(folder.path());
    let (world, reader, writers) = runtime.block_on(async {
        let world = World::on(folder, Store::open(&address).unwrap()).await;
        let reader = world.person(1, Role::Supervisor, root()).await;
        let mut writers = Vec::new();
        for n in 0..SERVERS {
            let mut phone = world.person(10 + n, Role::Inspector, grid(1)).await;
            // Every id has its number in the log from here on: what follows meets at the head and nowhere else.
            let line = [phone.report(1)];
            phone.sync(&world, &line).await;
            writers.push((phone, server(&world, &address, &world.clock)));
        }
        (world, reader, writers)
    });
    break_it(&address);
    let written = AtomicBool::new(false);
    let logs = server(&world, &address, &world.clock);
    let (acknowledged, failed, seen) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(reader, &logs, &written));
        let writing: Vec<_> =
            writers.into_iter().map(|(phone, logs)| scope.spawn(move || write(phone, &logs))).collect();
        let (mut acknowledged, mut failed) = (BTreeMap::new(), 0);
        for writer in writing {
            let (taken, refused) = writer.join().unwrap();
            acknowledged.extend(taken);
            failed += refused;
        }
        written.store(true, Ordering::SeqCst);
        let (seen, refused) = reading.join().unwrap();
        (acknowledged, failed + refused, seen)
    });
    judge(&world, &acknowledged, failed, &seen)
}

/// Pushes; every answer is lost once. Says the revision of each op that was acknowledged, and how many requests failed.
fn write(mut phone: Phone, logs: &Logs) -> (BTreeMap<OpId, u64>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut acknowledged, mut failed) = (BTreeMap::new(), 0);
    for _ in 0..BATCHES {
        let lines: Vec<_> = (0..LINES).map(|_| phone.report(1)).collect();
        let (_, body) = phone.request(&lines);
        let mut taken = false;
        for _ in 0..2 {
            match runtime.block_on(exchange(logs, phone.caller(), body.clone())).map(Answer::read) {
                Ok(answer) if answer.head.batch == BatchAnswer::Taken => {
                    acknowledged.extend(answer.outcomes.iter().map(|line| (line.op, line.rev)));
                    taken = true;
                }
                Ok(_) | Err(_) => failed += 1,
            }
        }
        if taken {
            phone.took(&lines);
        }
    }
    (acknowledged, failed)
}

/// Pulls small pages above its cursors until the writers are done and nothing is left. Says the newest revision seen
/// of each entity.
fn read(mut phone: Phone, logs: &Logs, written: &AtomicBool) -> (BTreeMap<EntityId, u64>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut seen, mut failed, mut last_pages) = (BTreeMap::new(), 0, 0);
    loop {
        let is_last = written.load(Ordering::SeqCst);
        let (mut header, _) = phone.request(&[]);
        header.rows = Some(5);
        let body = serde_json::to_vec(&header).unwrap();
        let Ok(answer) = runtime.block_on(exchange(logs, phone.caller(), body)).map(Answer::read) else {
            failed += 1;
            continue;
        };
        for row in &answer.entities {
            let newest = seen.entry(row.id).or_insert(row.rev);
            *newest = row.rev.max(*newest);
        }
        let begins = phone.scopes.is_empty();
        phone.scopes.extend(answer.head.default_scopes.iter().map(|scope| (*scope, 0)).filter(|_| begins));
        phone.follow(&answer);
        last_pages += usize::from(is_last);
        if (is_last && !begins && !answer.end.more) || last_pages > PAGES_MAX {
            return (seen, failed);
        }
    }
}

fn judge(world: &World, acknowledged: &BTreeMap<OpId, u64>, failed: usize, seen: &BTreeMap<EntityId, u64>) -> Wrong {
    let entries = world.entries();
    let mut places: BTreeMap<OpId, Vec<u64>> = BTreeMap::new();
    for entry in &entries {
        places.entry(entry.op).or_default().push(entry.rev);
    }
    let revs: BTreeSet<u64> = entries.iter().map(|entry| entry.rev).collect();
    let newest = entries.last().map_or(0, |entry| entry.rev);
    let tree: Frontier = entries.iter().map(|entry| entry.leaf).collect();
    let read: Result<_, StoreError> = world.logs.store.read(|db| {
        let head = db.head(world.log)?.expect("the log");
        Ok((db.entities_of_kind(head.num, "case", EntityId::NIL, 100_000)?, head))
    });
    let (cases, head) = read.unwrap();
    Wrong {
        failed,
        lost: acknowledged.iter().filter(|(op, rev)| places.get(op) != Some(&vec![**rev])).count(),
        missed: cases.iter().filter(|case| seen.get(&case.id) != Some(&case.rev)).count(),
        holes: entries.len().abs_diff(revs.len()) + usize::try_from(newest).unwrap().abs_diff(revs.len()),
        other_tree: (tree.root(), tree.size()) != (head.root, head.rev),
    }
}

#[test]
fn sixteen_servers_at_once_lose_nothing_and_a_reader_misses_nothing() {
    for kind in Kind::BOTH {
        assert_eq!(run(kind, |_| {}), Wrong::default(), "{kind:?}");
    }
}

/// The uniqueness of revisions is the backstop: without the lock requests fail.
#[test]
fn without_the_head_lock_requests_fail() {
    let wrong = run(Kind::Postgres, |address| drop(databases::sql(address, WITHOUT_LOCK).unwrap()));
    assert!(wrong.failed > 0, "{wrong:?}");
}

/// Without lock and backstop a reader passes over what is committed behind its cursor, and never sees it.
#[test]
fn without_head_lock_and_backstop_a_reader_misses_what_was_committed() {
    let wrong = run(Kind::Postgres, |address| {
        drop(databases::sql(address, &format!("{WITHOUT_LOCK} {WITHOUT_UNIQUENESS}")).unwrap());
    });
    assert!(wrong.missed > 0, "{wrong:?}");
    assert!(wrong.holes > 0, "{wrong:?}");
}
