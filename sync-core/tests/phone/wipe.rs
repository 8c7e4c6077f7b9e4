//! The end of a phone that was shut out: everything that others have goes, and nothing else.

use std::path::{Path, PathBuf};

use sync_core::device::error::PhoneError;
use sync_core::device::wipe::{Wiped, Wiping, wiped};

use super::online::online;
use super::program::{Program, REPORT};
use super::town::{Town, now, open};

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn a_revoked_phone_that_has_handed_in_everything_leaves_a_sentence_and_its_witness() {
    let town = Town::new(0);
    let (home, listening, device) = online(&town);
    let program = Program { home: &home };
    program.json(&["sync"]);
    program.json(&REPORT);
    let neighbour = home.join("people/wang");
    std::fs::create_dir_all(&neighbour).unwrap();
    std::fs::write(neighbour.join("phone.db"), "somebody else's").unwrap();
    listening.web().revoked.insert(device.clone());
    assert_eq!(program.refusal(&["sync"]).0, Some(1));
    assert_eq!(listening.web().server.ops().len(), 1, "what it held is in custody");
    assert_eq!(names(&home), ["people", "wiped.json"]);
    assert!(neighbour.join("phone.db").exists(), "others on this phone go on");
    let left: Wiped = wiped(&home).unwrap();
    assert_eq!((left.device.to_string(), left.name.as_str()), (device, "person 3"));
    assert!(left.checkpoints.iter().all(|(_, note)| note.contains("demo")), "{left:?}");
    assert_eq!(left.checkpoints.len(), 1, "it was a witness");
    for arguments in [&["status"][..], &REPORT, &["sync"]] {
        let (code, said) = program.refusal(arguments);
        assert_eq!(code, Some(1));
        assert!(said.contains("自行清除"), "{said}");
    }
    assert_eq!(names(&home), ["people", "wiped.json"], "nothing grows back");
}

#[test]
fn nothing_is_wiped_that_only_this_phone_has_or_shows() {
    let mut town = Town::new(1);
    let now = now(5);
    town.report(0, &[b"a photo"]);
    assert_eq!(town.phones[0].wipe(now).unwrap(), Wiping::HoldsSomething, "an op");
    town.sync(0);
    assert_eq!(town.phones[0].wipe(now).unwrap(), Wiping::HoldsSomething, "a photo");
    town.send_photos(0);
    let other = open(&town.folders[0]).unwrap();
    assert_eq!(town.phones[0].wipe(now).unwrap(), Wiping::InUse, "another program may capture at any moment");
    drop(other);
    let database = rusqlite::Connection::open(town.folders[0].join("phone.db")).unwrap();
    database.execute("UPDATE log SET forked = 1", []).unwrap();
    assert_eq!(town.phones[0].wipe(now).unwrap(), Wiping::Witness, "the proof of a fork");
    database.execute("UPDATE log SET forked = 0", []).unwrap();
    drop(database);
    town.report(0, &[]);
    assert_eq!(town.phones[0].status().unwrap().on_this_phone, 1, "and it works on");
}

/// The note is durable before anything is deleted: wherever the power goes, the next start goes on to the end.
#[test]
fn a_wipe_that_was_killed_anywhere_goes_on_at_the_next_start() {
    let mut town = Town::new(1);
    town.report(0, &[b"one photo", b"another"]);
    town.sync(0);
    town.send_photos(0);
    let before = town.folder.path().join("before");
    let home = town.folders[0].clone();
    copy(&home, &before);
    assert_eq!(town.phones[0].wipe(now(5)).unwrap(), Wiping::Done);
    assert_eq!(names(&home), ["wiped.json"]);
    let note = std::fs::read(home.join("wiped.json")).unwrap();

    let mut order: Vec<PathBuf> = ["phone.db", "phone.db-wal", "phone.db-shm"].map(PathBuf::from).to_vec();
    order.extend(names(&before.join("photos")).into_iter().map(|name| Path::new("photos").join(name)));
    order.extend(["photos", "install.marker", "phone.lock"].map(PathBuf::from));
    for gone in 0..=order.len() {
        let half = town.folder.path().join(format!("killed-after-{gone}"));
        copy(&before, &half);
        std::fs::write(half.join("wiped.json"), &note).unwrap();
        for path in &order[..gone] {
            let path = half.join(path);
            match path.is_dir() {
                true => std::fs::remove_dir(path).unwrap(),
                false => drop(std::fs::remove_file(path)),
            }
        }
        assert!(matches!(open(&half), Err(PhoneError::Wiped(name)) if name == "person 0"), "after {gone} files");
        assert_eq!(names(&half), ["wiped.json"], "after {gone} files");
    }
    // Before the note there is no wipe: the phone is what it was.
    assert!(open(&before).is_ok());
}
