//! A deterministic simulation: real phone stores, the real ledger, sync service and photo store, and a network that loses,
//! repeats, delays, cuts and reorders; programs are killed, clocks jump, areas are redrawn, roles are taken away, phones
//! are lost and come back from copies, the server is restarted and restored. One seed is one run.
//!
//! `RECTIFY_SEED=17 cargo test -p tests --test simulation` replays a seed, `RECTIFY_SEED=3-17` some.

#![expect(clippy::expect_used, reason = "a world that breaks is a failed test")]

mod breaks;
mod deeds;
mod leaks;
mod network;
mod office;
mod run;
mod verdict;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use breaks::{BREAKS, Break};
use databases::Kind;
use tempfile::TempDir;

const SEEDS: u64 = 500;
const SEEDS_ON_POSTGRES: u64 = 100;
/// Seeds in which a broken rule must show.
const SEEDS_OF_A_BREAK: u64 = 40;
const THREADS: u64 = 2;

/// Runs seeds on as many threads as a CI machine has cores; says which failed.
fn failing(seeds: u64, kind: Kind) -> Vec<String> {
    let seeds = match std::env::var("RECTIFY_SEED") {
        Ok(seed) => {
            let (first, last) = seed.split_once('-').unwrap_or((&seed, &seed));
            let number = |text: &str| text.parse::<u64>().expect("RECTIFY_SEED is a number, or two: 3-17");
            number(first)..number(last) + 1
        }
        Err(_) => 0..seeds,
    };
    let next = AtomicU64::new(seeds.start);
    let work = || {
        // A seed is a log of its own: all seeds of a thread share one database.
        let folder = TempDir::new().expect("a folder");
        let database = (kind == Kind::Postgres).then(|| kind.address(folder.path()));
        let mut failed = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                return failed;
            }
            match run::run(seed, database.as_deref(), None) {
                Ok(broken) if broken.is_empty() => {}
                Ok(broken) => failed.push(format!("RECTIFY_SEED={seed}: {broken:?}")),
                Err(error) => failed.push(format!("RECTIFY_SEED={seed}: {error:?}")),
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    })
}

#[test]
fn every_seed_keeps_every_invariant() {
    let failed = failing(SEEDS, Kind::Sqlite);
    assert!(failed.is_empty(), "{} of {SEEDS} seeds:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_seed_keeps_every_invariant_on_postgresql() {
    let failed = failing(SEEDS_ON_POSTGRES, Kind::Postgres);
    assert!(failed.is_empty(), "{} of {SEEDS_ON_POSTGRES} seeds:\n{}", failed.len(), failed.join("\n"));
}

/// Every entry that a seed makes, with everything that is hashed, and the roots.
fn log_of(seed: u64, kind: Kind) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let database = (kind == Kind::Postgres).then(|| kind.address(folder.path()));
    let run = run::play(seed, database.as_deref(), None).expect("a run");
    let mut lines = Vec::new();
    for log in &run.world.districts {
        for entry in run.world.entries(*log).expect("the entries") {
            lines.push(format!("{entry:?}"));
        }
        lines.push(format!("root {}", run.world.root(*log).expect("the root")));
    }
    lines
}

/// The same seed gives the same log, byte for byte: otherwise a failing seed could not be replayed. On both databases:
/// otherwise they would not be one program.
#[test]
fn a_seed_makes_the_same_log_again_and_on_both_databases() {
    for seed in [3, 77, 78, 79, 80, 81] {
        let first = log_of(seed, Kind::Sqlite);
        assert!(first.len() > 100, "seed {seed} made a log");
        let again = if seed == 3 { log_of(seed, Kind::Sqlite) } else { first.clone() };
        for (kind, other) in [("again", again), ("on PostgreSQL", log_of(seed, Kind::Postgres))] {
            let differs = first.iter().zip(&other).find(|(one, other)| one != other);
            assert_eq!((differs, first.len()), (None, other.len()), "seed {seed} {kind}");
        }
    }
}

/// Whether exactly the named invariants break in one seed at least. If not: what broke instead.
fn shows(broken_rule: &'static Break) -> Result<u64, BTreeSet<Vec<&'static str>>> {
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS_OF_A_BREAK {
        // A store that a rule was broken in may refuse to go on: that is no invariant, the next seed tells more.
        let Ok(broken) = run::run(seed, None, Some(broken_rule)) else { continue };
        let names: Vec<&'static str> = broken.into_keys().collect();
        if names == broken_rule.breaks {
            return Ok(seed);
        }
        seen.insert(names);
    }
    Err(seen)
}

#[test]
fn without_any_one_rule_exactly_its_invariant_breaks() {
    // `RECTIFY_RULE=late` tries only the rules with this word.
    let word = std::env::var("RECTIFY_RULE").unwrap_or_default();
    let rules: Mutex<Vec<&Break>> = Mutex::new(BREAKS.iter().filter(|rule| rule.rule.contains(&word)).collect());
    let work = || {
        let mut blind = Vec::new();
        loop {
            let Some(rule) = rules.lock().expect("the rules").pop() else { return blind };
            match shows(rule) {
                Ok(seed) => println!("{}: {:?} at seed {seed}", rule.rule, rule.breaks),
                Err(seen) => blind.push(format!("{}: not {:?} but {seen:?}", rule.rule, rule.breaks)),
            }
        }
    };
    let blind: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}
