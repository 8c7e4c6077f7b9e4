//! Two districts, one inspector who works in both on one phone, and one who may work in one.

use anyhow::{Context, Result};
use server::demo::city::city;
use server::services::geojson;

use crate::city::{District, draw, settle};

#[test]
fn one_phone_serves_two_districts_and_another_only_its_own() {
    two_districts().unwrap();
}

fn two_districts() -> Result<()> {
    let district = District::new()?;
    let grids = district.grids();
    let walker = district.phone("walker", "inspector", &["--area", &grids[0]])?;
    let homely = district.phone("homely", "inspector", &["--area", &grids[0]])?;
    settle(&walker)?;
    settle(&homely)?;

    // The second district lies a degree further east, with ids of its own.
    let mut west = city(2).areas;
    for area in &mut west.areas {
        for point in area.boundary.iter_mut().flatten().flatten() {
            point.0 += 10_000_000;
        }
    }
    let file = district.folder.path().join("second.geojson");
    std::fs::write(&file, geojson::write(&west).replace(&city(1).areas.version, "second"))?;
    let file = file.display().to_string();
    let added = district.installation.must(&["district", "add", "城西区", "--en", "West", "--areas", &file])?;
    let log = added["log"].as_str().context("a log")?.to_owned();
    let listed = district.installation.must(&["district", "list"])?;
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    let again = district.installation.operate(&["district", "add", "城西区"])?;
    assert_eq!(again.code, 1, "a name that is taken makes no second district: {}", again.out);
    let unclear = district.installation.operate(&["unit", "add", "--zh", "中队", "--en", "Squad"])?;
    assert_eq!(unclear.code, 1, "with two districts one must be named");

    let far = west.areas.last().context("a grid")?.code.clone();
    let grant = ["account", "grant", "walker", "--role", "inspector", "--area", &far, "--district", "城西区"];
    district.installation.must(&grant)?;
    settle(&walker)?;
    settle(&homely)?;
    settle(&walker)?;

    let near_place = district.place(&grids[0])?;
    let far_place = shifted(&west, &far)?;
    // One photograph of a stall on the border, in the logs of both.
    let photo = draw(district.folder.path(), 5)?.display().to_string();
    let report = |place: &str| -> Result<serde_json::Value> {
        let base = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", place, "--photo", &photo];
        walker.must(&base)
    };
    let (here, there) = (report(&near_place)?, report(&far_place)?);
    assert_ne!(here["log"], there["log"], "each goes to the district whose area holds it");
    assert_eq!(there["log"], log.as_str());
    settle(&walker)?;
    settle(&homely)?;
    let case = |made: &serde_json::Value| made["case"].as_str().unwrap_or_default().to_owned();
    for made in [&here, &there] {
        let shown = walker.must(&["show", &case(made)])?;
        assert_eq!(shown["case"]["state"], "reported", "{shown}");
        assert!(shown["case"]["first_rev"].as_u64().is_some_and(|rev| rev > 0), "taken by its log: {shown}");
        let evidence = &shown["case"]["evidence"][0];
        assert!(evidence["verified_rev"].is_u64(), "sent once, it is told to both: {shown}");
    }
    // A list goes into the district that is named, and into none where none is.
    let list = format!("来源,编号,大类,小类,纬度,经度\n督导,DC-1,stall,road_occupation,{far_place}\n");
    let file = district.folder.path().join("far.csv");
    std::fs::write(&file, list)?;
    let file = file.display().to_string();
    let import = ["cases", "import", &file, "--as", "walker", "--apply"];
    assert_eq!(district.installation.operate(&import)?.code, 1, "with two districts one must be named");
    let taken = district.installation.must(&[import.as_slice(), &["--district", "城西区"]].concat())?;
    assert!(!taken["preview"]["warnings"].to_string().contains("纬度"), "it lies in a grid there: {taken}");
    settle(&walker)?;
    let listed = walker.must(&["list"])?;
    assert_eq!(listed["cases"].as_array().map(Vec::len), Some(3), "{listed}");
    homely.must(&["show", &case(&here)])?;
    assert_eq!(homely.run(&["show", &case(&there)])?.code, 1, "the other district is not on this phone");
    Ok(())
}

/// The middle of a grid of the second district, as a person types it.
fn shifted(tree: &schema::area::AreaTree, code: &str) -> Result<String> {
    let area = tree.areas.iter().find(|area| area.code == code).context("a grid")?;
    let ring = &area.boundary[0][0];
    let count = i64::try_from(ring.len())?;
    let sum = ring.iter().fold((0, 0), |sum: (i64, i64), it| (sum.0 + i64::from(it.0), sum.1 + i64::from(it.1)));
    let degrees = |e7: i64| format!("{}.{:07}", e7 / 10_000_000, e7 % 10_000_000);
    Ok(format!("{},{}", degrees(sum.1 / count), degrees(sum.0 / count)))
}
