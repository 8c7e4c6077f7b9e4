//! What counts as what: the definitions of the figures, held against published numbers.

use std::collections::{BTreeMap, BTreeSet};

use schema::clock::Timed;
use schema::figures::{Measure, Rate};
use schema::ids::UnitId;
use uuid::Uuid;

use sync_core::figures::{
    Ending, Facts, Left, Moved, Period, Timing, counted, made_of, measures, percent, rate, rates,
};

const PERIOD: Period = Period { from_ms: 1000, until_ms: 2000 };
const UNIT: UnitId = UnitId(Uuid::from_u128(1));

fn limit(timed: Timed, due_ms: u64, ending: Ending) -> Timing {
    Timing {
        timed,
        unit: (timed == Timed::Unit).then_some(UNIT),
        due_ms,
        moved: Vec::new(),
        extended: false,
        late: false,
        excused: false,
        by_phone: false,
        ending,
    }
}

fn facts(reported_ms: u64, filed: bool, clocks: Vec<Timing>) -> Facts {
    Facts {
        category: None,
        unit: Some(UNIT),
        reported_ms,
        settled_on_site: false,
        filed_ms: filed.then_some(reported_ms),
        left: None,
        reworked: false,
        first_check: None,
        received: BTreeSet::new(),
        returned: BTreeSet::new(),
        clocks,
    }
}

fn tally<'a>(cases: impl IntoIterator<Item = &'a Facts>) -> BTreeMap<Measure, u64> {
    let mut counts = BTreeMap::new();
    for (measure, _) in cases.into_iter().flat_map(|facts| counted(facts, PERIOD)) {
        *counts.entry(measure).or_default() += 1;
    }
    counts
}

fn one(facts: &Facts) -> Vec<Measure> {
    counted(facts, PERIOD).into_iter().map(|(measure, _)| measure).collect()
}

/// 天门, December 2016, as published: received 1054, filed 996, due 972, closed 911, closed on time 737; events 902 of
/// 956, components 9 of 16.
#[test]
fn the_published_figures_of_a_city_come_out() {
    let mut events = Vec::new();
    let mut components = Vec::new();
    for nth in 0..1054_u64 {
        let clocks = match nth {
            0..972 => {
                let (closed, of) = if nth < 956 { (nth < 902, &mut events) } else { (nth < 956 + 9, &mut components) };
                let late = !(closed && nth < 737);
                let ending = if closed { Ending::Met } else { Ending::Open };
                of.push(facts(1500, true, vec![Timing { late, ..limit(Timed::Case, 1900, ending) }]));
                continue;
            }
            // Filed, and due in the month after.
            972..996 => vec![limit(Timed::Case, 2500, Ending::Open)],
            _ => Vec::new(),
        };
        events.push(facts(1500, nth < 996, clocks));
    }
    let all = tally(events.iter().chain(&components));
    let counts = [Measure::Reported, Measure::Filed, Measure::Due, Measure::Closed, Measure::ClosedOnTime];
    assert_eq!(counts.map(|measure| all[&measure]), [1054, 996, 972, 911, 737]);
    let said = |which, counts: &BTreeMap<Measure, u64>| rate(which, counts).percent.expect("there");
    assert_eq!(said(Rate::Filing, &all), "94.50");
    assert_eq!(said(Rate::Closing, &all), "93.72");
    assert_eq!(said(Rate::OnTimeClosing, &all), "75.82");
    assert_eq!(said(Rate::Closing, &tally(&events)), "94.35");
    assert_eq!(said(Rate::Closing, &tally(&components)), "56.25");
}

#[test]
fn a_rate_of_nothing_is_none_and_the_others_are_rounded_half_up() {
    assert_eq!(rate(Rate::Closing, &BTreeMap::new()).percent, None);
    assert_eq!(percent(0, 7).as_deref(), Some("0.00"));
    assert_eq!(percent(7, 7).as_deref(), Some("100.00"));
    // 0.125 per cent and 0.124…
    assert_eq!(percent(1, 800).as_deref(), Some("0.13"));
    assert_eq!(percent(124, 100_000).as_deref(), Some("0.12"));
    assert_eq!(percent(u64::MAX, u64::MAX).as_deref(), Some("100.00"));
}

#[test]
fn what_counts_is_when_the_limit_falls_due_and_not_when_the_case_was_closed() {
    let early = facts(100, true, vec![limit(Timed::Case, 1000, Ending::Met)]);
    assert_eq!(one(&early), [Measure::Due, Measure::Closed, Measure::ClosedOnTime]);
    let next = facts(1500, true, vec![limit(Timed::Case, 2000, Ending::Met)]);
    assert_eq!(one(&next), [Measure::Reported, Measure::Filed], "closed in the period, due behind it");
    let late = facts(100, true, vec![Timing { late: true, ..limit(Timed::Case, 1999, Ending::Met) }]);
    assert_eq!(one(&late), [Measure::Due, Measure::Closed]);
    let open = facts(100, true, vec![Timing { late: true, ..limit(Timed::Case, 1500, Ending::Open) }]);
    assert_eq!(one(&open), [Measure::Due]);
}

#[test]
fn what_leaves_the_denominator_is_counted_where_it_would_have_been() {
    let stopped = |left, due_ms| Facts {
        left: Some(left),
        ..facts(
            100,
            true,
            vec![limit(Timed::Case, due_ms, Ending::Stopped), limit(Timed::Unit, due_ms, Ending::Stopped)],
        )
    };
    assert_eq!(one(&stopped(Left::Void, 1500)), [Measure::LeftVoid]);
    assert_eq!(one(&stopped(Left::Duplicate, 1500)), [Measure::LeftDuplicate]);
    assert_eq!(one(&stopped(Left::Void, 2500)), [], "in the period of its limit");
    let declined = Facts { left: Some(Left::Declined), ..facts(1500, false, Vec::new()) };
    assert_eq!(one(&declined), [Measure::Reported, Measure::LeftDeclined]);

    let suspended = facts(100, true, vec![limit(Timed::Case, 1500, Ending::Suspended)]);
    assert_eq!(one(&suspended), [Measure::LeftSuspended]);
    let overdue = Timing { late: true, ..limit(Timed::Case, 1500, Ending::Suspended) };
    assert_eq!(one(&facts(100, true, vec![overdue])), [Measure::Due], "what was overdue before stays in");
    let moved = |why| Timing { moved: vec![(1500, why)], ..limit(Timed::Unit, 2500, Ending::Open) };
    assert_eq!(one(&facts(100, true, vec![moved(Moved::Extended)])), [Measure::LeftExtended]);
    assert_eq!(one(&facts(100, true, vec![moved(Moved::Suspended)])), [Measure::LeftSuspended]);
    assert_eq!(one(&facts(1500, true, Vec::new())), [Measure::Reported, Measure::Filed, Measure::WithoutDeadline]);
}

#[test]
fn what_is_settled_on_site_is_in_no_rate() {
    let settled = Facts { settled_on_site: true, ..facts(1500, false, Vec::new()) };
    assert_eq!(one(&settled), [Measure::SettledOnSite]);
    for rate in Rate::ALL {
        let (above, below) = made_of(rate);
        assert!(![above, below].contains(&Measure::SettledOnSite));
    }
}

#[test]
fn three_rates_stand_side_by_side_and_an_appeal_moves_the_units_alone() {
    let late = |timed| Timing { late: true, ..limit(timed, 1500, Ending::Met) };
    let unit = Timing { excused: true, by_phone: true, ..late(Timed::Unit) };
    let case = facts(100, true, vec![late(Timed::Office), unit, late(Timed::Case)]);
    let found = counted(&case, PERIOD);
    let expected = [
        (Measure::OfficeDue, None),
        (Measure::UnitDue, Some(UNIT)),
        (Measure::UnitOnTime, Some(UNIT)),
        (Measure::ByPhone, Some(UNIT)),
        (Measure::Excused, Some(UNIT)),
        (Measure::Due, Some(UNIT)),
        (Measure::Closed, Some(UNIT)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_name_is_defined_once_in_both_languages() {
    let measures = measures();
    assert_eq!(measures.iter().map(|it| it.measure).collect::<Vec<_>>(), Measure::ALL);
    let names: BTreeSet<&str> = measures.iter().map(|it| it.name.zh.as_str()).collect();
    assert_eq!(names.len(), Measure::ALL.len(), "no two counts have one name");
    assert_eq!(rates().iter().map(|it| it.rate).collect::<Vec<_>>(), Rate::ALL);
    let page = include_str!("../../../docs/figures.md");
    for it in &measures {
        let name = serde_json::to_value(it.measure).expect("there");
        let row = format!("| `{}` | {} | {} |", name.as_str().expect("there"), it.name.zh, it.definition.zh);
        assert!(page.contains(&row), "docs/figures.md does not say: {row}");
        assert!(page.contains(&it.definition.en), "docs/figures.md does not say: {}", it.definition.en);
    }
}
