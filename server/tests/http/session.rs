//! docs/protocol-session.md holds what a phone and this server say to each other, byte by byte: here it is said again
//! and compared. `RECTIFY_WRITE_DOCS=1 cargo test -p server --test http session` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use schema::area::{Area, AreaTree, Level};
use schema::case::{Channel, Position, Source};
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, AreaId, BootId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId};
use schema::op::{
    Body, Captured, CreateLog, EvidenceRole, Grant, ImportDocument, Op, PhotoClaim, Report, Role, Sealed, SealedValue,
    SetAccount, Taken, TakenBy,
};
use schema::record::OutcomeLine;
use schema::sync::{Receipt, Scope, SyncHeader, TreeHead};
use serde_json::{Value, json};
use server::clock::Clock;
use server::services::checkpoint::Checkpoints;
use server::services::codes;
use server::services::ledger::{Append, Ledger, ServerOp};
use server::store::{AccountSecret, Store, StoreError};
use sync_core::line::{self, KIND_VERSION, kind_and_body, sha256, singleton_id};
use sync_core::log::chain::{self, DeviceSecret};
use sync_core::log::leaf;
use uuid::Uuid;

use super::world::{config, open, read_reply};

const START_MS: u64 = 1_780_000_000_000;
const CODE: &str = "CZC0-2382-B8YC";
/// A PNG of four pixels.
const PHOTO: &str = "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a73000000154944415478da63\
                     38c1c0c055c1c070420e48c90100154402d1cfc45c020000000049454e44ae426082";

/// Ids that a reader tells apart at a glance.
fn id(first: u8) -> Uuid {
    Uuid::from_bytes(std::array::from_fn(|place| first.wrapping_add(u8::try_from(place).unwrap())))
}

fn log() -> LogId {
    LogId(id(0x10))
}

fn device() -> DeviceId {
    DeviceId(id(0x40))
}

fn account() -> AccountId {
    AccountId(id(0x50))
}

fn secret() -> DeviceSecret {
    DeviceSecret::from_bytes(&std::array::from_fn(|place| u8::try_from(place + 1).unwrap())).unwrap()
}

fn text(name: &str) -> Text {
    Text { zh: name.to_owned(), en: name.to_owned() }
}

fn areas() -> AreaTree {
    let square = vec![vec![vec![(0, 0), (1000, 0), (1000, 1000), (0, 1000)]]];
    let area = |first: u8, parent: Option<u8>, level, code: &str| Area {
        id: AreaId(id(first)),
        parent: parent.map(|parent| AreaId(id(parent))),
        level,
        code: code.to_owned(),
        name: text(code),
        boundary: square.clone(),
    };
    AreaTree {
        version: "1".into(),
        areas: vec![
            area(0x60, None, Level::District, "D"),
            area(0x61, Some(0x60), Level::Subdistrict, "S"),
            area(0x62, Some(0x61), Level::Community, "C"),
            area(0x63, Some(0x62), Level::Grid, "G1"),
        ],
    }
}

/// A data folder whose every byte is chosen: keys, ids, times.
async fn lay_out(folder: &Path) {
    let keys = folder.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let seed: String = (0xa0..=0xbf_u8).map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(keys.join("log-signer"), seed).unwrap();
    let clock = Clock::standing(START_MS - 1_000_000);
    let store = Store::open(&format!("sqlite:{}", folder.join("rectify.db").display())).unwrap();
    let ledger = Ledger::start(store.clone(), clock.clone()).unwrap();
    let signer = Checkpoints::open(folder.to_owned(), "rectify.example", 1000, store.clone(), clock).unwrap();
    let create = CreateLog {
        name: text("District"),
        zone: "Asia/Shanghai".into(),
        signer: signer.signer().verifier_key(),
        server_device: DeviceId(id(0x30)),
    };
    ledger.create_log(log(), EpochId(id(0x20)), create).await.unwrap();
    let catalogue = CITY_CATALOGUE.as_bytes().to_vec();
    let tree = serde_json::to_vec(&areas()).unwrap();
    let import = |bytes: &[u8], version: &str| ImportDocument {
        sha256: sha256(bytes),
        size: u64::try_from(bytes.len()).unwrap(),
        version: version.to_owned(),
    };
    let version = serde_json::from_slice::<Value>(&catalogue).unwrap()["version"].as_str().unwrap().to_owned();
    let person = |first: u8, name: &str, role, area| {
        let entity = EntityId(id(first));
        let set = SetAccount { name: name.to_owned(), person: PersonId(id(first + 1)) };
        let grant = Grant { grant: GrantId(id(first + 2)), role, area: AreaId(id(area)) };
        [(entity, Body::SetAccount(set)), (entity, Body::Grant(grant))]
    };
    let mut bodies = vec![
        (singleton_id(log(), "catalogue"), Body::ImportCatalogue(import(&catalogue, &version))),
        (singleton_id(log(), "areas"), Body::ImportAreas(import(&tree, "1"))),
    ];
    bodies.extend(person(0x58, "admin", Role::Admin, 0x60));
    bodies.extend(person(0x50, "张伟", Role::Inspector, 0x63));
    let ops = (0x70_u8..).zip(bodies).map(|(first, (entity, body))| ServerOp {
        id: OpId(id(first)),
        entity,
        body,
        values: Vec::new(),
    });
    let append = Append {
        documents: vec![(sha256(&catalogue), catalogue), (sha256(&tree), tree)],
        ops: ops.collect(),
        ..Append::default()
    };
    let entries = ledger.append(log(), append).await.unwrap();
    assert!(entries.iter().all(|entry| entry.outcome == 1));
    store
        .write(|db| {
            db.insert_account(&secret_of(account(), "zhang.wei"), START_MS)?;
            db.insert_account(&secret_of(AccountId(id(0x58)), "admin"), START_MS)?;
            db.insert_enrol_code(&codes::stored(CODE), account(), START_MS, START_MS + 3_600_000)
        })
        .map_err(|error: StoreError| error)
        .unwrap();
}

fn secret_of(account: AccountId, login: &str) -> AccountSecret {
    AccountSecret { account, login: login.to_owned(), password: None, failures: 0, retry_ms: 0, disabled: false }
}

/// The phone: what it counts, and what was said.
struct Phone {
    address: std::net::SocketAddr,
    clock: Clock,
    token: String,
    seq: u64,
    chain: Hash,
    header: SyncHeader,
    said: Vec<(&'static str, String)>,
}

const INCARNATION: u64 = 0x0123_4567_89ab;

impl Phone {
    fn now(&self) -> Captured {
        let since = self.clock.now_ms() - START_MS;
        Captured {
            wall_ms: i64::try_from(self.clock.now_ms()).unwrap() - 2_000,
            elapsed_ms: 5_000_000 + since,
            boot: BootId(id(0x80)),
        }
    }

    fn say(&mut self, name: &'static str, text: impl Into<String>) {
        self.said.push((name, text.into()));
    }

    /// One request with its answer, as they stand in the document: of the headers those that mean something.
    async fn exchange(
        &mut self,
        names: (&'static str, &'static str),
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        (body, shown): (&[u8], &str),
    ) -> super::world::Reply {
        let mut stream = open(self.address, method, path, headers, body.len()).await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, body).await.unwrap();
        let reply = read_reply(stream, method == "HEAD").await;
        let mut asked = format!("{method} {path} HTTP/1.1\n");
        for (name, value) in headers {
            let value = if *name == "Authorization" { "Bearer <access token>" } else { value };
            asked.push_str(&format!("{name}: {value}\n"));
        }
        asked.push_str(&format!("Content-Length: {}\n", body.len()));
        if !shown.is_empty() {
            asked.push_str(&format!("\n{shown}"));
        }
        let mut came = format!("HTTP/1.1 {}\n", reply.status);
        for (name, value) in reply.headers.iter().filter(|(name, _)| MEANT.contains(&name.as_str())) {
            came.push_str(&format!("{name}: {value}\n"));
        }
        let bytes = reply.text();
        if !bytes.is_empty() {
            came.push_str(&format!("\n{}", without_tokens(&bytes)));
        }
        self.said.push((names.0, asked));
        self.said.push((names.1, came));
        reply
    }

    fn request(&mut self, lines: &[(String, Vec<String>)]) -> String {
        self.header.clock = self.now();
        self.header.first_seq = self.seq + 1;
        self.header.count = u32::try_from(lines.len()).unwrap();
        for (line, _) in lines {
            self.seq += 1;
            self.chain = chain::next(&self.chain, log(), INCARNATION, self.seq, &sha256(line.as_bytes()));
        }
        self.header.chain = self.chain;
        let message = chain::batch_message(&self.header);
        self.header.signature = (!lines.is_empty()).then(|| secret().sign(&message));
        let mut body = serde_json::to_string(&self.header).unwrap() + "\n";
        for (line, values) in lines {
            body.push_str(&format!("{line}\n"));
            values.iter().for_each(|value| body.push_str(&format!("{value}\n")));
        }
        body
    }

    async fn sync(&mut self, names: (&'static str, &'static str), lines: &[(String, Vec<String>)]) -> Vec<Value> {
        let body = self.request(lines);
        self.send(names, &body).await
    }

    async fn send(&mut self, names: (&'static str, &'static str), body: &str) -> Vec<Value> {
        let token = format!("Bearer {}", self.token);
        let headers = [("Authorization", token.as_str()), ("Content-Type", "application/x-ndjson")];
        let reply = self.exchange(names, ("POST", "/v1/sync"), &headers, (body.as_bytes(), body)).await;
        assert_eq!(reply.status, 200, "{names:?} {}", reply.text());
        let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (head, end) = (&lines[0]["head"], &lines.last().unwrap()["end"]);
        self.header.epoch = serde_json::from_value(head["epoch"].clone()).unwrap();
        self.header.own = end["own"].as_u64().unwrap();
        let cursors: BTreeMap<Scope, u64> = serde_json::from_value(end["scopes"].clone()).unwrap();
        self.header.scopes.extend(cursors);
        let scopes: Vec<Scope> = serde_json::from_value(head["default_scopes"].clone()).unwrap();
        for scope in scopes {
            self.header.scopes.entry(scope).or_insert(0);
        }
        if let Some(note) = head["checkpoint"].as_str() {
            self.header.checkpoint = Some(tree_head(note));
            self.header.durable_checkpoint = self.header.checkpoint;
        }
        lines
    }
}

fn tree_head(note: &str) -> TreeHead {
    let signer = sync_core::log::checkpoint::Signer::new(
        "rectify.example",
        &std::array::from_fn(|place| 0xa0 + u8::try_from(place).unwrap()),
    );
    signer.verifier().checkpoint(note).expect("the checkpoint of the session is good").head
}

/// Headers that a client reads; the others are of the transport.
const MEANT: [&str; 6] =
    ["content-type", "location", "upload-offset", "upload-length", "upload-expires", "tus-resumable"];

/// Tokens are random: their place is kept.
fn without_tokens(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    if let Some(tokens) = value.get_mut("tokens") {
        tokens["access"] = "<access token>".into();
        tokens["refresh"] = "<refresh token>".into();
        return value.to_string();
    }
    body.to_owned()
}

fn report() -> (String, Vec<String>, EntityId) {
    let salt = Salt([0x33; 16]);
    let note = "占压盲道";
    let sealed: Sealed = line::seal(&salt, note);
    let value = SealedValue { sealed: sealed.sealed, salt, value: note.to_owned() };
    let value = serde_json::to_string(&value).unwrap();
    let photo = hex::decode(PHOTO).unwrap();
    let body = Body::Report(Report {
        category: "stall".parse().unwrap(),
        subtype: "road_occupation".parse().unwrap(),
        catalogue: Some(sha256(CITY_CATALOGUE.as_bytes())),
        position: Position { lat_e7: 500, lon_e7: 500, accuracy_m: Some(8), gcj02: None },
        subject: Some("12号摊".into()),
        note: Some(sealed),
        fields: BTreeMap::new(),
        source: Source { channel: Channel::Patrol, number: None },
        photos: vec![PhotoClaim {
            sha256: sha256(&photo),
            size: u64::try_from(photo.len()).unwrap(),
            role: EvidenceRole::Before,
            taken: Taken { by: TakenBy::Camera, wall_ms: None, position: None, mock_position: false },
        }],
    });
    let (kind, body) = kind_and_body(&body).unwrap();
    let entity = EntityId(id(0xc0));
    let op = Op {
        v: 1,
        log: log(),
        op: OpId(id(0xb0)),
        device: device(),
        actor: account(),
        entity,
        kind,
        kind_version: KIND_VERSION,
        base: None,
        captured: Captured {
            wall_ms: i64::try_from(START_MS).unwrap() - 62_000,
            elapsed_ms: 4_940_000,
            boot: BootId(id(0x80)),
        },
        salt: Salt([0x44; 16]),
        body,
    };
    (line::write(&op).unwrap(), vec![value], entity)
}

#[tokio::test]
async fn the_session_of_the_document_is_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path()).await;
    let clock = Clock::standing(START_MS);
    let config = server::config::Config { host: "rectify.example".into(), ..config(folder.path()) };
    let running = server::start(config, clock.clone()).await.unwrap();
    let header = SyncHeader {
        protocol: (1, 1),
        log: log(),
        device: device(),
        epoch: None,
        app: "example/1".into(),
        incarnation: INCARNATION,
        first_seq: 1,
        count: 0,
        chain: Hash::ZERO,
        signature: None,
        clock: Captured { wall_ms: 0, elapsed_ms: 0, boot: BootId(id(0x80)) },
        scopes: BTreeMap::new(),
        own: 0,
        checkpoint: None,
        durable_checkpoint: None,
        rows: None,
        receipts: Vec::new(),
    };
    let mut phone = Phone {
        address: running.address,
        clock: clock.clone(),
        token: String::new(),
        seq: 0,
        chain: Hash::ZERO,
        header,
        said: Vec::new(),
    };

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
