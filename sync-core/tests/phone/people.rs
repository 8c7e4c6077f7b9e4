//! Several people on one phone, and a person whose login has ended.

use std::path::Path;
use std::process::{Command, Output};

use schema::auth::Tokens;
use schema::ids::AccountId;
use serde_json::Value;
use sync_core::device::entropy::SystemEntropy;
use sync_core::device::phone::Phone;
use sync_core::device::{people, vault};

use super::online::online;
use super::program::{Program, REPORT};
use super::server::{Server, account_id};
use super::town::{Town, enrol, enrolled_at, now};
use super::web::Listening;

const FIRST: &str = "482913";
const SECOND: &str = "770145";

fn run(home: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rectify-phone"))
        .args(["--lang", "en", "--json", "--home"])
        .arg(home)
        .args(arguments)
        .envs(settings.iter().copied())
        .output()
        .unwrap()
}

fn json(home: &Path, pin: &str, arguments: &[&str]) -> Value {
    let output = run(home, &[("RECTIFY_PHONE_PIN", pin)], arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(home: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = run(home, settings, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether a text stands in any file of a folder.
fn stands_in(folder: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()).any(|entry| {
        let bytes = std::fs::read(entry.path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text)
    })
}

#[test]
fn two_people_share_a_phone_and_neither_acts_as_the_other() {
    let town = Town::new(0);
    let (home, listening) = (town.folder.path().join("shared"), Listening::start(Server::new()));
    let token = "in-plain-sight-of-everybody";
    let mut first = enrolled_at(&listening.address, &mut listening.web().server, &home, 0, now(1));
    let tokens = Tokens { access: token.into(), access_expires_in_s: 600, refresh: token.into(), export_key: None };
    first.take_tokens(&tokens).unwrap();
    drop(first);
    assert!(stands_in(&home, token.as_bytes()));

    let said = refused(&home, &[("RECTIFY_PHONE_PIN", SECOND)], &["people", "add", "wang"]);
    assert!(said.contains("first person"), "{said}");
    let set = run(&home, &[("RECTIFY_PHONE_NEW_PIN", FIRST)], &["people", "pin"]);
    assert_eq!(set.status.code(), Some(0), "{}", String::from_utf8_lossy(&set.stderr));
    assert!(!stands_in(&home, token.as_bytes()), "no key and no token is left beside its PIN");
    assert!(refused(&home, &[], &["status"]).contains("PIN is needed"));
    assert!(refused(&home, &[("RECTIFY_PHONE_PIN", "000000")], &["status"]).contains("PIN is wrong"));

    for unfit in ["../wang", "main", "", "a/b"] {
        assert!(refused(&home, &[("RECTIFY_PHONE_PIN", SECOND)], &["people", "add", unfit]).contains("a name here"));
    }
    json(&home, SECOND, &["people", "add", "wang"]);
    assert!(refused(&home, &[("RECTIFY_PHONE_PIN", SECOND)], &["people", "add", "wang"]).contains("already"));
    let folder = people::folder(&home, "wang").unwrap();
    let mut second = Phone::open(&folder, Box::new(SystemEntropy)).unwrap();
    second.unlock(vault::unlock(&folder, SECOND, 0).unwrap());
    drop(enrol(second, &listening.address, &mut listening.web().server, 1, now(2)));

    // With no network: nothing listens at the address that they were enrolled at while the server is held.
    let photo = town.folder.path().join("photo.jpg");
    std::fs::write(&photo, b"no jpeg at all").unwrap();
    let report = [REPORT.as_slice(), &["--photo", photo.to_str().unwrap()]].concat();
    let held = listening.web();
    assert!(refused(&home, &[("RECTIFY_PHONE_PIN", FIRST)], &["people", "switch", "wang"]).contains("PIN is wrong"));
    assert!(refused(&home, &[], &["people", "switch", "nobody"]).contains("no nobody on this phone"));
    json(&home, FIRST, &REPORT);
    json(&home, SECOND, &["people", "switch", "wang"]);
    json(&home, SECOND, &report);
    assert!(refused(&home, &[("RECTIFY_PHONE_PIN", FIRST)], &REPORT).contains("PIN is wrong"), "not in wang's name");
    let listed = json(&home, SECOND, &["people", "list"]);
    let row = |n: usize| [&listed[n]["name"], &listed[n]["account"], &listed[n]["unsent"]].map(ToString::to_string);
    assert_eq!(row(0), [r#""main""#, r#""person 0""#, "1"]);
    assert_eq!(row(1), [r#""wang""#, r#""person 1""#, "1"]);
    assert_eq!((&listed[0]["active"], &listed[1]["active"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(std::fs::read_dir(home.join("photos")).unwrap().count(), 0, "each has photos of their own");
    assert_eq!(std::fs::read_dir(folder.join("photos")).unwrap().count(), 1);
    drop(held);

    json(&home, SECOND, &["sync"]);
    let actors = || {
        let web = listening.web();
        let all = web.server.entries.iter().flatten().map(|it| it.op.actor);
        all.filter(|actor| *actor != AccountId::NIL).collect::<Vec<_>>()
    };
    assert_eq!(actors(), [account_id(1)], "the other's queue stays where it is");
    assert_eq!(json(&home, FIRST, &["--person", "main", "status"])["on_this_phone"], 1);
    json(&home, FIRST, &["--person", "main", "sync"]);
    assert_eq!(actors(), [account_id(1), account_id(0)]);
}

#[test]
fn a_person_that_was_interrupted_while_being_added_is_added_again() {
    let town = Town::new(0);
    let home = town.folder.path().join("shared");
    // The folder is there, and its PIN is not.
    std::fs::create_dir_all(home.join("people/wang")).unwrap();
    assert_eq!(json(&home, SECOND, &["people", "list"]).as_array().unwrap().len(), 1);
    json(&home, SECOND, &["people", "add", "wang"]);
    assert_eq!(json(&home, SECOND, &["people", "list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_phone_whose_login_has_ended_captures_lists_and_goes_on_once_it_is_enrolled_again() {
    let town = Town::new(0);
    let (home, listening, device) = online(&town);
    let program = Program { home: &home };
    program.json(&["sync"]);
    listening.web().logged_out = true;
    let made = program.json(&REPORT);
    assert_eq!(program.json(&["list"])["cases"][0]["short_code"], made["short_code"]);
    let (status, said) = program.refusal(&["--lang", "en", "sync"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("the login is not good any more: everything is kept"), "{said}");
    assert_eq!(program.json(&["status"])["on_this_phone"], 1);
    program.json(&["do", made["short_code"].as_str().unwrap(), "comment", "--note", "still here"]);

    listening.web().enrols = 3;
    let again = program.json(&["enrol", "--server", &listening.address, "--code", "AAAA-BBBB-CCCC"]);
    assert_eq!(again["device"], device, "the same device with the same key");
    assert_eq!(program.json(&["status"])["on_this_phone"], 0);
    assert_eq!(listening.web().server.ops().len(), 2);
}
