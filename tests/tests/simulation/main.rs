//! A deterministic simulation: real phone stores, the real ledger and sync service, and a network that loses, repeats,
//! delays, cuts and reorders; programs are killed, clocks jump, the server is restarted. One seed is one run.
//!
//! `RECTIFY_SEED=17 cargo test -p tests --test simulation` replays a seed.

#![expect(clippy::expect_used, reason = "a world that breaks is a failed test")]

mod deeds;
mod run;
mod verdict;

use std::sync::atomic::{AtomicU64, Ordering};

const SEEDS: u64 = 500;
const THREADS: u64 = 2;

#[test]
fn every_seed_keeps_every_invariant() {
    if let Ok(seed) = std::env::var("RECTIFY_SEED") {
        let seed = seed.parse().expect("RECTIFY_SEED is a number");
        let broken = run::run(seed).expect("the world holds");
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}");
        return;
    }
    let next = AtomicU64::new(0);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        if seed >= SEEDS {
                            return failed;
                        }
                        match run::run(seed) {
                            Ok(broken) if broken.is_empty() => {}
                            Ok(broken) => failed.push(format!("RECTIFY_SEED={seed}: {broken:?}")),
                            Err(error) => failed.push(format!("RECTIFY_SEED={seed}: {error:?}")),
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(failed.is_empty(), "{} of {SEEDS} seeds:\n{}", failed.len(), failed.join("\n"));
}

/// The same seed gives the same log, byte for byte: otherwise a failing seed could not be replayed.
#[test]
fn a_seed_replays() {
    for seed in [3, 77] {
        assert_eq!(run::log_of(seed).expect("a run"), run::log_of(seed).expect("a run"), "seed {seed}");
    }
}
