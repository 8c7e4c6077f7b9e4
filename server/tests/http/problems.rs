//! Every error is a problem document, in the language asked for, and tells nothing of the inside.

use std::io::Write;

use schema::op::Role;
use serde_json::json;

use super::world::{Reply, World};

/// The document without what differs from run to run.
fn shown(reply: &Reply) -> serde_json::Value {
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let mut document = reply.json();
    assert_eq!(document["request"].as_str().unwrap().len(), 36);
    document["request"] = json!("[id]");
    document
}

#[actix_web::test]
async fn errors_are_documents_in_chinese_first() {
    let world = World::start().await;
    let json = ("content-type", "application/json");
    let en = ("accept-language", "en-GB,en;q=0.9");
    insta::assert_json_snapshot!("no_such_path", shown(&world.send("GET", "/nowhere", &[], b"").await));
    insta::assert_json_snapshot!("no_such_path_en", shown(&world.send("GET", "/nowhere", &[en], b"").await));
    insta::assert_json_snapshot!("no_token", shown(&world.send("GET", "/v1/events", &[en], b"").await));
    insta::assert_json_snapshot!("not_json", shown(&world.send("POST", "/v1/login", &[json, en], b"{").await));
    insta::assert_json_snapshot!("no_media_type", shown(&world.send("POST", "/v1/login", &[en], b"{}").await));
    let unknown = br#"{"login":"a","password":"b","role":"admin"}"#;
    insta::assert_json_snapshot!("unknown_member", shown(&world.send("POST", "/v1/login", &[json, en], unknown).await));
    let missing = br#"{"login":"a"}"#;
    insta::assert_json_snapshot!("missing_member", shown(&world.send("POST", "/v1/login", &[json, en], missing).await));
    let wrong = br#"{"login":"a","password":"b"}"#;
    insta::assert_json_snapshot!("wrong_password", shown(&world.send("POST", "/v1/login", &[json], wrong).await));
    let long = vec![b' '; 70_000];
    insta::assert_json_snapshot!("too_large", shown(&world.send("POST", "/v1/login", &[json, en], &long).await));
    let wrong_query = world.send("GET", "/v1/audit/0/consistency?old=x&new=1", &[en], b"").await;
    insta::assert_json_snapshot!("wrong_query", shown(&wrong_query));
}

#[actix_web::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::start().await;
    for path in ["/healthz", "/docs", "/nowhere", "/v1/events", "/openapi.json"] {
        let reply = world.send("GET", path, &[], b"").await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
    assert_eq!(world.send("GET", "/nowhere", &[], b"").await.header("www-authenticate"), "");
    assert_eq!(world.send("GET", "/v1/events", &[], b"").await.header("www-authenticate"), "Bearer");
}

#[actix_web::test]
async fn a_bomb_is_refused_and_the_next_push_is_taken() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let token = format!("Bearer {}", phone.token());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b'{'; 200 * 1024 * 1024]).unwrap();
    let headers = [("authorization", token.as_str()), ("content-encoding", "gzip")];
    let refused = world.send("POST", "/v1/sync", &headers, &gzip.finish().unwrap()).await;
    assert_eq!(refused.problem(), (413, "too_large".into()));
    let brotli = [("authorization", token.as_str()), ("content-encoding", "br")];
    assert_eq!(world.send("POST", "/v1/sync", &brotli, b"x").await.problem(), (415, "unsupported_media".into()));
    let garbage = world.send("POST", "/v1/sync", &headers, b"not gzip").await;
    assert_eq!(garbage.problem(), (400, "malformed".into()));

    let packed = zstd::stream::encode_all(phone.request(&[]).as_slice(), 3).unwrap();
    let headers = [("authorization", token.as_str()), ("content-encoding", "zstd"), ("accept-encoding", "gzip")];
    let taken = world.send("POST", "/v1/sync", &headers, &packed).await;
    assert_eq!(taken.status, 200);
    assert_eq!(taken.header("content-type"), "application/x-ndjson");
}

#[actix_web::test]
async fn each_problem_has_a_page() {
    let world = World::start().await;
    let page = world.send("GET", "/problems/wrong_code", &[], b"").await;
    assert!(page.status == 200 && page.text().contains("登记码"));
    assert_eq!(world.send("GET", "/problems/nonsense", &[], b"").await.status, 404);
}

/// A path that is served says which methods it has; one that is not does not exist.
#[actix_web::test]
async fn a_wrong_method_on_a_known_path_is_told_which_are_right() {
    let world = World::start().await;
    for (method, path, allowed) in [
        ("GET", "/v1/sync", "POST"),
        ("POST", "/healthz", "GET"),
        ("DELETE", "/v1/photos/have", "POST"),
        ("PUT", "/v1/photos/0000", "OPTIONS, HEAD, PATCH"),
    ] {
        let reply = world.send(method, path, &[], b"").await;
        assert_eq!((reply.status, reply.header("allow")), (405, allowed), "{method} {path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
    assert_eq!(world.send("PUT", "/nowhere", &[], b"").await.status, 404);
}
