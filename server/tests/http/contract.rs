//! The API document: checked in, equal to what the code says, and complete.

use std::collections::BTreeSet;
use std::path::Path;

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

#[actix_web::test]
async fn the_reference_page_names_every_route_and_no_other_host() {
    let world = World::start().await;
    let page = world.send("GET", "/docs", &[], b"").await.text();
    for (method, path) in TABLE {
        assert!(page.contains(&format!("<code>{method} {}</code>", path.replace(":.*", ""))), "{method} {path}");
    }
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
}
