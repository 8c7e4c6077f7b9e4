//! Photos over tus: resuming, every way to go wrong, and what is shown to whom.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, RgbImage};
use schema::hash::Hash;
use schema::op::Role;
use schema::problem::ProblemCode;
use serde_json::json;
use server::services::uploads::Stream;
use sync_core::line::sha256;
use tokio::io::AsyncWriteExt;

use super::reading::{case, report};
use super::world::{Phone, Reply, World, open, read_reply};

/// A real JPEG of about this many kilobytes: noise does not compress.
pub(crate) fn jpeg(side: u32, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let image = RgbImage::from_fn(side, side, |_, _| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [a, b, c, _] = state.to_le_bytes();
        image::Rgb([a, b, c])
    });
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    file.into_inner()
}

impl World {
    pub(crate) async fn announce(&self, phone: &Phone, photo: &Hash, length: usize) -> Reply {
        self.announce_as(&format!("Bearer {}", phone.token()), photo, length).await
    }

    pub(crate) async fn announce_as(&self, who: &str, photo: &Hash, length: usize) -> Reply {
        let metadata = format!("filename Li4vLi4=,sha256 {}", STANDARD.encode(photo.to_string()));
        let length = length.to_string();
        let headers = [
            ("authorization", who),
            ("tus-resumable", "1.0.0"),
            ("upload-length", &length),
            ("upload-metadata", &metadata),
        ];
        self.send("POST", "/v1/photos", &headers, b"").await
    }

    pub(crate) async fn offset(&self, phone: &Phone, photo: &Hash) -> Reply {
        let token = format!("Bearer {}", phone.token());
        let headers = [("authorization", token.as_str()), ("tus-resumable", "1.0.0")];
        self.send("HEAD", &format!("/v1/photos/{photo}"), &headers, b"").await
    }

    pub(crate) async fn patch(&self, phone: &Phone, photo: &Hash, offset: usize, bytes: &[u8]) -> Reply {
        self.patch_with(phone, photo, offset, bytes, &[]).await
    }

    pub(crate) async fn patch_as(&self, who: &str, photo: &Hash, offset: usize, bytes: &[u8]) -> Reply {
        let offset = offset.to_string();
        let headers = [
            ("authorization", who),
            ("tus-resumable", "1.0.0"),
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", &offset),
        ];
        self.send("PATCH", &format!("/v1/photos/{photo}"), &headers, bytes).await
    }

    async fn patch_with(
        &self,
        phone: &Phone,
        photo: &Hash,
        offset: usize,
        bytes: &[u8],
        more: &[(&str, &str)],
    ) -> Reply {
        let headers = patch_headers(phone, offset);
        let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.extend_from_slice(more);
        self.send("PATCH", &format!("/v1/photos/{photo}"), &headers, bytes).await
    }

    pub(crate) async fn upload(&self, phone: &Phone, bytes: &[u8]) -> Hash {
        let photo = sha256(bytes);
        assert_eq!(self.announce(phone, &photo, bytes.len()).await.status, 201);
        let reply = self.patch(phone, &photo, 0, bytes).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        // What goes on after the answer is done when the sweep has been over it.
        self.running.app.photos.settle(photo, u64::try_from(bytes.len()).unwrap()).await.unwrap();
        photo
    }
}

pub(crate) fn patch_headers(phone: &Phone, offset: usize) -> [(&'static str, String); 4] {
    [
        ("authorization", format!("Bearer {}", phone.token())),
        ("tus-resumable", "1.0.0".to_owned()),
        ("content-type", "application/offset+octet-stream".to_owned()),
        ("upload-offset", offset.to_string()),
    ]
}

#[actix_web::test]
async fn an_upload_goes_on_where_it_stopped_and_repeats_harmlessly() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(600, 1);
    let photo = sha256(&bytes);
    assert_eq!(world.offset(&phone, &photo).await.status, 404);
    let created = world.announce(&phone, &photo, bytes.len()).await;
    assert_eq!((created.status, created.header("location")), (201, format!("/v1/photos/{photo}").as_str()));
    assert_eq!(created.header("upload-offset"), "0");
    assert!(created.header("upload-expires").ends_with("GMT"));

    let (first, rest) = bytes.split_at(100_000);
    assert_eq!(world.patch(&phone, &photo, 0, first).await.header("upload-offset"), "100000");
    let again = world.announce(&phone, &photo, bytes.len()).await;
    assert_eq!((again.status, again.header("upload-offset")), (201, "100000"));
    let world = world.restart().await;
    let standing = world.offset(&phone, &photo).await;
    assert_eq!((standing.status, standing.header("upload-offset")), (200, "100000"));
    assert_eq!(standing.header("upload-length"), bytes.len().to_string());

    let done = world.patch(&phone, &photo, 100_000, rest).await;
    assert_eq!((done.status, done.header("upload-offset")), (204, bytes.len().to_string().as_str()));
    assert_eq!(world.stored(&photo).await, Some(bytes.clone()));
    for reply in [
        world.patch(&phone, &photo, 100_000, rest).await,
        world.announce(&phone, &photo, bytes.len()).await,
        world.offset(&phone, &photo).await,
    ] {
        assert!(reply.status < 300);
        assert_eq!(reply.header("upload-offset"), bytes.len().to_string());
    }
    assert_eq!(std::fs::read_dir(world.folder.path().join("uploads")).unwrap().count(), 0, "no part is left");
}

#[actix_web::test]
async fn a_cut_stream_keeps_what_came() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(400, 2);
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    let headers = patch_headers(&phone, 0);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let path = format!("/v1/photos/{photo}");
    let mut stream = open(world.address(), "PATCH", &path, &headers, bytes.len()).await;
    stream.write_all(&bytes[..50_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let cut = read_reply_or_nothing(stream).await;
    assert!(cut.is_none_or(|reply| reply.status >= 400));
    let kept = loop {
        // The server notices the end of the stream in its own time.
        let offset: usize = world.offset(&phone, &photo).await.header("upload-offset").parse().unwrap();
        if offset > 0 {
            break offset;
        }
    };
    assert_eq!(kept, 50_000);
    assert_eq!(world.patch(&phone, &photo, kept, &bytes[kept..]).await.status, 204);
}

async fn read_reply_or_nothing(mut stream: tokio::net::TcpStream) -> Option<Reply> {
    use tokio::io::AsyncReadExt;
    let mut first = [0; 1];
    match stream.peek(&mut first).await {
        Ok(count) if count > 0 => Some(read_reply(stream, false).await),
        _ => {
            drop(stream.read(&mut first).await);
            None
        }
    }
}

#[actix_web::test]
async fn what_does_not_fit_is_refused_and_costs_nothing() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(200, 3);
    let photo = sha256(&bytes);
    assert_eq!(world.announce(&phone, &photo, 25 * 1024 * 1024 + 1).await.problem(), (413, "too_large".into()));
    assert_eq!(world.announce(&phone, &photo, 25 * 1024 * 1024).await.status, 201);
    assert_eq!(world.announce(&phone, &photo, bytes.len()).await.status, 201, "another length begins anew");
    assert_eq!(world.patch(&phone, &photo, 5, &bytes).await.problem(), (409, "offset_mismatch".into()));
    let longer = [&bytes[..], b"!"].concat();
    assert_eq!(world.patch(&phone, &photo, 0, &longer).await.problem(), (413, "too_large".into()));
    assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "0");

    let wrong = format!("sha256 {}", STANDARD.encode([0; 32]));
    let refused = world.patch_with(&phone, &photo, 0, &bytes[..100], &[("upload-checksum", &wrong)]).await;
    assert_eq!(refused.problem(), (460, "checksum_mismatch".into()));
    assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "0");
    let right = format!("sha256 {}", STANDARD.encode(sha256(&bytes[..100]).0));
    let taken = world.patch_with(&phone, &photo, 0, &bytes[..100], &[("upload-checksum", &right)]).await;
    assert_eq!((taken.status, taken.header("upload-offset")), (204, "100"));

    let token = format!("Bearer {}", phone.token());
    let path = format!("/v1/photos/{photo}");
    let old_tus = world.send("PATCH", &path, &[("authorization", &token), ("tus-resumable", "0.2.2")], b"").await;
    assert_eq!((old_tus.problem(), old_tus.header("tus-version")), ((412, "protocol_unsupported".into()), "1.0.0"));
    let no_type = [("authorization", token.as_str()), ("tus-resumable", "1.0.0"), ("upload-offset", "100")];
    assert_eq!(world.send("PATCH", &path, &no_type, b"x").await.problem(), (415, "unsupported_media".into()));
    let nobody = world.send("HEAD", &path, &[("tus-resumable", "1.0.0")], b"").await;
    assert_eq!(nobody.status, 401);
}

#[actix_web::test]
async fn a_file_with_another_hash_starts_again_from_nothing() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let (right, wrong) = (jpeg(200, 5), jpeg(200, 7));
    let photo = sha256(&right);
    let length = right.len().min(wrong.len());
    world.announce(&phone, &photo, length).await;
    let refused = world.patch(&phone, &photo, 0, &wrong[..length]).await;
    assert_eq!(refused.problem(), (460, "checksum_mismatch".into()));
    assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "0");
    world.announce(&phone, &photo, right.len()).await;
    assert_eq!(world.patch(&phone, &photo, 0, &right).await.status, 204);
}

#[actix_web::test]
async fn no_phone_spoils_the_part_of_another() {
    let world = World::start().await;
    let (honest, other) =
        (world.phone("li", Role::Inspector, "A3").await, world.phone("wu", Role::Inspector, "A4").await);
    let bytes = jpeg(300, 6);
    let photo = sha256(&bytes);
    world.announce(&honest, &photo, bytes.len()).await;
    assert_eq!(world.patch(&honest, &photo, 0, &bytes[..1000]).await.status, 204);
    world.announce(&other, &photo, bytes.len()).await;
    assert_eq!(world.offset(&other, &photo).await.header("upload-offset"), "0");
    let poison = vec![0; bytes.len()];
    assert_eq!(world.patch(&other, &photo, 0, &poison).await.status, 460);
    assert_eq!(world.patch(&honest, &photo, 1000, &bytes[1000..]).await.status, 204);
    let have = world
        .send(
            "POST",
            "/v1/photos/have",
            &[("authorization", &format!("Bearer {}", other.token())), ("content-type", "application/json")],
            json!({"photos": [photo, Hash::ZERO]}).to_string().as_bytes(),
        )
        .await;
    assert_eq!(have.json(), json!({"photos": [{"state": "partial", "offset": 0}, {"state": "absent"}]}));
}

#[actix_web::test]
async fn a_newer_stream_fences_off_an_older_one() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(900, 7);
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    let Ok(Stream::Open(mut older)) = world.running.app.photos.begin(photo, phone.device, 0, None).await else {
        panic!("nothing is here yet")
    };
    older.write(&vec![1; 300_000]).await.unwrap();
    assert_eq!(world.patch(&phone, &photo, 0, &bytes).await.status, 204);
    // The old one wakes up and sends other bytes: they go nowhere.
    let refused = older.write(&vec![0; 300_000]).await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::UploadSuperseded);
    assert_eq!(world.stored(&photo).await, Some(bytes));
}

#[actix_web::test]
async fn nothing_at_all_is_a_photo_too() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let created = world.announce(&phone, &sha256(b""), 0).await;
    assert_eq!((created.status, created.header("upload-offset")), (201, "0"));
    assert_eq!(world.offset(&phone, &sha256(b"")).await.header("upload-length"), "0");
    assert_eq!(world.announce(&phone, &sha256(b"other"), 0).await.problem(), (460, "checksum_mismatch".into()));
}

#[actix_web::test]
async fn an_upload_nobody_came_back_for_is_swept_away() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(100, 8);
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    world.patch(&phone, &photo, 0, &bytes[..100]).await;
    world.later(30 * 24 * 3600 * 1000);
    world.running.app.photos.sweep().await.unwrap();
    let left = std::fs::read_dir(world.folder.path().join("uploads")).unwrap().count();
    assert_eq!(left, 0);
}

#[actix_web::test]
async fn what_does_not_decode_is_kept_and_flagged() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = b"no picture at all, but somebody's evidence".to_vec();
    let photo = sha256(&bytes);
    world.push(&phone, &[(case(1), report(&[(photo, bytes.len())]))]).await;
    world.upload(&phone, &bytes).await;
    let shown = world.get(&format!("/v1/logs/{}/cases/{}", phone.log(), case(1)), phone.token()).await;
    let evidence = &shown.json()["document"]["evidence"][0];
    assert_eq!(evidence["flags"], json!(["undecodable"]), "{}", shown.text());
    assert!(evidence["verified_rev"].is_u64());
    assert_eq!(evidence["pixels"], json!(null));
    let original = world.get(&format!("/v1/photos/{photo}/original"), phone.token()).await;
    assert_eq!((original.status, original.body), (200, bytes));
    assert_eq!(world.get(&format!("/v1/photos/{photo}/320"), phone.token()).await.status, 404);
}

#[actix_web::test]
async fn a_photo_is_shown_to_those_who_may_see_its_case() {
    let world = World::start().await;
    let maker = world.phone("li", Role::Inspector, "A3").await;
    let neighbour = world.phone("wu", Role::Inspector, "A3").await;
    let elsewhere = world.phone("he", Role::Inspector, "A4").await;
    let supervisor = world.phone("sun", Role::Supervisor, "A1").await;
    let auditor = world.phone("qi", Role::Auditor, "A0").await;
    let bytes = jpeg(500, 9);
    let photo = world.upload(&maker, &bytes).await;
    assert_eq!(world.get(&format!("/v1/photos/{photo}/320"), maker.token()).await.status, 404, "no case names it");
    world.push(&maker, &[(case(1), report(&[(photo, bytes.len())]))]).await;

    for (who, phone, small, original) in [
        ("maker", &maker, 200, 200),
        ("same grid", &neighbour, 200, 404),
        ("elsewhere", &elsewhere, 404, 404),
        ("supervisor", &supervisor, 200, 200),
        ("auditor", &auditor, 200, 200),
    ] {
        let got = [
            world.get(&format!("/v1/photos/{photo}/320"), phone.token()).await.status,
            world.get(&format!("/v1/photos/{photo}/1280"), phone.token()).await.status,
            world.get(&format!("/v1/photos/{photo}/original"), phone.token()).await.status,
        ];
        assert_eq!(got, [small, small, original], "{who}");
    }
    let original = world.get(&format!("/v1/photos/{photo}/original"), supervisor.token()).await;
    assert_eq!(original.body, bytes);
    assert_eq!(original.header("content-type"), "application/octet-stream");
    assert!(original.header("content-disposition").starts_with("attachment"));
    assert_eq!(original.header("content-security-policy"), "sandbox; default-src 'none'");
    assert_eq!(original.header("x-content-type-options"), "nosniff");
    assert_eq!(original.header("cross-origin-resource-policy"), "same-origin");
    let small = world.get(&format!("/v1/photos/{photo}/320"), maker.token()).await;
    assert_eq!(small.header("content-type"), "image/jpeg");
    assert_eq!(image::load_from_memory(&small.body).unwrap().into_rgb8().dimensions(), (320, 320));
    assert_eq!(world.get(&format!("/v1/photos/{photo}/640"), maker.token()).await.status, 404);
}

#[actix_web::test]
async fn a_photo_in_two_cases_is_flagged() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(64, 10);
    let photo = sha256(&bytes);
    let named = report(&[(photo, bytes.len())]);
    world.push(&phone, &[(case(1), named.clone()), (case(2), named)]).await;
    world.upload(&phone, &bytes).await;
    for number in [1, 2] {
        let shown = world.get(&format!("/v1/logs/{}/cases/{}", phone.log(), case(number)), phone.token()).await;
        assert_eq!(shown.json()["document"]["evidence"][0]["flags"], json!(["photo_used_before"]));
    }
}

#[actix_web::test]
async fn tus_says_what_it_speaks() {
    let world = World::start().await;
    let said = world.send("OPTIONS", "/v1/photos", &[], b"").await;
    assert_eq!(said.status, 204);
    assert_eq!(said.header("tus-version"), "1.0.0");
    assert_eq!(said.header("tus-extension"), "creation,checksum,expiration");
    assert_eq!(said.header("tus-max-size"), "26214400");
    assert_eq!(said.header("tus-checksum-algorithm"), "sha256");
}
