//! A stop of the server over a deadline: noted once, marked as ever, and given back by one decision.

use schema::calendar::CITY_CALENDAR;
use schema::case::Case;
use schema::clock::{Clock, Running, Turn};
use schema::entity::{Entity, Log};
use schema::ids::EntityId;
use schema::op::{Assign, Body, DecideSilence, File, Role};
use schema::record::{Outcome, RefusalCode};

use crate::services::documents;
use crate::services::ledger::read_entity;
use crate::services::rebuild::rebuild;
use crate::services::world::{Phone, World, grid, root, unit};
use crate::store::StoreError;

const MINUTE_MS: u64 = 60_000;

struct Stopped {
    world: World,
    chief: Phone,
    inspector: Phone,
    case: EntityId,
}

impl Stopped {
    fn entity(&self, id: EntityId) -> Entity {
        let read = self.world.logs.store.read(|db| {
            let head = db.head(self.world.log)?.unwrap();
            read_entity(db, head.num, id)
        });
        read.map_err(|error: StoreError| error).unwrap().unwrap()
    }

    fn case(&self) -> Case {
        let Entity::Case(case) = self.entity(self.case) else { panic!("no case") };
        *case
    }

    fn log(&self) -> Log {
        let Entity::Log(log) = self.entity(self.world.log.into()) else { panic!("no log") };
        log
    }

    fn clock(&self, stage: &str) -> Clock {
        self.case().clocks.into_iter().find(|clock| clock.stage.as_str() == stage).unwrap()
    }

    async fn minutes(&self, minutes: u64) {
        self.world.clock.set(self.world.clock.now_ms() + minutes * MINUTE_MS);
    }

    async fn at_work(&self) {
        let now_ms = self.world.clock.now_ms();
        self.world.logs.ledger.note_alive(now_ms).await.unwrap();
        self.world.logs.ledger.tick(now_ms).await.unwrap();
    }

    async fn decides(&mut self, silence: u64, excuse: bool) -> (Outcome, Option<RefusalCode>) {
        let body = Body::DecideSilence(DecideSilence { silence, excuse, reason: "断电".to_owned() });
        let line = self.chief.op(self.world.log.into(), &body, vec![]);
        let answer = self.chief.sync(&self.world, std::slice::from_ref(&line)).await;
        self.world.logs.ledger.place_cases(self.world.log).await.unwrap();
        let record = answer.record(line.op);
        (record.outcome, record.code)
    }
}

/// A case whose unit has two urgent hours; an hour later the server stops for two.
async fn stopped() -> Stopped {
    let world = World::new().await;
    documents::import_calendar(&world.logs.ledger, world.log, CITY_CALENDAR.as_bytes().to_vec()).await.unwrap();
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut chief = world.person(2, Role::Supervisor, root()).await;
    world.crew(3).await;
    let report = inspector.report(1);
    inspector.sync(&world, std::slice::from_ref(&report)).await;
    let file = Body::File(File { condition: "hawks_unlicensed".parse().unwrap() });
    let assign = Assign { unit: unit(), co_units: vec![], co_limits: Default::default(), holder: None, note: None };
    let lines = [chief.op(report.entity, &file, vec![]), chief.op(report.entity, &Body::Assign(assign), vec![])];
    chief.sync(&world, &lines).await;
    let stopped = Stopped { world, chief, inspector, case: report.entity };
    let due_ms = stopped.clock("fix").due.at_ms;
    stopped.world.clock.set(due_ms - 60 * MINUTE_MS);
    stopped.at_work().await;
    stopped.minutes(120).await;
    stopped.at_work().await;
    stopped
}

#[tokio::test]
async fn a_silence_is_noted_once_and_given_back_by_one_decision() {
    let mut stopped = stopped().await;
    let silences = stopped.log().silences;
    assert_eq!(silences.len(), 1);
    assert_eq!(silences[0].to_ms - silences[0].from_ms, 120 * MINUTE_MS);
    let before = stopped.clock("fix");
    assert!(before.overdue_rev.is_some(), "that it was overdue is marked as ever");

    stopped.minutes(4).await;
    stopped.at_work().await;
    assert_eq!(stopped.log().silences.len(), 1, "four minutes are none");

    let rev = silences[0].rev;
    assert_eq!(stopped.decides(rev + 1, true).await.1, Some(RefusalCode::Validation));
    assert_eq!(stopped.decides(rev, true).await, (Outcome::Accepted, None));
    let after = stopped.clock("fix");
    assert_eq!(after.due.at_ms - before.due.at_ms, 120 * MINUTE_MS, "the clock of urgent hours gets all of it");
    assert_eq!((after.overdue_rev, after.running), (None, Running::Running));
    let gap = Turn::Pause { from_ms: silences[0].from_ms, to_ms: silences[0].to_ms };
    assert_eq!(after.course, [gap], "with what moved it");
    assert_eq!(stopped.decides(rev, false).await.1, Some(RefusalCode::StaleState), "once");

    let (store, log) = (stopped.world.logs.store.clone(), stopped.world.log);
    let scratch = stopped.world.folder.path().join("again.db");
    let found = tokio::task::spawn_blocking(move || rebuild(&store, log, &scratch, |_| ())).await.unwrap().unwrap();
    assert_eq!(found.differences, []);
}

#[tokio::test]
async fn what_is_not_excused_stays_overdue_and_who_does_not_lead_the_district_decides_nothing() {
    let mut stopped = stopped().await;
    let rev = stopped.log().silences[0].rev;
    let body = Body::DecideSilence(DecideSilence { silence: rev, excuse: true, reason: "断电".to_owned() });
    let line = stopped.inspector.op(stopped.world.log.into(), &body, vec![]);
    let answer = stopped.inspector.sync(&stopped.world, std::slice::from_ref(&line)).await;
    assert_eq!(answer.record(line.op).outcome, Outcome::Rejected);
    let before = stopped.clock("fix");
    assert_eq!(stopped.decides(rev, false).await, (Outcome::Accepted, None));
    assert_eq!(stopped.clock("fix"), before);
}
