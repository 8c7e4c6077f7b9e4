//! Time passes over running servers: limits are issued, fall due, are overdue and go up, once each, whatever is killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use databases::Kind;
use serde_json::Value;
use server::store::{Entry, Store, StoreError};
use tests::programs::{Installation, Phone, run};

use crate::city::{District, settle};

const REPORTS: usize = 120;
/// Due soon, overdue and the two levels above, as the shipped catalogue has them for filing.
const MARKS_EACH: usize = 4;
const MARKS: [&str; 3] = ["mark_due_soon", "mark_overdue", "escalate"];

/// The server's clock from its next start on.
pub(crate) fn ahead(installation: &mut Installation, by: &str) -> Result<()> {
    let file = installation.data.with_extension("ahead");
    std::fs::write(&file, by)?;
    installation.ahead = Some(file);
    Ok(())
}

pub(crate) fn entries(installation: &Installation) -> Result<Vec<Entry>> {
    let store = Store::open(&installation.database)?;
    Ok(store.read(|db| {
        let head = db.heads()?.pop().ok_or(StoreError::Damaged("no log"))?;
        db.entries_after(head.num, 0, 1_000_000)
    })?)
}

fn marks(installation: &Installation) -> Result<Vec<Entry>> {
    Ok(entries(installation)?.into_iter().filter(|entry| MARKS.contains(&entry.kind.as_str())).collect())
}

/// Looks until it is so; fails after a minute and a half: a tick comes every minute.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(90) {
        if is_so()? {
            return Ok(());
        }
        std::thread::yield_now();
    }
    anyhow::bail!("{what}: not within 90 s")
}

#[test]
fn a_unit_that_lets_its_limit_pass_is_overdue_everywhere_and_can_ask_for_no_more_time() {
    overdue().unwrap();
}

pub(crate) fn clock(phone: &Phone, case: &str, stage: &str) -> Result<Value> {
    let shown = phone.must(&["show", case])?;
    let clocks = shown["case"]["clocks"].as_array().cloned().unwrap_or_default();
    clocks.into_iter().find(|clock| clock["stage"] == stage).with_context(|| format!("no clock {stage} in {shown}"))
}

fn overdue() -> Result<()> {
    let mut district = District::new()?;
    let grid = district.grids()[0].clone();
    let unit = district.installation.must(&["unit", "add", "--zh", "城管中队", "--en", "Squad"])?;
    let unit = unit["unit"].as_str().context("a unit")?.to_owned();
    let inspector = district.phone("inspector1", "inspector", &["--area", &grid])?;
    let supervisor = district.phone("supervisor1", "supervisor", &[])?;
    let crew = district.phone("crew1", "crew", &["--unit", &unit])?;
    let place = district.place(&grid)?;
    let kind = ["--category", "stall", "--subtype", "road_occupation", "--at", &place, "--subject", "摊位12"];
    let reported = inspector.must(&[&["report"], kind.as_slice()].concat())?;
    let case = reported["short_code"].as_str().context("a short code")?.to_owned();
    settle(&inspector)?;
    settle(&supervisor)?;
    supervisor.must(&["do", &case, "file", "--condition", "occupies_road"])?;
    supervisor.must(&["do", &case, "assign", "--unit", &unit])?;
    settle(&supervisor)?;
    settle(&crew)?;
    let issued = clock(&crew, &case, "fix")?;
    ensure!(issued["running"]["is"] == "running" && issued["overdue_rev"].is_null(), "{issued}");
    ensure!(issued["issued_rev"].as_u64() > Some(0), "the server issued it: {issued}");

    district.installation.kill()?;
    ahead(&mut district.installation, "+30d")?;
    district.installation.start()?;
    until("the unit to be overdue", || {
        settle(&crew)?;
        Ok(clock(&crew, &case, "fix")?["escalated"].as_u64() > Some(0))
    })?;
    let late = clock(&crew, &case, "fix")?;
    ensure!(late["overdue_rev"].as_u64() > Some(0) && late["due"] == issued["due"], "{late}");
    let said = run("rectify-phone", &["--home", &crew.home.display().to_string(), "--lang", "zh", "show", &case])?;
    ensure!(said.out.contains("整改") && said.out.contains("已超时"), "{}", said.out);
    crew.run(&["do", &case, "request_extension", "--stage", "fix", "--reason", "人手不足"])?;
    settle(&crew)?;
    let refused = entries(&district.installation)?.into_iter().find(|entry| entry.kind == "request_extension");
    ensure!(refused.context("it reached the server")?.record.contains("stale_state"), "more time after the end");
    crew.must(&["do", &case, "submit_fix"])?;
    settle(&crew)?;
    let met = clock(&crew, &case, "fix")?;
    ensure!(met["running"]["is"] == "met" && met["overdue_rev"] == late["overdue_rev"], "late stays late: {met}");
    ensure!(district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}

#[test]
fn three_servers_on_one_database_do_what_falls_due_once_and_one_is_killed() {
    three_servers().unwrap();
}

fn three_servers() -> Result<()> {
    let mut district = District::on(Kind::Postgres)?;
    let grid = district.grids()[0].clone();
    let phone = district.phone("inspector1", "inspector", &["--area", &grid])?;
    settle(&phone)?;
    let place = district.place(&grid)?;
    for nth in 0..REPORTS {
        let subject = format!("stall {nth}");
        let kind = ["--category", "stall", "--subtype", "road_occupation", "--at", &place, "--subject", &subject];
        phone.must(&[&["report"], kind.as_slice()].concat())?;
    }
    settle(&phone)?;
    district.installation.kill()?;
    ensure!(marks(&district.installation)?.is_empty(), "nothing is due yet");

    ahead(&mut district.installation, "+30d")?;
    let mut second = district.installation.beside(district.folder.path().join("second"))?;
    let mut third = district.installation.beside(district.folder.path().join("third"))?;
    std::thread::scope(|scope| -> Result<()> {
        let others = [scope.spawn(|| second.start().map(drop)), scope.spawn(|| third.start().map(drop))];
        district.installation.start()?;
        others.into_iter().try_for_each(|other| other.join().ok().context("a start")?)
    })?;
    until("the first mark", || Ok(!marks(&second)?.is_empty()))?;
    district.installation.kill()?;
    let killed_at = marks(&second)?.len();
    until("every mark", || Ok(marks(&second)?.len() >= REPORTS * MARKS_EACH))?;

    let found = marks(&second)?;
    println!("killed one of three after {killed_at} of {} marks", REPORTS * MARKS_EACH);
    ensure!(found.len() == REPORTS * MARKS_EACH, "{} marks", found.len());
    let of_kind = |kind: &str| found.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!(MARKS.map(of_kind), [REPORTS, REPORTS, 2 * REPORTS]);
    let of_case: BTreeMap<_, usize> = found.iter().fold(BTreeMap::new(), |mut count, entry| {
        *count.entry(entry.entity).or_default() += 1;
        count
    });
    ensure!(of_case.len() == REPORTS && of_case.values().all(|count| *count == MARKS_EACH), "once for each case");
    assert_eq!(third.must(&["rebuild"])?["different"], 0);
    Ok(())
}
