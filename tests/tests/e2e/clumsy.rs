//! Everything that a clumsy administrator can import or type: files drawn, written and mangled wrong, and commands with
//! nonsense. Each is refused in both languages, and the log does not move.

use anyhow::{Context, Result, ensure};
use schema::catalogue::CITY_CATALOGUE;
use serde_json::{Value, json};
use server::services::geojson;
use tests::dice::Dice;
use tests::programs::Said;

use crate::city::{District, settle};

#[test]
fn what_is_wrong_is_refused_in_both_languages_and_nothing_of_it_is_applied() {
    clumsy().unwrap();
}

struct Office {
    district: District,
    entries: Value,
}

impl Office {
    fn operate(&self, language: &str, arguments: &[&str]) -> Result<Said> {
        Ok(Said::of(&self.district.installation.command(&[&["--lang", language], arguments].concat())?.output()?))
    }

    /// Both languages say why, differently, and the log stays as it was.
    fn refuses(&self, arguments: &[&str], says: &str) -> Result<()> {
        let (zh, en) = (self.operate("zh", arguments)?, self.operate("en", arguments)?);
        for said in [&zh, &en] {
            ensure!(said.code != 0, "{arguments:?} was taken: {said:?}");
            ensure!(!said.err.contains("panicked"), "{arguments:?}: {}", said.err);
        }
        ensure!(en.err.contains(says) || en.out.contains(says), "{arguments:?} says {en:?}, not {says:?}");
        // What clap refuses (exit 2) is said in clap's words.
        let chinese = zh.err.chars().chain(zh.out.chars()).any(|it| ('\u{4e00}'..='\u{9fff}').contains(&it));
        ensure!(zh.code == 2 || chinese, "{arguments:?} says nothing in Chinese: {zh:?}");
        self.unmoved(&format!("{arguments:?}"))
    }

    fn unmoved(&self, after: &str) -> Result<()> {
        let now = self.district.installation.must(&["rebuild"])?["entries"].clone();
        ensure!(now == self.entries, "{after} moved the log: {} entries, now {now}", self.entries);
        Ok(())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.district.folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path.display().to_string())
    }
}

fn clumsy() -> Result<()> {
    let district = District::new()?;
    let phone = district.phone("walker", "inspector", &["--area", &district.grids()[0]])?;
    settle(&phone)?;
    let entries = district.installation.must(&["rebuild"])?["entries"].clone();
    let office = Office { district, entries };
    areas(&office)?;
    catalogues(&office)?;
    commands(&office)?;
    typed(&office, &phone)?;
    mangled(&office)
}

fn areas(office: &Office) -> Result<()> {
    let good: Value = serde_json::from_str(&geojson::write(&office.district.city.areas))?;
    let grid = good["features"].as_array().context("features")?.len() - 1;
    let at = |member: &str| format!("/features/{grid}/{member}");
    let ring = at("geometry/coordinates/0");
    let corners = |points: &[(f64, f64)]| -> Value {
        points.iter().map(|(x, y)| json!([116.30 + x / 100.0, 37.40 + y / 100.0])).collect()
    };
    let crossing = corners(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]);
    let square = corners(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]);
    let far = corners(&[(9.0, 9.0), (9.1, 9.0), (9.1, 9.1), (9.0, 9.0)]);
    let line = json!({"type": "LineString", "coordinates": [[116.3, 37.4], [116.4, 37.4]]});
    let point = |pointer: &str| good.pointer(pointer).cloned().unwrap_or_default();
    let swapped: Value = point(&ring).as_array().into_iter().flatten().map(|it| json!([it[1], it[0]])).collect();
    let changes: Vec<(String, Value, &str)> = vec![
        (ring.clone(), crossing, "crosses or touches itself"),
        (ring.clone(), swapped, "swap"),
        (ring.clone(), corners(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), "not closed"),
        (ring.clone(), json!([]), ""),
        (ring.clone(), json!([[116.3], [116.3], [116.3]]), ""),
        (ring.clone(), json!([["116.3", "37.4"]]), ""),
        (ring, json!([[179.9, 1.0], [-179.9, 1.0], [-179.9, 1.5], [179.9, 1.0]]), "180th meridian"),
        (at("geometry/coordinates"), json!([square, far]), "hole"),
        (at("geometry"), line, "Polygon"),
        (at("geometry"), Value::Null, "no boundary"),
        (at("properties/level"), Value::Null, "level"),
        (at("properties/level"), json!("planet"), "planet"),
        (at("properties/code"), json!(""), "code"),
        (at("properties/code"), point("/features/0/properties/code"), "used twice"),
        (at("properties/id"), point("/features/0/properties/id"), "same id"),
        (at("properties/id"), json!("7"), "UUID"),
        (at("properties/parent"), Value::Null, "parent"),
        (at("properties/name_zh"), json!(" "), "name_zh"),
        ("/features".to_owned(), json!([]), "no areas"),
        ("/features".to_owned(), json!({}), "FeatureCollection"),
        ("/type".to_owned(), json!("Feature"), "FeatureCollection"),
        ("/version".to_owned(), json!(""), "version"),
    ];
    for (pointer, value, says) in changes {
        let mut wrong = good.clone();
        *wrong.pointer_mut(&pointer).with_context(|| pointer.clone())? = value;
        if pointer != "/version" {
            wrong["version"] = json!("next");
        }
        let file = office.file("areas.json", wrong.to_string().as_bytes())?;
        office.refuses(&["areas", "import", &file, "--apply"], says).context(pointer)?;
    }
    for bytes in [b"".as_slice(), b"\0\0\0", b"\xff\xfe{}", b"[1,2", b"\"areas\""] {
        let file = office.file("areas.json", bytes)?;
        office.refuses(&["areas", "import", &file, "--apply"], "")?;
    }
    let mut gone = good.clone();
    gone["version"] = json!("next");
    let walked = office.district.grids()[0].clone();
    let features = gone["features"].as_array_mut().context("features")?;
    features.retain(|feature| feature["properties"]["code"] != json!(walked));
    let file = office.file("areas.json", gone.to_string().as_bytes())?;
    office.refuses(&["areas", "import", &file, "--apply"], "walker")?;
    let mut dated = good;
    dated["version"] = json!("next");
    let file = office.file("areas.json", dated.to_string().as_bytes())?;
    for day in ["2020-01-01", "tomorrow", "2027-02-30"] {
        office.refuses(&["areas", "import", &file, "--apply", "--effective", day], "")?;
    }
    office.refuses(&["areas", "cancel"], "planned")
}

fn catalogues(office: &Office) -> Result<()> {
    let good: Value = serde_json::from_str(CITY_CATALOGUE)?;
    let subtype = "/categories/0/subtypes/0";
    let field = format!("{subtype}/fields/0");
    let again = good.pointer(&field).cloned().unwrap_or_default();
    let number = |unit: &str| json!({"type": "number", "unit": unit, "scale": 0, "min": 0, "max": 9});
    let changes: Vec<(String, Value, &str)> = vec![
        (format!("{field}/holds"), json!({"type": "mystery"}), "mystery"),
        (format!("{field}/holds"), number(""), "unit"),
        (format!("{field}/holds"), number("a\u{7}"), "unit"),
        (format!("{field}/holds"), json!({"type": "choice", "choices": []}), "nothing to choose"),
        (format!("{field}/holds"), json!({"type": "number", "unit": "m", "scale": 0, "min": 1.5, "max": 9}), ""),
        (format!("{field}/code"), json!("Not A Code"), "Not A Code"),
        (format!("{field}/label/en"), json!(""), "en text is empty"),
        (format!("{subtype}/fields"), json!([again, again]), "twice"),
        (format!("{subtype}/filing_conditions"), json!([]), "could be filed"),
        (format!("{subtype}/closing_conditions"), json!([]), "could be closed"),
        (format!("{subtype}/evidence/before"), json!(99), "at most"),
        ("/categories".to_owned(), json!([]), "nothing could be reported"),
        ("/numbering".to_owned(), json!({"format": "{serial}"}), "{year} and {serial}"),
        ("/numbering".to_owned(), json!({"format": "{year}{district}{serial}"}), "between {district}"),
        ("/numbering".to_owned(), json!({"format": "{year}{serial"}), "it may hold"),
        ("/version".to_owned(), json!("长".repeat(41)), "41 characters"),
        ("/title".to_owned(), json!({"zh": "换了", "en": "changed"}), "in force already"),
    ];
    for (pointer, value, says) in changes {
        let mut wrong = good.clone();
        *wrong.pointer_mut(&pointer).with_context(|| pointer.clone())? = value;
        if !["/version", "/title"].contains(&pointer.as_str()) {
            wrong["version"] = json!("next");
        }
        let file = office.file("catalogue.json", wrong.to_string().as_bytes())?;
        office.refuses(&["catalogue", "import", &file, "--apply"], says).context(pointer)?;
    }
    let huge = office.file("catalogue.json", &vec![b' '; 17 * 1024 * 1024])?;
    office.refuses(&["catalogue", "import", &huge, "--apply"], "larger")
}

fn commands(office: &Office) -> Result<()> {
    let long = "长".repeat(100);
    let nobody = "00000000-0000-4000-8000-000000000404";
    let add = |login: &'static str, name: &str| {
        ["account", "add", login, "--name", name, "--role", "crew"].map(str::to_owned)
    };
    let mut wrong: Vec<Vec<String>> = vec![
        add("x", "").to_vec(),
        add("x", "  ").to_vec(),
        add("x", "a\u{7}b").to_vec(),
        add("x", &long).to_vec(),
        add("", "x").to_vec(),
        add("a b", "x").to_vec(),
        add("a\u{7}b", "x").to_vec(),
        add("walker", "x").to_vec(),
        [add("x", "x").to_vec(), vec!["--area".to_owned(), "nowhere".to_owned()]].concat(),
        [add("x", "x").to_vec(), vec!["--unit".to_owned(), nobody.to_owned()]].concat(),
        [add("x", "x").to_vec(), vec!["--unit".to_owned(), "unit".to_owned()]].concat(),
    ];
    let more: [&[&str]; 12] = [
        &["account", "add", "x", "--name", "x", "--role", "emperor"],
        &["account", "disable", "nobody"],
        &["device", "code", "nobody"],
        &["device", "revoke", nobody],
        &["device", "revoke", "phone"],
        &["unit", "add", "--zh", "", "--en", "x"],
        &["unit", "add", "--zh", "单位", "--en", "a\u{7}b"],
        &["unit", "add", "--zh", &long, "--en", "x"],
        &["unit", "add", "--zh", "单位", "--en", "x", "--area", "nowhere"],
        &["unit", "move", nobody],
        &["cases", "import", "/nowhere.csv", "--as", "walker"],
        &["cases", "import", "/nowhere.csv", "--as", "nobody"],
    ];
    wrong.extend(more.iter().map(|arguments| arguments.iter().map(ToString::to_string).collect()));
    for arguments in wrong {
        office.refuses(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "")?;
    }
    let accounts = office.district.installation.must(&["account", "list"])?;
    let logins: Vec<&str> = accounts.as_array().into_iter().flatten().filter_map(|it| it["login"].as_str()).collect();
    ensure!(logins == ["admin", "walker"], "nothing of a refused account stays: {logins:?}");
    Ok(())
}

/// What is typed at a phone.
fn typed(office: &Office, phone: &tests::programs::Phone) -> Result<()> {
    let place = office.district.place(&office.district.grids()[0])?;
    let at = |typed: &'static str| ["report", "--category", "stall", "--subtype", "road_occupation", "--at", typed];
    for typed in ["NaN,NaN", "inf,1", "1e2,1", "91,0", "0,181", "", ",", "1,2,3", "１,２", "31.2 121.4", "0x1f,1"] {
        let said = phone.run(&at(typed))?;
        ensure!(said.code == 2 && !said.err.trim().is_empty(), "{typed}: {said:?}");
    }
    let base = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
    let wrong: [&[&str]; 5] = [
        &["--field", "goods=ghosts"],
        &["--field", "ghosts=1"],
        &["--field", "=1"],
        &["--gcj02", "--at", "48.85,2.35"],
        &["--source", "mars"],
    ];
    for more in wrong {
        let said = phone.run(&[base.as_slice(), more].concat())?;
        ensure!(said.code == 2 && !said.err.trim().is_empty(), "{more:?}: {said:?}");
    }
    ensure!(phone.must(&["status"])?["on_this_phone"] == 0, "nothing of it was captured");
    Ok(())
}

/// Good files with one member gone or something else: whatever comes of them, nobody panics, and what is only shown
/// changes nothing.
fn mangled(office: &Office) -> Result<()> {
    let areas: Value = serde_json::from_str(&geojson::write(&office.district.city.areas))?;
    let catalogue: Value = serde_json::from_str(CITY_CATALOGUE)?;
    let mut dice = Dice::new(20_261_122);
    for turn in 0..40 {
        let (name, mut document) =
            if turn % 2 == 0 { ("areas", areas.clone()) } else { ("catalogue", catalogue.clone()) };
        mangle(&mut document, &mut dice);
        let file = office.file("mangled.json", document.to_string().as_bytes())?;
        let said = office.operate("en", &[name, "import", &file])?;
        ensure!([0, 1].contains(&said.code) && !said.err.contains("panicked"), "{document}: {said:?}");
    }
    office.unmoved("showing what would change")
}

/// Puts something else at a place drawn by chance.
fn mangle(value: &mut Value, dice: &mut Dice) {
    let with = [json!(null), json!(-1), json!(1e300), json!(""), json!("\u{0}"), json!([]), json!({}), json!(true)];
    let mut pointer = String::new();
    let mut below: &Value = value;
    while dice.below(4) > 0 {
        let next = match below {
            Value::Object(members) => {
                members.iter().nth(dice.below(members.len())).map(|(name, it)| (name.clone(), it))
            }
            Value::Array(items) => {
                let place = dice.below(items.len());
                items.get(place).map(|it| (place.to_string(), it))
            }
            _ => None,
        };
        let Some((name, it)) = next else { break };
        pointer.push_str(&format!("/{name}"));
        below = it;
    }
    if let Some(place) = value.pointer_mut(&pointer) {
        *place = with[dice.below(with.len())].clone();
    }
}
