//! Five phones make two hundred reports with four hundred JPEGs while no server runs. Then the server starts, is killed
//! twice while they sync, and in the end phones, server and supervisor agree and every photo's hash is on the server.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use schema::ids::{EntityId, LogId};
use server::store::{Store, StoreError};
use sync_core::device::entropy::SystemEntropy;
use sync_core::line::sha256;
use tests::programs::{Installation, Phone};

use crate::city::{District, draw, photograph, settle};

const PHONES: usize = 5;
const REPORTS_EACH: usize = 40;

#[test]
fn two_hundred_reports_made_without_a_server_reach_it_with_all_their_photos() {
    harvest().unwrap();
}

fn harvest() -> Result<()> {
    let mut district = District::new()?;
    let grids = district.grids();
    let mut phones = Vec::new();
    for (index, grid) in grids.iter().take(PHONES).enumerate() {
        phones.push((district.phone(&format!("inspector{index}"), "inspector", &["--area", grid])?, grid.clone()));
    }
    let supervisor = district.phone("supervisor", "supervisor", &[])?;
    for (phone, _) in &phones {
        phone.must(&["sync"])?;
    }
    district.installation.kill()?;

    let hashes = report_everything(&district, &phones)?;
    assert_eq!(hashes.len(), PHONES * REPORTS_EACH * 2, "four hundred different photos");
    for (phone, _) in &phones {
        let status = phone.must(&["status"])?;
        assert_eq!(status["on_this_phone"], REPORTS_EACH, "{status}");
        let offline = phone.run(&["sync"])?;
        assert_eq!(offline.code, 1, "without a server a sync fails and says so: {offline:?}");
        assert_eq!(phone.must(&["status"])?["on_this_phone"], REPORTS_EACH, "and loses nothing");
    }

    for _ in 0..2 {
        sync_under_fire(&mut district, &phones)?;
    }
    district.installation.start()?;
    for (phone, _) in &phones {
        settle(phone)?;
    }
    settle(&supervisor)?;
    // The last photos of one phone change cases that another one has pulled already.
    for (phone, _) in &phones {
        phone.must(&["sync"])?;
    }
    district.installation.kill()?;
    agree(&district, &phones, &supervisor)?;
    photos_are_there(&district.installation, &hashes)?;
    let rebuilt = district.installation.must(&["rebuild"])?;
    assert_eq!(rebuilt["different"], 0, "{rebuilt}");
    Ok(())
}

/// All reports, each with two photos; returns the photos' hashes.
fn report_everything(district: &District, phones: &[(Phone, String)]) -> Result<BTreeMap<String, PathBuf>> {
    let mut hashes = BTreeMap::new();
    let mut number = 0;
    for (index, (phone, grid)) in phones.iter().enumerate() {
        let place = district.place(grid)?;
        for nth in 0..REPORTS_EACH {
            let mut photos = Vec::new();
            for which in 0..2 {
                // The first two phones also report what people photographed.
                let taken = match (index, nth, which) {
                    (0, 0, 0) => Some("rocket.jpg"),
                    (1, 0, 0) => Some("hubble_deep_field.jpg"),
                    _ => None,
                };
                let path = match taken {
                    Some(name) => photograph(name)?,
                    None => draw(district.folder.path(), number)?,
                };
                number += 1;
                hashes.insert(sha256(&fs::read(&path)?).to_string(), path.clone());
                photos.push(path.display().to_string());
            }
            let subject = format!("stall {index}-{nth}");
            let note = format!("占道,第{nth}号");
            let mut arguments = vec!["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place];
            arguments.extend([
                "--accuracy-m",
                "8",
                "--subject",
                &subject,
                "--note",
                &note,
                "--field",
                "goods=fruit_vegetables",
            ]);
            for photo in &photos {
                arguments.extend(["--photo", photo]);
            }
            phone.must(&arguments)?;
        }
    }
    Ok(hashes)
}

/// Starts the server, lets all phones sync at once, and kills the server while they do.
fn sync_under_fire(district: &mut District, phones: &[(Phone, String)]) -> Result<()> {
    district.installation.start()?;
    let mut syncing = phones.iter().map(|(phone, _)| phone.spawn(&["sync"])).collect::<Result<Vec<_>>>()?;
    // The first one that is done, or gives up, is the moment: the others are in the middle.
    syncing[0].wait()?;
    district.installation.kill()?;
    for mut child in syncing {
        child.wait()?;
    }
    Ok(())
}

type Versions = BTreeMap<EntityId, (u64, String)>;

fn held(phone: &Phone) -> Result<(LogId, Versions)> {
    let store = sync_core::device::phone::Phone::open(&phone.home, Box::new(SystemEntropy))?;
    let log = *store.log_ids()?.first().context("a log")?;
    let versions = store.base_documents(log)?.into_iter().map(|(id, rev, document)| (id, (rev, document)));
    Ok((log, versions.collect()))
}

/// What each phone holds is byte for byte what the server holds; the supervisor holds every report with all photos.
fn agree(district: &District, phones: &[(Phone, String)], supervisor: &Phone) -> Result<()> {
    let (log, seen) = held(supervisor)?;
    let store = Store::open(&district.installation.database)?;
    let stored: Versions = store.read(|db| {
        let head = db.head(log)?.ok_or(StoreError::Damaged("no log"))?;
        let mut all = Versions::new();
        for kind in [
            "account",
            "areas",
            "calendar",
            "case",
            "catalogue",
            "device",
            "log",
            "look_back_task",
            "responsibilities",
            "unit",
        ] {
            for row in db.entities_of_kind(head.num, kind, EntityId::NIL, 10_000)? {
                all.extend(row.document.map(|document| (row.id, (row.rev, document))));
            }
        }
        Ok::<_, StoreError>(all)
    })?;
    for (phone, _) in phones {
        let (_, versions) = held(phone)?;
        let cases = versions.values().filter(|(_, document)| document.starts_with("{\"kind\":\"case\"")).count();
        assert!(cases >= REPORTS_EACH, "a phone holds at least its own reports");
        for (id, version) in &versions {
            assert_eq!(stored.get(id), Some(version), "phone and server agree about {id}");
        }
    }
    let mut reports = 0;
    for (id, version) in &seen {
        assert_eq!(stored.get(id), Some(version), "supervisor and server agree about {id}");
        let document: serde_json::Value = serde_json::from_str(&version.1)?;
        if document["kind"] == "case" {
            reports += 1;
            let evidence = document["evidence"].as_array().context("evidence")?;
            assert_eq!(evidence.len(), 2);
            for item in evidence {
                assert!(item["verified_rev"].is_u64(), "{item}");
                assert!(item["pixels"].is_array(), "a real picture decodes: {item}");
            }
        }
    }
    assert_eq!(reports, PHONES * REPORTS_EACH, "each report once");
    Ok(())
}

fn photos_are_there(installation: &Installation, hashes: &BTreeMap<String, PathBuf>) -> Result<()> {
    for hash in hashes.keys() {
        let bytes = installation.photo(hash)?.context("a photo that arrived")?;
        assert_eq!(sha256(&bytes).to_string(), *hash);
    }
    Ok(())
}
