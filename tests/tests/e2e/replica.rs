//! `--durability replica`: what is durable, and what is acknowledged at all, is at the standby. It dies, it comes back, and
//! it takes the place of the primary.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use databases::Pair;
use serde_json::Value;
use tempfile::TempDir;
use tests::programs::Phone;

use crate::city::District;

const FLAGS: [&str; 1] = ["--photos-survive"];

#[test]
fn what_is_acknowledged_is_at_the_standby() {
    replicated().unwrap();
}

fn replicated() -> Result<()> {
    let pair = Pair::start()?;
    let mut district = District::at(TempDir::new()?, pair.address())?;
    district.installation.kill()?;
    ensure!(district.installation.start_with("replica", &FLAGS).is_err(), "no commit waits for a standby");
    district.installation.kill()?;
    pair.wait_for_standby()?;
    district.installation.start_with("replica", &FLAGS)?;

    let grid = district.grids().first().context("a grid")?.clone();
    let place = district.place(&grid)?;
    let phone = district.phone("inspector", "inspector", &["--area", &grid])?;
    report(&phone, &place, "1")?;
    settle(&district, &phone)?;
    ensure!(status(&district)?["standby"]["fault"].is_null());

    pair.kill_standby()?;
    let before = durable(&district)?;
    report(&phone, &place, "2")?;
    let mut pushing = phone.spawn(&["sync"])?;
    // The commit has come to where it waits for the standby.
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    while pair.sql(waits)?.is_empty() {
        std::thread::yield_now();
    }
    ensure!(pushing.try_wait()?.is_none(), "what no standby has is not acknowledged");
    let fault = status(&district)?["standby"]["fault"].to_string();
    ensure!(fault.contains("no synchronous standby is streaming"), "the operator is told: {fault}");
    ensure!(durable(&district)? == before, "nothing becomes durable");
    ensure!(phone.must(&["status"])?["on_this_phone"] == 1, "the phone knows that it has it alone");

    pair.start_standby()?;
    pushing.wait()?;
    settle(&district, &phone)?;
    ensure!(status(&district)?["standby"]["fault"].is_null(), "all is well again");

    report(&phone, &place, "3")?;
    phone.must(&["sync"])?;
    ensure!(phone.must(&["status"])?["on_this_phone"] == 0, "acknowledged");
    district.installation.kill()?;
    pair.fail_over()?;
    let data = district.installation.data.clone();
    district.installation.move_to(data, pair.standby_address());
    district.installation.start_as("backup")?;
    phone.must(&["sync"])?;
    ensure!(phone.must(&["list"])?["cases"].as_array().map(Vec::len) == Some(3), "the standby has all of it");
    let standing = status(&district)?;
    ensure!(standing["logs"][0]["restored"] == Value::Array(Vec::new()), "no new epoch was needed: {standing}");
    ensure!(district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}

fn report(phone: &Phone, place: &str, subject: &str) -> Result<()> {
    let what = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", place];
    let more = ["--subject", subject, "--field", "goods=fruit_vegetables"];
    phone.must(&[what.as_slice(), &more].concat()).map(drop)
}

fn status(district: &District) -> Result<Value> {
    district.installation.must(&["status"])
}

fn durable(district: &District) -> Result<u64> {
    status(district)?["logs"][0]["durable"].as_u64().context("a durable mark")
}

/// Until everything that the phone made is at the server and durable; each round asks the server anew.
fn settle(district: &District, phone: &Phone) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        phone.must(&["sync"])?;
        let (log, left) = (&status(district)?["logs"][0], phone.must(&["status"])?);
        if log["durable"] == log["head"] && left["on_this_phone"] == 0 && left["received"] == 0 {
            return Ok(());
        }
    }
    bail!("it does not become durable: {}", status(district)?)
}
