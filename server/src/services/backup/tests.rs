//! Backups are good when they were read back; what is restored goes on in a new epoch, and is healed by its phones.

use std::fs;
use std::path::Path;

use schema::hash::Hash;
use schema::op::{Body, EvidenceRole, File, Parked, PhotoClaim, Reason, RedactValue, Role, Sealed};
use schema::sync::{SignedReceipt, SyncHeader};
use sync_core::context::VerifiedPhoto;
use sync_core::line::sha256;
use tempfile::TempDir;

use super::{Backup, BackupError, Manifest, Restore, Source, make, restore};
use crate::services::blobs::{self, Blobs, Version};
use crate::services::rebuild::rebuild;
use crate::services::standing;
use crate::services::world::{Line, Phone, START_MS, World, grid, photo, root, unit};
use crate::store::{Store, StoreError};

fn back_up(world: &World, dir: &Path) -> Backup {
    let (store, data) = (world.logs.store.clone(), world.data.clone());
    // The signer of a backup is named as the world's is.
    world.logs.checkpoints.sign_due().unwrap();
    let photos = Blobs::open(&data, None).unwrap();
    let source = Source { store, photos, data, host: "rectify.test".to_owned(), now_ms: world.clock.now_ms() };
    make(&source, dir, false, &mut |_| {}).unwrap()
}

/// A photo's bytes come to the server, whole and synced, and the cases that name it are told.
async fn arrive(world: &World, phone: &Phone, bytes: &[u8]) -> Hash {
    let (sha256, size) = (sha256(bytes), u64::try_from(bytes.len()).unwrap());
    let place = blobs::place(&world.data, &sha256, Version::Original);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, bytes).unwrap();
    let looked_at = VerifiedPhoto { size, pixels: None, flags: Vec::new() };
    let (device, now_ms) = (phone.device, world.clock.now_ms());
    world
        .logs
        .store
        .write(|db| {
            db.receive_photo(&sha256, device, size, now_ms)?;
            db.insert_photo(&sha256, &looked_at, now_ms)
        })
        .map_err(|error: StoreError| error)
        .unwrap();
    world.logs.ledger.photo_arrived(sha256).await.unwrap();
    sha256
}

fn claim(bytes: &[u8]) -> PhotoClaim {
    let size = u64::try_from(bytes.len()).unwrap();
    PhotoClaim { sha256: sha256(bytes), size, ..photo(0, EvidenceRole::Before) }
}

fn durable(world: &World) -> u64 {
    let log = world.log;
    let standing = world.logs.store.read(|db| standing::of(db, log, START_MS));
    standing.unwrap().durable
}

fn restore_asked(backup: &Path, data: &Path) -> Restore {
    let database = format!("sqlite:{}", data.join("rectify.db").display());
    Restore { backup: backup.to_owned(), data: data.to_owned(), database, photos: None, signed: None }
}

#[tokio::test]
async fn the_durable_mark_moves_to_what_was_read_back_photos_included() {
    let world = World::new().await;
    let dir = TempDir::new().unwrap();
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let lines = [phone.report_with(1, vec![claim(b"one")], None), phone.report_with(1, vec![claim(b"two")], None)];
    phone.sync(&world, &lines).await;
    arrive(&world, &phone, b"one").await;
    let before = world.head_rev();
    let two = arrive(&world, &phone, b"two").await;
    assert_eq!(durable(&world), 0);

    let place = blobs::place(&world.data, &two, Version::Original);
    fs::write(&place, b"2wo").unwrap();
    let made = back_up(&world, dir.path());
    assert_eq!(made.missing, [two], "a file that lost its hash is no copy");
    assert_eq!((made.logs[0].rev, made.logs[0].covered), (world.head_rev(), before));
    assert_eq!(durable(&world), before, "the phone keeps its copy of the second photo");

    fs::write(&place, b"two").unwrap();
    world.clock.set(START_MS + 1);
    let made = back_up(&world, dir.path());
    assert_eq!((made.photos, made.photos_copied), (2, 1), "only what is new is copied");
    assert_eq!(durable(&world), world.head_rev());
    let copies = fs::read_dir(dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("copy-")));
    assert_eq!(copies.count(), 1, "the copy before goes when the new one is good");
}

#[tokio::test]
async fn a_backup_of_which_anything_was_changed_is_refused_and_nothing_is_restored() {
    let world = World::new().await;
    let mut phone = world.person(1, Role::Inspector, grid(1)).await;
    let lines = [phone.report_with(1, vec![claim(b"one")], None)];
    phone.sync(&world, &lines).await;
    let one = arrive(&world, &phone, b"one").await.to_string();
    for spoil in ["rectify.db", "keys/log-signer", "photo", "manifest", "manifest is torn", "nothing"] {
        let (dir, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let copy = back_up(&world, dir.path()).folder;
        let flip = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        match spoil {
            "nothing" => {}
            "photo" => flip(&dir.path().join("photos").join(&one[..2]).join(&one)),
            "manifest" => flip(&dir.path().join("manifest")),
            "manifest is torn" => {
                let text = fs::read(dir.path().join("manifest")).unwrap();
                fs::write(dir.path().join("manifest"), &text[..text.len() / 2]).unwrap();
            }
            file => flip(&copy.join(file)),
        }
        let data = target.path().join("new");
        let restored = restore(&restore_asked(dir.path(), &data), &world.clock, &mut |_| {}).await;
        match spoil {
            "nothing" => assert_eq!(restored.unwrap().len(), 1),
            _ => {
                let error = restored.unwrap_err();
                assert!(matches!(error, BackupError::Damaged(_) | BackupError::Torn(_)), "{spoil}: {error}");
                assert!(!data.exists(), "{spoil}: nothing was made");
            }
        }
    }
}

#[tokio::test]
async fn what_an_interrupted_backup_left_is_in_nobodys_way() {
    let world = World::new().await;
    let (dir, target) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let nothing = Manifest::read(dir.path());
    assert!(matches!(nothing, Err(BackupError::None(_))));
    let good = back_up(&world, dir.path());
    fs::create_dir(dir.path().join("copy-7")).unwrap();
    fs::write(dir.path().join("copy-7/rectify.db"), "half").unwrap();
    fs::write(dir.path().join("manifest.new"), "half").unwrap();
    let asked = restore_asked(dir.path(), &target.path().join("new"));
    assert_eq!(restore(&asked, &world.clock, &mut |_| {}).await.unwrap()[0].kept_rev, good.logs[0].rev);
    let again = restore(&asked, &world.clock, &mut |_| {}).await;
    assert!(matches!(again, Err(BackupError::NotEmpty(_))), "never into a folder that holds something");
    world.clock.set(START_MS + 1);
    back_up(&world, dir.path());
    assert!(!dir.path().join("copy-7").exists());
}

fn filed(boss: &mut Phone) -> [Line; 2] {
    let report = boss.report(1);
    let file = boss.op(report.entity, &Body::File(File { condition: "hawks_unlicensed".parse().unwrap() }), vec![]);
    [report, file]
}

/// A request under a new incarnation that presents receipts.
fn again(boss: &mut Phone, lines: &[Line], receipt: SignedReceipt) -> Vec<u8> {
    boss.incarnation += 1;
    (boss.next_seq, boss.chain) = (1, Hash::ZERO);
    let (header, body) = boss.request(lines);
    let rest = body.iter().position(|byte| *byte == b'\n').unwrap();
    let header = SyncHeader { receipts: vec![receipt], ..header };
    [serde_json::to_vec(&header).unwrap(), body[rest..].to_vec()].concat()
}

/// What was printed stays true: the number of the case and the time of its receipt are given back, twice in a row.
#[tokio::test]
async fn after_a_restore_numbers_and_receipt_times_are_given_back_and_what_is_missing_is_listed() {
    let mut world = World::new().await;
    let mut boss = world.person(1, Role::Supervisor, root()).await;
    let kept = filed(&mut boss);
    boss.sync(&world, &kept).await;
    let dir = TempDir::new().unwrap();
    let made = back_up(&world, dir.path());
    let lost = filed(&mut boss);
    let answer = boss.sync(&world, &lost).await;
    assert_eq!(answer.record(lost[1].op).number.as_deref(), Some("ZG202600002"));
    let by_server = world.append(unit().into(), set_unit()).await;
    let (mut receipt, mut last) = (answer.head.receipt.unwrap(), by_server.rev);

    for restores in 1..=2 {
        world.clock.set(START_MS + restores * 60_000);
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let signed = world.data.join("signed");
        let asked = Restore { signed: Some(signed), ..restore_asked(dir.path(), &data) };
        let restored = restore(&asked, &world.clock, &mut |_| {}).await.unwrap();
        assert_eq!((restored[0].kept_rev, restored[0].last_known_rev), (made.logs[0].rev, last));
        let store = Store::open(&asked.database).unwrap();
        let now_ms = world.clock.now_ms();
        world = World::on_data(data.clone(), folder, store).await;
        world.clock.set(now_ms);

        let body = again(&mut boss, &lost, receipt);
        let answer = boss.send_bytes(&world, body).await.unwrap();
        let record = answer.record(lost[1].op);
        assert_eq!(record.number.as_deref(), Some("ZG202600002"), "it was printed");
        assert_eq!(record.flags, ["number_given_back"]);
        assert!(answer.outcomes.iter().all(|outcome| outcome.first_received_ms == START_MS), "so was its time");
        boss.took(&lost);
        receipt = answer.head.receipt.unwrap();
        let fresh = filed(&mut boss);
        let number = boss.sync(&world, &fresh).await.record(fresh[1].op).number.unwrap();
        assert_eq!(number, "ZG2026100002", "others are skipped, since they may have been given");

        let log = world.log;
        let standing = world.logs.store.read(|db| standing::of(db, log, now_ms)).unwrap();
        let epoch = &standing.restored[0];
        assert_eq!((epoch.last_known_rev, epoch.returned, epoch.acknowledged), (last, 2, false));
        let missing = epoch.not_returned.last().map(|(_, last)| *last);
        assert_eq!(missing, Some(last), "what only the server had made is listed");
        let scratch = data.join("rebuild.db");
        assert_eq!(rebuild(&world.logs.store, log, &scratch, |_| {}).unwrap().differences, []);
        last = world.append(unit().into(), set_unit()).await.rev;
    }
}

/// A number that a release gave is in the receipt of the release: the phone of whoever released brings it back.
#[tokio::test]
async fn after_a_restore_a_release_gives_back_the_number_that_it_gave() {
    let world = World::new().await;
    let mut boss = world.person(1, Role::Supervisor, root()).await;
    let mut shut_out = world.person(2, Role::Supervisor, root()).await;
    let why = Sealed { sealed: sha256(b"why") };
    let revoke = Body::RevokeDevice(Reason { reason: why });
    world.append(shut_out.device.into(), revoke).await;
    let dir = TempDir::new().unwrap();
    back_up(&world, dir.path());

    let parked = filed(&mut shut_out);
    shut_out.sync(&world, &parked).await;
    let release = Body::Release(Parked { parked: parked[0].op, reason: why });
    let release = [boss.op(parked[0].entity, &release, vec![])];
    let answer = boss.sync(&world, &release).await;
    let record = answer.record(release[0].op);
    assert_eq!(record.number.as_deref(), Some("ZG202600001"), "{record:?}");
    let receipt = answer.head.receipt.unwrap();

    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let asked = restore_asked(dir.path(), &data);
    restore(&asked, &world.clock, &mut |_| {}).await.unwrap();
    let world = World::on_data(data.clone(), folder, Store::open(&asked.database).unwrap()).await;
    shut_out.incarnation += 1;
    (shut_out.next_seq, shut_out.chain) = (1, Hash::ZERO);
    shut_out.sync(&world, &parked).await;
    let body = again(&mut boss, &release, receipt);
    let record = boss.send_bytes(&world, body).await.unwrap().record(release[0].op);
    assert_eq!(record.number.as_deref(), Some("ZG202600001"), "it was printed");
    boss.took(&release);
    let fresh = filed(&mut boss);
    let number = boss.sync(&world, &fresh).await.record(fresh[1].op).number.unwrap();
    assert_eq!(number, "ZG2026100001", "it was not taken from the counter a second time");
    let differences = rebuild(&world.logs.store, world.log, &data.join("rebuild.db"), |_| {}).unwrap().differences;
    assert_eq!(differences, [], "the log alone says which number it gave back");
}

/// What was redacted, revoked or disabled after the backup does not come back: not out of the backup, and not with a phone
/// that pushes again what the server lost. What was given at the server is listed.
#[tokio::test]
async fn after_a_restore_what_was_taken_away_stays_away_and_what_was_given_is_listed() {
    let world = World::new().await;
    let mut maker = world.person(1, Role::Inspector, grid(1)).await;
    let thief = world.person(2, Role::Inspector, grid(1)).await;
    let kept = maker.report_with(1, vec![], Some("13800000001"));
    maker.sync(&world, std::slice::from_ref(&kept)).await;
    let dir = TempDir::new().unwrap();
    back_up(&world, dir.path());
    let lost = maker.report_with(1, vec![], Some("13800000002"));
    maker.sync(&world, std::slice::from_ref(&lost)).await;
    let mut redactions = Vec::new();
    for (report, number) in [(&kept, "13800000001"), (&lost, "13800000002")] {
        let value = report.values.iter().find(|value| value.value == number).unwrap().sealed;
        let body = Body::RedactValue(RedactValue { value, reason: "个人信息保护法 47 条".into() });
        redactions.push(world.append(report.entity, body).await.op);
    }
    world.append(thief.device.into(), Body::RevokeDevice(Reason { reason: Sealed { sealed: sha256(b"why") } })).await;
    let late = world.person(7, Role::Inspector, grid(1)).await;

    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let asked = Restore { signed: Some(world.data.join("signed")), ..restore_asked(dir.path(), &data) };
    let restored = restore(&asked, &world.clock, &mut |_| {}).await.unwrap().remove(0);
    let kinds: Vec<_> = restored.taken_away.iter().map(|act| act.kind.as_str()).collect();
    assert_eq!(kinds, ["redact_value", "redact_value", "revoke_device"]);
    let named: Vec<_> = restored.lost.iter().map(|act| (act.kind.as_str(), act.entity)).collect();
    let (account, device) = (late.account.into(), late.device.into());
    assert_eq!(named, [("set_account", account), ("grant", account), ("enrol_device", device)]);
    assert!(restored.lost[0].about.contains("Inspector 7"), "{:?}", restored.lost);

    let world = World::on_data(data.clone(), folder, Store::open(&asked.database).unwrap()).await;
    let values = |report: &Line| {
        let values = world.logs.store.read(|db| {
            let head = db.head(world.log)?.unwrap();
            db.values_of(head.num, &[report.entity])
        });
        let values: Result<_, StoreError> = values;
        values.unwrap().into_iter().map(|kept| kept.value.value).collect::<Vec<_>>()
    };
    assert_eq!(values(&kept), ["占道"], "what the backup held is gone before a phone can ask for it");
    maker.incarnation += 1;
    (maker.next_seq, maker.chain) = (1, Hash::ZERO);
    maker.sync(&world, std::slice::from_ref(&lost)).await;
    assert_eq!(values(&lost), ["占道"], "what came again is without what was redacted");
    let entries = world.entries();
    let again = entries.iter().filter(|entry| redactions.contains(&entry.op) && entry.outcome == 1);
    assert_eq!(again.count(), 2, "each is the same op, once");
    let revoked = entries.iter().rev().find(|entry| entry.entity == thief.device.into()).unwrap();
    assert_eq!((revoked.kind.as_str(), revoked.outcome), ("revoke_device", 1));

    // Nor does it come back under another op.
    let value = lost.values.iter().find(|value| value.value == "13800000002").unwrap().clone();
    let changes = [("field.vendor_phone".parse().unwrap(), change(value.sealed))].into();
    let amend = maker.op(lost.entity, &Body::Amend(schema::op::Amend { changes }), vec![value]);
    maker.sync(&world, &[amend]).await;
    assert_eq!(values(&lost), ["占道"]);
    let differences = rebuild(&world.logs.store, world.log, &data.join("rebuild.db"), |_| {}).unwrap().differences;
    assert_eq!(differences, []);
}

fn change(sealed: Hash) -> schema::op::Change {
    let value = serde_json::json!(Sealed { sealed });
    schema::op::Change { was: value.clone(), to: value }
}

fn set_unit() -> Body {
    let name = schema::catalogue::Text { zh: "新".into(), en: "New".into() };
    Body::SetUnit(schema::op::SetUnit { name, area: root() })
}
