//! People and units change over a running server: cases go to other hands with their clocks going on, a unit goes into
//! another one, and an absence ends when its day has.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::programs::{Installation, Phone};

use crate::city::{District, settle};
use crate::deadlines::{ahead, clock, entries, until};

fn unit(district: &District, zh: &str) -> Result<String> {
    let added = district.installation.must(&["unit", "add", "--zh", zh, "--en", zh])?;
    Ok(added["unit"].as_str().context("a unit")?.to_owned())
}

/// Cases of one unit, as their short codes.
fn assigned(district: &District, count: usize, unit: &str) -> Result<(Vec<String>, Phone)> {
    let grid = district.grids()[0].clone();
    let inspector = district.phone("inspector1", "inspector", &["--area", &grid])?;
    let supervisor = district.phone("supervisor1", "supervisor", &[])?;
    let place = district.place(&grid)?;
    let mut cases = Vec::new();
    for nth in 0..count {
        let subject = format!("摊位{nth}");
        let kind = ["--category", "stall", "--subtype", "road_occupation", "--at", &place, "--subject", &subject];
        let reported = inspector.must(&[&["report"], kind.as_slice()].concat())?;
        cases.push(reported["short_code"].as_str().context("a short code")?.to_owned());
    }
    settle(&inspector)?;
    settle(&supervisor)?;
    for case in &cases {
        supervisor.must(&["do", case, "file", "--condition", "occupies_road"])?;
        supervisor.must(&["do", case, "assign", "--unit", unit])?;
    }
    settle(&supervisor)?;
    Ok((cases, supervisor))
}

fn count(installation: &Installation, kind: &str) -> Result<usize> {
    Ok(entries(installation)?.iter().filter(|entry| entry.kind == kind).count())
}

fn assignment(phone: &Phone, case: &str) -> Result<Value> {
    Ok(phone.must(&["show", case])?["case"]["assignment"].clone())
}

#[test]
fn cases_change_hands_while_their_clocks_go_on_and_an_absence_ends_by_itself() {
    changes().unwrap();
}

fn changes() -> Result<()> {
    let mut district = District::new()?;
    let (first, second) = (unit(&district, "城管中队")?, unit(&district, "市容所")?);
    let one = district.phone("crew1", "crew", &["--unit", &first])?;
    let two = district.phone("crew2", "crew", &["--unit", &second])?;
    let (cases, _) = assigned(&district, 3, &first)?;
    settle(&one)?;
    let due = clock(&one, &cases[0], "fix")?;

    let asked = ["hand-over", "unit", &first, &second, "--reason", "职责调整"];
    let shown = district.installation.must(&asked)?;
    ensure!(shown["preview"]["cases"] == 3 && shown["receipt"].is_null(), "{shown}");
    ensure!(count(&district.installation, "take_over")? == 0, "showing changes nothing");
    let deadlines = count(&district.installation, "issue_deadline")?;
    let done = district.installation.must(&[&asked[..], &["--apply"]].concat())?;
    ensure!(done["receipt"]["moved"] == 3 && done["receipt"]["done"] == true, "{done}");
    ensure!(count(&district.installation, "issue_deadline")? == deadlines, "no clock starts again");

    settle(&two)?;
    for case in &cases {
        ensure!(assignment(&two, case)?["unit"] == second.as_str(), "{case}");
    }
    let now = clock(&two, &cases[0], "fix")?;
    ensure!(now["due"] == due["due"] && now["started_ms"] == due["started_ms"], "{now}");
    ensure!(now["unit"] == second.as_str(), "{now}");
    two.must(&["do", &cases[0], "accept"])?;
    settle(&two)?;
    let op = done["receipt"]["op"].as_str().context("an op")?;
    let receipt = district.installation.must(&["hand-over", "receipt", op])?;
    let signed = receipt["receipt"]["cases"].as_array().context("cases")?;
    ensure!(signed.iter().filter(|case| !case["accepted_ms"].is_null()).count() == 1, "{receipt}");

    let merged = district.installation.must(&["unit", "merge", &second, &first, "--reason", "机构改革", "--apply"])?;
    ensure!(merged["receipt"]["moved"] == 3, "{merged}");
    settle(&two)?;
    ensure!(assignment(&two, &cases[1])?["unit"] == first.as_str(), "its members went along");
    let predecessors = two.must(&["show", &cases[1]])?["case"]["predecessors"].clone();
    ensure!(predecessors[1]["unit"] == second.as_str() && predecessors[0]["unit"] == first.as_str(), "{predecessors}");

    away(&mut district, &cases[2])
}

/// Somebody of another unit stands in until tomorrow; then a server whose clock has gone on ends it.
fn away(district: &mut District, case: &str) -> Result<()> {
    let third = unit(district, "三队")?;
    let deputy = district.phone("crew3", "crew", &["--unit", &third])?;
    settle(&deputy)?;
    ensure!(deputy.must(&["show", case]).is_err(), "it is not the deputy's yet");
    let day = jiff::Zoned::now().date().tomorrow()?.to_string();
    district.installation.must(&["account", "absent", "crew1", "--deputy", "crew3", "--until", &day])?;
    settle(&deputy)?;
    deputy.must(&["do", case, "accept"])?;
    settle(&deputy)?;
    let accepted = entries(&district.installation)?.into_iter().rfind(|entry| entry.kind == "accept");
    ensure!(accepted.context("it was entered")?.record.contains("standing_in"), "the record says for whom");

    district.installation.kill()?;
    ahead(&mut district.installation, "+4d")?;
    district.installation.start()?;
    until("the absence to end", || Ok(count(&district.installation, "end_absence")? == 1))?;
    settle(&deputy)?;
    ensure!(deputy.must(&["show", case]).is_err(), "the case is not the deputy's any more");
    ensure!(district.installation.must(&["rebuild"])?["different"] == 0);
    Ok(())
}
