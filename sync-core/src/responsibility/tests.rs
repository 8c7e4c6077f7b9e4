//! Who leads, as a table; what is narrower never loses; a rule outside its dates never counts.

use proptest::prelude::*;
use schema::area::{Area, AreaTree};
use schema::catalogue::{CITY_CATALOGUE, Catalogue};
use schema::responsibility::{Line, LineKind, MatterKind};
use uuid::Uuid;

use super::*;

fn area_id(n: u128) -> AreaId {
    AreaId(Uuid::from_u128(n))
}

fn unit(n: u128) -> UnitId {
    UnitId(Uuid::from_u128(100 + n))
}

fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(200 + n))
}

fn text(word: &str) -> Text {
    Text { zh: word.to_owned(), en: word.to_owned() }
}

fn code(word: &str) -> Code {
    word.parse().expect("a code")
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

const TODAY: &str = "2026-11-23";

/// A district 1 of two grids side by side, 4 and 5, in a community 3 of a subdistrict 2. A grid is 100,000 units wide.
fn areas() -> AreaIndex {
    let square =
        |west: i32| vec![vec![vec![(west, 0), (west + 100_000, 0), (west + 100_000, 100_000), (west, 100_000)]]];
    let area = |n, parent: Option<u128>, level, boundary| Area {
        id: area_id(n),
        parent: parent.map(area_id),
        level,
        code: n.to_string(),
        name: text(&format!("area {n}")),
        boundary,
    };
    let areas = vec![
        area(1, None, Level::District, Vec::new()),
        area(2, Some(1), Level::Subdistrict, Vec::new()),
        area(3, Some(2), Level::Community, Vec::new()),
        area(4, Some(3), Level::Grid, square(0)),
        area(5, Some(3), Level::Grid, square(100_000)),
    ];
    AreaIndex::new(&AreaTree { version: "1".to_owned(), areas }).expect("a tree")
}

/// A street through both grids.
fn street() -> Place {
    let points = vec![(0, 50_000), (200_000, 50_000)];
    Place::Line(Line { kind: LineKind::Street, name: text("street"), points, width_m: 20 })
}

fn river() -> Place {
    let points = vec![(150_000, 0), (150_000, 100_000)];
    Place::Line(Line { kind: LineKind::River, name: text("river"), points, width_m: 20 })
}

fn kinds(named: &[(&str, Option<&str>)]) -> Matter {
    let kind = |(category, subtype): &(&str, Option<&str>)| MatterKind {
        category: code(category),
        subtype: subtype.map(code),
    };
    Matter::Kinds(named.iter().map(kind).collect())
}

fn rule(n: u128, place: Place, matter: Matter) -> Rule {
    Rule { unit: Some(unit(n)), person: None, role: Part::Lead, place, matter, from: day("2026-01-01"), until: None }
}

fn document(rules: Vec<Rule>) -> Responsibilities {
    Responsibilities { version: "1".to_owned(), title: text("who"), rules }
}

/// Stalls on the road, in the middle of grid 4: on the street.
fn asked(rules: Vec<Rule>, gone: &Gone) -> Suggestion {
    let (category, subtype, position) = (code("stall"), code("road_occupation"), Position::at(50_000, 50_000));
    let asked =
        Asked { position: Some(&position), area: area_id(4), category: &category, subtype: &subtype, on: day(TODAY) };
    suggest(&document(rules), &areas(), asked, gone)
}

fn units(candidates: &[Candidate]) -> Vec<u128> {
    candidates.iter().filter_map(|it| it.unit).map(|unit| unit.0.as_u128() - 100).collect()
}

fn places() -> [Place; 6] {
    let area = |n| Place::Area(area_id(n));
    [Place::Everywhere, area(1), area(2), area(3), area(4), street()]
}

fn matters() -> [Matter; 3] {
    [Matter::All, kinds(&[("stall", None)]), kinds(&[("dog", None), ("stall", Some("road_occupation"))])]
}

/// What is tried, two rules, and the units that lead.
type Row = (&'static str, [(Place, Matter); 2], &'static [u128]);

#[test]
fn the_narrower_matter_leads_then_the_narrower_place() {
    let [everywhere, district, subdistrict, community, grid, line] = places();
    let [all, category, subtype] = matters();
    let table: [Row; 8] = [
        ("one alone", [(everywhere.clone(), all.clone()), (Place::Area(area_id(5)), all.clone())], &[1]),
        ("a district is narrower than everywhere", [(everywhere.clone(), all.clone()), (district, all.clone())], &[2]),
        ("a community is narrower than its subdistrict", [(community, all.clone()), (subdistrict, all.clone())], &[1]),
        ("a street is narrower than a grid", [(grid.clone(), all.clone()), (line.clone(), all.clone())], &[2]),
        ("a matter by name before a narrower place", [(everywhere.clone(), category.clone()), (line, all)], &[1]),
        ("a subtype before a category", [(grid.clone(), category.clone()), (everywhere, subtype)], &[2]),
        ("as narrow: both", [(grid.clone(), category.clone()), (grid.clone(), category)], &[1, 2]),
        ("another matter", [(grid.clone(), kinds(&[("dog", None)])), (grid, kinds(&[("stall", Some("other"))]))], &[]),
    ];
    for (name, rules, leads) in table {
        let rules = (1..).zip(rules).map(|(n, (place, matter))| rule(n, place, matter)).collect();
        let found = asked(rules, &Gone::default());
        assert_eq!(units(&found.leads), leads, "{name}");
        assert_eq!(found.lead().is_some(), leads.len() == 1, "{name}");
    }
}

#[test]
fn helpers_and_chiefs_stand_beside_the_unit() {
    let [all, category, _] = matters();
    let help = Rule { role: Part::Help, ..rule(2, Place::Everywhere, category) };
    let same = Rule { role: Part::Help, ..rule(1, Place::Everywhere, all.clone()) };
    let chief = Rule { unit: None, person: Some(account(7)), ..rule(0, street(), all.clone()) };
    let found = asked(vec![rule(1, Place::Area(area_id(2)), all.clone()), help, same, chief], &Gone::default());
    assert_eq!((units(&found.leads), units(&found.helpers)), (vec![1], vec![2]), "whoever leads does not help");
    assert_eq!(found.persons.len(), 1);
    let chief = &found.persons[0];
    assert_eq!(
        (chief.person, chief.place, chief.named.clone()),
        (Some(account(7)), ByPlace::Line, Some(text("street")))
    );
    let beside = asked(vec![rule(1, Place::Everywhere, all.clone()), rule(2, street(), all)], &Gone::default());
    assert_eq!((units(&beside.leads), units(&beside.wider)), (vec![2], vec![1]));
}

#[test]
fn who_has_ended_counts_no_longer() {
    let gone = Gone { units: vec![unit(1)], accounts: vec![account(7)] };
    let chief = Rule { person: Some(account(7)), ..rule(1, street(), Matter::All) };
    let found = asked(vec![chief, rule(2, Place::Everywhere, Matter::All)], &gone);
    assert_eq!((units(&found.leads), found.persons.len()), (vec![2], 0));
}

#[test]
fn a_review_finds_gaps_overlaps_and_crossing_lines() {
    let catalogue: Catalogue = serde_json::from_str(CITY_CATALOGUE).expect("the catalogue");
    let count: usize = catalogue.categories.iter().map(|category| category.subtypes.len()).sum();
    let area = |n| Place::Area(area_id(n));
    let rules = vec![
        rule(1, area(4), Matter::All),
        rule(2, area(5), kinds(&[("stall", None)])),
        rule(3, area(5), kinds(&[("stall", None)])),
        rule(4, street(), Matter::All),
        rule(5, river(), Matter::All),
        rule(6, river(), kinds(&[("stall", None)])),
    ];
    let found = review(&document(rules), &areas(), &catalogue, day(TODAY), &Gone::default());
    let stalls = catalogue.categories.iter().find(|it| it.code == code("stall")).expect("stalls").subtypes.len();
    assert_eq!(found.pairs.len(), count * 2);
    assert_eq!(found.overlaps().count(), stalls);
    assert!(found.overlaps().all(|it| it.grid == area_id(5) && it.units == [unit(2), unit(3)]));
    assert_eq!(found.gaps().count(), count - stalls);
    assert_eq!(found.crossings, [Crossing { one: 4, other: 5 }], "what names the matter otherwise overlaps not");
}

#[test]
fn a_document_turns_where_a_rule_begins_or_has_ended() {
    let until = Rule { until: Some(day("2026-12-31")), ..rule(1, street(), Matter::All) };
    let later = Rule { from: day("2027-03-01"), ..rule(2, street(), Matter::All) };
    let found: Vec<_> = turns(&document(vec![until, later]), day(TODAY)).into_iter().collect();
    assert_eq!(found, [TODAY, "2027-01-01", "2027-03-01"].map(day));
}

#[test]
fn what_is_wrong_is_told_by_rule() {
    let catalogue: Catalogue = serde_json::from_str(CITY_CATALOGUE).expect("the catalogue");
    let people = Directory {
        units: [unit(1), unit(2)].into(),
        accounts: [account(1)].into(),
        gone: Gone { units: vec![unit(2)], accounts: vec![account(1)] },
    };
    let good = || rule(1, Place::Everywhere, Matter::All);
    let line = |points: &[(i32, i32)], width_m| {
        let name = text("street");
        Place::Line(Line { kind: LineKind::Road, name, points: points.to_vec(), width_m })
    };
    let table: [(&str, Rule); 14] = [
        ("neither a unit nor a person", Rule { unit: None, ..good() }),
        ("there is no unit", Rule { unit: Some(unit(9)), ..good() }),
        ("has ended", Rule { unit: Some(unit(2)), ..good() }),
        ("there is no account", Rule { person: Some(account(9)), ..good() }),
        ("is disabled", Rule { person: Some(account(1)), ..good() }),
        ("there is no area", Rule { place: Place::Area(area_id(9)), ..good() }),
        ("fewer than two points", Rule { place: line(&[(1, 1)], 5), ..good() }),
        ("width_m is 0", Rule { place: line(&[(1, 1), (2, 2)], 0), ..good() }),
        ("width_m is 1001", Rule { place: line(&[(1, 1), (2, 2)], 1001), ..good() }),
        ("leaves the district", Rule { place: line(&[(1, 1), (200_001, 2)], 5), ..good() }),
        ("names no category", Rule { matter: kinds(&[]), ..good() }),
        ("there is no stall/nothing", Rule { matter: kinds(&[("stall", Some("nothing"))]), ..good() }),
        ("there is no day 2026-02-30", Rule { from: day("2026-02-30"), ..good() }),
        ("is before from", Rule { until: Some(day("2025-12-31")), ..good() }),
    ];
    for (said, wrong) in table {
        let found = faults(&document(vec![good(), wrong]), &areas(), &catalogue, &people);
        assert_eq!(found.len(), 1, "{said}: {found:?}");
        assert!(found[0].en.starts_with("rule 2 ") && found[0].en.contains(said), "{said}: {found:?}");
        assert!(found[0].zh.starts_with("第 2 条 "), "{found:?}");
    }
    assert!(faults(&document(vec![good()]), &areas(), &catalogue, &people).is_empty());
    assert_eq!(faults(&document(Vec::new()), &areas(), &catalogue, &people).len(), 1, "no rules at all");
    assert!(read(br#"{"version":"1","title":{"zh":"x","en":"x"},"rules":[],"else":1}"#).is_err(), "a misspelt member");
}

fn any_rule() -> impl Strategy<Value = (usize, usize, u16, Option<u16>)> {
    (0..6_usize, 0..3_usize, 0..60_u16, proptest::option::of(0..60_u16))
}

fn some_day(number: u16) -> Day {
    let (month, day) = (10 + i8::try_from(number / 28).unwrap_or(0), 1 + i8::try_from(number % 28).unwrap_or(0));
    Day { year: 2026, month, day }
}

proptest! {
    #[test]
    fn the_narrower_never_loses_and_dates_are_kept(all in proptest::collection::vec(any_rule(), 0..8)) {
        let rules: Vec<Rule> = (1..).zip(&all).map(|(n, (place, matter, from, until))| Rule {
            from: some_day(*from),
            until: until.map(some_day),
            ..rule(n, places()[*place].clone(), matters()[*matter].clone())
        }).collect();
        let today = day(TODAY);
        let counts = |rule: &Rule| rule.from <= today && rule.until.is_none_or(|until| today <= until);
        let standing: Vec<(u128, usize, usize)> = (1..).zip(&all).zip(&rules)
            .filter(|(_, rule)| counts(rule))
            .map(|((n, (place, matter, ..)), _)| (n, *place, *matter))
            .collect();
        let found = asked(rules, &Gone::default());
        let leads = units(&found.leads);
        prop_assert_eq!(leads.is_empty(), standing.is_empty());
        let mut named = [leads.clone(), units(&found.wider)].concat();
        named.sort_unstable();
        prop_assert_eq!(named, standing.iter().map(|(n, ..)| *n).collect::<Vec<_>>());
        for (n, place, matter) in &standing {
            let narrower = |(_, p, m): &(u128, usize, usize)| p >= place && m >= matter && (p, m) != (place, matter);
            prop_assert!(!(leads.contains(n) && standing.iter().any(narrower)), "rule {} lost to a wider one", n);
        }
    }
}
