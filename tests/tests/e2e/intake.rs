//! A ledger is taken in by the shipped program: shown first, killed in the middle, gone on with.

use std::process::Stdio;

use anyhow::{Context, Result};

use crate::city::{District, draw, settle};

#[test]
fn a_ledger_is_shown_taken_in_killed_and_gone_on_with() {
    ledger().unwrap();
}

fn ledger() -> Result<()> {
    const ROWS: usize = 900;
    let district = District::new()?;
    let supervisor = district.phone("supervisor", "supervisor", &[])?;
    let photos = district.folder.path().join("photos");
    std::fs::create_dir(&photos)?;
    std::fs::rename(draw(district.folder.path(), 1)?, photos.join("一.jpg"))?;
    let place = district.place(&district.grids()[0])?;
    let mut list = "来源,编号,大类,小类,纬度,经度,照片,说明\n".to_owned();
    for row in 0..ROWS {
        let photo = if row == 0 { "一.jpg" } else { "" };
        let note = r#""=HYPERLINK(""x"") 13800000000""#;
        list.push_str(&format!("督导,DC-{row},stall,road_occupation,{place},{photo},{note}\n"));
    }
    let file = district.folder.path().join("ledger.csv");
    std::fs::write(&file, &list)?;
    let (file, photos) = (file.display().to_string(), photos.display().to_string());
    // A person in the street reported one of them meanwhile, under its number there, and typed it a little otherwise.
    let report = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
    let numbered = ["--source", "inspection", "--source-number", "dc-5 "];
    let reported = supervisor.must(&[report.as_slice(), &numbered].concat())?;
    let import = ["cases", "import", &file, "--photos", &photos, "--as", "supervisor"];
    let shown = district.installation.must(&import)?;
    assert_eq!((&shown["new"], &shown["here"]), (&ROWS.into(), &serde_json::json!([])), "not sent yet: {shown}");
    assert_eq!(shown["errors"], serde_json::json!([]));
    settle(&supervisor)?;
    assert_eq!(supervisor.must(&["list", "--limit", "1000"])?["cases"].as_array().map(Vec::len), Some(1), "shown only");
    let shown = district.installation.must(&import)?;
    assert_eq!((&shown["new"], &shown["here"][0]["row"]), (&(ROWS - 1).into(), &7.into()), "{shown}");
    let code = reported["short_code"].as_str().context("the code of the case")?;
    assert!(shown["here"][0]["en"].as_str().is_some_and(|told| told.contains(code)), "{shown}");

    let applied = [import.as_slice(), &["--apply"]].concat();
    let mut applying = district.installation.command(&applied)?;
    let mut running = applying.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // Killed as soon as something of it is in the log.
    loop {
        settle(&supervisor)?;
        let seen = supervisor.must(&["list", "--limit", "1000"])?["cases"].as_array().map_or(0, Vec::len);
        if seen > 1 || running.try_wait()?.is_some() {
            break;
        }
    }
    running.kill()?;
    running.wait()?;
    let taken = district.installation.must(&applied)?;
    let known = taken["preview"]["known"].as_u64().or(taken["known"].as_u64()).context("how many were known")?;
    assert!(known > 0, "what was in stayed in: {taken}");
    settle(&supervisor)?;
    let cases = supervisor.must(&["list", "--limit", "1000"])?;
    assert_eq!(cases["cases"].as_array().map(Vec::len), Some(ROWS), "each row once");
    assert!(!cases.to_string().contains("13800000000"), "free text is sealed");
    let again = district.installation.must(&applied)?;
    assert_eq!((&again["preview"]["new"], &again["preview"]["known"]), (&0.into(), &(ROWS - 1).into()), "{again}");

    std::fs::write(&file, list.replace("DC-7,stall", "DC-7,dog").replace("DC-8,stall", "DC-8,\"stall"))?;
    let wrong = district.installation.operate(&applied)?;
    assert_eq!(wrong.code, 1, "{wrong:?}");
    let found: serde_json::Value = serde_json::from_str(wrong.out.trim())?;
    assert!(!found["errors"][0]["zh"].is_null() && !found["errors"][0]["en"].is_null(), "{found}");
    district.installation.must(&["rebuild"])?;
    Ok(())
}
