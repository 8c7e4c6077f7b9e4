//! The API document: checked in, equal to what the code says, and complete.

use std::collections::BTreeSet;
use std::path::Path;

use schema::op::Body;
use schema::problem::ProblemCode;
use schema::record::RefusalCode;
use server::routes::{TABLE, openapi};

use super::world::World;

#[test]
fn the_checked_in_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let now = openapi::document().unwrap();
    assert!(
        checked_in == now,
        "schema/openapi.json is old: write it anew with `rectify openapi > schema/openapi.json`"
    );
}

#[test]
fn the_document_names_every_route_and_nothing_else() {
    let document = openapi::value().unwrap();
    let mut named = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        named.extend(methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())));
    }
    let served: BTreeSet<(String, String)> =
        TABLE.iter().map(|(method, path)| ((*method).to_owned(), path.replace(":.*", ""))).collect();
    assert_eq!(named, served);
}

/// A client is written from one page: whatever it may meet stands there.
#[test]
fn the_protocol_page_names_every_kind_code_and_route() {
    let page = include_str!("../../../docs/protocol.md");
    let kinds = serde_json::from_str::<Body>(r#"{"kind":"?","body":{}}"#).unwrap_err().to_string();
    let refusals = serde_json::from_str::<RefusalCode>(r#""?""#).unwrap_err().to_string();
    let problems = serde_json::from_str::<ProblemCode>(r#""?""#).unwrap_err().to_string();
    for told in [kinds, refusals, problems] {
        let (_, names) = told.split_once("expected one of ").unwrap();
        assert!(names.matches('`').count() > 20, "{told}");
        for name in names.split('`').skip(1).step_by(2) {
            assert!(page.contains(&format!("`{name}`")), "{name} is not in the protocol");
        }
    }
    for (_, path) in TABLE.iter().filter(|(_, path)| path.starts_with("/v1/")) {
        let path = path.replace(":.*", "");
        // Lists of routes leave out what the one before began with.
        let last = path.split('/').rfind(|part| !part.starts_with('{')).unwrap();
        assert!(page.contains(&path) || page.contains(&format!("/{last}")), "{path} is not in the protocol");
    }
}

#[actix_web::test]
async fn the_reference_page_names_every_route_and_no_other_host() {
    let world = World::start().await;
    let page = world.send("GET", "/docs", &[], b"").await.text();
    for (method, path) in TABLE {
        assert!(page.contains(&format!("<code>{method} {}</code>", path.replace(":.*", ""))), "{method} {path}");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
}
