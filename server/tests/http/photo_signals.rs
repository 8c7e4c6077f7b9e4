//! What people are told about photos: used before, looking like another, taken elsewhere or at another time.

use pictures::drawing::{Scene, Shot};
use schema::case::Position;
use schema::hash::Hash;
use schema::op::{AddEvidence, Body, EvidenceRole, PhotoClaim, Role, Taken, TakenBy};
use serde_json::{Value, json};
use server::demo::picture::Picture;

use super::reading::{case, report};
use super::world::{Phone, START_MS, World};

const HERE: Position = Position { lat_e7: 312_050_000, lon_e7: 1_214_050_000, accuracy_m: None, gcj02: None };

/// A report in grid A4.
pub(crate) fn report_in_a4(photos: &[(Hash, usize)]) -> Body {
    let Body::Report(mut body) = report(photos) else { panic!("a report") };
    body.position.lon_e7 = 1_214_150_000;
    Body::Report(body)
}

/// A photo as a camera takes it.
fn taken(place: u64, taken_ms: u64, position: Position) -> Vec<u8> {
    let shot = Shot { scene: Scene::Stall, fixed: false, place, shot: place };
    Picture { shot, taken_ms, position }.jpeg().unwrap()
}

fn claim(sha256: Hash, bytes: &[u8], role: EvidenceRole) -> PhotoClaim {
    let taken = Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false };
    PhotoClaim { sha256, size: u64::try_from(bytes.len()).unwrap(), role, taken }
}

fn more(photos: Vec<PhotoClaim>) -> Body {
    Body::AddEvidence(AddEvidence { photos })
}

async fn flags(world: &World, phone: &Phone, number: u128) -> Vec<Value> {
    world.evidence(phone, case(number)).await.into_iter().map(|item| item["flags"].clone()).collect()
}

#[actix_web::test]
async fn a_camera_that_says_another_time_or_place_is_a_signal() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let far = Position { lat_e7: HERE.lat_e7 + 45_000, ..HERE };
    for (number, bytes, expected) in [
        (1, taken(1, START_MS - 60_000, HERE), json!([])),
        (2, taken(2, START_MS - 3 * 3_600_000, HERE), json!(["exif_time_far"])),
        (3, taken(3, START_MS, far), json!(["exif_place_far"])),
    ] {
        // Either order: the op first, then the photo; the photo first, then the op.
        if number == 2 {
            world.push(&phone, &[(case(number), report(&[(sync_core::line::sha256(&bytes), bytes.len())]))]).await;
            world.upload(&phone, &bytes).await;
        } else {
            let photo = world.upload(&phone, &bytes).await;
            world.push(&phone, &[(case(number), report(&[(photo, bytes.len())]))]).await;
        }
        assert_eq!(flags(&world, &phone, number).await, [expected], "case {number}");
    }
}

#[actix_web::test]
async fn a_library_photo_a_mock_position_and_an_after_that_is_the_before_are_signals() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let before = taken(1, START_MS, HERE);
    let photo = world.upload(&phone, &before).await;
    world.push(&phone, &[(case(1), report(&[(photo, before.len())]))]).await;
    let mut library = claim(world.upload(&phone, &taken(2, START_MS, HERE)).await, b"", EvidenceRole::Check);
    library.taken = Taken { by: TakenBy::Library, mock_position: true, ..library.taken };
    library.size = u64::try_from(taken(2, START_MS, HERE).len()).unwrap();
    let same = claim(photo, &before, EvidenceRole::After);
    let smaller = recoded(&before);
    let alike = claim(world.upload(&phone, &smaller).await, &smaller, EvidenceRole::After);
    world
        .push(&phone, &[(case(1), more(vec![library])), (case(1), more(vec![same])), (case(1), more(vec![alike]))])
        .await;
    let expected = [
        json!([]),
        json!(["mock_position", "from_library"]),
        json!(["photo_used_before", "after_equals_before"]),
        json!(["after_equals_before"]),
    ];
    assert_eq!(flags(&world, &phone, 1).await, expected);
}

/// The same picture, half as large, coded anew, without what the camera wrote.
fn recoded(jpeg: &[u8]) -> Vec<u8> {
    let image = image::load_from_memory(jpeg).unwrap();
    let smaller = image.resize(640, 480, image::imageops::FilterType::Triangle);
    let mut file = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 60).encode_image(&smaller.to_rgb8()).unwrap();
    file
}

/// A photo that was coded anew, made smaller or turned is told from others of the same log; which other case has it is
/// told to those who may see that case.
#[actix_web::test]
async fn a_photo_that_looks_like_another_is_a_signal() {
    let world = World::start().await;
    let li = world.phone("li", Role::Inspector, "A3").await;
    let he = world.phone("he", Role::Inspector, "A4").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let first = taken(1, START_MS, HERE);
    let original = world.upload(&li, &first).await;
    world.push(&li, &[(case(1), report(&[(original, first.len())]))]).await;
    let turned = {
        let image = image::load_from_memory(&recoded(&first)).unwrap().rotate90();
        let mut file = std::io::Cursor::new(Vec::new());
        image.write_to(&mut file, image::ImageFormat::Png).unwrap();
        file.into_inner()
    };
    for (number, bytes) in [(2, recoded(&first)), (3, turned)] {
        let photo = world.upload(&he, &bytes).await;
        world.push(&he, &[(case(number), report_in_a4(&[(photo, bytes.len())]))]).await;
        assert_eq!(flags(&world, &he, number).await, [json!(["near_duplicate"])], "case {number}");
    }
    let other = taken(77, START_MS, Position { lon_e7: 1_214_150_000, ..HERE });
    let photo = world.upload(&he, &other).await;
    world.push(&he, &[(case(4), report_in_a4(&[(photo, other.len())]))]).await;
    assert_eq!(flags(&world, &he, 4).await, [json!([])], "another street looks different");
    assert_eq!(flags(&world, &li, 1).await, [json!([])], "what came first is not flagged");

    let alike = format!("/v1/photos/{}/alike", sync_core::line::sha256(&recoded(&first)));
    for (phone, cases) in [(&he, vec![case(2), case(3)]), (&supervisor, vec![case(1), case(2), case(3)])] {
        let answer = world.get(&alike, phone.token()).await.json();
        let mut named: Vec<Value> = answer["cases"].as_array().unwrap().iter().map(|row| row["case"].clone()).collect();
        named.sort_by_key(ToString::to_string);
        assert_eq!(named, cases.iter().map(|case| json!(case)).collect::<Vec<_>>(), "{answer}");
    }
    assert_eq!(world.get(&alike, li.token()).await.problem(), (404, "not_found".into()));
}
