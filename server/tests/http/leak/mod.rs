//! INV-SCOPE-LEAK, by generation: chance makes people, grants, cases, moves, assignments and restrictions in two
//! districts; after each step phones pull all they can name and every read route is asked; an oracle that is written
//! from the words of the design, and calls none of the product's own rules, says what each may have.

mod city;
mod deeds;
mod dice;
mod oracle;
mod probe;

use std::collections::BTreeSet;

use city::City;
use probe::{Found, Route};

const STEPS: usize = 120;
const STEPS_OF_A_MUTANT: usize = 60;

const SEED: u64 = 20_261_122;

fn seed() -> u64 {
    std::env::var("RECTIFY_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED)
}

/// Runs a city; `mutant` is a route whose check is taken away: whoever asks is answered as if the chief had asked.
async fn run(seed: u64, steps: usize, mutant: Option<Route>) -> Found {
    let mut city = City::new(seed).await;
    let mut found = Found::default();
    for step in 0..steps {
        city.step().await;
        let everybody = step % 8 == 7;
        let asked: Vec<usize> = (0..city.people.len()).filter(|_| everybody || city.chance(15)).collect();
        for who in asked {
            probe::person(&mut city, who, mutant, &mut found).await;
        }
        if mutant.is_some() && !found.leaks.is_empty() {
            break;
        }
    }
    found
}

#[actix_web::test]
async fn nothing_reaches_anybody_beyond_what_the_design_gives_them() {
    let seed = seed();
    let found = run(seed, STEPS, None).await;
    assert!(found.leaks.is_empty(), "RECTIFY_SEED={seed}: {:#?}", &found.leaks[..found.leaks.len().min(5)]);
    // A run in which nothing was there to see, or nothing to hide, would prove nothing.
    println!("seed {seed}: {:?}", found.counts);
    for what in Found::MUST_OCCUR.into_iter().filter(|_| seed == SEED) {
        assert!(found.counts.get(what).is_some_and(|count| *count > 0), "RECTIFY_SEED={seed}: no {what} occurred");
    }
}

/// The harness can see: with any one check taken away it finds a leak.
#[actix_web::test]
async fn with_any_check_taken_away_a_leak_is_found() {
    let mut blind = BTreeSet::new();
    for route in Route::ALL {
        if run(seed(), STEPS_OF_A_MUTANT, Some(route)).await.leaks.is_empty() {
            blind.insert(route);
        }
    }
    assert!(blind.is_empty(), "no leak was found without the check of {blind:?}");
}
