//! docs/protocol-session.md holds what a phone and this server say to each other, byte by byte: here it is said again
//! and compared. `RECTIFY_WRITE_DOCS=1 cargo test -p server --test http session` writes it anew.

use schema::record::OutcomeLine;
use schema::sync::Receipt;
use serde_json::json;
use server::clock::Clock;
use sync_core::line::sha256;
use sync_core::log::{chain, leaf};

use super::world::config;
use installed::{CODE, START_MS, account, device, lay_out, log, secret};
use phone::{Phone, report};

mod installed;
mod phone;

/// A PNG of four pixels.
const PHOTO: &str = "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a73000000154944415478da63\
                     38c1c0c055c1c070420e48c90100154402d1cfc45c020000000049454e44ae426082";

#[tokio::test]
async fn the_session_of_the_document_is_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path()).await;
    let clock = Clock::standing(START_MS);
    let config = server::config::Config { host: "rectify.example".into(), ..config(folder.path()) };
    let running = server::start(config, clock.clone()).await.unwrap();
    let mut phone = Phone::new(running.address, clock.clone());

    let enrol = json!({"code": CODE, "device": device(), "key": secret().key(), "label": "example"}).to_string();
    let headers = [("Content-Type", "application/json")];
    let names = ("enrol", "enrolled");
    let reply = phone.exchange(names, ("POST", "/v1/enrol"), &headers, (enrol.as_bytes(), &enrol)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    phone.token = reply.json()["tokens"]["access"].as_str().unwrap().to_owned();

    clock.set(START_MS + 1_000);
    phone.sync(("first sync", "first answer"), &[]).await;
    clock.set(START_MS + 2_000);
    phone.sync(("first pull", "first rows"), &[]).await;

    clock.set(START_MS + 10_000);
    let (line, values, case) = report();
    let (sealed, lines) = (values[0].clone(), [(line.clone(), values)]);
    phone.say("value", sealed);
    phone.say("line hash", sha256(line.as_bytes()).to_string());
    let pushed = phone.request(&lines);
    phone.say("chain", phone.chain.to_string());
    phone.say("batch message", hex::encode(chain::batch_message(&phone.header)));
    let answer = phone.send(("push", "pushed"), &pushed).await;
    let outcome: OutcomeLine = serde_json::from_value(answer[1]["outcome"].clone()).unwrap();
    let made = leaf::of_outcome(log(), device(), account(), sha256(line.as_bytes()), &outcome);
    phone.say("leaf", hex::encode(leaf::encode(&made)));
    phone.say("leaf hash", leaf::hash(&made).to_string());
    let receipt = answer[0]["head"]["receipt"]["text"].as_str().unwrap();
    let receipt: Receipt = serde_json::from_str(receipt).unwrap();
    assert_eq!(receipt.ops[0].leaf, leaf::hash(&made), "the receipt promises the leaf that the phone computes");

    photo(&mut phone).await;

    // The entry follows the last byte on its own; the phone hears of it.
    let (token, rev) = (format!("Bearer {}", phone.token), phone.header.own);
    let path = format!("/v1/head?log={}&rev={rev}&wait=20", log());
    phone.exchange(("news", "moved"), ("GET", &path), &[("Authorization", token.as_str())], (b"", "")).await;
    clock.set(START_MS + 30_000);
    let answer = phone.sync(("last sync", "last answer"), &[]).await;
    let row = answer.iter().find(|line| line["entity"]["id"] == json!(case)).expect("the case");
    let verified = &row["entity"]["document"]["evidence"][0]["verified_rev"];
    assert!(verified.is_u64(), "the photo is verified: {row}");

    // The answer to the push was lost, say: the same bytes again.
    clock.set(START_MS + 40_000);
    let again = phone.send(("push again", "pushed again"), &pushed).await;
    assert_eq!(again[1], json!({ "outcome": outcome }), "the first outcome, byte for byte");
    running.stop().await;
    compare(&phone.said);
}

/// The photo goes up in two pieces, with a look at where it stands between them.
async fn photo(phone: &mut Phone) {
    let bytes = hex::decode(PHOTO).unwrap();
    let hash = sha256(&bytes);
    let (place, token) = (format!("/v1/photos/{hash}"), format!("Bearer {}", phone.token));
    let (length, tus) = (bytes.len().to_string(), ("Tus-Resumable", "1.0.0"));
    phone.say("photo", PHOTO);
    phone.say("photo hash", hash.to_string());
    let have = json!({"photos": [hash]}).to_string();
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    phone.exchange(("have", "absent"), ("POST", "/v1/photos/have"), &headers, (have.as_bytes(), &have)).await;
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash.to_string());
    let metadata = format!("sha256 {encoded}");
    let headers = [("Authorization", token.as_str()), tus, ("Upload-Length", &length), ("Upload-Metadata", &metadata)];
    phone.exchange(("announce", "announced"), ("POST", "/v1/photos"), &headers, (b"", "")).await;
    for (names, from, to) in [(("piece", "piece taken"), 0, 40), (("rest", "rest taken"), 40, bytes.len())] {
        let offset = from.to_string();
        let headers = [
            ("Authorization", token.as_str()),
            tus,
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", &offset),
        ];
        let piece = &bytes[from..to];
        let shown = format!("<{} bytes: {}>\n", piece.len(), hex::encode(piece));
        let reply = phone.exchange(names, ("PATCH", &place), &headers, (piece, &shown)).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        if to < bytes.len() {
            let headers = [("Authorization", token.as_str()), tus];
            phone.exchange(("where", "here"), ("HEAD", &place), &headers, (b"", "")).await;
        }
    }
}

/// Each block of the document, by the name in the comment above it, is what was said under that name.
fn compare(said: &[(&'static str, String)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol-session.md");
    let mut document = std::fs::read_to_string(path).expect("docs/protocol-session.md");
    for (name, text) in said {
        let mark = format!("<!-- {name} -->\n```\n");
        let start = document.find(&mark).unwrap_or_else(|| panic!("no block {name:?} in the document")) + mark.len();
        let length = document[start..].find("\n```").expect("a block ends");
        let wanted = text.trim_end_matches('\n');
        if std::env::var_os("RECTIFY_WRITE_DOCS").is_some() {
            document.replace_range(start..start + length, wanted);
        } else {
            assert_eq!(&document[start..start + length], wanted, "block {name:?}: see the first lines of this file");
        }
    }
    if std::env::var_os("RECTIFY_WRITE_DOCS").is_some() {
        std::fs::write(path, document).unwrap();
    }
    let blocks = std::fs::read_to_string(path).unwrap().matches("\n```\n").count();
    assert!(blocks >= said.len(), "every block is compared");
}
