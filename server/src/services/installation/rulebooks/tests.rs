//! What a calendar with shifts would change is told before it takes effect, and then it does.

use schema::calendar::CITY_CALENDAR;
use schema::case::Case;
use schema::entity::Entity;
use schema::ids::{AccountId, UnitId};
use schema::op::Role;
use serde_json::json;

use crate::services::documents;
use crate::services::installation::handing::tests::server;
use crate::services::ledger::parse_entity;
use crate::services::world::{World, assign, file, grid, id, root, unit};
use crate::store::StoreError;

fn with_shift(unit: UnitId, account: AccountId) -> Vec<u8> {
    let mut calendar: serde_json::Value = serde_json::from_str(CITY_CALENDAR).unwrap();
    calendar["version"] = "with shifts".into();
    calendar["shifts"] = json!([{"unit": unit, "name": {"zh": "全天", "en": "All day"}, "days": "every",
        "from": "00:00", "to": "24:00", "accounts": [account]}]);
    serde_json::to_vec(&calendar).unwrap()
}

#[tokio::test]
async fn shifts_of_strangers_are_refused_and_those_of_a_unit_move_its_deadlines() {
    let world = World::new().await;
    documents::import_calendar(&world.logs.ledger, world.log, CITY_CALENDAR.as_bytes().to_vec()).await.unwrap();
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut chief = world.person(2, Role::Supervisor, root()).await;
    let crew = world.crew(3).await;
    let report = inspector.report(1);
    inspector.sync(&world, std::slice::from_ref(&report)).await;
    let lines = [file(), assign(None)].map(|body| chief.op(report.entity, &body, vec![]));
    chief.sync(&world, &lines).await;
    let server = server(&world);

    let nobody = with_shift(UnitId(id(4, 99)), AccountId(id(2, 99)));
    let errors = server.calendar_change(&nobody).await.unwrap().errors;
    let said: Vec<&str> = errors.iter().map(|error| error.en.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("there is no unit") && said[1].contains("there is no account"), "{said:?}");

    // 19:06 in the city: the office is closed, the unit is not.
    let due = |stage: &str| {
        let found = world.logs.store.read(|db| {
            let head = db.head(world.log)?.unwrap();
            Ok::<_, StoreError>(db.entity(head.num, report.entity)?.unwrap().document.unwrap())
        });
        let Entity::Case(case) = parse_entity(&found.unwrap()).unwrap() else { panic!("a case") };
        let Case { clocks, .. } = *case;
        clocks.iter().find(|clock| clock.stage.as_str() == stage).map(|clock| clock.due.at_ms).unwrap()
    };
    let (accept, whole) = (due("accept"), due("case"));
    let bytes = with_shift(unit(), crew.account);
    let change = server.calendar_change(&bytes).await.unwrap();
    assert_eq!((change.errors.len(), change.shifts.len(), change.deadlines), (0, 1, 1));
    server.import_calendar(bytes.clone()).await.unwrap();
    assert!(due("accept") < accept, "counted through the night");
    assert_eq!(due("case"), whole, "the case's own clock goes by the office");
    assert!(server.calendar_change(&bytes).await.unwrap().shifts.is_empty());
}
