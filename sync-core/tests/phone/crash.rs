//! `kill -9` at any instant: what was confirmed is there, whole; what was not is there whole or not at all.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use schema::hash::Hash;
use schema::ids::OpId;
use sync_core::device::entropy::{Entropy, SeededEntropy, SystemEntropy};
use sync_core::device::phone::Phone;
use sync_core::line::sha256;

use super::server::Server;
use super::town::{Town, enrolled, now, open, report};

const HOME: &str = "RECTIFY_CRASH_TEST_HOME";

/// Not a test by itself: the process that is killed. It captures for ever and says so line by line.
#[test]
fn child() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let mut phone = Phone::open(Path::new(&home), Box::new(SystemEntropy)).unwrap();
    let mut out = std::io::stdout();
    for n in 0_u32.. {
        let bytes = format!("{n} {}", std::process::id()).repeat(2_000).into_bytes();
        let made = report(&mut phone, now(n.into()), &[&bytes]).unwrap();
        writeln!(out, "captured {} {}", made.op, sha256(&bytes)).unwrap();
        out.flush().unwrap();
    }
}

fn start(home: &Path) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (lines, heard) = channel();
    let stdout = child.stdout.take().unwrap();
    std::thread::spawn(move || {
        // A last line without its end was not said.
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
            let _ = lines.send(std::mem::take(&mut line));
        }
    });
    (child, heard)
}

/// The first confirmation, and all that come within so many microseconds after it; then the end.
fn kill_after(child: &mut Child, heard: &Receiver<String>, micros: u64) -> Vec<(OpId, Hash)> {
    let mut said = Vec::new();
    let mut take = |line: &str| {
        // The harness's own words stand before the first line.
        if let Some((_, rest)) = line.split_once("captured ") {
            let (op, hash) = rest.trim().split_once(' ').unwrap();
            said.push((op.parse().unwrap(), hash.parse().unwrap()));
            return true;
        }
        false
    };
    while let Ok(line) = heard.recv_timeout(Duration::from_secs(60)) {
        if take(&line) {
            break;
        }
    }
    // Nothing comes on this channel: it is a wait that ends by itself.
    let (_keep, never) = channel::<()>();
    assert_eq!(never.recv_timeout(Duration::from_micros(micros)), Err(RecvTimeoutError::Timeout));
    child.kill().unwrap();
    child.wait().unwrap();
    while let Ok(line) = heard.recv_timeout(Duration::from_secs(60)) {
        take(&line);
    }
    said
}

fn random(entropy: &mut SeededEntropy, below: u64) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes) % below
}

#[test]
fn inv_crash_atomic_kill_9_at_any_instant_loses_no_confirmed_capture() {
    let mut town = Town::new(0);
    let home = town.folder.path().join("crash");
    drop(enrolled(&mut town.server, &home, 0, now(1)));
    let mut entropy = SeededEntropy::new(42);
    let mut confirmed: BTreeMap<OpId, Hash> = BTreeMap::new();
    for round in 0..25 {
        let (mut child, heard) = start(&home);
        let micros = random(&mut entropy, 40_000);
        confirmed.extend(kill_after(&mut child, &heard, micros));
        check(&home, &confirmed, round);
    }
    assert!(confirmed.len() >= 25);
    deliver(&mut town.server, &home, &confirmed);
}

fn check(home: &Path, confirmed: &BTreeMap<OpId, Hash>, round: u32) {
    let mut phone = open(home).unwrap();
    let held = phone.own_ops().unwrap();
    for (op, hash) in confirmed {
        assert!(held.contains(op), "INV-NO-LOSS: {op} in round {round}");
        let bytes = std::fs::read(home.join("photos").join(hash.to_string())).expect("its photo");
        assert_eq!(sha256(&bytes), *hash, "its photo whole");
    }
    // Also what was captured and not heard of is whole: its photo stood before its row.
    for photo in phone.photos_to_send().unwrap() {
        let bytes = std::fs::read(phone.photo_path(&photo.sha256)).expect("a row names a file that is there");
        assert_eq!((sha256(&bytes), u64::try_from(bytes.len()).unwrap()), (photo.sha256, photo.size));
    }
    let request = phone.next_request(super::server::LOG, 200, now(5)).unwrap();
    assert_eq!(request.header.first_seq, 1, "numbers without a gap");
    let leftovers = std::fs::read_dir(home.join("photos")).unwrap().flatten();
    assert!(leftovers.into_iter().all(|file| !file.file_name().to_string_lossy().ends_with(".tmp")), "swept");
    let db = rusqlite::Connection::open(home.join("phone.db")).unwrap();
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

fn deliver(server: &mut Server, home: &Path, confirmed: &BTreeMap<OpId, Hash>) {
    let mut phone = open(home).unwrap();
    loop {
        let request = phone.next_request(super::server::LOG, 200, now(6)).unwrap();
        let bytes = server.sync(&request.body);
        if !phone.take_answer(&request, &bytes, now(7)).unwrap().more {
            break;
        }
    }
    let entered = server.ops();
    assert!(confirmed.keys().all(|op| entered.contains(op)), "INV-NO-LOSS");
}

/// The program itself, killed while it captures: it said so in its output, or it did not.
#[test]
fn the_real_program_killed_at_any_instant_keeps_what_it_confirmed() {
    let mut town = Town::new(0);
    let home = town.folder.path().join("program");
    drop(enrolled(&mut town.server, &home, 0, now(1)));
    let photo = town.folder.path().join("photo.jpg");
    let bytes = vec![7; 300_000];
    std::fs::write(&photo, &bytes).unwrap();
    let mut entropy = SeededEntropy::new(43);
    let mut confirmed = BTreeMap::new();
    for round in 0..30 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rectify-phone"))
            .arg("--home")
            .arg(&home)
            .args([
                "--json",
                "report",
                "--category",
                "stall",
                "--subtype",
                "road_occupation",
                "--at",
                "0.00005,0.00005",
            ])
            .arg("--photo")
            .arg(&photo)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Every third one comes to its end.
        if round % 3 > 0 {
            let (_keep, never) = channel::<()>();
            let micros = random(&mut entropy, 60_000);
            assert_eq!(never.recv_timeout(Duration::from_micros(micros)), Err(RecvTimeoutError::Timeout));
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        if let Ok(said) = serde_json::from_slice::<serde_json::Value>(&output.stdout) {
            let op: OpId = said["op"].as_str().unwrap().parse().unwrap();
            confirmed.insert(op, sha256(&bytes));
        }
        check(&home, &confirmed, round);
    }
    assert!(confirmed.len() >= 10, "{} confirmed", confirmed.len());
}
