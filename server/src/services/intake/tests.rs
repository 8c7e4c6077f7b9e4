//! Lists taken in by the real ledger: what becomes of each row, and that doing it again changes nothing.

use std::path::PathBuf;

use encoding_rs::GB18030;
use schema::case::{Case, Channel, FieldName};
use schema::catalogue::Text;
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::Role;
use tempfile::TempDir;

use super::{Asked, Intake, Preview};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::services::installation::{District, NewAccount};
use crate::services::ledger::parse_entity;
use crate::store::StoreError;
use schema::sync::Durability;

struct Desk {
    folder: TempDir,
    app: App,
    intake: Intake,
}

/// 2026-11-22 12:00 in Beijing.
const NOW_MS: u64 = 1_795_320_000_000;
const HEADER: &str = "来源,来源编号,发现时间,大类,小类,纬度,经度,对象,情况说明,goods,vendor_phone,照片\n";

impl Desk {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let district = District {
            name: Text { zh: "区".to_owned(), en: "District".to_owned() },
            zone: "Asia/Shanghai".to_owned(),
        };
        let config = Config {
            data: folder.path().join("data"),
            database_url: Some(databases::address(folder.path())),
            photos: None,
            host: "localhost".to_owned(),
            durability: Durability::Local,
            checkpoint_interval_ms: 60_000,
            listen: String::new(),
            proxies: Vec::new(),
            webhook_timeout: std::time::Duration::from_secs(10),
            district: district.clone(),
        };
        let app = App::open(&config, &Clock::standing(NOW_MS)).unwrap();
        let signer = app.logs.checkpoints.signer().verifier_key();
        app.installation.first_start(&district, &signer).await.unwrap();
        for (login, role) in [("team", Role::Inspector), ("auditor", Role::Auditor)] {
            let new = NewAccount {
                id: None,
                login: login.to_owned(),
                name: login.to_owned(),
                person: None,
                role: Some(role),
                area: None,
                units: Vec::new(),
                password: None,
            };
            app.installation.add_account(new).await.unwrap();
        }
        let (logs, photos) = (app.logs.clone(), app.photos.clone());
        let intake = Intake::open(logs.store, logs.ledger, photos, app.clock.clone(), &config.data).unwrap();
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        Self { folder, app, intake }
    }

    fn asked(&self, list: &[u8]) -> Asked {
        let file = self.folder.path().join("list.csv");
        std::fs::write(&file, list).unwrap();
        let photos: Option<PathBuf> = Some(self.folder.path().join("photos"));
        let log = self.app.logs.store.read(|db| db.heads()).map_err(|error: StoreError| error).unwrap()[0].log;
        Asked { log, file, photos, account: "team".to_owned(), source: None, gcj02: false }
    }

    fn photo(&self, name: &str, seed: u64) {
        use pictures::drawing::{Scene, Shot, jpeg};
        let shot = Shot { scene: Scene::Stall, fixed: false, place: seed, shot: seed };
        std::fs::write(self.folder.path().join("photos").join(name), jpeg(&shot).unwrap()).unwrap();
    }

    async fn preview(&self, rows: &str) -> Preview {
        let asked = self.asked(format!("{HEADER}{rows}").as_bytes());
        self.intake.preview(&asked).await.unwrap().preview
    }

    fn cases(&self) -> Vec<Case> {
        let found = self.app.logs.store.read(|db| {
            let head = db.heads()?.remove(0);
            db.entities_of_kind(head.num, "case", EntityId::NIL, 1000)
        });
        let documents = found.unwrap().into_iter().filter_map(|stored| stored.document);
        documents
            .map(|document| match parse_entity(&document).unwrap() {
                Entity::Case(case) => *case,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

const GOOD: &str = "热线,RX-1,2026-11-20 08:30,占道经营和流动摊点,占道经营,31.2304167,121.4737,12号摊,\
                    \"电话是 13800000000\n第二行\",水果蔬菜,13800000000,a.jpg；b.jpg\n";

#[tokio::test]
async fn a_list_becomes_reports_of_its_account_and_doing_it_again_changes_nothing() {
    let desk = Desk::new().await;
    let catalogue: schema::catalogue::Catalogue = serde_json::from_str(schema::catalogue::CITY_CATALOGUE).unwrap();
    let stall = catalogue.categories.iter().find(|it| it.code.as_str() == "stall").unwrap();
    let (zh, subtype) =
        (&stall.name.zh, &stall.subtypes.iter().find(|it| it.code.as_str() == "road_occupation").unwrap());
    let good = GOOD
        .replace("占道经营和流动摊点,占道经营", &format!("{zh},{}", subtype.name.zh))
        .replace("水果蔬菜", "fruit_vegetables");
    desk.photo("a.jpg", 1);
    desk.photo("b.jpg", 2);
    let list = format!("{HEADER}{good}巡查,,,stall,road_occupation,31.23,121.47,,,,,\n");
    let (gb, _, _) = GB18030.encode(&list);
    let asked = desk.asked(&gb);
    let plan = desk.intake.preview(&asked).await.unwrap();
    assert_eq!(plan.preview.errors, vec![]);
    assert_eq!((plan.preview.rows, plan.preview.new, plan.preview.photos), (2, 2, 2));
    assert_eq!(plan.preview.encoding.unwrap().name(), "GB18030", "the encoding is told");
    let taken = desk.intake.take(plan, |_, _| ()).await.unwrap();
    assert_eq!((taken.taken, taken.parked, taken.refused.len()), (2, 0, 0));

    let cases = desk.cases();
    let case = cases.iter().find(|case| case.source.channel == Channel::Hotline).unwrap();
    assert_eq!(case.source.number.as_deref(), Some("RX-1"));
    assert_eq!(case.fields[&FieldName::Subject].value, "12号摊");
    assert_eq!(case.evidence.len(), 2);
    assert!(case.evidence.iter().all(|photo| photo.verified_rev.is_some()), "its photos are here");
    assert!(!serde_json::to_string(&cases).unwrap().contains("13800000000"), "personal values are sealed");
    assert_eq!(case.reporter.role, Some(Role::Inspector), "a real person answers for it");

    let again = desk.intake.preview(&asked).await.unwrap();
    assert_eq!((again.preview.new, again.preview.known), (0, 2));
    assert_eq!(desk.intake.take(again, |_, _| ()).await.unwrap().taken, 0);
    assert_eq!(desk.cases().len(), 2);

    let changed = desk.asked(list.replace("12号摊", "13号摊").replace("第二行", "改了").as_bytes());
    let changed = desk.intake.preview(&changed).await.unwrap().preview;
    assert_eq!((changed.new, changed.known, changed.different.len()), (0, 1, 1), "told, not taken: {changed:?}");
    assert!(changed.different[0].what.en.contains("subject") && changed.different[0].what.en.contains("note"));
    assert_eq!(changed.different[0].row, Some(2));
}

#[tokio::test]
async fn every_fault_is_told_with_its_row_and_column_and_nothing_is_taken() {
    let desk = Desk::new().await;
    desk.photo("a.jpg", 1);
    desk.photo("copy.jpg", 1);
    std::fs::write(desk.folder.path().join("photos/text.jpg"), "no picture").unwrap();
    std::fs::write(desk.folder.path().join("photos/empty.jpg"), "").unwrap();
    let at = "stall,road_occupation,31.23,121.47";
    let rows = [
        ("火星,1,,stall,road_occupation,31.23,121.47,,,,,", "来源"),
        ("热线,2,2027-01-01,stall,road_occupation,31.23,121.47,,,,,", "发现时间"),
        ("热线,3,yesterday,stall,road_occupation,31.23,121.47,,,,,", "发现时间"),
        ("热线,4,,ghosts,road_occupation,31.23,121.47,,,,,", "大类"),
        ("热线,5,,stall,ghosts,31.23,121.47,,,,,", "小类"),
        ("热线,6,,stall,road_occupation,NaN,121.47,,,,,", "纬度"),
        ("热线,7,,stall,road_occupation,121.47,31.23,,,,,", "纬度"),
        ("热线,8,,stall,road_occupation,48.85,2.35,,,,,", "纬度"),
        ("热线,9,,stall,road_occupation,31.23,1e5,,,,,", "经度"),
        (&format!("热线,10,,{at},,,bicycles,,"), "goods"),
        (&format!("热线,11,,{at},,,,,nothing.jpg"), "照片"),
        (&format!("热线,12,,{at},,,,,text.jpg"), "照片"),
        (&format!("热线,13,,{at},,,,,empty.jpg"), "照片"),
        (&format!("热线,14,,{at},,,,,../list.csv"), "照片"),
        (&format!("热线,15,,{at},,,,,a.jpg;a.jpg"), "照片"),
        (&format!("热线,16,,{at},,,,,copy.jpg"), "照片"),
        (&format!("热线,17,,{at},a\u{7}b,,,,"), "对象"),
        (&format!("热线,18,,{at},{},,,,", "长".repeat(81)), "对象"),
        (&format!("热线,19,,{at},,{},,,", "长".repeat(1400)), "情况说明"),
        (&format!("热线,20,,{at},a\0b,,,,"), "对象"),
        (&format!("热线,21,,{at},,,,"), ""),
        (&format!("热线,{},,{at},,,,,", "9".repeat(81)), "来源编号"),
    ];
    let text: String = rows.iter().map(|(row, _)| format!("{row}\n")).collect();
    let preview = desk.preview(&text).await;
    for (row, (text, column)) in (2..).zip(&rows) {
        let found = preview
            .errors
            .iter()
            .find(|fault| fault.row == Some(row) && fault.column.as_deref().unwrap_or("") == *column);
        let found = found.unwrap_or_else(|| panic!("row {row} {text} [{column}] is not in {:#?}", preview.errors));
        assert!(!found.what.zh.is_empty() && !found.what.en.is_empty());
    }
    assert_eq!(preview.new, 0);
    let asked = desk.asked(format!("{HEADER}{text}热线,99,,{at},,,,,\n").as_bytes());
    let plan = desk.intake.preview(&asked).await.unwrap();
    assert!(matches!(desk.intake.take(plan, |_, _| ()).await, Err(Error::Faults(_))));
    assert_eq!(desk.cases().len(), 0, "one good row among bad ones is not taken either");
}

#[tokio::test]
async fn a_file_that_is_no_list_is_refused_as_a_whole() {
    let desk = Desk::new().await;
    let at = "stall,road_occupation,31.23,121.47";
    let ragged = format!("{HEADER}热线,1,,{at}\n热线,2,,{at},,,,,,,,,\n");
    let twice = format!("{HEADER}热线,1,,{at},,,,,\n热线,1,,{at},b,,,,\n");
    let unclosed = format!("{HEADER}热线,1,,{at},\"x,,,,\n热线,2,,{at},,,,,\n");
    let huge = format!("{HEADER}热线,1,,{at},,{},,,\n", "x".repeat(70 * 1024 * 1024));
    for (list, row) in [
        (Vec::new(), None),
        (b"\xff\xfe\x00".to_vec(), None),
        (b"\x81\xff,\xff".to_vec(), None),
        (HEADER.as_bytes().to_vec(), None),
        (HEADER.replace(',', ";").into_bytes(), Some(1)),
        (b"a,b\n1,2\n".to_vec(), Some(1)),
        (HEADER.replace("经度", "纬度").into_bytes(), Some(1)),
        (ragged.into_bytes(), Some(2)),
        (twice.into_bytes(), Some(3)),
        (unclosed.into_bytes(), Some(2)),
        (huge.into_bytes(), None),
    ] {
        let shown = String::from_utf8_lossy(&list).chars().take(80).collect::<String>();
        let plan = desk.intake.preview(&desk.asked(&list)).await.unwrap();
        assert!(plan.preview.errors.iter().any(|fault| fault.row == row), "{shown}: {:?}", plan.preview.errors);
        assert!(desk.intake.take(plan, |_, _| ()).await.is_err());
    }
    for account in ["nobody", "auditor", "admin"] {
        let asked = Asked { account: account.to_owned(), ..desk.asked(HEADER.as_bytes()) };
        assert!(matches!(desk.intake.preview(&asked).await, Err(Error::Faults(_))), "{account}");
    }
    assert_eq!(desk.cases().len(), 0);
}

#[tokio::test]
async fn positions_of_chinese_maps_are_converted_once_and_both_are_kept() {
    let desk = Desk::new().await;
    let list = "category,subtype,lat,lon\nstall,road_occupation,31.1753040,121.5315419\n";
    let asked = Asked { source: Some(Channel::Inspection), gcj02: true, ..desk.asked(list.as_bytes()) };
    let plan = desk.intake.preview(&asked).await.unwrap();
    desk.intake.take(plan, |_, _| ()).await.unwrap();
    let position = desk.cases()[0].fields[&FieldName::Position].value.clone();
    assert_eq!(position["gcj02"]["lat_e7"], 311_753_040);
    assert!((position["lat_e7"].as_i64().unwrap() - 311_774_276).abs() <= 1, "{position}");
}

mod anything {
    use proptest::prelude::*;

    use super::super::decode;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        /// Whatever stands in a cell, a reader of the list gets the same cell or a fault: never another row's.
        #[test]
        fn cells_survive_quoting(cells in proptest::collection::vec("[a-z,\"\n 长]{0,6}", 1..5)) {
            let mut written = csv::WriterBuilder::new().from_writer(Vec::new());
            written.write_record(&cells).unwrap();
            let bytes = written.into_inner().unwrap();
            let (text, _) = decode::decode(&bytes).unwrap();
            prop_assert_eq!(decode::quotes(&text), vec![]);
            let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let read = lines.records().next().unwrap().unwrap();
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
