//! Files of unsent work, carried to the server by a supervisor: sealed and plain, whole, cut off, changed, foreign.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::export::{ExportEnd, ExportHead, ExportPhoto, ExportTotals, message};
use schema::hash::Hash;
use schema::ids::{AccountId, BootId, EntityId};
use schema::op::{Body, Captured, Role};
use serde_json::{Value, json};
use sync_core::line::sha256;
use sync_core::sealed_file::Sealer;
use uuid::Uuid;

use super::photos::jpeg;
use super::reading::{case, report};
use super::world::{Phone, Reply, World};

/// What a phone writes, with the push that it would have made.
struct Exported {
    plain: Vec<u8>,
    push: Vec<u8>,
}

fn export(phone: &Phone, ops: &[(EntityId, Body)], photos: &[&[u8]]) -> Exported {
    let push = phone.request(ops);
    export_of(phone, phone.enrolled.account, push, ops.len(), photos)
}

fn export_of(phone: &Phone, account: AccountId, push: Vec<u8>, ops: usize, photos: &[&[u8]]) -> Exported {
    let clock = Captured { wall_ms: 5, elapsed_ms: 6, boot: BootId(Uuid::from_u128(7)) };
    let head = ExportHead {
        rectify_export: 1,
        device: phone.device,
        account,
        name: "李巡查".into(),
        app: "test/1".into(),
        clock,
    };
    let mut plain = serde_json::to_vec(&head).unwrap();
    plain.push(b'\n');
    plain.extend(&push);
    plain.push(b'\n');
    for bytes in photos {
        let size = u64::try_from(bytes.len()).unwrap();
        let photo = ExportPhoto { photo: sha256(bytes), size, base64: STANDARD.encode(bytes) };
        plain.extend(serde_json::to_vec(&photo).unwrap());
        plain.push(b'\n');
    }
    end(phone, &mut plain, ops, photos.len());
    Exported { plain, push }
}

fn end(phone: &Phone, plain: &mut Vec<u8>, ops: usize, photos: usize) {
    let sha256 = sha256(plain);
    let signature = phone.secret.sign(&message(phone.device, &sha256));
    let end = ExportEnd { end: ExportTotals { ops, photos, sha256, signature } };
    plain.extend(serde_json::to_vec(&end).unwrap());
    plain.push(b'\n');
}

fn sealed(phone: &Phone, plain: &[u8]) -> Vec<u8> {
    let key = phone.enrolled.tokens.export_key.expect("a phone is given the key when it is enrolled");
    let mut sealer = Sealer::new(Vec::new(), &key, [3; 32]).unwrap();
    sealer.write_all(plain).unwrap();
    sealer.finish().unwrap()
}

async fn bring(world: &World, supervisor: &Phone, file: &[u8]) -> Reply {
    let token = format!("Bearer {}", supervisor.token());
    world.send("POST", "/v1/export-files", &[("authorization", &token)], file).await
}

async fn head(world: &World, phone: &Phone) -> Value {
    world.get(&format!("/v1/head?log={}", phone.log()), phone.token()).await.json()["rev"].clone()
}

async fn outcomes(world: &World, phone: &Phone, push: &[u8]) -> Vec<Value> {
    let token = format!("Bearer {}", phone.token());
    let reply = world.send("POST", "/v1/sync", &[("authorization", &token)], push).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let lines = reply.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    lines.into_iter().filter(|line| line.get("outcome").is_some()).collect()
}

#[actix_web::test]
async fn a_sealed_file_brings_ops_and_photos_and_the_phone_gets_the_same_outcomes_later() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A1").await;
    let (small, large) = (jpeg(40, 1), jpeg(200, 2));
    let photos = [(sha256(&small), small.len()), (sha256(&large), large.len())];
    let ops = [(case(1), report(&photos)), (case(2), report(&[]))];
    let exported = export(&inspector, &ops, &[&small, &large]);
    let file = sealed(&inspector, &exported.plain);
    let said = bring(&world, &supervisor, &file).await;
    assert_eq!(said.status, 200, "{}", said.text());
    let said = said.json();
    assert_eq!((&said["accepted"], &said["photos"], &said["refused"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!((&said["name"], &said["device"]), (&json!("李巡查"), &json!(inspector.device)));
    let rev = head(&world, &supervisor).await;
    assert_eq!(bring(&world, &supervisor, &file).await.json(), said, "again, to the same end");
    assert_eq!(bring(&world, &supervisor, &exported.plain).await.json(), said, "and in plain");

    world.running.app.photos.sweep().await.unwrap();
    let path = format!("/v1/logs/{}/cases/{}", inspector.log(), case(1));
    let seen = world.get(&path, supervisor.token()).await.json();
    let verified = seen["document"]["evidence"].as_array().unwrap().iter().filter(|it| it["verified_rev"].is_u64());
    assert_eq!(verified.count(), 2, "{seen}");
    let entries = world.get(&format!("{path}/entries"), supervisor.token()).await.json();
    assert_eq!(entries["entries"][0]["device"], json!(inspector.device), "the work is that of who did it");

    let later = outcomes(&world, &inspector, &exported.push).await;
    assert_eq!(later.len(), 2, "{later:?}");
    assert!(later.iter().all(|line| line["outcome"]["rev"].as_u64() <= rev.as_u64()), "the first outcomes: {later:?}");
    let record: Value = serde_json::from_str(later[0]["outcome"]["record"].as_str().unwrap()).unwrap();
    assert_eq!(record.get("captured"), None, "when it was captured, in the server's time, a carried file can't say");
}

#[actix_web::test]
async fn what_the_phone_sent_itself_is_no_news_in_a_file() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A1").await;
    let exported = export(&inspector, &[(case(1), report(&[]))], &[]);
    let first = outcomes(&world, &inspector, &exported.push).await;
    let rev = head(&world, &inspector).await;
    let said = bring(&world, &supervisor, &sealed(&inspector, &exported.plain)).await;
    assert_eq!((said.status, &said.json()["accepted"]), (200, &json!(1)), "{}", said.text());
    assert_eq!(head(&world, &inspector).await, rev);
    assert_eq!(outcomes(&world, &inspector, &exported.push).await, first);
}

#[actix_web::test]
async fn a_revoked_phones_file_waits_for_a_person() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    world.running.app.installation.revoke(inspector.device, "lost").await.unwrap();
    let exported = export(&inspector, &[(case(1), report(&[]))], &[]);
    let said = bring(&world, &supervisor, &sealed(&inspector, &exported.plain)).await;
    assert_eq!((said.status, &said.json()["parked"]), (200, &json!(1)), "{}", said.text());
    let parked = world.get(&format!("/v1/logs/{}/parked", inspector.log()), supervisor.token()).await.json();
    assert_eq!(parked["parked"][0]["code"], "actor_revoked", "{parked}");
}

#[actix_web::test]
async fn a_file_is_taken_from_supervisors_of_its_district_only() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let exported = export(&inspector, &[(case(1), report(&[]))], &[]);
    for phone in [&inspector, &auditor] {
        let refused = bring(&world, phone, &exported.plain).await;
        assert_eq!(refused.problem(), (403, "forbidden".into()));
    }
    assert_eq!(world.send("POST", "/v1/export-files", &[], &exported.plain).await.status, 401);
}

#[actix_web::test]
async fn a_file_of_another_installation_is_told_so_and_changes_nothing() {
    let (world, elsewhere) = (World::start().await, World::start().await);
    let supervisor = world.phone("sun", Role::Supervisor, "A1").await;
    let theirs = elsewhere.phone("li", Role::Inspector, "A3").await;
    let rev = head(&world, &supervisor).await;
    let exported = export(&theirs, &[(case(1), report(&[]))], &[]);
    for file in [
        sealed(&theirs, &exported.plain),
        exported.plain,
        b"dear diary\nit rained\n".to_vec(),
        b"{\"rectify_export\":2}\n".to_vec(),
    ] {
        assert_eq!(bring(&world, &supervisor, &file).await.problem(), (422, "foreign_file".into()));
    }
    assert_eq!(head(&world, &supervisor).await, rev);
}

#[actix_web::test]
async fn a_file_that_was_changed_or_cut_off_is_refused_whole() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    let other = world.phone("he", Role::Inspector, "A3").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A1").await;
    let photo = jpeg(30, 1);
    let ops = [(case(1), report(&[(sha256(&photo), photo.len())])), (case(2), report(&[]))];
    let exported = export(&inspector, &ops, &[&photo]);
    let plain = exported.plain.clone();
    let lines: Vec<&[u8]> = plain.split_inclusive(|byte| *byte == b'\n').collect();
    let rev = head(&world, &supervisor).await;
    let mut refused: Vec<(String, Vec<u8>, &str)> = Vec::new();
    for count in 0..lines.len() {
        refused.push((format!("{count} lines"), lines[..count].concat(), "truncated"));
        let half = [lines[..count].concat(), lines[count][..lines[count].len() / 2].to_vec()].concat();
        refused.push((format!("{count} lines and a half"), half, "truncated"));
        if count > 0 && count + 1 < lines.len() {
            let without: Vec<&[u8]> = lines.iter().enumerate().filter(|(n, _)| *n != count).map(|it| *it.1).collect();
            refused.push((format!("without line {count}"), without.concat(), "tampered_file"));
        }
    }
    let swap = |from: &str, to: &str| {
        let text = String::from_utf8(plain.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    refused.push(("another name".into(), swap("李巡查", "王巡查"), "tampered_file"));
    refused.push(("another position".into(), swap("312050000", "312050001"), "tampered_file"));
    refused.push(("more behind the end".into(), [plain.as_slice(), b"\n"].concat(), "tampered_file"));
    refused.push((
        "a photo in its place".into(),
        swap(&STANDARD.encode(&photo), &STANDARD.encode(b"another")),
        "tampered_file",
    ));
    // Somebody else's device, which signs what is not its own.
    let push = export(&inspector, &[(case(3), report(&[]))], &[]).push;
    refused.push((
        "ops of another device".into(),
        export_of(&other, other.enrolled.account, push, 1, &[]).plain,
        "foreign_file",
    ));
    let named = export_of(&other, inspector.enrolled.account, other.request(&[(case(4), report(&[]))]), 1, &[]);
    refused.push(("in another's name".into(), named.plain, "tampered_file"));
    let file = sealed(&inspector, &plain);
    refused.push(("a sealed file, cut off".into(), file[..file.len() - 1].to_vec(), "tampered_file"));
    refused.push(("a sealed file, begun".into(), file[..50].to_vec(), "truncated"));
    let mut flipped = file.clone();
    flipped[200] ^= 1;
    refused.push(("a sealed file with another bit".into(), flipped, "tampered_file"));
    for (what, file, code) in &refused {
        let said = bring(&world, &supervisor, file).await;
        assert_eq!(said.problem().1, *code, "{what}: {}", said.text());
    }
    assert_eq!(head(&world, &supervisor).await, rev, "nothing of them was taken");
    let have = world.post_as(&supervisor, "/v1/photos/have", &json!({"photos": [sha256(&photo), Hash::ZERO]})).await;
    assert!(!have.text().contains("verified"), "{}", have.text());
    assert_eq!(bring(&world, &supervisor, &plain).await.status, 200, "as it was written");
}

impl World {
    async fn post_as(&self, phone: &Phone, path: &str, body: &Value) -> Reply {
        let token = format!("Bearer {}", phone.token());
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        self.send("POST", path, &headers, body.to_string().as_bytes()).await
    }
}
