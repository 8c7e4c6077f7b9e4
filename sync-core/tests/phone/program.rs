//! The program as a person or a script uses it, with no server anywhere.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::server::LOG;
use super::town::{Town, enrolled, now};

pub(crate) struct Program<'a> {
    pub(crate) home: &'a Path,
}

impl Program<'_> {
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rectify-phone"))
            .arg("--home")
            .arg(self.home)
            .args(arguments)
            .env_remove("LANG")
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .output()
            .unwrap()
    }

    /// Its JSON, where it did it.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What it says when it does not, with its exit code.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

pub(crate) const REPORT: [&str; 7] =
    ["report", "--category", "stall", "--subtype", "road_occupation", "--at", "0.00005,0.00005"];

#[test]
fn before_enrolment_it_says_what_to_do() {
    let folder = tempfile::TempDir::new().unwrap();
    let program = Program { home: &folder.path().join("home") };
    let (code, said) = program.refusal(&REPORT);
    assert_eq!(code, Some(1));
    assert!(said.contains("enrol"), "{said}");
    let (code, said) = program.refusal(&[&["--lang", "en"], REPORT.as_slice()].concat());
    assert_eq!(code, Some(1));
    assert!(said.contains("not enrolled"), "{said}");
    assert_eq!(program.json(&["status"])["account"], Value::Null);
}

#[test]
fn a_report_and_a_life_without_a_server() {
    let mut town = Town::new(0);
    let home = town.folder.path().join("program");
    drop(enrolled(&mut town.server, &home, 0, now(1)));
    let photo = town.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"no jpeg at all").unwrap();
    let program = Program { home: &home };
    let photo = photo.to_str().unwrap();
    let made = program.json(
        &[
            REPORT.as_slice(),
            &["--note", "占道经营", "--subject", "12 号摊", "--photo", photo],
            // By its Chinese label; the telephone number is personal and is sealed.
            &["--field", "vendor_phone=13800000000"],
        ]
        .concat(),
    );
    let code = made["short_code"].as_str().unwrap();
    assert_eq!(made["estimate"]["estimate"], "likely");

    let listed = program.json(&["list"]);
    assert_eq!(listed["cases"][0]["short_code"], code);
    assert_eq!(listed["cases"][0]["photos"], 1);
    let shown = program.json(&["show", &code.to_lowercase()]);
    let values: Vec<&str> = shown["values"].as_object().unwrap().values().filter_map(Value::as_str).collect();
    assert!(values.contains(&"占道经营") && values.contains(&"13800000000"), "{shown}");
    assert!(!shown["case"].to_string().contains("13800000000"), "personal values are not in the document");

    program.json(&["do", code, "amend", "--field", "subject=13 号摊", "--note", "收摊不及时"]);
    program.json(&["do", code, "comment", "--note", "已劝导"]);
    let shown = program.json(&["show", code]);
    assert_eq!(shown["case"]["fields"]["subject"]["value"], "13 号摊");
    assert_eq!(shown["case"]["comment_count"], 1);
    let status = program.json(&["status"]);
    assert_eq!((&status["on_this_phone"], &status["photos_to_send"]), (&Value::from(3), &Value::from(1)));
    assert_eq!(program.json(&["needs-attention"]), Value::Array(Vec::new()));

    // For a person, in both languages.
    let zh = program.run(&["show", code]);
    assert!(String::from_utf8_lossy(&zh.stdout).contains("本机预估"));
    let en = program.run(&["--lang", "en", "status"]);
    assert!(String::from_utf8_lossy(&en.stdout).contains("on this phone only 3"));
}

#[test]
fn a_case_is_shown_in_names_and_never_in_json() {
    let mut town = Town::new(0);
    let home = town.folder.path().join("program");
    drop(enrolled(&mut town.server, &home, 0, now(1)));
    let photo = town.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"no jpeg at all").unwrap();
    let program = Program { home: &home };
    let made = program.json(
        &[
            REPORT.as_slice(),
            &["--accuracy-m", "8", "--field", "goods=fruit_vegetables", "--field", "blocks_tactile=yes"],
            &[
                "--field",
                "vendor_phone=13800000000",
                "--note",
                "占道经营",
                "--subject",
                "12 号摊",
                "--photo",
                photo.to_str().unwrap(),
            ],
        ]
        .concat(),
    );
    let code = made["short_code"].as_str().unwrap();
    let says = |language: &str, expected: &[&str]| {
        let shown = program.run(&["--lang", language, "show", code]).stdout;
        let shown = String::from_utf8(shown).unwrap();
        for line in expected {
            assert!(shown.lines().any(|it| it.trim() == *line), "{line} in:\n{shown}");
        }
        assert!(!shown.contains(['{', '}', '"']), "{shown}");
    };
    let photo = sync_core::line::sha256(b"no jpeg at all").to_string();
    says(
        "zh",
        &[
            "类别: 占道经营/占道经营",
            "位置: 0.0000500,0.0000500 ±8 m",
            "经营品类: 果蔬",
            "占压盲道: 是",
            "经营者电话: 13800000000",
            "说明: 占道经营",
            &format!("{photo}  整改前  未到"),
        ],
    );
    says(
        "en",
        &[
            "position: 0.0000500,0.0000500 ±8 m",
            "Goods: Fruit and vegetables",
            "Blocks the tactile paving: yes",
            &format!("{photo}  before  not yet"),
        ],
    );
    program.json(&["do", code, "amend", "--field", "subject="]);
    says("zh", &["摊位号或摊点特征: （无）"]);
    says("en", &["Stall: its number or its looks: (none)"]);
}

#[test]
fn wrong_usage_is_told_from_refusal() {
    let mut town = Town::new(0);
    let home = town.folder.path().join("program");
    drop(enrolled(&mut town.server, &home, 0, now(1)));
    let program = Program { home: &home };
    let made = program.json(&REPORT);
    let code = made["short_code"].as_str().unwrap();
    let with_bad_position = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", "91,0"];
    let with_unknown_kind = ["report", "--category", "stall", "--subtype", "parking", "--at", "1,1"];
    let unknown_field = [REPORT.as_slice(), &["--field", "colour=red"]].concat();
    for (arguments, expected) in [
        (with_bad_position.to_vec(), "LAT,LON"),
        (with_unknown_kind.to_vec(), "road_occupation"),
        (unknown_field, "goods"),
        (vec!["do", code, "close"], "--condition"),
        (vec!["do", code, "check", "--verdict", "maybe"], "pass"),
        (vec!["do", code, "accept", "--note", "x"], "--note"),
        (vec!["do", code, "amend"], "--field"),
        (vec!["list", "--state", "lost"], "reported"),
        (vec!["nonsense"], "unrecognized"),
    ] {
        let (status, said) = program.refusal(&[&["--lang", "en"], arguments.as_slice()].concat());
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    for arguments in
        [vec!["show", "ZZZZZZZZZZ"], vec!["do", "ZZZZZZZZZZ", "accept"], vec!["needs-attention", "--done", "7"]]
    {
        assert_eq!(program.refusal(&arguments).0, Some(1), "{arguments:?}");
    }
    let missing = [REPORT.as_slice(), &["--photo", "/nowhere/photo.jpg"]].concat();
    let (status, said) = program.refusal(&missing);
    assert_eq!(status, Some(1));
    assert!(said.contains("未保存任何内容"), "{said}");
    // No server: what is there stays there, and that is said.
    let (status, said) = program.refusal(&["--lang", "en", "sync"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("1 steps"), "{said}");
    for command in ["enrol", "report", "list", "show", "status", "sync", "export", "needs-attention", "parked", "do"] {
        assert_eq!(program.run(&[command, "--help"]).status.code(), Some(0), "{command}");
    }
}

#[test]
fn an_export_holds_every_unsent_line_byte_for_byte_with_values_and_photos() {
    let mut town = Town::new(1);
    town.report(0, &[b"first photo"]);
    town.report(0, &[b"second photo"]);
    let unsent = town.phones[0].unsent().unwrap();
    let mut file = Vec::new();
    let exported = town.phones[0].export(&mut file, now(9)).unwrap();
    assert_eq!((exported.ops, exported.photos), (2, 2));
    let lines: Vec<&str> = std::str::from_utf8(&file).unwrap().lines().collect();
    let head: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(head["rectify_export"], 1);
    let batch: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!((&batch["log"], &batch["count"]), (&Value::from(LOG.to_string()), &Value::from(2)));
    assert_eq!((lines[2].as_bytes(), lines[4].as_bytes()), (&*unsent[0].line, &*unsent[1].line));
    assert!(sync_core::line::is_value_line(lines[3].as_bytes()));
    let photo: Value = serde_json::from_str(lines[6]).unwrap();
    assert_eq!(photo["photo"], sync_core::line::sha256(b"first photo").to_string());
    assert_eq!(serde_json::from_str::<Value>(lines[8]).unwrap()["end"]["photos"], 2);
    // The part between head and photos is a push as it stands.
    let push = format!("{}\n", lines[1..6].join("\n"));
    town.server.sync(push.as_bytes());
    assert_eq!(town.server.ops().len(), 2);
    // The phone learns of it as of any lost answer.
    town.sync(0);
    assert_eq!(town.server.ops().len(), 2, "INV-EXACTLY-ONCE");
    assert_eq!(town.phones[0].status().unwrap().on_this_phone, 0);
}
