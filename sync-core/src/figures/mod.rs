//! Figures of a period: what counts of a case, which counts it falls into, and the rates as exact fractions. Facts are
//! taken at a cut-off; what comes later is not in them. No float: a rate is two numbers.

mod definitions;
mod facts;
mod history;

use std::collections::BTreeMap;

use schema::clock::Timed;
use schema::figures::{Measure, Rate, RateValue};
use schema::ids::UnitId;

pub use definitions::{made_of, measures, rates};
pub use facts::{Ending, Facts, Left, Moved, Timing, facts, needs_entries};
pub use history::{Told, with_entries};

/// A span of time: its first instant, and the one behind its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From, in ms.
    pub from_ms: u64,
    /// Until, in ms.
    pub until_ms: u64,
}

impl Period {
    fn holds(self, at_ms: u64) -> bool {
        (self.from_ms..self.until_ms).contains(&at_ms)
    }
}

/// What a case counts as, each with the unit that it counts for; none where it is no unit's.
pub fn counted(facts: &Facts, period: Period) -> Vec<(Measure, Option<UnitId>)> {
    let mut found = Vec::new();
    let unit = facts.unit;
    if period.holds(facts.reported_ms) {
        match (facts.settled_on_site, facts.filed_ms) {
            (true, _) => found.push((Measure::SettledOnSite, unit)),
            (false, Some(_)) => found.extend([(Measure::Reported, unit), (Measure::Filed, unit)]),
            (false, None) => found.push((Measure::Reported, unit)),
        }
    }
    let of_case = || facts.clocks.iter().filter(|clock| clock.timed == Timed::Case);
    if let Some(left) = facts.left {
        let at_ms = of_case().next_back().map_or(facts.reported_ms, |clock| clock.due_ms);
        if period.holds(at_ms) {
            found.push((left.measure(), unit));
        }
    } else if facts.filed_ms.is_some_and(|at_ms| period.holds(at_ms)) && of_case().next().is_none() {
        found.push((Measure::WithoutDeadline, unit));
    }
    for clock in &facts.clocks {
        timing(facts, clock, period, &mut found);
    }
    if found.iter().any(|(measure, _)| *measure == Measure::Due) {
        of_due(facts, &mut found);
    }
    found
}

/// What is told of the cases whose deadline falls in the period.
fn of_due(facts: &Facts, found: &mut Vec<(Measure, Option<UnitId>)>) {
    let unit = facts.unit;
    found.extend(facts.reworked.then_some((Measure::Reworked, unit)));
    found.extend(facts.clocks.iter().any(|clock| clock.extended).then_some((Measure::Extended, unit)));
    found.extend(facts.received.iter().map(|unit| (Measure::Received, Some(*unit))));
    found.extend(facts.returned.iter().map(|unit| (Measure::Returned, Some(*unit))));
    if let Some(passed) = facts.first_check {
        found.push((Measure::Checked, unit));
        found.extend(passed.then_some((Measure::PassedFirst, unit)));
    }
}

/// A limit of a case: due in the period, and kept or not; or out of the count.
fn timing(facts: &Facts, clock: &Timing, period: Period, found: &mut Vec<(Measure, Option<UnitId>)>) {
    let (unit, due, on_time) = match clock.timed {
        Timed::Case => (facts.unit, Measure::Due, Measure::ClosedOnTime),
        Timed::Unit | Timed::Helper => (clock.unit, Measure::UnitDue, Measure::UnitOnTime),
        Timed::Office => (None, Measure::OfficeDue, Measure::OfficeOnTime),
    };
    let shown = |measure| (clock.timed != Timed::Office).then_some((measure, unit));
    if !period.holds(clock.due_ms) {
        let moved = clock.moved.iter().rfind(|(was_ms, _)| period.holds(*was_ms));
        found.extend(moved.and_then(|(_, why)| shown(why.measure())));
        return;
    }
    let counts = match clock.ending {
        Ending::Met | Ending::Open => true,
        Ending::Suspended | Ending::Stands => clock.late,
        Ending::Stopped => clock.late && facts.left.is_none(),
    };
    if !counts {
        let suspended = clock.ending == Ending::Suspended;
        found.extend(suspended.then(|| shown(Measure::LeftSuspended)).flatten());
        return;
    }
    found.push((due, unit));
    if clock.ending == Ending::Met {
        found.extend((clock.timed == Timed::Case).then_some((Measure::Closed, unit)));
        found.extend((!clock.late || clock.excused).then_some((on_time, unit)));
        found.extend((clock.late && clock.by_phone).then_some((Measure::ByPhone, unit)));
    }
    found.extend((clock.late && clock.excused).then_some((Measure::Excused, unit)));
}

/// A rate of some counts.
pub fn rate(rate: Rate, counts: &BTreeMap<Measure, u64>) -> RateValue {
    let (above, below) = made_of(rate);
    let of = |measure| counts.get(&measure).copied().unwrap_or(0);
    let (numerator, denominator) = (of(above), of(below));
    RateValue { numerator, denominator, percent: percent(numerator, denominator) }
}

/// A fraction per cent, to two decimals, half up; none of nothing.
pub fn percent(numerator: u64, denominator: u64) -> Option<String> {
    let (above, below) = (u128::from(numerator), u128::from(denominator));
    let hundredths = above.checked_mul(20_000)?.checked_add(below)?.checked_div(below.checked_mul(2)?)?;
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}
