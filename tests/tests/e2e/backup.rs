//! The server is lost and comes back from a backup; phones bring back what it had lost, and nothing printed moves.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use databases::Kind;
use serde_json::Value;
use tests::programs::Phone;

use crate::city::{District, draw};

#[test]
fn a_restored_server_is_healed_by_its_phones() {
    healed().unwrap();
}

fn healed() -> Result<()> {
    let mut story = Story::new()?;
    let before = story.report(1)?;
    story.settle()?;
    story.number(&before)?;
    ensure!(story.inspector.must(&["status"])?["photos_held"] == 1, "nothing is durable before the first backup");
    let made = story.back_up()?;
    ensure!(made["logs"][0]["covered"] == made["logs"][0]["rev"], "{made}");
    story.settle()?;
    let status = story.inspector.must(&["status"])?;
    ensure!(status["photos_held"] == 0, "the copies go when the backup has them: {status}");

    let lost = story.report(2)?;
    story.settle()?;
    let number = story.number(&lost)?;
    let entries = story.entries(&lost)?;
    let photo = story.photo_of(&lost)?;
    let unsent = story.report(3)?;
    story.district.installation.kill()?;
    story.restore("restored")?;
    ensure!(story.district.installation.photo(&photo)?.is_none(), "a photo of after the backup is lost");

    story.district.installation.start_as("backup")?;
    story.settle()?;
    for case in [&before, &lost, &unsent] {
        let shown = story.supervisor.must(&["show", case])?;
        ensure!(shown["case"]["evidence"][0]["verified_rev"].is_u64(), "with its photo: {shown}");
    }
    ensure!(story.shown_number(&lost)? == number, "a number that was printed does not move");
    for (was, is) in entries.iter().zip(story.entries(&lost)?.iter()) {
        ensure!(was["op"] == is["op"] && was["first_received_ms"] == is["first_received_ms"], "{was} became {is}");
        ensure!(is["received_ms"].as_u64() > was["received_ms"].as_u64(), "it came a second time");
    }
    let kept = story.district.installation.photo(&photo)?.context("it came again")?;
    ensure!(sync_core::line::sha256(&kept).to_string() == photo);
    let troubles = story.inspector.must(&["needs-attention"])?;
    ensure!(troubles.to_string().contains("restored") && !troubles.to_string().contains("fork"), "{troubles}");

    let standing = story.district.installation.must(&["status"])?;
    let epoch = &standing["logs"][0]["restored"][0];
    ensure!(epoch["acknowledged"] == false && epoch["returned"] == 2, "the report and its filing: {standing}");
    let not_returned = epoch["not_returned"].to_string();
    ensure!(not_returned == "[[21,22]]", "the deadline and the photo, which the server has noted again: {standing}");
    let auditor = story.district.phone("auditor", "auditor", &[])?;
    auditor.must(&["sync"])?;
    let waiting = auditor.must(&["acknowledge-epoch"])?;
    auditor.must(&["acknowledge-epoch", waiting[0]["epoch"].as_str().context("an epoch that waits")?])?;
    auditor.must(&["sync"])?;
    let standing = story.district.installation.must(&["status"])?;
    ensure!(standing["logs"][0]["restored"][0]["acknowledged"] == true, "{standing}");
    ensure!(story.district.installation.must(&["rebuild"])?["different"] == 0);
    ensure!(story.back_up()?["missing"].as_array().is_some_and(Vec::is_empty), "and the next backup holds it");
    Ok(())
}

/// Only the operator made the account, so no phone brings it back; made again under its id, it has all that it made.
#[test]
fn an_account_that_a_restore_lost_is_made_again_and_loses_nothing() {
    made_again().unwrap();
}

fn made_again() -> Result<()> {
    let mut story = Story::new()?;
    story.settle()?;
    story.district.phone("stolen", "inspector", &[])?;
    let accounts = story.district.installation.must(&["account", "list"])?;
    let stolen = find(&accounts, "login", "stolen")?["account"].as_str().context("its id")?;
    story.back_up()?;
    let add = ["account", "add", "late", "--name", "late", "--role", "inspector"];
    let added = story.district.installation.must(&add)?;
    let id = added["account"].as_str().context("its id")?;
    let late = Phone { home: story.district.folder.path().join("late") };
    let url = story.district.installation.url();
    let enrol =
        |added: &Value| late.must(&["enrol", "--server", &url, "--code", added["code"].as_str().context("a code")?]);
    enrol(&added)?;
    let first = story.report_by(&late, 7)?;
    late.must(&["sync"])?;
    let second = story.report_by(&late, 8)?;
    // A phone that was shut out after the backup stays so after the restore.
    let devices = story.district.installation.must(&["device", "list"])?;
    let phone = find(&devices, "account", id)?["device"].clone();
    let shut_out = find(&devices, "account", stolen)?["device"].as_str().context("its id")?;
    story.district.installation.must(&["device", "revoke", shut_out, "--reason", "lost"])?;
    story.district.installation.kill()?;
    let signed = story.district.installation.data.join("signed").display().to_string();
    let told = story.restore_with("without", &["--signed", &signed])?;
    let (lost, again) = (&told["logs"][0]["lost"], &told["logs"][0]["taken_away"]);
    ensure!(find(lost, "entity", id)?["about"] == "late", "an account that nobody brings back is named: {told}");
    ensure!(lost.to_string().contains(&phone.to_string()), "and its phone: {told}");
    ensure!(find(again, "entity", shut_out)?["kind"] == "revoke_device", "{told}");
    let devices = story.district.installation.must(&["device", "list"])?;
    ensure!(find(&devices, "device", shut_out)?["revoked"] == true, "{devices}");
    story.district.installation.start_as("backup")?;
    late.run(&["sync"])?;
    ensure!(late.must(&["status"])?["on_this_phone"] != 0, "nobody knows it, and it keeps what it has");

    let added = story.district.installation.must(&[add.as_slice(), &["--id", id]].concat())?;
    ensure!(added["account"] == id, "{added}");
    let taken =
        story.district.installation.operate(&["account", "add", "x", "--name", "x", "--role", "crew", "--id", id])?;
    ensure!(taken.code == 1, "an id is given once: {taken:?}");
    enrol(&added)?;
    story.settle()?;
    for _ in 0..3 {
        late.must(&["sync"])?;
    }
    story.supervisor.must(&["sync"])?;
    for case in [first, second] {
        let shown = story.supervisor.must(&["show", &case])?;
        ensure!(shown["case"]["state"] == "reported" && shown["case"]["reporter"]["account"] == id, "{shown}");
    }
    Ok(())
}

/// Somebody stops the server and puts an old database file back. It is noticed though nothing was signed in between,
/// by whichever program comes first.
#[test]
fn a_database_that_was_copied_back_by_hand_is_noticed() {
    copied_back().unwrap();
}

fn copied_back() -> Result<()> {
    let mut story = Story::on(Kind::Sqlite)?;
    story.settle()?;
    story.district.installation.kill()?;
    let database = story.district.installation.data.join("rectify.db");
    let files = ["", "-wal"].map(|ending| PathBuf::from(format!("{}{ending}", database.display())));
    let old = files.each_ref().map(fs::read);
    story.district.installation.start_as("backup")?;
    let lost = story.report(1)?;
    // One exchange: its entries are acknowledged, and younger than the last checkpoint.
    story.inspector.must(&["sync"])?;
    story.district.installation.kill()?;
    for (file, old) in files.iter().zip(old) {
        fs::write(file, old?)?;
    }
    fs::remove_file(format!("{}-shm", database.display()))?;
    // An operator's command before the server: it must not go on in the old epoch.
    story.district.installation.must(&["unit", "add", "--zh", "新", "--en", "New"])?;
    story.district.installation.start_as("backup")?;
    story.settle()?;
    ensure!(story.supervisor.must(&["show", &lost])?["case"]["state"] == "reported", "the phone brought it back");
    let standing = story.district.installation.must(&["status"])?;
    ensure!(standing["logs"][0]["restored"].as_array().map(Vec::len) == Some(1), "{standing}");
    let troubles = story.inspector.must(&["needs-attention"])?.to_string();
    ensure!(
        troubles.contains("restored") && !troubles.contains("fork") && !troubles.contains("set_back"),
        "{troubles}"
    );
    Ok(())
}

/// Backups are killed at many moments while phones push. Each time the folder holds the last good one.
#[test]
fn a_backup_that_is_killed_leaves_the_last_good_one() {
    killed().unwrap();
}

fn killed() -> Result<()> {
    let mut story = Story::new()?;
    for number in 0..6 {
        story.report(number)?;
    }
    story.settle()?;
    let begun = Instant::now();
    story.back_up()?;
    let whole = begun.elapsed();
    for nth in 0..8 {
        story.report(100 + nth)?;
        let mut pushing = story.inspector.spawn(&["sync"])?;
        let mut backup = story.spawn_backup()?;
        let until = Instant::now() + whole * u32::try_from(nth)? / 8;
        // The moment of the kill is what is tried here.
        while Instant::now() < until && backup.try_wait()?.is_none() {
            std::thread::yield_now();
        }
        backup.kill()?;
        backup.wait()?;
        pushing.wait()?;
    }
    story.restore("after-kills")?;
    let made = story.back_up()?;
    ensure!(made["missing"].as_array().is_some_and(Vec::is_empty), "{made}");
    let copies = fs::read_dir(&story.backup)?
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("copy-")));
    ensure!(copies.count() == 1, "nothing is left of those that were killed");
    let again = story.restore_into("after-kills", &[])?;
    ensure!(again.code == 1 && again.err.contains("not empty"), "{again:?}");
    Ok(())
}

/// The row of a list in which a member has a value.
fn find<'a>(list: &'a Value, member: &str, value: &str) -> Result<&'a Value> {
    let rows = list.as_array().with_context(|| format!("a list: {list}"))?;
    rows.iter().find(|row| row[member] == value).with_context(|| format!("{value} in {list}"))
}

/// An inspector, a supervisor, their server on `--durability backup`, and its backups.
struct Story {
    district: District,
    backup: PathBuf,
    inspector: Phone,
    supervisor: Phone,
    place: String,
}

impl Story {
    fn new() -> Result<Self> {
        Self::on(Kind::of_this_run())
    }

    fn on(kind: Kind) -> Result<Self> {
        let mut district = District::on(kind)?;
        let grid = district.grids().first().context("a grid")?.clone();
        let place = district.place(&grid)?;
        let inspector = district.phone("inspector", "inspector", &["--area", &grid])?;
        let supervisor = district.phone("supervisor", "supervisor", &[])?;
        district.installation.kill()?;
        district.installation.start_as("backup")?;
        let backup = district.folder.path().join("backup");
        Ok(Self { district, backup, inspector, supervisor, place })
    }

    fn report(&self, number: u64) -> Result<String> {
        self.report_by(&self.inspector, number)
    }

    fn report_by(&self, phone: &Phone, number: u64) -> Result<String> {
        let photo = draw(self.district.folder.path(), number)?.display().to_string();
        let subject = format!("stall {number}");
        let arguments = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &self.place];
        let more = ["--subject", &subject, "--field", "goods=fruit_vegetables", "--photo", &photo];
        let made = phone.must(&[arguments.as_slice(), &more].concat())?;
        Ok(made["case"].as_str().context("a case")?.to_owned())
    }

    /// Syncs until everything is at the server, told, and seen by everybody.
    fn settle(&self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(120) {
            let mut waiting = 0;
            for phone in [&self.inspector, &self.supervisor] {
                phone.must(&["sync"])?;
                let status = phone.must(&["status"])?;
                let counts = ["on_this_phone", "received", "photos_to_send"];
                waiting += counts.iter().filter_map(|name| status[*name].as_u64()).sum::<u64>();
            }
            let untold = |case: &Value| {
                let evidence = case["evidence"].as_array();
                evidence.is_some_and(|all| all.iter().any(|one| !one["verified_rev"].is_u64()))
            };
            let listed = self.inspector.must(&["list"])?;
            let ids: Vec<String> = listed["cases"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|row| row["case"].as_str().map(str::to_owned))
                .collect();
            for id in ids {
                waiting += u64::from(untold(&self.inspector.must(&["show", &id])?["case"]));
            }
            if waiting == 0 {
                return Ok(());
            }
        }
        anyhow::bail!("nothing comes to rest: {}", self.inspector.must(&["status"])?)
    }

    /// The supervisor files a case: the number that it gets.
    fn number(&self, case: &str) -> Result<String> {
        self.supervisor.must(&["do", case, "file", "--condition", "occupies_road"])?;
        self.settle()?;
        self.shown_number(case)
    }

    fn shown_number(&self, case: &str) -> Result<String> {
        let shown = self.supervisor.must(&["show", case])?;
        Ok(shown["case"]["number"].as_str().with_context(|| format!("a number: {shown}"))?.to_owned())
    }

    fn photo_of(&self, case: &str) -> Result<String> {
        let shown = self.inspector.must(&["show", case])?;
        Ok(shown["case"]["evidence"][0]["sha256"].as_str().context("a photo")?.to_owned())
    }

    /// The entries of a case that people made.
    fn entries(&self, case: &str) -> Result<Vec<Value>> {
        use server::store::{Store, StoreError};
        let store = Store::open(&self.district.installation.database)?;
        let entity = case.parse().ok().context("a case's id")?;
        let entries = store.read(|db| {
            let mut all = Vec::new();
            for head in db.heads()? {
                all.extend(db.entries_of_entity(head.num, entity, 0, 1_000)?);
            }
            Ok::<_, StoreError>(all)
        })?;
        let by_people = entries.into_iter().filter(|entry| entry.device_seq > 0);
        Ok(by_people.map(|entry| serde_json::to_value(entry.outcome_line())).collect::<Result<_, _>>()?)
    }

    fn back_up(&self) -> Result<Value> {
        self.district.installation.must(&["backup", &self.backup.display().to_string()])
    }

    fn spawn_backup(&self) -> Result<Child> {
        let mut command = self.district.installation.command(&["backup", &self.backup.display().to_string()])?;
        Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    fn restore_into(&self, name: &str, more: &[&str]) -> Result<tests::programs::Said> {
        let (data, database) = self.target(name);
        let (data, backup) = (data.display().to_string(), self.backup.display().to_string());
        let mut all = vec!["--json", "--lang", "en", "restore", &backup, "--data", &data, "--database-url", &database];
        let (url, settings) = databases::bucket(data.as_ref()).unzip();
        all.extend(url.iter().flat_map(|url| ["--photos-url", url.as_str()]));
        all.extend(more);
        tests::programs::run_with("rectify", &all, settings.unwrap_or_default())
    }

    /// Restores into a new folder; the installation is that one from here on, at the address that phones know.
    fn restore(&mut self, name: &str) -> Result<Value> {
        self.restore_with(name, &[])
    }

    /// The same, with more of the command's flags. Returns what it said.
    fn restore_with(&mut self, name: &str, more: &[&str]) -> Result<Value> {
        let told = self.restore_into(name, more)?.json()?;
        let (data, database) = self.target(name);
        self.district.installation.move_to(data, database);
        Ok(told)
    }

    fn target(&self, name: &str) -> (PathBuf, String) {
        let data = self.district.folder.path().join(name);
        let database = Kind::of_this_run().address(&data);
        (data, database)
    }
}
