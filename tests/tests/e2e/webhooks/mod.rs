//! Who must hear of a case is told by signed webhooks: each thing that happened, whatever is killed, down or wrong.

mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use databases::Kind;
use schema::notice::NOTICE_KINDS;
use serde_json::Value;
use server::store::{Store, StoreError};
use tests::programs::{Installation, Phone, run_with};

use self::receiver::{Came, Mood, Receiver};
use crate::city::{District, settle};

const SUBJECT: &str = "12号摊王某";

#[test]
fn whatever_is_killed_or_down_everything_is_told_and_under_one_id() {
    told().unwrap();
}

struct Story {
    district: District,
    /// On PostgreSQL another server works at the same outbox.
    second: Option<Installation>,
    receiver: Receiver,
    webhook: String,
    secret: String,
    supervisor: Phone,
    case: String,
    came: Vec<Came>,
}

impl Story {
    fn start_all(&mut self) -> Result<()> {
        let flags = ["--webhook-timeout", "1"];
        self.district.installation.start_with("local", &flags)?;
        self.second.as_mut().map_or(Ok(()), |second| second.start_with("local", &flags).map(drop))
    }

    fn kill_all(&mut self) -> Result<()> {
        self.district.installation.kill()?;
        self.second.as_mut().map_or(Ok(()), Installation::kill)
    }

    fn new() -> Result<Self> {
        let mut district = District::new()?;
        district.installation.kill()?;
        let second = match Kind::of_this_run() {
            Kind::Postgres => Some(district.installation.beside(district.folder.path().join("second"))?),
            Kind::Sqlite => None,
        };
        let receiver = Receiver::new()?;
        let url = format!("http://{}/hook?key=1", receiver.address);
        let added = district.installation.must(&["webhook", "add", &url])?;
        let text = |name: &str| added[name].as_str().map(str::to_owned).with_context(|| format!("{name} in {added}"));
        let (webhook, secret) = (text("webhook")?, text("secret")?);
        let supervisor = Phone { home: district.folder.path().join("supervisor") };
        let case = String::new();
        let mut story = Self { district, second, receiver, webhook, secret, supervisor, case, came: Vec::new() };
        story.start_all()?;
        story.begin()?;
        Ok(story)
    }

    /// A case is reported, filed and assigned.
    fn begin(&mut self) -> Result<()> {
        let district = &self.district;
        let unit = district.installation.must(&["unit", "add", "--zh", "城管中队", "--en", "Squad"])?;
        let unit = unit["unit"].as_str().context("a unit")?.to_owned();
        let grids = district.grids();
        let inspector = district.phone("inspector", "inspector", &["--area", &grids[0]])?;
        district.phone("supervisor", "supervisor", &[])?;
        district.phone("crew", "crew", &["--unit", &unit])?;
        settle(&inspector)?;
        settle(&self.supervisor)?;
        let place = district.place(&grids[0])?;
        let kind = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
        let more = ["--subject", SUBJECT, "--note", "电话13800000000"];
        let reported = inspector.must(&[kind.as_slice(), &more].concat())?;
        self.case = reported["case"].as_str().context("a case")?.to_owned();
        settle(&inspector)?;
        settle(&self.supervisor)?;
        self.act(&["file", "--condition", "occupies_road"])?;
        self.act(&["assign", "--unit", &unit])?;
        settle(&self.supervisor).map(drop)
    }

    fn act(&self, what: &[&str]) -> Result<()> {
        self.supervisor.must(&[&["do", &self.case], what].concat()).map(drop)
    }

    /// Waits until everything that happened so far was taken.
    fn catch_up(&mut self) -> Result<()> {
        let happened: BTreeSet<String> = happened(&self.district.installation.database)?.into_keys().collect();
        while !happened.is_subset(&self.taken()) {
            let came = self.receiver.next()?;
            self.came.push(came);
        }
        Ok(())
    }

    /// The ids that were answered as taken.
    fn taken(&self) -> BTreeSet<String> {
        let took = |came: &&Came| matches!(came.answered, Mood::Say(200..=299));
        self.came.iter().filter(took).map(|came| came.id.clone()).collect()
    }

    /// How the webhook stands, once it stands so.
    fn stands(&self, installation: &Installation, so: impl Fn(&Value) -> bool) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let listed = installation.must(&["webhook", "list"])?[0].clone();
            if so(&listed) {
                return Ok(listed);
            }
            ensure!(begun.elapsed() < Duration::from_secs(90), "it stands so: {listed}");
        }
    }
}

/// Every entry that somebody must hear of, by the id it travels under, with its kind.
fn happened(database: &str) -> Result<BTreeMap<String, String>> {
    let entries = Store::open(database)?.read(|db| {
        let head = db.heads()?.pop().ok_or(StoreError::Damaged("no log"))?;
        db.entries_after(head.num, 0, 1_000_000)
    })?;
    let mut happened = BTreeMap::new();
    for entry in entries.iter().filter(|entry| NOTICE_KINDS.contains(&entry.kind.as_str()) && entry.outcome == 1) {
        let line: Value = serde_json::from_slice(&entry.line)?;
        if entry.kind != "issue_deadline" || line["body"]["timed"] == "unit" {
            happened.insert(format!("msg_{}", entry.op.to_string().replace('-', "")), entry.kind.clone());
        }
    }
    Ok(happened)
}

fn told() -> Result<()> {
    let mut story = Story::new()?;
    story.catch_up()?;
    let kinds: BTreeSet<String> = happened(&story.district.installation.database)?.into_values().collect();
    ensure!(kinds == ["assign", "issue_deadline"].map(str::to_owned).into(), "{kinds:?}");

    // A failure and a redirect are tried again, and nothing goes where the redirect points.
    story.receiver.answer(&[Mood::Say(500), Mood::Say(302)]);
    story.act(&["urge"])?;
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    story.catch_up()?;

    // Killed with one notice in the receiver's hands and another one committed, and never tried.
    story.receiver.answer(&[Mood::Hang, Mood::Hang]);
    story.act(&["urge"])?;
    story.act(&["supervise", "--reason", "看看13900000000"])?;
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    let held = story.receiver.next()?;
    story.kill_all()?;
    ensure!(held.answered == Mood::Hang, "{held:?}");
    story.came.push(held);
    story.start_all()?;
    story.catch_up()?;

    // Nobody listens, the server is killed, somebody listens again.
    story.receiver.fall()?;
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    story.stands(&story.district.installation, |listed| listed["waiting"] == 1)?;
    story.kill_all()?;
    story.receiver.rise()?;
    story.start_all()?;
    story.catch_up()?;

    gone(&mut story)?;
    all_of_it(&story)?;
    restored(&mut story)
}

/// What says that it is gone gets nothing more until the operator says so, and then what it missed.
fn gone(story: &mut Story) -> Result<()> {
    story.receiver.answer(&[Mood::Say(410)]);
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    let listed = story.stands(&story.district.installation, |listed| listed["disabled"] == "gone")?;
    ensure!(listed["failed"] == 1, "{listed}");
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    let status = story.district.installation.must(&["status"])?;
    ensure!(status["webhooks"][0]["waiting"] == 0 && status["webhooks"][0]["disabled"] == "gone", "{status}");
    let retried = story.district.installation.must(&["webhook", "retry", &story.webhook])?;
    ensure!(retried["waiting"] == 2, "what failed, and what was missed: {retried}");
    story.catch_up()
}

/// Exactly what happened was told, each under one id with one body, signed, and with nothing personal in it.
fn all_of_it(story: &Story) -> Result<()> {
    let installation = &story.district.installation;
    let happened = happened(&installation.database)?;
    ensure!(story.taken() == happened.keys().cloned().collect(), "{:?}", story.taken());
    let mut bodies: BTreeMap<&str, &str> = BTreeMap::new();
    for came in &story.came {
        ensure!(came.is_signed_with(&story.secret)?, "{came:?}");
        ensure!(!came.is_signed_with(&format!("whsec_{}", "A".repeat(44)))?, "any secret would do");
        ensure!(came.path == "/hook?key=1", "{came:?}");
        ensure!(*bodies.entry(&came.id).or_insert(&came.body) == came.body, "another body: {came:?}");
        for personal in [SUBJECT, "13800000000", "13900000000", "supervisor", "crew"] {
            ensure!(!came.body.contains(personal), "{personal} in {}", came.body);
        }
        let body: Value = serde_json::from_str(&came.body)?;
        let kind = happened.get(&came.id).context("an entry")?;
        ensure!(body["type"] == format!("case.{kind}") && body["data"]["case"] == story.case, "{body}");
        ensure!(body["data"]["to"]["step"] == "unit", "the crew hears of it: {body}");
        ensure!(body["data"]["to"]["accounts"].as_array().map(Vec::len) == Some(1), "{body}");
        ensure!(kind != "issue_deadline" || body["data"]["due_ms"].is_u64(), "{body}");
    }
    let listed = story.stands(installation, |listed| listed["sent"] == happened.len())?;
    ensure!(listed["waiting"] == 0 && listed["failed"] == 0, "{listed}");
    let log = installation.must(&["webhook", "log", &story.webhook])?;
    ensure!(log.as_array().map(Vec::len) == Some(happened.len()), "{log}");
    ensure!(installation.must(&["webhook", "test", &story.webhook])?["answer"] == "204");
    let test = story.receiver.next()?;
    ensure!(test.is_signed_with(&story.secret)? && test.body.contains("webhook.test"), "{test:?}");
    ensure!(installation.must(&["rebuild"])?["different"] == 0, "the log says the same of every notice");
    Ok(())
}

/// A restore sends nothing again by itself: what waited at the backup may have been sent since.
fn restored(story: &mut Story) -> Result<()> {
    let sent = story.stands(&story.district.installation, |_| true)?["sent"].clone();
    story.receiver.fall()?;
    story.act(&["urge"])?;
    settle(&story.supervisor)?;
    story.stands(&story.district.installation, |listed| listed["waiting"] == 1)?;
    let folder = story.district.folder.path().to_path_buf();
    let backup = folder.join("backup").display().to_string();
    story.district.installation.must(&["backup", &backup])?;
    story.kill_all()?;
    let data = folder.join("restored");
    let database = Kind::of_this_run().address(&data);
    let restored = Installation::at(data.clone(), database.clone())?;
    let place = data.display().to_string();
    let asked = ["--json", "--lang", "en", "restore", "--data", &place, "--database-url", &database, &backup];
    run_with(
        "rectify",
        &[asked.as_slice(), &restored.photos_url().iter().map(String::as_str).collect::<Vec<_>>()].concat(),
        restored.bucket_settings(),
    )?
    .json()?;
    let listed = story.stands(&restored, |_| true)?;
    ensure!(listed["held"] == 1 && listed["waiting"] == 0 && listed["sent"] == sent, "{listed}");
    ensure!(restored.must(&["webhook", "retry", &story.webhook])?["waiting"] == 1);
    let last = happened(&restored.database)?;
    story.receiver.rise()?;
    (story.district.installation, story.second) = (restored, None);
    story.start_all()?;
    story.catch_up()?;
    ensure!(story.taken() == last.keys().cloned().collect());
    Ok(())
}
