//! Files that are no good photos: each is kept as it came, flagged, served safely, and breaks nothing.

use std::os::unix::fs::symlink;

use schema::limits::PHOTO_BYTES_MAX;
use schema::op::Role;
use serde_json::{Value, json};
use server::services::blobs::Version;
use sync_core::line::sha256;

use super::photos::jpeg;
use super::reading::{case, report};
use super::world::World;

/// A PNG whose header speaks of 400 million pixels.
fn bomb() -> Vec<u8> {
    let side = 20_000_u32.to_be_bytes();
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(body);
        [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], kind, body, &crc.sum().to_be_bytes()].concat()
    };
    let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut rows, &[0; 1_000_000]).unwrap();
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &header)[..], &chunk(b"IDAT", &rows.finish().unwrap()), &chunk(b"IEND", &[])]
        .concat()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let photo = jpeg(64, 41);
    let html = b"<html><script>alert(document.cookie)</script></html>";
    vec![
        ("nothing", Vec::new()),
        ("one byte", vec![0]),
        ("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic and no decoder for it".to_vec()),
        ("PDF", b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF".to_vec()),
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec()),
        ("HTML", html.to_vec()),
        ("a GIF that is a script", b"GIF89a=1;alert(1)//".to_vec()),
        ("a JPEG's beginning", photo[..100].to_vec()),
        ("a bomb", bomb()),
        ("a JPEG's header on a page", [&photo[..20], html].concat()),
    ]
}

#[actix_web::test]
async fn whatever_comes_as_a_photo_is_kept_flagged_and_served_safely() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    for (number, (what, bytes)) in (1..).zip(files()) {
        let photo = sha256(&bytes);
        world.push(&phone, &[(case(number), report(&[(photo, bytes.len())]))]).await;
        if bytes.is_empty() {
            assert_eq!(world.announce(&phone, &photo, 0).await.status, 201, "{what}");
            world.running.app.photos.settle(photo, 0).await.unwrap();
        } else {
            world.upload(&phone, &bytes).await;
        }
        let evidence = world.evidence(&phone, case(number)).await;
        assert!(evidence[0]["verified_rev"].is_u64(), "{what} is in custody");
        assert_eq!(evidence[0]["flags"], json!(["undecodable"]), "{what}");
        assert_eq!(evidence[0]["pixels"], Value::Null, "{what}");
        let original = world.get(&format!("/v1/photos/{photo}/original"), phone.token()).await;
        assert_eq!((original.status, &original.body), (200, &bytes), "{what} is not lost");
        assert_eq!(original.header("content-type"), "application/octet-stream", "{what}");
        assert!(original.header("content-disposition").starts_with("attachment"), "{what}");
        assert_eq!(original.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(original.header("content-security-policy"), "sandbox; default-src 'none'", "{what}");
        for version in ["320", "1280"] {
            assert_eq!(world.get(&format!("/v1/photos/{photo}/{version}"), phone.token()).await.status, 404, "{what}");
        }
    }
}

/// A real photo with a page behind it: what viewers get is coded anew and has nothing of it.
#[actix_web::test]
async fn a_polyglot_is_shown_as_a_picture_and_nothing_else() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = [&jpeg(64, 42)[..], b"<html><script>alert(1)</script></html>"].concat();
    let photo = world.upload(&phone, &bytes).await;
    world.push(&phone, &[(case(1), report(&[(photo, bytes.len())]))]).await;
    let small = world.get(&format!("/v1/photos/{photo}/320"), phone.token()).await;
    assert_eq!((small.status, small.header("content-type")), (200, "image/jpeg"));
    assert_eq!(small.header("content-security-policy"), "sandbox; default-src 'none'");
    assert!(!small.body.windows(7).any(|bytes| bytes == b"<script"));
}

/// Too large is said before a byte is stored, and what would grow beyond its word is cut off.
#[actix_web::test]
async fn an_oversized_photo_stores_nothing() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let photo = sha256(b"too large");
    let too_large = usize::try_from(PHOTO_BYTES_MAX).unwrap() + 1;
    assert_eq!(world.announce(&phone, &photo, too_large).await.problem(), (413, "too_large".into()));
    assert_eq!(world.offset(&phone, &photo).await.status, 404);
    assert_eq!(world.patch(&phone, &photo, 0, b"too").await.status, 404);
    assert_eq!(world.announce(&phone, &photo, 9).await.status, 201);
    assert_eq!(world.patch(&phone, &photo, 0, &vec![0; 600_000]).await.problem(), (413, "too_large".into()));
    let stored: u64 = std::fs::read_dir(world.folder.path().join("uploads"))
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(stored, 0);
}

/// A full disk in the middle of an upload: said so, nothing that was promised is lost, and the upload goes on when
/// there is room again.
#[actix_web::test]
async fn a_full_disk_is_said_and_the_upload_goes_on_later() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(700, 43);
    let photo = sha256(&bytes);
    assert_eq!(world.announce(&phone, &photo, bytes.len()).await.status, 201);
    let part = world.folder.path().join("uploads").join(format!("{photo}.{}.part", phone.device));
    // The kernel's own full disk.
    symlink("/dev/full", &part).unwrap();
    for _ in 0..2 {
        assert_eq!(world.patch(&phone, &photo, 0, &bytes).await.problem(), (507, "storage_full".into()));
        assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "0", "nothing is promised");
    }
    std::fs::remove_file(&part).unwrap();
    assert_eq!(world.patch(&phone, &photo, 0, &bytes[..200_000]).await.header("upload-offset"), "200000");
    assert_eq!(world.patch(&phone, &photo, 200_000, &bytes[200_000..]).await.status, 204);
    assert_eq!(world.stored(&photo).await, Some(bytes));
}

#[actix_web::test]
async fn a_photo_that_is_looked_at_by_several_at_once_is_kept_by_each() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let photo = world.upload(&phone, &jpeg(64, 42)).await;
    let keep = || {
        let blobs = world.running.app.photos.blobs().clone();
        let write = move || (0..100).try_for_each(|_| blobs.keep_version(&photo, Version::Small, b"small"));
        tokio::task::spawn_blocking(write)
    };
    for kept in [keep(), keep(), keep()] {
        kept.await.unwrap().expect("nobody takes another's file away");
    }
    // Two alike, each looked at by several: their looks and that they are alike are noted by all of them.
    let alike = world.upload(&phone, &jpeg(65, 42)).await;
    let settle = |photo, size| {
        let photos = world.running.app.photos.clone();
        actix_web::rt::spawn(async move { photos.settle(photo, size).await })
    };
    let looks: Vec<_> = (0..12).map(|turn| if turn % 2 == 0 { settle(photo, 1) } else { settle(alike, 1) }).collect();
    for look in looks {
        look.await.unwrap().expect("what another notes too is no fault");
    }
}
