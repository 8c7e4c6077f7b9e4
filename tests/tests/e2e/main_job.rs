//! The main job, from a report made with no network to a closed case, each person on a phone of their own.

use anyhow::Result;
use serde_json::Value;

use crate::city::{District, draw, photograph, settle};

#[test]
fn a_report_is_filed_assigned_fixed_checked_and_closed() {
    main_job().unwrap();
}

fn main_job() -> Result<()> {
    let mut district = District::new()?;
    let grids = district.grids();
    let unit = district.installation.must(&["unit", "add", "--zh", "城管中队", "--en", "Squad"])?;
    let unit_id = unit["unit"].as_str().unwrap_or_default().to_owned();
    let inspector = district.phone("inspector", "inspector", &["--area", &grids[0]])?;
    let neighbour = district.phone("neighbour", "inspector", &["--area", &grids[27]])?;
    let supervisor = district.phone("supervisor", "supervisor", &[])?;
    let crew = district.phone("crew", "crew", &["--unit", &unit_id])?;
    for phone in [&inspector, &neighbour, &supervisor, &crew] {
        settle(phone)?;
    }
    district.installation.kill()?;

    let place = district.place(&grids[0])?;
    let photo = photograph("coffee.png")?.display().to_string();
    let base = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
    let more =
        ["--subject", "12号摊", "--note", "电话13800000000", "--field", "goods=fruit_vegetables", "--photo", &photo];
    let reported = inspector.must(&[base.as_slice(), &more].concat())?;
    let case = reported["case"].as_str().unwrap_or_default().to_owned();
    let shown = inspector.must(&["show", &case])?;
    assert_eq!(shown["case"]["state"], "reported", "the phone shows it at once, with no server: {shown}");

    district.installation.start()?;
    settle(&inspector)?;
    settle(&supervisor)?;
    supervisor.must(&["do", &case, "file", "--condition", "occupies_road"])?;
    supervisor.must(&["do", &case, "assign", "--unit", &unit_id])?;
    settle(&supervisor)?;
    settle(&crew)?;
    crew.must(&["do", &case, "accept"])?;
    let after = draw(district.folder.path(), 9001)?.display().to_string();
    crew.must(&["do", &case, "submit_fix", "--note", "已清理", "--photo", &after])?;
    settle(&crew)?;

    // The crew may not check its own work; the neighbour's grid is another; the inspector of the grid may.
    let own = crew.must(&["do", &case, "check", "--verdict", "pass"])?;
    assert_eq!(own["estimate"]["outcome"], "rejected", "the phone knows already: {own}");
    assert_eq!(neighbour.run(&["show", &case])?.code, 1, "a case of another grid is not on this phone");
    settle(&inspector)?;
    inspector.must(&["do", &case, "check", "--verdict", "pass", "--photo", &after])?;
    settle(&inspector)?;
    settle(&supervisor)?;
    supervisor.must(&["do", &case, "close", "--condition", "removed_clean"])?;
    settle(&supervisor)?;
    settle(&inspector)?;
    let closed = inspector.must(&["show", &case])?;
    assert_eq!(closed["case"]["state"], "closed", "{closed}");
    assert!(closed["case"]["number"].is_string());
    assert!(!closed["case"].to_string().contains("13800000000"), "no personal value in a document");

    settle(&crew)?;
    let refused = crew.must(&["needs-attention"])?;
    assert!(refused.to_string().contains("not_permitted"), "the crew is told why: {refused}");
    let again = inspector.must(&[base.as_slice(), &["--subject", "13号摊", "--photo", &photo]].concat())?;
    settle(&inspector)?;
    let again = inspector.must(&["show", again["case"].as_str().unwrap_or_default()])?;
    assert!(again.to_string().contains("photo_used_before"), "the photo of another case is told so: {again}");
    crew.must(&["do", &case, "comment", "--note", "last words"])?;
    district.installation.must(&["account", "disable", "crew", "--reason", "left"])?;
    let said = crew.run(&["sync"])?;
    assert!(said.err.contains("has delivered all that it held, and has wiped itself"), "{said:?}");
    assert_eq!(wiped(&crew)?, ["wiped.json"], "what a disabled person's phone held is in custody, and gone from it");
    accounts_end(&district, &inspector, &supervisor, &case)
}

/// A revoked phone delivers what it holds, into custody, and gets nothing more.
fn accounts_end(
    district: &District,
    inspector: &tests::programs::Phone,
    supervisor: &tests::programs::Phone,
    case: &str,
) -> Result<()> {
    let devices = district.installation.must(&["device", "list"])?;
    let rows: Vec<Value> = devices.as_array().cloned().unwrap_or_default();
    assert!(rows.len() >= 4, "{devices}");
    let accounts = district.installation.must(&["account", "list"])?;
    let find = |login: &str| accounts.as_array().and_then(|rows| rows.iter().find(|row| row["login"] == login));
    let account = find("inspector").map(|row| row["account"].clone()).unwrap_or_default();
    let device = rows.iter().find(|row| row["account"] == account).map(|row| row["device"].clone());
    let device = device.and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
    inspector.must(&["do", case, "comment", "--note", "last words"])?;
    district.installation.must(&["device", "revoke", &device, "--reason", "lost"])?;
    let said = inspector.run(&["sync"])?;
    assert!(said.err.contains("has delivered all that it held, and has wiped itself"), "{said:?}");
    assert_eq!(wiped(inspector)?, ["wiped.json"]);
    let parked = supervisor.must(&["parked"])?;
    assert_eq!(parked.as_array().map(Vec::len), Some(2), "the last words of both wait for a person: {parked}");
    Ok(())
}

/// What is left in a phone's folder.
fn wiped(phone: &tests::programs::Phone) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(&phone.home)?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
