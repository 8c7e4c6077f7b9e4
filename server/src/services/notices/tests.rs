//! Who hears of a case as its clocks run out and people leave, and that a rebuild says the same.

use schema::calendar::CITY_CALENDAR;
use schema::ids::{AccountId, AreaId, EntityId};
use schema::notice::{NOTICE_KINDS, Notice, Step};
use schema::op::{Body, Reason, Role, Sealed, Urge};
use schema::record::Outcome;
use schema::sync::{Node, Scope};
use sync_core::line::sha256;

use crate::services::documents;
use crate::services::rebuild::rebuild;
use crate::services::world::{Phone, START_MS, World, assign, file, grid, id, root, unit};
use crate::store::{Key, StoreError, View};

const HOUR_MS: u64 = 3_600_000;

struct Office {
    world: World,
    chief: Phone,
    street: Phone,
    crew: Phone,
    case: EntityId,
}

/// A case that was filed and assigned, with a supervisor of the subdistrict and one of the district.
async fn assigned() -> Office {
    assigned_to(|_| None).await
}

/// As [`assigned`], to whoever of the crew is named.
async fn assigned_to(holder: impl FnOnce(&Phone) -> Option<AccountId>) -> Office {
    let world = World::new().await;
    let calendar = CITY_CALENDAR.as_bytes().to_vec();
    documents::import_calendar(&world.logs.ledger, world.log, calendar).await.unwrap();
    let mut inspector = world.person(1, Role::Inspector, grid(1)).await;
    let mut chief = world.person(2, Role::Supervisor, root()).await;
    let street = world.person(4, Role::Supervisor, AreaId(id(1, 101))).await;
    let crew = world.crew(3).await;
    let report = inspector.report(1);
    inspector.sync(&world, std::slice::from_ref(&report)).await;
    let lines = [file(), assign(holder(&crew))].map(|body| chief.op(report.entity, &body, vec![]));
    let answer = chief.sync(&world, &lines).await;
    assert_eq!(answer.record(lines[1].op).outcome, Outcome::Accepted, "{:?}", answer.outcomes);
    Office { world, chief, street, crew, case: report.entity }
}

impl Office {
    /// The notices so far, oldest first.
    fn notices(&self) -> Vec<Notice> {
        let found = self.world.logs.store.read(|db| {
            let head = db.head(self.world.log)?.unwrap();
            db.notices_of(head.num, self.case, u64::MAX, 1000)
        });
        let mut found: Vec<_> = found.map_err(|error: StoreError| error).unwrap();
        found.reverse();
        found.iter().map(|notice| serde_json::from_str(&notice.body).unwrap()).collect()
    }

    /// So much time passes, and what falls due is done.
    async fn wait(&self, hours: u64) {
        for _ in 0..hours {
            self.world.clock.set(self.world.clock.now_ms() + HOUR_MS);
            self.world.logs.ledger.tick(self.world.clock.now_ms()).await.unwrap();
        }
    }

    /// Time stands at so many ms behind the start.
    fn at(&self, ms: u64) {
        self.world.clock.set(START_MS + ms);
    }

    /// When the crew's phone was known to have what a notice is about.
    fn kept(&self, rev: u64) -> Option<u64> {
        let heard = self.world.logs.store.read(|db| {
            let head = db.head(self.world.log)?.unwrap();
            db.hearers(head.num, &[rev])
        });
        let heard: Vec<_> = heard.map_err(|error: StoreError| error).unwrap();
        assert_eq!(heard.iter().map(|it| it.account).collect::<Vec<_>>(), [self.crew.account]);
        heard[0].kept_ms
    }

    async fn leaves(&self, phone: &Phone) {
        let reason = Reason { reason: Sealed { sealed: sha256(b"left") } };
        self.world.append(phone.account.into(), Body::DisableAccount(reason)).await;
    }

    /// The step and the accounts that hear of a reminder now.
    async fn urged(&mut self) -> (Step, Vec<AccountId>) {
        let line = self.chief.op(self.case, &Body::Urge(Urge { note: None }), vec![]);
        let answer = self.chief.sync(&self.world, std::slice::from_ref(&line)).await;
        assert_eq!(answer.record(line.op).outcome, Outcome::Accepted, "{:?}", answer.outcomes);
        let last = self.notices().pop().unwrap();
        assert_eq!(last.kind, "case.urge");
        (last.data.to.step, last.data.to.accounts.iter().map(|hearer| hearer.account).collect())
    }

    async fn rebuilds_alike(self) {
        let (store, log) = (self.world.logs.store.clone(), self.world.log);
        let scratch = self.world.folder.path().join("again.db");
        let found = tokio::task::spawn_blocking(move || rebuild(&store, log, &scratch, |_| ())).await.unwrap().unwrap();
        assert_eq!(found.differences, []);
        assert!(found.rows > 20);
    }
}

#[tokio::test]
async fn a_clock_that_runs_out_is_heard_of_step_by_step() {
    let office = assigned().await;
    office.wait(30 * 24).await;
    let (crew, street, chief) = (office.crew.account, office.street.account, office.chief.account);
    let heard = |stage: &str| -> Vec<_> {
        let of_stage = office.notices().into_iter().map(|notice| (notice.kind, notice.data));
        let of_stage = of_stage.filter(|(_, data)| data.stage.as_ref().is_some_and(|it| it.as_str() == stage));
        of_stage
            .map(|(kind, data)| {
                let accounts: Vec<_> = data.to.accounts.iter().map(|hearer| hearer.account).collect();
                (kind.trim_start_matches("case.").to_owned(), data.level, data.to.step, accounts)
            })
            .collect()
    };
    let step = |kind: &str, level, step, who| (kind.to_owned(), level, step, vec![who]);
    let of_unit = [
        step("issue_deadline", None, Step::Unit, crew),
        step("mark_due_soon", None, Step::Unit, crew),
        step("mark_overdue", None, Step::Unit, crew),
        step("escalate", Some(1), Step::Unit, crew),
    ];
    assert_eq!(heard("accept"), of_unit);
    let of_office = [
        step("mark_due_soon", None, Step::Area, street),
        step("mark_overdue", None, Step::Area, street),
        step("escalate", Some(1), Step::Area, street),
        step("escalate", Some(2), Step::Area, chief),
    ];
    assert_eq!(heard("case"), of_office);
    let due = office.notices().into_iter().filter(|notice| notice.data.stage.is_some());
    assert!(due.clone().count() > 8 && due.into_iter().all(|notice| notice.data.due_ms.is_some()));
    office.rebuilds_alike().await;
}

#[tokio::test]
async fn a_step_with_nobody_on_it_is_passed_over() {
    let mut office = assigned().await;
    assert_eq!(office.urged().await, (Step::Unit, vec![office.crew.account]));
    office.leaves(&office.crew).await;
    assert_eq!(office.urged().await, (Step::Area, vec![office.street.account]));
    office.leaves(&office.street).await;
    assert_eq!(office.urged().await, (Step::Area, vec![office.chief.account]));
    office.leaves(&office.chief).await;
    office.wait(10 * 24).await;
    let last = office.notices().pop().unwrap();
    assert_eq!(
        (last.data.to.step, last.data.to.accounts),
        (Step::Nobody, vec![]),
        "{}: it is told that nobody can be",
        last.kind
    );
    office.rebuilds_alike().await;
}

/// What a person's device had, it says itself, by how far it has pulled: what was sent to it may never have arrived.
#[tokio::test]
async fn a_case_is_on_a_phone_once_the_phone_says_so() {
    let mut office = assigned().await;
    let first_rev =
        |office: &Office, kind: &str| office.notices().into_iter().find(|it| it.kind == kind).unwrap().data.rev;
    let assigned_rev = first_rev(&office, "case.assign");
    office.crew.scopes = [(Scope::normal(Node::Unit(unit())), 0)].into();
    assert_eq!(office.kept(assigned_rev), None);
    office.at(1);
    let answer = office.crew.sync(&office.world, &[]).await;
    assert!(answer.entities.iter().any(|line| line.id == office.case), "it was sent");
    assert_eq!(office.kept(assigned_rev), None, "and may have been lost on its way");
    office.at(2);
    office.crew.sync(&office.world, &[]).await;
    assert_eq!(office.kept(assigned_rev), Some(START_MS + 2));

    // A cursor that is beyond the notice and behind the case's newest version: that page did not hold the case.
    office.urged().await;
    let urged_rev = first_rev(&office, "case.urge");
    office.urged().await;
    office.crew.scopes = [(Scope::normal(Node::Unit(unit())), urged_rev)].into();
    office.at(3);
    office.crew.sync(&office.world, &[]).await;
    assert_eq!(office.kept(urged_rev), None);
    office.at(4);
    office.crew.sync(&office.world, &[]).await;
    assert_eq!(office.kept(urged_rev), Some(START_MS + 4));
    office.at(5);
    office.crew.sync(&office.world, &[]).await;
    assert_eq!(office.kept(urged_rev), Some(START_MS + 4), "the first time stands");
    office.rebuilds_alike().await;
}

#[test]
fn a_phone_has_words_for_every_kind_it_may_be_told() {
    let worker = include_str!("../../../web/public/sw.js");
    let words = worker.split_once("const KINDS = {").and_then(|(_, rest)| rest.split_once("};")).unwrap().0;
    let told: std::collections::BTreeSet<String> =
        words.lines().filter_map(|line| line.trim().split_once(": ")).map(|(kind, _)| kind.to_owned()).collect();
    assert_eq!(told, NOTICE_KINDS.iter().map(|kind| format!("\"case.{kind}\"")).collect());
}

impl Office {
    /// The crew is on from six to four, somebody else of the unit from six in the evening to six.
    async fn keeps_shifts(&self) -> Phone {
        let night = self.world.crew(5).await;
        let shift = |name: &str, from: &str, to: &str, phone: &Phone| {
            serde_json::json!({"unit": unit(), "name": {"zh": name, "en": name}, "days": "every", "from": from, "to": to,
                "accounts": [phone.account]})
        };
        let mut calendar: serde_json::Value = serde_json::from_str(CITY_CALENDAR).unwrap();
        calendar["version"] = "shifts".into();
        calendar["shifts"] =
            serde_json::json!([shift("白班", "06:00", "16:00", &self.crew), shift("夜班", "18:00", "06:00", &night)]);
        let bytes = serde_json::to_vec(&calendar).unwrap();
        documents::import_calendar(&self.world.logs.ledger, self.world.log, bytes).await.unwrap();
        night
    }
}

#[tokio::test]
async fn those_on_duty_hear_for_the_unit() {
    let mut office = assigned().await;
    let night = office.keeps_shifts().await;
    // 19:06 in the city, then 07:06 and 17:06.
    assert_eq!(office.urged().await, (Step::Unit, vec![night.account]));
    office.at(12 * HOUR_MS);
    assert_eq!(office.urged().await, (Step::Unit, vec![office.crew.account]));
    office.at(22 * HOUR_MS);
    assert_eq!(office.urged().await, (Step::Unit, vec![office.crew.account, night.account]), "nobody is on duty");
    office.rebuilds_alike().await;
}

#[tokio::test]
async fn at_night_those_on_duty_hear_for_who_has_the_case() {
    let mut office = assigned_to(|crew| Some(crew.account)).await;
    let night = office.keeps_shifts().await;
    assert_eq!(office.urged().await, (Step::Unit, vec![night.account]));
    office.at(12 * HOUR_MS);
    assert_eq!(office.urged().await, (Step::Holder, vec![office.crew.account]));
    office.at(22 * HOUR_MS);
    assert_eq!(office.urged().await, (Step::Holder, vec![office.crew.account]), "no shift runs");
}

#[tokio::test]
async fn a_view_that_is_read_row_by_row_is_read_whole() {
    let office = assigned().await;
    let paged = |view: View, limit: usize| {
        let found = office.world.logs.store.read(|db| {
            let (log, mut all, mut after) = (db.head(office.world.log)?.unwrap().num, Vec::new(), Key::Start);
            loop {
                let page = db.view_rows(view, log, &after, limit)?;
                let Some(last) = page.last() else { return Ok::<_, StoreError>(all) };
                after = last.0.clone();
                all.extend(page);
            }
        });
        found.unwrap()
    };
    for view in View::ALL {
        assert_eq!(paged(view, 1), paged(view, 1000), "{view:?}");
    }
    let kinds_of_one = paged(View::Due, 1000).len();
    assert!(kinds_of_one > 2, "several things fall due of one case: {kinds_of_one}");
}
