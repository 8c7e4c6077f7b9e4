//! Uploads whose part is not what was promised: a crash at the wrong moment, a disk that lost bytes.

use schema::limits::UPLOAD_SYNC_BYTES;
use schema::op::Role;
use sync_core::line::sha256;
use tokio::io::AsyncWriteExt;

use super::photos::{jpeg, patch_headers};
use super::world::{World, open};

/// The server was stopped between the rename and the row: the next stream finds the photo at its place.
#[actix_web::test]
async fn a_photo_renamed_before_a_crash_is_taken_by_the_next_stream() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(600, 11);
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    assert_eq!(world.patch(&phone, &photo, 0, &bytes[..100_000]).await.status, 204);
    let part = world.folder.path().join("uploads").join(format!("{photo}.{}.part", phone.device));
    std::fs::write(&part, &bytes).unwrap();
    world.put_aside(&photo, phone.device).await;
    assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "100000");
    let done = world.patch(&phone, &photo, 100_000, &bytes[100_000..]).await;
    assert_eq!((done.status, done.header("upload-offset")), (204, bytes.len().to_string().as_str()));
    assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), bytes.len().to_string());
    assert_eq!(world.stored(&photo).await, Some(bytes));
}

/// A disk lost what was promised of a part: the upload begins anew instead of failing for thirty days.
#[actix_web::test]
async fn a_lost_part_begins_anew() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = jpeg(600, 12);
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    let part = world.folder.path().join("uploads").join(format!("{photo}.{}.part", phone.device));
    for lose in
        [|part: &std::path::Path| std::fs::remove_file(part), |part: &std::path::Path| std::fs::write(part, b"short")]
    {
        assert_eq!(world.patch(&phone, &photo, 0, &bytes[..100_000]).await.status, 204);
        lose(&part).unwrap();
        let refused = world.patch(&phone, &photo, 100_000, &bytes[100_000..]).await;
        assert_eq!(refused.problem(), (409, "offset_mismatch".into()));
        assert_eq!(world.offset(&phone, &photo).await.header("upload-offset"), "0");
    }
    assert_eq!(world.patch(&phone, &photo, 0, &bytes).await.status, 204);
}

/// A long upload on a bad line: what was synced is promised while the stream is still open, every 4 MiB, and all that came
/// when it breaks.
#[actix_web::test]
async fn an_open_stream_promises_every_four_mebibytes_and_all_when_it_breaks() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let bytes = vec![7; 11 * 1024 * 1024];
    let photo = sha256(&bytes);
    world.announce(&phone, &photo, bytes.len()).await;
    let headers = patch_headers(&phone, 0);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut stream = open(world.address(), "PATCH", &format!("/v1/photos/{photo}"), &headers, bytes.len()).await;
    let sent = 9 * 1024 * 1024;
    stream.write_all(&bytes[..sent]).await.unwrap();
    let offset = async || -> u64 { world.offset(&phone, &photo).await.header("upload-offset").parse().unwrap() };
    while offset().await < 2 * UPLOAD_SYNC_BYTES {
        // The server takes it in at its own pace.
        tokio::task::yield_now().await;
    }
    assert!(offset().await < u64::try_from(sent).unwrap(), "no more than what was synced");
    drop(stream);
    while offset().await < u64::try_from(sent).unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.patch(&phone, &photo, sent, &bytes[sent..]).await.status, 204);
}
