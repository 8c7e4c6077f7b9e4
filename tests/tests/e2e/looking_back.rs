//! Closed, and looked at again: planned without the unit knowing, made offline, found as before, opened again; and what
//! nobody looks at goes up, once each.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::programs::Phone;

use crate::city::{District, draw, settle};
use crate::deadlines::{ahead, entries, until};

const DAY_MS: u64 = 24 * 3600 * 1000;
/// It is time, it is overdue, and three levels, as the shipped catalogue has them.
const MARKS_EACH: usize = 5;

struct Story {
    district: District,
    unit: String,
    inspector: Phone,
    colleague: Phone,
    supervisor: Phone,
    crew: Phone,
    case: String,
    pictures: u64,
}

impl Story {
    fn new() -> Result<Self> {
        let district = District::new()?;
        let grid = district.grids()[0].clone();
        let unit = district.installation.must(&["unit", "add", "--zh", "城管中队", "--en", "Squad"])?;
        let unit = unit["unit"].as_str().context("a unit")?.to_owned();
        let inspector = district.phone("inspector1", "inspector", &["--area", &grid])?;
        let colleague = district.phone("inspector2", "inspector", &["--area", &grid])?;
        let supervisor = district.phone("supervisor1", "supervisor", &[])?;
        let crew = district.phone("crew1", "crew", &["--unit", &unit])?;
        let mut story =
            Self { unit, inspector, colleague, supervisor, crew, case: String::new(), pictures: 7000, district };
        let (place, before) = (story.district.place(&grid)?, story.picture()?);
        settle(&story.inspector)?;
        let kind = ["--category", "stall", "--subtype", "road_occupation", "--at", &place, "--subject", "摊位12"];
        let more = ["--field", "goods=fruit_vegetables", "--photo", &before];
        let reported = story.inspector.must(&[&["report"], kind.as_slice(), &more].concat())?;
        story.case = reported["case"].as_str().context("a case")?.to_owned();
        settle(&story.inspector)?;
        settle(&story.supervisor)?;
        story.supervisor.must(&["do", &story.case, "file", "--condition", "occupies_road"])?;
        Ok(story)
    }

    fn picture(&mut self) -> Result<String> {
        self.pictures += 1;
        Ok(draw(self.district.folder.path(), self.pictures)?.display().to_string())
    }

    /// From the assignment to the close.
    fn end(&mut self) -> Result<()> {
        let (after, seen) = (self.picture()?, self.picture()?);
        self.supervisor.must(&["do", &self.case, "assign", "--unit", &self.unit])?;
        settle(&self.supervisor)?;
        settle(&self.crew)?;
        self.crew.must(&["do", &self.case, "submit_fix", "--photo", &after])?;
        settle(&self.crew)?;
        settle(&self.inspector)?;
        self.inspector.must(&["do", &self.case, "check", "--verdict", "pass", "--photo", &seen])?;
        settle(&self.inspector)?;
        settle(&self.supervisor)?;
        self.supervisor.must(&["do", &self.case, "close", "--condition", "removed_clean"])?;
        settle(&self.supervisor)?;
        for phone in [&self.colleague, &self.inspector, &self.crew] {
            settle(phone)?;
        }
        Ok(())
    }

    fn restart(&mut self, by: &str) -> Result<()> {
        self.district.installation.kill()?;
        ahead(&mut self.district.installation, by)?;
        self.district.installation.start().map(drop)
    }

    /// What somebody has to look at again, as a phone lists it.
    fn tasks(phone: &Phone) -> Result<Vec<Value>> {
        let listed = phone.must(&["list", "--look-backs"])?;
        let rows = listed["look_backs"].as_array().cloned().context("look-backs")?;
        Ok(rows.into_iter().map(|row| row["task"].clone()).collect())
    }

    /// Days from the close to each window.
    fn opens(&self) -> Result<Vec<u64>> {
        let shown = self.colleague.must(&["show", &self.case])?;
        let ended = shown["case"]["end"]["received_ms"].as_u64().context("closed")?;
        let opens = |task: Value| Some((task["opens_ms"].as_u64()? - ended) / DAY_MS);
        Self::tasks(&self.colleague)?.into_iter().map(|task| opens(task).context("a window")).collect()
    }

    fn marks(&self, kind: &str) -> Result<BTreeMap<String, usize>> {
        let mut count = BTreeMap::new();
        for entry in entries(&self.district.installation)? {
            let line = String::from_utf8(entry.line)?;
            if entry.kind == kind && line.contains("\"look_back\"") {
                *count.entry(entry.entity.to_string()).or_default() += 1;
            }
        }
        Ok(count)
    }
}

#[test]
fn what_came_back_is_found_offline_opens_the_case_and_is_looked_at_sooner() {
    came_back().unwrap();
}

fn came_back() -> Result<()> {
    let mut story = Story::new()?;
    story.end()?;
    assert_eq!(story.opens()?, [7, 30, 90]);
    ensure!(Story::tasks(&story.crew)?.is_empty(), "the unit does not know");
    let known = story.crew.must(&["show", &story.case])?.to_string();
    ensure!(!known.contains("opens_ms") && !known.contains("look_back_task"), "{known}");

    story.restart("+8d")?;
    until("the time to look", || {
        settle(&story.colleague)?;
        Ok(Story::tasks(&story.colleague)?[0]["opened_rev"].is_u64())
    })?;
    story.district.installation.kill()?;
    let again = story.picture()?;
    let look = ["do", &story.case, "look_back", "--verdict", "relapsed", "--photo", &again, "--note", "又摆出来了"];
    let looked = story.colleague.must(&look)?;
    assert_eq!(looked["estimate"]["outcome"], "accepted", "the phone knows with no server: {looked}");
    story.district.installation.start()?;
    for phone in [&story.colleague, &story.inspector, &story.supervisor] {
        settle(phone)?;
    }
    let shown = story.supervisor.must(&["show", &story.case])?;
    let case = &shown["case"];
    ensure!(case["state"] == "filed" && case["reopened"] == 1, "{shown}");
    let relapses = case["relapses"].as_array().context("a relapse")?;
    ensure!(relapses.len() == 1 && relapses[0]["fixed_by"] == story.unit.as_str(), "{shown}");
    let evidence = case["evidence"].as_array().context("evidence")?;
    ensure!(evidence.iter().any(|item| item["role"] == "lookback" && item["verified_rev"].is_u64()), "{shown}");
    ensure!(Story::tasks(&story.colleague)?.is_empty(), "nobody has to look any more");
    let said = story.colleague.home.display().to_string();
    let said = tests::programs::run("rectify-phone", &["--home", &said, "--lang", "zh", "show", &story.case])?;
    ensure!(said.out.contains("反弹") && said.out.contains("城管中队"), "{}", said.out);

    story.end()?;
    assert_eq!(story.opens()?, [2, 10, 30], "sooner than before");
    ensure!(story.district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}

#[test]
fn what_nobody_looks_at_again_is_overdue_and_goes_up_once_each() {
    nobody_looks().unwrap();
}

fn nobody_looks() -> Result<()> {
    let mut story = Story::new()?;
    story.end()?;
    // The third one is still to come.
    story.restart("+60d")?;
    let all = |story: &Story| -> Result<usize> {
        let kinds = ["mark_due_soon", "mark_overdue", "escalate"];
        kinds.into_iter().map(|kind| Ok(story.marks(kind)?.values().sum::<usize>())).sum()
    };
    until("every mark of two look-backs", || Ok(all(&story)? >= 2 * MARKS_EACH))?;
    settle(&story.supervisor)?;
    let tasks = Story::tasks(&story.supervisor)?;
    ensure!(tasks.len() == 3 && tasks[2]["opened_rev"].is_null(), "{tasks:?}");
    for task in &tasks[..2] {
        ensure!(task["overdue_rev"].is_u64() && task["escalated"] == 3, "{task}");
    }
    // A server that starts again does nothing twice.
    story.restart("+61d")?;
    settle(&story.supervisor)?;
    assert_eq!(all(&story)?, 2 * MARKS_EACH);
    ensure!(story.marks("mark_overdue")?.values().all(|count| *count == 1), "once each");
    ensure!(story.district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}
