//! People leave and come back, units end: their cases go on in other hands, once, and a rebuild says the same.

use std::collections::BTreeSet;

use jiff::civil::date;
use schema::calendar::CITY_CALENDAR;
use schema::case::Case;
use schema::catalogue::Text;
use schema::entity::{Account, Entity};
use schema::ids::{AccountId, EntityId, UnitId};
use schema::op::{Assign, Body, File, Nothing, Role, SetMembership, SetUnit};
use schema::record::Outcome;

use super::HandingOver;
use crate::services::documents;
use crate::services::installation::Installation;
use crate::services::ledger::{Ledger, parse_entity};
use crate::services::passwords::Passwords;
use crate::services::rebuild::rebuild;
use crate::services::world::{Phone, World, assign, file, grid, id, root, unit};

/// More than two transactions look at.
const CASES: usize = 430;

pub(crate) fn server(world: &World) -> Installation {
    let (store, clock) = (world.logs.store.clone(), world.clock.clone());
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    Installation::new(store, ledger, clock, Passwords::new())
}

fn other_unit() -> UnitId {
    UnitId(id(4, 2))
}

struct Town {
    world: World,
    server: Installation,
    chief: Phone,
    crew: Phone,
}

/// Cases that were assigned to the first unit; the second one has nobody yet.
async fn town(cases: usize) -> Town {
    let world = World::new().await;
    documents::import_calendar(&world.logs.ledger, world.log, CITY_CALENDAR.as_bytes().to_vec()).await.unwrap();
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut chief = world.person(2, Role::Supervisor, root()).await;
    let crew = world.crew(3).await;
    let name = Text { zh: "二队".into(), en: "Second".into() };
    world.append(other_unit().into(), Body::SetUnit(SetUnit { name, area: root() })).await;
    let reports: Vec<_> = (0..cases).map(|_| inspector.report(1)).collect();
    for some in reports.chunks(100) {
        inspector.sync(&world, some).await;
        let mut lines = Vec::new();
        for report in some {
            lines.extend([file(), assign(Some(crew.account))].map(|body| chief.op(report.entity, &body, vec![])));
        }
        let answer = chief.sync(&world, &lines).await;
        assert!(lines.iter().all(|line| answer.record(line.op).outcome == Outcome::Accepted));
    }
    let server = server(&world);
    Town { world, server, chief, crew }
}

impl Town {
    fn entities(&self, kind: &'static str) -> Vec<Entity> {
        let log = self.world.log;
        let found = self.world.logs.store.read(move |db| {
            let num = db.head(log)?.unwrap().num;
            db.entities_of_kind(num, kind, EntityId::NIL, 10_000)
        });
        found.unwrap().into_iter().filter_map(|it| it.document).map(|it| parse_entity(&it).unwrap()).collect()
    }

    fn cases(&self) -> Vec<Case> {
        let found = self.entities("case").into_iter();
        found.map(|it| if let Entity::Case(case) = it { *case } else { panic!("{it:?}") }).collect()
    }

    fn account(&self, wanted: AccountId) -> Account {
        let found = self.entities("account").into_iter();
        let mut found = found.filter_map(|it| if let Entity::Account(account) = it { Some(account) } else { None });
        found.find(|account| account.id == wanted).unwrap()
    }

    fn entered(&self, kind: &str) -> usize {
        self.world.entries().iter().filter(|entry| entry.kind == kind).count()
    }

    async fn joins(&self, who: AccountId, to: UnitId) {
        let body = SetMembership { unit: to, member: true, until_ms: None };
        let entry = self.world.append(who.into(), Body::SetMembership(body)).await;
        assert_eq!(entry.outcome, 1, "{}", entry.record);
    }

    fn rebuilds(&self) {
        let scratch = self.world.folder.path().join("rebuild.db");
        assert_eq!(rebuild(&self.world.logs.store, self.world.log, &scratch, |_| {}).unwrap().differences, []);
    }
}

#[tokio::test]
async fn cases_follow_a_hand_over_once_and_their_clocks_go_on() {
    let town = town(CASES).await;
    let to = town.world.person(5, Role::Crew, root()).await;
    town.joins(to.account, unit()).await;
    let before: Vec<_> = town.cases().into_iter().map(|case| (case.id, case.clocks)).collect();
    let deadlines = town.entered("issue_deadline");
    let what = HandingOver::Account(town.crew.account, to.account);
    let preview = town.server.hand_over_preview(what, None).await.unwrap();
    assert_eq!((preview.cases, town.entered("take_over")), (430, 0));

    let receipt = town.server.hand_over(what, None, "调岗").await.unwrap();
    assert_eq!((receipt.moved, receipt.left, receipt.done, receipt.cases.len()), (430, 0, true, CASES));
    assert_eq!(receipt.cases.iter().map(|case| case.case).collect::<BTreeSet<_>>().len(), CASES);
    assert_eq!((town.entered("take_over"), town.entered("issue_deadline")), (CASES, deadlines));
    for ((_, clocks), case) in before.iter().zip(town.cases()) {
        assert_eq!(clocks, &case.clocks);
        assert_eq!(case.assignment.as_ref().and_then(|it| it.holder), Some(to.account));
        assert_eq!(case.predecessors[0].holder, Some(town.crew.account));
        assert_eq!(case.predecessors[0].hand_over, Some(receipt.op));
    }
    // Another server that looks has nothing left to do.
    assert_eq!(server(&town.world).ledger.place_cases(town.world.log).await.unwrap(), 0);

    let mut to = to;
    let signed = to.op(receipt.cases[0].case, &Body::Accept(Nothing {}), vec![]);
    to.sync(&town.world, &[signed]).await;
    let again = town.server.hand_over_receipt(receipt.op).await.unwrap();
    assert_eq!(again.cases.iter().filter(|case| case.accepted_ms.is_some()).count(), 1);
    town.rebuilds();
}

#[tokio::test]
async fn a_supervisor_hands_over_what_lies_in_the_own_area_and_no_more() {
    let mut town = town(2).await;
    let mut other = town.world.person(6, Role::Inspector, grid(2)).await;
    let report = other.report(2);
    other.sync(&town.world, std::slice::from_ref(&report)).await;
    let file = Body::File(File { condition: "hawks_unlicensed".parse().unwrap() });
    let assign = Body::Assign(Assign {
        unit: unit(),
        co_units: vec![],
        co_limits: Default::default(),
        holder: None,
        note: None,
    });
    let lines = [file, assign].map(|body| town.chief.op(report.entity, &body, vec![]));
    town.chief.sync(&town.world, &lines).await;

    let mut west = town.world.person(7, Role::Supervisor, grid(1)).await;
    let reason = schema::op::Sealed { sealed: sync_core::line::sha256(b"why") };
    let asked = schema::op::HandOver { to: other_unit().into(), area: None, reason };
    let line = west.op(unit().into(), &Body::HandOver(asked), vec![]);
    let answer = west.sync(&town.world, std::slice::from_ref(&line)).await;
    assert_eq!(answer.record(line.op).outcome, Outcome::Accepted, "{:?}", answer.outcomes);
    town.server.ledger.place_cases(town.world.log).await.unwrap();
    let receipt = town.server.hand_over_receipt(line.op).await.unwrap();
    assert_eq!((receipt.moved, receipt.done, receipt.by), (2, true, west.account));
    let stays = town.cases().into_iter().find(|case| case.id == report.entity).unwrap();
    assert_eq!(stays.assignment.map(|it| it.unit), Some(unit()));
    town.rebuilds();
}

#[tokio::test]
async fn a_unit_goes_into_another_with_its_members_and_cases() {
    let town = town(3).await;
    let due: Vec<_> =
        town.cases().into_iter().map(|case| case.clocks.into_iter().map(|it| it.due).collect::<Vec<_>>()).collect();
    let receipt = town.server.merge_unit(unit(), other_unit(), "机构改革").await.unwrap();
    assert_eq!((receipt.moved, receipt.done), (3, true));
    let crew = town.account(town.crew.account);
    assert_eq!((crew.units.as_slice(), crew.past_units[0].unit), ([other_unit()].as_slice(), unit()));
    for (case, due) in town.cases().into_iter().zip(due) {
        let assignment = case.assignment.unwrap();
        assert_eq!((assignment.unit, assignment.holder), (other_unit(), Some(crew.id)), "the holder went along");
        assert_eq!(case.clocks.iter().map(|it| it.due).collect::<Vec<_>>(), due);
        assert_eq!((case.predecessors[0].unit, case.former_units.as_slice()), (unit(), [unit()].as_slice()));
    }
    let back = SetMembership { unit: unit(), member: true, until_ms: None };
    let refused = town.world.append(crew.id.into(), Body::SetMembership(back)).await;
    assert!(refused.record.contains("validation"), "{}", refused.record);
    assert!(town.server.hand_over_preview(HandingOver::Unit(other_unit(), unit()), None).await.is_err());
    town.rebuilds();
}

#[tokio::test]
async fn an_absence_ends_by_itself_and_meanwhile_the_deputy_hears_and_acts() {
    let town = town(1).await;
    let mut deputy = town.world.person(5, Role::Crew, root()).await;
    let today = jiff::Timestamp::from_millisecond(i64::try_from(town.world.clock.now_ms()).unwrap()).unwrap();
    let last_day = today.to_zoned(jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).date();
    assert!(town.server.set_absent(town.crew.account, deputy.account, date(2020, 1, 1)).await.is_err());
    assert!(town.server.set_absent(town.crew.account, town.crew.account, last_day).await.is_err());
    town.server.set_absent(town.crew.account, deputy.account, last_day).await.unwrap();
    let case = town.cases().remove(0);
    let heard = |case: &Case| {
        let (world, case) = (&town.world, case.clone());
        let found = world.logs.store.read(|db| {
            let (head, parsed) = (db.head(world.log)?.unwrap(), world.logs.ledger.parsed());
            Ok((parsed.directory(db, head.num, world.log)?, parsed.areas_in_force(db, head.num, world.log)?))
        });
        let (directory, areas) = found.map_err(|error: crate::store::StoreError| error).unwrap();
        crate::services::notices::left_to(&case, areas.as_deref(), &directory)
    };
    assert_eq!(heard(&case), None, "somebody stands in");

    let line = deputy.op(case.id, &Body::Accept(Nothing {}), vec![]);
    let answer = deputy.sync(&town.world, std::slice::from_ref(&line)).await;
    let record = answer.record(line.op);
    assert_eq!(record.outcome, Outcome::Accepted, "{record:?}");
    assert_eq!(record.acting.and_then(|acting| acting.standing_in), Some(town.crew.account));

    // The deputy leaves: the case is the office's.
    let reason = schema::op::Reason { reason: schema::op::Sealed { sealed: sync_core::line::sha256(b"left") } };
    town.world.append(deputy.account.into(), Body::DisableAccount(reason)).await;
    let left = heard(&case).unwrap();
    assert_eq!(left.accounts.iter().map(|it| it.account).collect::<Vec<_>>(), [town.chief.account]);

    let until_ms = town.account(town.crew.account).absent.unwrap().until_ms;
    town.world.clock.set(until_ms - 1);
    town.world.logs.ledger.tick(until_ms - 1).await.unwrap();
    assert_eq!(town.entered("end_absence"), 0);
    town.world.clock.set(until_ms);
    for other in [&town.server, &server(&town.world)] {
        other.ledger.tick(until_ms).await.unwrap();
    }
    assert_eq!(town.entered("end_absence"), 1, "once, whichever server does it");
    let deputy = town.account(deputy.account);
    assert!(deputy.units.is_empty() && deputy.grants.len() == 1 && deputy.stands_in.is_empty());
    assert_eq!(town.account(town.crew.account).absent, None);
    assert_eq!(heard(&case), None, "who was away is back");
    town.rebuilds();
}
