//! Stores that are copied, or put back as they were.

use sync_core::device::attention::Trouble;

use super::server::LOG;
use super::town::{Town, open};
use super::trust::troubles;

#[test]
fn inv_clone_safe_a_copied_home_goes_on_under_its_own_incarnation() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    town.report(0, &[]);
    let copy = town.folder.path().join("copy");
    std::fs::create_dir_all(copy.join("photos")).unwrap();
    for name in ["phone.db", "phone.db-wal", "install.marker"] {
        if town.folders[0].join(name).exists() {
            std::fs::copy(town.folders[0].join(name), copy.join(name)).unwrap();
        }
    }
    let original = town.request(0).header.incarnation;
    let mut twin = open(&copy).unwrap();
    let asked = twin.next_request(LOG, 200, super::town::now(9)).unwrap();
    assert_ne!(asked.header.incarnation, original);
    assert_eq!((asked.header.first_seq, asked.header.count), (1, 1));
    // Both deliver the same op; it is entered once.
    town.sync(0);
    let bytes = town.server.sync(&asked.body);
    let progress = twin.take_answer(&asked, &bytes, super::town::now(10)).unwrap();
    assert_eq!(progress.undecided, 0);
    assert_eq!(town.server.ops().len(), 2, "INV-EXACTLY-ONCE");
    // Opened again, nothing changes.
    drop(twin);
    let mut twin = open(&copy).unwrap();
    assert_eq!(twin.next_request(LOG, 200, super::town::now(11)).unwrap().header.incarnation, asked.header.incarnation);
}

#[test]
fn a_store_put_back_in_place_is_told_by_the_server_and_renumbers() {
    let mut town = Town::new(1);
    town.report(0, &[]);
    town.sync(0);
    // An old backup of the database, with the marker as it is.
    let saved = town.folder.path().join("saved.db");
    town.reopen(0);
    let database = town.folders[0].join("phone.db");
    rusqlite_checkpoint(&database);
    std::fs::copy(&database, &saved).unwrap();
    town.report(0, &[]);
    town.sync(0);
    town.phones.remove(0);
    std::fs::write(&database, std::fs::read(&saved).unwrap()).unwrap();
    for name in ["phone.db-wal", "phone.db-shm"] {
        let _ = std::fs::remove_file(town.folders[0].join(name));
    }
    town.phones.insert(0, open(&town.folders[0].clone()).unwrap());
    let made = town.report(0, &[]);
    town.sync(0);
    assert!(town.server.ops().contains(&made.op), "INV-NO-LOSS");
    assert!(troubles(&town, 0).contains(&Trouble::Copied));
}

fn rusqlite_checkpoint(database: &std::path::Path) {
    let db = rusqlite::Connection::open(database).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}
