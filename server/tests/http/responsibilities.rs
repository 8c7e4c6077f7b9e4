//! Five hundred cases go to their responsible units by one action: what the board sends, timed.

use std::collections::BTreeSet;
use std::time::Instant;

use schema::calendar::Day;
use schema::case::Position;
use schema::catalogue::Text;
use schema::ids::{EntityId, UnitId};
use schema::limits::BATCH_OPS_MAX;
use schema::op::{Assign, Body, File, Role};
use schema::responsibility::{Matter, MatterKind, Part, Place, Responsibilities, Rule};
use sync_core::area::AreaIndex;
use sync_core::responsibility::{Asked, Gone, suggest};

use super::photo_signals::report_in_a4;
use super::reading::{case, report};
use super::world::{Phone, World, area, areas};

const CASES: u128 = 500;
const SINCE: Day = Day { year: 2020, month: 1, day: 1 };

/// Stalls of grid A3 are one unit's, those of A4 another's.
fn document(units: [UnitId; 2]) -> Responsibilities {
    let kind = MatterKind { category: "stall".parse().unwrap(), subtype: None };
    let rule = |(unit, grid)| Rule {
        unit: Some(unit),
        person: None,
        role: Part::Lead,
        place: Place::Area(area(grid)),
        matter: Matter::Kinds(vec![kind.clone()]),
        from: SINCE,
        until: None,
    };
    let title = Text { zh: "责任清单".into(), en: "Responsibilities".into() };
    Responsibilities { version: "1".into(), title, rules: units.into_iter().zip([3, 4]).map(rule).collect() }
}

fn stall(number: u128) -> Body {
    let made = if number.is_multiple_of(2) { report(&[]) } else { report_in_a4(&[]) };
    let Body::Report(mut body) = made else { panic!("a report") };
    body.category = "stall".parse().unwrap();
    Body::Report(body)
}

/// Pushes as a phone does: as many as fit into a batch, one after the other. Says which of all its ops were accepted.
async fn push_all(world: &World, phone: &Phone, ops: Vec<(EntityId, Body)>) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for batch in ops.chunks(BATCH_OPS_MAX) {
        for line in world.push(phone, batch).await {
            let outcome = &line["outcome"];
            if outcome["record"].as_str().unwrap_or_default().contains(r#""outcome":"accepted""#) {
                accepted.insert(outcome["op"].as_str().unwrap().to_owned());
            }
        }
    }
    accepted
}

#[actix_web::test]
async fn five_hundred_cases_go_to_their_units_at_once() {
    let world = World::start().await;
    let installation = &world.running.app.installation;
    let text = |name: &str| Text { zh: name.into(), en: name.into() };
    let units = [
        installation.add_unit(text("一中队"), None).await.unwrap(),
        installation.add_unit(text("二中队"), None).await.unwrap(),
    ];
    let document = document(units);
    installation.import_responsibilities(serde_json::to_vec(&document).unwrap()).await.unwrap();
    let inspectors = [world.phone("li", Role::Inspector, "A3").await, world.phone("wu", Role::Inspector, "A4").await];
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let every = usize::try_from(CASES).unwrap();
    let reports =
        |rest| (0..CASES).filter(move |number| number % 2 == rest).map(|number| (case(number), stall(number)));
    for (rest, inspector) in (0..).zip(&inspectors) {
        assert_eq!(push_all(&world, inspector, reports(rest).collect()).await.len(), every / 2);
    }
    let file = |number| (case(number), Body::File(File { condition: "occupies_road".parse().unwrap() }));
    let filed = push_all(&world, &supervisor, (0..CASES).map(file).collect()).await;
    assert_eq!(filed.len(), every);

    let areas = AreaIndex::new(&areas()).unwrap();
    let (category, subtype) = ("stall".parse().unwrap(), "road_occupation".parse().unwrap());
    let begun = Instant::now();
    let assign = |number: u128| {
        let lon = if number.is_multiple_of(2) { 1_214_050_000 } else { 1_214_150_000 };
        let position = Position::at(312_050_000, lon);
        let area = areas.locate(&position).area;
        let on = Day { year: 2026, month: 6, day: 1 };
        let asked = Asked { position: Some(&position), area, category: &category, subtype: &subtype, on };
        let found = suggest(&document, &areas, asked, &Gone::default());
        let unit = found.lead().and_then(|lead| lead.unit).expect("a unit");
        (
            case(number),
            Body::Assign(Assign {
                unit,
                co_units: Vec::new(),
                co_limits: Default::default(),
                holder: None,
                note: None,
            }),
        )
    };
    let ops: Vec<_> = (0..CASES).map(assign).collect();
    let (suggested, begun) = (begun.elapsed(), Instant::now());
    let assigned = push_all(&world, &supervisor, ops).await;
    assert_eq!(assigned.difference(&filed).count(), every, "all are accepted");
    println!("{CASES} suggestions in {suggested:?}, {CASES} assignments in {:?}", begun.elapsed());

    for (number, unit) in [(0, units[0]), (1, units[1]), (498, units[0]), (499, units[1])] {
        let path = format!("/v1/logs/{}/cases/{}", supervisor.log(), case(number));
        let shown = world.get(&path, supervisor.token()).await.json();
        assert_eq!(shown["document"]["assignment"]["unit"], unit.to_string(), "{number}");
    }
}
