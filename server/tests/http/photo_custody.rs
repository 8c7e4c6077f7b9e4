//! Whose photo it is: naming a hash opens nothing, showing the bytes does; races of a photo with the ops that name it.

use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::Role;
use serde_json::{Value, json};
use sync_core::line::sha256;

use super::photos::jpeg;
use super::reading::{case, report};
use super::world::{Phone, World};

impl World {
    async fn seen(&self, phone: &Phone, photo: &Hash) -> [u16; 3] {
        let mut seen = [0; 3];
        for (status, version) in seen.iter_mut().zip(["320", "1280", "original"]) {
            *status = self.get(&format!("/v1/photos/{photo}/{version}"), phone.token()).await.status;
        }
        seen
    }

    pub(crate) async fn evidence(&self, phone: &Phone, case: EntityId) -> Vec<Value> {
        let shown = self.get(&format!("/v1/logs/{}/cases/{case}", phone.log()), phone.token()).await.json();
        shown["document"]["evidence"].as_array().unwrap().clone()
    }
}

/// Whoever learned a photo's hash and names it in a case of their own has not had the photo.
#[actix_web::test]
async fn naming_a_photo_opens_no_version_of_it() {
    let world = World::start().await;
    let maker = world.phone("li", Role::Inspector, "A3").await;
    let outsider = world.phone("wu", Role::Inspector, "A4").await;
    let over_outsider = world.phone("sun", Role::Supervisor, "A4").await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let bytes = jpeg(300, 21);
    let photo = world.upload(&maker, &bytes).await;
    world.push(&maker, &[(case(1), report(&[(photo, bytes.len())]))]).await;
    world.push(&outsider, &[(case(2), super::photo_signals::report_in_a4(&[(photo, bytes.len())]))]).await;
    assert!(world.evidence(&outsider, case(2)).await[0]["verified_rev"].is_u64(), "the bytes are here");
    assert_eq!(world.seen(&outsider, &photo).await, [404; 3], "but not for whoever only names them");
    assert_eq!(world.seen(&over_outsider, &photo).await, [404; 3], "nor for those over that case");
    assert_eq!(world.seen(&maker, &photo).await, [200; 3]);
    assert_eq!(world.seen(&auditor, &photo).await, [200; 3], "who sees the other case sees it there");

    // A hash that somebody else has sent is unknown to a device that has not: there is nothing to learn by asking.
    assert_eq!(world.offset(&outsider, &photo).await.status, 404);
    let have = json!({"photos": [photo]}).to_string();
    let token = format!("Bearer {}", outsider.token());
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let answer = world.send("POST", "/v1/photos/have", &headers, have.as_bytes()).await.json();
    assert_eq!(answer, json!({"photos": [{"state": "absent"}]}));

    // Who has the bytes shows them, and is believed.
    world.upload(&outsider, &bytes).await;
    assert_eq!(world.seen(&outsider, &photo).await, [200; 3]);
    assert_eq!(world.seen(&over_outsider, &photo).await, [200; 3]);
    assert_eq!(world.stored(&photo).await, Some(bytes));
    assert_eq!(std::fs::read_dir(world.folder.path().join("uploads")).unwrap().count(), 0);
}

/// Ops and uploads that finish at the same moment, in either order: each case is told of each of its photos once, and a
/// sweep finds nothing more to do.
#[actix_web::test]
async fn a_photo_and_the_op_that_names_it_may_cross() {
    let world = World::start().await;
    let li = world.phone("li", Role::Inspector, "A3").await;
    let wu = world.phone("wu", Role::Inspector, "A3").await;
    for round in 0..40_u32 {
        let bytes = format!("no picture, number {round}").into_bytes();
        let photo = sha256(&bytes);
        let (mine, theirs) = (case(u128::from(round) * 2), case(u128::from(round) * 2 + 1));
        let named = report(&[(photo, bytes.len())]);
        assert_eq!(world.announce(&li, &photo, bytes.len()).await.status, 201);
        let (one, another) = ([(mine, named.clone())], [(theirs, named)]);
        let (sent, _, _) =
            tokio::join!(world.patch(&li, &photo, 0, &bytes), world.push(&li, &one), world.push(&wu, &another));
        assert_eq!(sent.status, 204);
    }
    world.running.app.photos.sweep().await.unwrap();
    for round in 0..40_u128 {
        for named_in in [case(round * 2), case(round * 2 + 1)] {
            assert!(world.evidence(&li, named_in).await[0]["verified_rev"].is_u64());
            let entries =
                world.get(&format!("/v1/logs/{}/cases/{named_in}/entries", li.log()), li.token()).await.json();
            let kinds: Vec<&str> = entries["entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["outcome"]["kind"].as_str().unwrap())
                .collect();
            assert_eq!(kinds, ["report", "photo_verified"], "once");
        }
    }
    assert_eq!(world.running.app.logs.ledger.sweep_photos().await.unwrap(), 0);
}

/// The server was stopped when a photo had its row and no case was told yet: the next start tells them.
#[actix_web::test]
async fn a_start_tells_what_a_stop_left_untold() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(64, 31);
    let photo = sha256(&bytes);
    world.push(&phone, &[(case(1), report(&[(photo, bytes.len())]))]).await;
    let size = u64::try_from(bytes.len()).unwrap();
    let row = sync_core::context::VerifiedPhoto { size, pixels: Some((64, 64)), flags: Vec::new() };
    world
        .running
        .app
        .logs
        .store
        .write(|db| db.insert_photo(&photo, &row, 1))
        .map_err(|e: server::store::StoreError| e)
        .unwrap();
    assert_eq!(world.evidence(&phone, case(1)).await[0]["verified_rev"], json!(null));
    let world = world.restart().await;
    while world.evidence(&phone, case(1)).await[0]["verified_rev"].is_null() {
        // The sweep at the start goes on beside the requests.
        tokio::task::yield_now().await;
    }
}

/// The parts of a device are bounded: what it announced longest ago begins anew, and nothing is refused.
#[actix_web::test]
async fn a_device_keeps_a_bounded_number_of_parts() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let photos: Vec<Vec<u8>> =
        (0..=schema::limits::UPLOADS_PER_DEVICE_MAX).map(|n| format!("part {n}").into_bytes()).collect();
    for bytes in &photos {
        let photo = sha256(bytes);
        world.later(1);
        assert_eq!(world.announce(&phone, &photo, bytes.len()).await.status, 201);
        assert_eq!(world.patch(&phone, &photo, 0, &bytes[..3]).await.status, 204);
    }
    let parts = std::fs::read_dir(world.folder.path().join("uploads")).unwrap().count();
    assert_eq!(parts, schema::limits::UPLOADS_PER_DEVICE_MAX);
    assert_eq!(world.offset(&phone, &sha256(&photos[0])).await.status, 404, "the oldest begins anew");
    assert_eq!(world.offset(&phone, &sha256(&photos[1])).await.header("upload-offset"), "3");
    assert_eq!(world.upload(&phone, &photos[0]).await, sha256(&photos[0]));
}

/// A revoked phone hands in what its ops name, on its key's signature over the photo alone, and nothing else.
#[actix_web::test]
async fn a_revoked_phone_hands_in_the_photos_that_its_ops_name() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let (sent, parked, unnamed) = (jpeg(80, 51), jpeg(90, 52), jpeg(70, 53));
    world.push(&phone, &[(case(1), report(&[(sha256(&sent), sent.len())]))]).await;
    world.running.app.installation.revoke(phone.device, "lost").await.unwrap();
    world.push(&phone, &[(case(2), report(&[(sha256(&parked), parked.len())]))]).await;

    let signed = |photo: &Hash, with: &Phone| {
        let message = sync_core::log::chain::photo_message(phone.device, photo);
        format!("Device {} {}", phone.device, with.secret.sign(&message))
    };
    for (what, bytes) in [("named by a case", &sent), ("named by what is parked", &parked)] {
        let photo = sha256(bytes);
        assert_eq!(world.announce(&phone, &photo, bytes.len()).await.problem(), (403, "device_revoked".into()));
        let by_key = signed(&photo, &phone);
        let announced = world.announce_as(&by_key, &photo, bytes.len()).await;
        assert_eq!(announced.status, 201, "{what}: {}", announced.text());
        assert_eq!(world.patch_as(&by_key, &photo, 0, &bytes[..50]).await.header("upload-offset"), "50", "{what}");
        assert_eq!(world.patch_as(&by_key, &photo, 50, &bytes[50..]).await.status, 204, "{what}");
        assert_eq!(world.stored(&photo).await.as_ref(), Some(bytes), "{what}");
    }
    world.running.app.photos.sweep().await.unwrap();
    assert!(world.evidence(&supervisor, case(1)).await[0]["verified_rev"].is_u64());

    let photo = sha256(&unnamed);
    assert_eq!(world.announce_as(&signed(&photo, &phone), &photo, unnamed.len()).await.problem().1, "not_found");
    for wrong in [
        signed(&sha256(&sent), &phone),
        signed(&photo, &supervisor),
        format!("Device {}", phone.device),
        format!("Device {} AAAA", phone.device),
    ] {
        assert_eq!(world.announce_as(&wrong, &photo, unnamed.len()).await.problem().1, "unauthenticated", "{wrong}");
    }
    // A phone that is not shut out shows a token.
    let message = sync_core::log::chain::photo_message(supervisor.device, &sha256(&sent));
    let around = format!("Device {} {}", supervisor.device, supervisor.secret.sign(&message));
    assert_eq!(world.announce_as(&around, &sha256(&sent), sent.len()).await.problem().1, "unauthenticated");
    // Its key opens nothing.
    let photo = sha256(&sent);
    let headers = [("authorization", signed(&photo, &phone))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.send("GET", &format!("/v1/photos/{photo}/320"), &headers, b"").await.status, 401);
}
