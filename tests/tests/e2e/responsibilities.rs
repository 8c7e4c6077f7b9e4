//! Who is responsible where and for what: imported with its faults told by rule, gaps refused or meant, asked offline.

use anyhow::{Context, Result};
use schema::area::Level;
use schema::ids::AreaId;
use serde_json::{Value, json};
use tests::programs::Phone;

use crate::city::{District, settle};

#[test]
fn responsibilities_are_imported_reviewed_and_asked_offline() {
    responsibilities().unwrap();
}

/// Two units and a chief, and a file to import.
struct Desk {
    district: District,
    office: String,
    police: String,
    chief: String,
}

impl Desk {
    fn area(&self, level: Level) -> Result<AreaId> {
        let found = self.district.city.areas.areas.iter().find(|area| area.level == level);
        Ok(found.context("an area")?.id)
    }

    fn file(&self, version: &str, rules: &[Value]) -> Result<String> {
        let document = json!({ "version": version, "title": { "zh": "责任清单", "en": "Who" }, "rules": rules });
        let file = self.district.folder.path().join(format!("{version}.json"));
        std::fs::write(&file, document.to_string())?;
        Ok(file.display().to_string())
    }

    fn rule(&self, unit: &str, place: Value, matter: Value) -> Value {
        json!({ "unit": unit, "role": "lead", "place": place, "matter": matter, "from": "2020-01-01" })
    }
}

fn with(mut rule: Value, member: &str, value: Value) -> Value {
    rule[member] = value;
    rule
}

fn responsibilities() -> Result<()> {
    let district = District::new()?;
    let unit = |zh: &str| -> Result<String> {
        let added = district.installation.must(&["unit", "add", "--zh", zh, "--en", zh])?;
        Ok(added["unit"].as_str().context("a unit")?.to_owned())
    };
    let (office, police) = (unit("街道办事处")?, unit("公安分局")?);
    let grid = district.grids()[0].clone();
    let supervisor = district.phone("chief", "supervisor", &[])?;
    let accounts = district.installation.must(&["account", "list"])?;
    let named = |row: &&Value| row["login"] == "chief";
    let chief = accounts.as_array().and_then(|rows| rows.iter().find(named)).context("the chief")?["account"].clone();
    let desk = Desk { district, office, police, chief: chief.as_str().unwrap_or_default().to_owned() };
    faults(&desk)?;
    gaps(&desk)?;
    asked(&desk, &supervisor, &grid)
}

/// Each with the rule that it stands in, and what to do.
fn faults(desk: &Desk) -> Result<()> {
    let good = || desk.rule(&desk.office, json!("everywhere"), json!("all"));
    let line = |points: Value| json!({ "line": { "kind": "street", "name": { "zh": "街", "en": "street" }, "points": points, "width_m": 20 } });
    let nobody = "00000000-0000-0000-0000-000000000009";
    let wrong = [
        ("没有单位", "there is no unit", with(good(), "unit", json!(nobody))),
        ("没有账号", "there is no account", with(good(), "person", json!(nobody))),
        ("没有区域", "there is no area", with(good(), "place", json!({ "area": nobody }))),
        (
            "没有 stall/none",
            "no stall/none",
            with(good(), "matter", json!({ "kinds": [{ "category": "stall", "subtype": "none" }] })),
        ),
        ("少于两个点", "fewer than two points", with(good(), "place", line(json!([[1_163_500_000, 374_500_000]])))),
        ("在本区之外", "leaves the district", with(good(), "place", line(json!([[1, 1], [2, 2]])))),
        ("早于", "is before", with(good(), "until", json!("2019-12-31"))),
        ("boss", "boss", with(good(), "role", json!("boss"))),
        ("elsewhere", "elsewhere", with(good(), "elsewhere", json!(1))),
    ];
    for (zh, en, rule) in wrong {
        let file = desk.file("wrong", &[good(), rule])?;
        let said = desk.district.installation.operate(&["responsibilities", "import", &file, "--apply"])?;
        assert_eq!(said.code, 1, "{en}: {said:?}");
        let told: Value = serde_json::from_str(&said.err)?;
        let fault = &told["faults"][0];
        for (language, words) in [("zh", zh), ("en", en)] {
            assert!(fault[language].as_str().is_some_and(|text| text.contains(words)), "{words}: {told}");
        }
    }
    let said = desk.district.installation.operate(&["responsibilities", "check"])?;
    assert!(said.code == 1 && said.err.contains("there are no responsibilities"), "nothing took effect: {said:?}");
    Ok(())
}

fn gaps(desk: &Desk) -> Result<()> {
    let subdistrict = json!({ "area": desk.area(Level::Subdistrict)? });
    let stalls = || json!({ "kinds": [{ "category": "stall" }] });
    let until = with(desk.rule(&desk.office, subdistrict.clone(), stalls()), "until", json!("2999-12-31"));
    let file = desk.file("gaps", &[until.clone(), desk.rule(&desk.police, subdistrict, stalls())])?;
    let operate =
        |more: &[&str]| desk.district.installation.operate(&[&["responsibilities", "import", &file], more].concat());
    let refused = operate(&["--apply"])?;
    assert!(refused.code == 1 && refused.err.contains("--with-gaps"), "{refused:?}");
    let shown: Value = serde_json::from_str(&refused.out)?;
    let report = &shown["change"]["report"];
    let kinds = |list: &Value| list.as_array().cloned().unwrap_or_default();
    assert_eq!(shown["applied"], false);
    assert!(
        kinds(&report["gaps"])
            .iter()
            .any(|gap| gap["category"] == "dog" && gap["grids"].as_array().is_some_and(|all| all.len() == 28)),
        "{report}"
    );
    let overlap = kinds(&report["overlaps"]).into_iter().find(|it| it["subtype"] == "road_occupation");
    let overlap = overlap.context("stalls are of two units")?;
    assert_eq!((kinds(&overlap["units"]).len(), kinds(&overlap["grids"]).len()), (2, 7), "{overlap}");
    assert_eq!(operate(&["--with-gaps"])?.code, 0, "shown only");
    let applied = operate(&["--with-gaps", "--apply"])?.json()?;
    assert_eq!(applied["applied"], true, "{applied}");
    let check = desk.district.installation.operate(&["responsibilities", "check"])?;
    assert!(check.code == 1 && check.err.contains("nobody is responsible"), "they stay reported: {check:?}");
    Ok(())
}

/// The whole district is the office's until a day, dogs are the police's, and a street has its chief.
fn asked(desk: &Desk, supervisor: &Phone, grid: &str) -> Result<()> {
    let areas = &desk.district.city.areas.areas;
    let ring = &areas.iter().find(|area| area.code == *grid).context("a grid")?.boundary[0][0];
    let line =
        json!({ "kind": "street", "name": { "zh": "河湾路", "en": "Hewan Road" }, "points": ring, "width_m": 900 });
    let dogs = json!({ "kinds": [{ "category": "dog" }] });
    let chief = json!({ "person": desk.chief, "role": "lead", "place": { "line": line }, "matter": "all", "from": "2020-01-01" });
    let all = with(desk.rule(&desk.office, json!("everywhere"), json!("all")), "until", json!("2999-12-31"));
    let file = desk.file("whole", &[all, desk.rule(&desk.police, json!("everywhere"), dogs), chief])?;
    let preview = desk.district.installation.must(&["responsibilities", "import", &file])?;
    assert_eq!((&preview["change"]["from"], &preview["applied"]), (&json!("gaps"), &json!(false)));
    assert_eq!(
        preview["change"]["report"]["gaps"][0]["since"], "3000-01-01",
        "the gap is to come, and told: {preview}"
    );
    let import = ["responsibilities", "import", &file, "--apply"];
    assert_eq!(desk.district.installation.must(&import)?["applied"], true);
    let again = desk.district.installation.must(&import)?;
    assert_eq!((&again["applied"], &again["change"]["unchanged"]), (&json!(false), &json!(true)));
    desk.district.installation.must(&["responsibilities", "check"])?;
    let later = desk.district.installation.operate(&["responsibilities", "check", "--on", "3000-01-01"])?;
    assert_eq!(later.code, 1, "{later:?}");
    settle(supervisor)?;

    let place = desk.district.place(grid)?;
    let who = |category: &str, subtype: &str| -> Result<Value> {
        let said = supervisor.must(&["who", "--at", &place, "--category", category, "--subtype", subtype])?;
        Ok(said["suggestion"].clone())
    };
    let (dog, stall) = (who("dog", "unleashed")?, who("stall", "road_occupation")?);
    assert_eq!((&dog["leads"][0]["unit"], &dog["leads"][0]["matter"]), (&json!(desk.police), &json!("category")));
    assert_eq!(dog["wider"][0]["unit"], desk.office.as_str());
    assert_eq!((&stall["leads"][0]["unit"], &stall["leads"][0]["rule"]), (&json!(desk.office), &json!(1)));
    let chief = &stall["persons"][0];
    assert_eq!((&chief["person"], &chief["named"]["zh"]), (&json!(desk.chief), &json!("河湾路")), "{stall}");

    let inspector = desk.district.phone("inspector", "inspector", &["--area", grid])?;
    settle(&inspector)?;
    let report = ["report", "--category", "dog", "--subtype", "unleashed", "--at", &place, "--note", "黄色大犬"];
    let made = inspector.must(&report)?;
    settle(&inspector)?;
    settle(supervisor)?;
    let case = made["case"].as_str().context("a case")?;
    supervisor.must(&["do", case, "file", "--condition", "seen_unleashed"])?;
    let said =
        tests::programs::run("rectify-phone", &["--home", &supervisor.home.display().to_string(), "show", case])?;
    assert!(said.out.contains("建议责任单位: 公安分局 (按大类, 全区; 规则 2)"), "{said:?}");
    assert!(said.out.contains("责任人: chief"), "{said:?}");
    Ok(())
}
