//! An executable model of the sync rules, small enough to be read at once. Each rule is taken away in turn, and a named
//! invariant must then break: a rule that nothing needs would be a rule too many, and a model that can't fail proves
//! nothing.

#![expect(clippy::expect_used, reason = "a world that breaks is a failed test")]

mod phone;
mod run;
mod server;

use std::collections::BTreeSet;

/// The rules that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// An op leaves the overlay only when the base has caught up with it.
    RetireOnlyWhenCaughtUp,
    /// A decided op is kept until it is durable.
    KeepUntilDurable,
    /// A new epoch makes the phone pull again from 0 and push again what was not durable.
    ObeyEpoch,
    /// A phone restored from its own copy takes a new incarnation.
    NewIncarnation,
    /// What a cursor covers already, a late page says nothing about.
    LatePagesSayNothing,
    /// Every pull carries the device's own outcomes.
    OwnOutcomes,
    /// A scope is told what leaves it.
    Exits,
    /// An op on an entity that is in none of the phone's scopes leaves the overlay once they cover it.
    RetireOutOfScope,
    /// What somebody made stays in the maker's scope.
    MakersScope,
    /// Leaving a scope purges what is held by it alone.
    PurgeOnLeaving,
    /// A scope begins at 0, whatever other scopes were told before.
    BeginAtZero,
    /// Whoever was away longer than exits are kept drops the scope and begins it anew.
    RestartTooOld,
}

const RULES: [Rule; 12] = [
    Rule::RetireOnlyWhenCaughtUp,
    Rule::KeepUntilDurable,
    Rule::ObeyEpoch,
    Rule::NewIncarnation,
    Rule::LatePagesSayNothing,
    Rule::OwnOutcomes,
    Rule::Exits,
    Rule::RetireOutOfScope,
    Rule::MakersScope,
    Rule::PurgeOnLeaving,
    Rule::BeginAtZero,
    Rule::RestartTooOld,
];

/// Runs seeds with one rule taken away; returns the invariants that broke, and the first seed that broke one.
fn seeds(without: Option<Rule>, count: u64) -> (BTreeSet<&'static str>, Option<u64>) {
    let mut broken = BTreeSet::new();
    let mut first = None;
    for seed in 0..count {
        let found = run::run(seed, without);
        if !found.is_empty() {
            first.get_or_insert(seed);
            broken.extend(found);
        }
    }
    (broken, first)
}

#[test]
fn with_all_rules_every_invariant_holds() {
    let (broken, first) = seeds(None, 1500);
    assert!(broken.is_empty(), "{broken:?}, first at seed {first:?}");
}

#[test]
fn without_any_one_rule_an_invariant_breaks() {
    for rule in RULES {
        let (broken, first) = seeds(Some(rule), 300);
        assert!(!broken.is_empty(), "nothing breaks without {rule:?}: it is no rule, or the model is blind");
        println!("without {rule:?}: {broken:?}, first at seed {first:?}");
    }
}
