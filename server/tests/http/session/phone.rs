//! A phone that says each request and notes what came.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schema::case::{Channel, Position, Source};
use schema::catalogue::CITY_CATALOGUE;
use schema::hash::{Hash, Salt};
use schema::ids::{BootId, EntityId, OpId};
use schema::op::{Body, Captured, EvidenceRole, Op, PhotoClaim, Report, Sealed, SealedValue, Taken, TakenBy};
use schema::sync::{Scope, SyncHeader, TreeHead};
use serde_json::Value;
use server::clock::Clock;
use sync_core::line::{self, KIND_VERSION, kind_and_body, sha256};
use sync_core::log::chain;
use sync_core::log::checkpoint::Signer;

use super::PHOTO;
use super::installed::{START_MS, account, device, id, log, secret};
use crate::world::{Reply, open, read_reply};

pub(crate) const INCARNATION: u64 = 0x0123_4567_89ab;

/// The phone: what it counts, and what was said.
pub(crate) struct Phone {
    address: SocketAddr,
    clock: Clock,
    pub(crate) token: String,
    seq: u64,
    pub(crate) chain: Hash,
    pub(crate) header: SyncHeader,
    pub(crate) said: Vec<(&'static str, String)>,
}

impl Phone {
    pub(crate) fn new(address: SocketAddr, clock: Clock) -> Self {
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
        Self { address, clock, token: String::new(), seq: 0, chain: Hash::ZERO, header, said: Vec::new() }
    }

    fn now(&self) -> Captured {
        let since = self.clock.now_ms() - START_MS;
        Captured {
            wall_ms: i64::try_from(self.clock.now_ms()).unwrap() - 2_000,
            elapsed_ms: 5_000_000 + since,
            boot: BootId(id(0x80)),
        }
    }

    pub(crate) fn say(&mut self, name: &'static str, text: impl Into<String>) {
        self.said.push((name, text.into()));
    }

    /// One request with its answer, as they stand in the document: of the headers those that mean something.
    pub(crate) async fn exchange(
        &mut self,
        names: (&'static str, &'static str),
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        (body, shown): (&[u8], &str),
    ) -> Reply {
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

    pub(crate) fn request(&mut self, lines: &[(String, Vec<String>)]) -> String {
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

    pub(crate) async fn sync(
        &mut self,
        names: (&'static str, &'static str),
        lines: &[(String, Vec<String>)],
    ) -> Vec<Value> {
        let body = self.request(lines);
        self.send(names, &body).await
    }

    pub(crate) async fn send(&mut self, names: (&'static str, &'static str), body: &str) -> Vec<Value> {
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
    let signer = Signer::new("rectify.example", &std::array::from_fn(|place| 0xa0 + u8::try_from(place).unwrap()));
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
        tokens["export_key"] = "<export key>".into();
        return value.to_string();
    }
    body.to_owned()
}

pub(crate) fn report() -> (String, Vec<String>, EntityId) {
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
