//! The program with a server: what it says of a phone that was shut out, and of what waits in custody.

use std::path::PathBuf;

use schema::api::EntryRow;
use schema::ids::{AccountId, EntityId};
use serde_json::{Value, json};

use super::program::{Program, REPORT};
use super::server::Server;
use super::town::{Town, enrolled_at, now, open};
use super::web::Listening;

/// A phone of the supervisor in a folder, enrolled at a listening server.
pub(crate) fn online(town: &Town) -> (PathBuf, Listening, String) {
    let (home, listening) = (town.folder.path().join("program"), Listening::start(Server::new()));
    let phone = enrolled_at(&listening.address, &mut listening.web().server, &home, 3, now(1));
    let device = phone.identity().unwrap().device.to_string();
    (home, listening, device)
}

#[test]
fn a_revoked_phone_is_told_what_it_holds_and_not_to_enrol_itself_again() {
    let town = Town::new(0);
    let (home, listening, device) = online(&town);
    let program = Program { home: &home };
    let photo = town.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"no jpeg at all").unwrap();
    program.json(&[REPORT.as_slice(), &["--photo", photo.to_str().unwrap()]].concat());
    listening.web().revoked.insert(device);
    let (_, said) = program.refusal(&["sync"]);
    assert!(said.contains("仍有未送达的 0 项操作、1 张照片") && said.contains("换一个 --home"), "{said}");
    assert!(!said.contains("再次运行 enrol"), "{said}");
    assert_eq!(listening.web().server.ops().len(), 1);
    assert_eq!(program.json(&["status"])["photos_to_send"], 1, "nothing is wiped that nobody else has");
    let mut phone = open(&home).unwrap();
    for photo in phone.photos_to_send().unwrap() {
        phone.photo_answer(photo.sha256, schema::photo::PhotoState::Verified).unwrap();
    }
    drop(phone);
    let (status, said) = program.refusal(&["--lang", "en", "sync"]);
    assert_eq!(status, Some(1));
    let told = "revoked; it has delivered all that it held, and has wiped itself. Ask the administrator.";
    assert!(said.contains(told), "{said}");
    assert!(said.contains("can't be enrolled again: to go on working, enrol a new --home"), "{said}");
}

#[test]
fn what_waits_in_custody_is_listed_with_what_to_type() {
    let town = Town::new(0);
    let (home, listening, device) = online(&town);
    let program = Program { home: &home };
    assert_eq!(program.json(&["parked"]), json!([]));
    let made = program.json(&REPORT);
    program.json(&["sync"]);
    let (op, entry) = {
        let web = listening.web();
        let entry = web.server.entries.iter().flatten().last().unwrap();
        (entry.op.op, entry.outcome.clone())
    };
    let unknown = EntityId(uuid::Uuid::from_u128(0xAB));
    let row = |rev: u64, entity: EntityId, device: &str| json!({"rev": rev, "op": op, "entity": entity, "device": device, "code": "actor_revoked"});
    let other = "00000000-0000-0000-0000-0000000000dd";
    listening.web().parked =
        json!({"parked": [row(entry.rev, entry.entity, &device), row(99, unknown, other)], "next": null});
    let actor = AccountId(uuid::Uuid::from_u128(9001));
    let read = EntryRow {
        actor,
        device: device.parse().unwrap(),
        leaf: schema::hash::Hash::ZERO,
        line: None,
        outcome: entry.clone(),
    };
    listening.web().entries.insert(entry.entity, json!({"entries": [read], "next": null}));
    let listed = program.json(&["parked"]);
    assert_eq!(listed[0]["kind"], "report");
    assert_eq!((&listed[0]["who"], &listed[0]["code"]), (&json!("person 1"), &json!("actor_revoked")));
    assert_eq!((&listed[0]["case"], &listed[0]["short_code"]), (&json!(entry.entity), &made["short_code"]));
    assert_eq!(
        (&listed[1]["kind"], &listed[1]["who"]),
        (&Value::Null, &Value::Null),
        "a report that makes no case yet"
    );
    let said = String::from_utf8(program.run(&["--lang", "en", "parked"]).stdout).unwrap();
    let code = made["short_code"].as_str().unwrap();
    assert!(
        said.contains(&format!("{code}  report  person 1: the account or device was revoked (actor_revoked)")),
        "{said}"
    );
    assert!(said.contains(&format!("do {} release|discard --parked {op} --reason WHY", entry.entity)), "{said}");
    assert!(said.contains(&format!("-  device {other}: ")), "{said}");
    let help = String::from_utf8(program.run(&["do", "--help"]).stdout).unwrap();
    for named in ["release: ", "discard: ", "release、discard："] {
        let line = help.lines().find(|line| line.contains(named));
        assert!(line.is_some_and(|line| line.contains("rectify-phone parked")), "{named}: {help}");
    }
}

#[test]
fn without_a_server_or_a_right_it_says_so() {
    let town = Town::new(0);
    let (home, listening, _) = online(&town);
    let program = Program { home: &home };
    listening.web().parked = Value::Null;
    let (status, said) = program.refusal(&["--lang", "en", "parked"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("supervisors and administrators only"), "{said}");
    let lost = town.folder.path().join("lost");
    drop(enrolled_at("http://127.0.0.1:9", &mut listening.web().server, &lost, 3, now(1)));
    let (status, said) = (Program { home: &lost }).refusal(&["--lang", "en", "parked"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("this needs the server"), "{said}");
}
