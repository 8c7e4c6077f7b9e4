//! The file: newer, not ours, damaged, full; and who may read it.

use std::fs;

use sync_core::device::error::PhoneError;

use super::server::{LOG, catalogue_document};
use super::town::{Town, now, open, report};

fn set_version(database: &std::path::Path, version: i32) {
    let db = rusqlite::Connection::open(database).unwrap();
    db.pragma_update(None, "user_version", version).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_not_touched() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.phones.clear();
    let database = town.folders[0].join("phone.db");
    set_version(&database, 99);
    let before = (fs::read(&database).unwrap(), fs::read_dir(&town.folders[0]).unwrap().count());
    let refused = open(&town.folders[0]).err().expect("refused");
    assert!(matches!(refused, PhoneError::TooNew { found: 99, .. }), "{refused}");
    assert!(refused.to_string().contains("Update rectify-phone"));
    assert_eq!(before, (fs::read(&database).unwrap(), fs::read_dir(&town.folders[0]).unwrap().count()));
}

#[test]
fn a_file_of_another_program_is_refused_and_not_touched() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = folder.path().join("phone.db");
    fs::write(&database, "dear diary").unwrap();
    assert!(matches!(open(folder.path()), Err(PhoneError::NotOurs(_))));
    assert_eq!(fs::read(&database).unwrap(), b"dear diary");
    fs::remove_file(&database).unwrap();
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE cats (name TEXT); PRAGMA user_version = 3").unwrap();
    drop(other);
    assert!(matches!(open(folder.path()), Err(PhoneError::NotOurs(_))));
}

#[test]
#[cfg(unix)]
fn nobody_else_on_the_machine_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let mut town = Town::new(1);
    town.report(0, &[b"x"]);
    let mode = |name: &str| fs::metadata(town.folders[0].join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("phone.db"), 0o600);
    assert_eq!(mode("phone.db-wal"), 0o600);
    assert_eq!(mode("photos"), 0o700);
    assert_eq!(fs::metadata(&town.folders[0]).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_full_storage_refuses_the_capture_with_a_clear_message_and_writes_nothing_half() {
    let mut town = Town::new(1);
    town.phones[0].limit_pages(0).unwrap();
    let mut made = Vec::new();
    let refused = loop {
        match report(&mut town.phones[0], now(5), &[]) {
            Ok(receipt) => made.push(receipt.op),
            Err(error) => break error,
        }
        assert!(made.len() < 100_000, "it never filled up");
    };
    assert!(matches!(refused, PhoneError::StorageFull), "{refused}");
    assert!(refused.to_string().contains("Free some space"));
    assert_eq!(town.phones[0].own_ops().unwrap(), made, "all that was confirmed, nothing that was not");
    town.phones[0].limit_pages(1_000_000).unwrap();
    made.push(town.report(0, &[]).op);
    town.sync(0);
    let mut ops = town.server.ops();
    ops.sort();
    made.sort();
    assert_eq!(ops, made);
}

#[test]
fn a_full_storage_stops_pulling_but_not_sending() {
    let mut town = Town::new(4);
    town.sync(0);
    for _ in 0..300 {
        town.report(3, &[]);
    }
    town.sync(3);
    let mine = town.report(0, &[]);
    town.phones[0].limit_pages(0).unwrap();
    let progress = town.round(0);
    assert_eq!((progress.pull, progress.undecided), (sync_core::device::answers::Pull::StorageFull, 0));
    assert!(town.server.ops().contains(&mine.op));
    town.phones[0].limit_pages(1_000_000).unwrap();
    town.sync(0);
    assert_eq!(town.phones[0].status().unwrap().logs[0].cases, 301);
    assert_eq!(town.phones[0].attention().unwrap(), [], "the alarm ended with its cause");
    assert!(town.phones[0].log(LOG).unwrap().pulled);
}

#[test]
fn a_second_program_may_read_and_capture_while_the_first_has_it_open() {
    let mut town = Town::new(1);
    let first = town.report(0, &[]);
    let mut second = open(&town.folders[0]).unwrap();
    assert!(second.view(LOG, first.entity).unwrap().is_some());
    let request = town.request(0);
    let other = report(&mut second, now(8), &[]).unwrap();
    let bytes = town.server.sync(&request.body);
    town.answer(0, &request, &bytes);
    town.sync(0);
    assert_eq!(town.server.ops(), [first.op, other.op]);
}

#[test]
fn a_catalogue_of_a_newer_program_is_said_to_be_one_and_does_not_hold_back_what_is_captured() {
    let mut town = Town::new(1);
    town.sync(0);
    assert!(!town.phones[0].status().unwrap().logs[0].outdated);
    let mut newer: serde_json::Value = serde_json::from_slice(&catalogue_document()).unwrap();
    newer["smells"] = serde_json::json!(["of the sea"]);
    let bytes = serde_json::to_vec(&newer).unwrap();
    let id = sync_core::line::singleton_id(LOG, "catalogue");
    let (_, schema::entity::Entity::Catalogue(mut in_force)) = town.server.entities[&id].clone() else {
        panic!("none")
    };
    (in_force.sha256, in_force.size) = (sync_core::line::sha256(&bytes), u64::try_from(bytes.len()).unwrap());
    town.server.lay(id, schema::entity::Entity::Catalogue(in_force.clone()));
    town.sync(0);
    let now = town.now();
    assert!(!town.phones[0].status().unwrap().logs[0].outdated, "not before it is here");
    town.phones[0].take_document(in_force.sha256, &bytes, now).unwrap();
    assert!(town.phones[0].status().unwrap().logs[0].outdated);
    town.report(0, &[b"a photo"]);
    town.sync(0);
    assert_eq!(town.phones[0].status().unwrap().on_this_phone, 0);
}
