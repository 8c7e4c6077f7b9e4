//! A server, its clock, the people who use it, and a client that can stop in the middle of a sentence.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;

use schema::area::{Area, AreaTree, Level};
use schema::auth::Enrolled;
use schema::catalogue::Text;
use schema::hash::{Hash, Salt};
use schema::ids::{AreaId, BootId, DeviceId, EntityId, LogId, OpId};
use schema::op::{Body, Captured, Op, Role};
use schema::sync::{Durability, SyncHeader};
use serde_json::{Value, json};
use server::Running;
use server::clock::Clock;
use server::config::Config;
use server::services::blobs::Version;
use server::services::bucket::BucketAt;
use server::services::installation::{District, Installation, NewAccount};
use sync_core::line::{KIND_VERSION, kind_and_body, sha256};
use sync_core::log::chain::{self, DeviceSecret};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

pub(crate) const START_MS: u64 = 1_780_000_000_000;
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) clock: Clock,
    pub(crate) folder: TempDir,
}

/// A phone of one person.
pub(crate) struct Phone {
    pub(crate) device: DeviceId,
    pub(crate) secret: DeviceSecret,
    pub(crate) enrolled: Enrolled,
    seq: std::cell::Cell<(u64, Hash)>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Status and code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

pub(crate) fn area(number: u128) -> AreaId {
    AreaId(Uuid::from_u128(0x0a_0000 + number))
}

/// A district of two grids side by side.
pub(crate) fn areas() -> AreaTree {
    let text = |name: &str| Text { zh: name.to_owned(), en: name.to_owned() };
    let square = |west: i32, east: i32| {
        vec![vec![vec![(west, 312_000_000), (east, 312_000_000), (east, 312_100_000), (west, 312_100_000)]]]
    };
    let node = |number, parent: Option<u128>, level, west, east| Area {
        id: area(number),
        parent: parent.map(area),
        level,
        code: format!("A{number}"),
        name: text(&format!("area {number}")),
        boundary: square(west, east),
    };
    AreaTree {
        version: "1".into(),
        areas: vec![
            node(0, None, Level::District, 1_214_000_000, 1_214_200_000),
            node(1, Some(0), Level::Subdistrict, 1_214_000_000, 1_214_200_000),
            node(2, Some(1), Level::Community, 1_214_000_000, 1_214_200_000),
            node(3, Some(2), Level::Grid, 1_214_000_000, 1_214_090_000),
            node(4, Some(2), Level::Grid, 1_214_110_000, 1_214_200_000),
        ],
    }
}

pub(crate) fn config(folder: &std::path::Path) -> Config {
    Config {
        data: folder.to_owned(),
        database_url: Some(databases::address(folder)),
        photos: databases::bucket(folder).map(|(url, settings)| BucketAt { url, settings }),
        host: "city.example".into(),
        durability: Durability::Local,
        checkpoint_interval_ms: 1000,
        listen: "127.0.0.1:0".into(),
        proxies: Vec::new(),
        webhook_timeout: std::time::Duration::from_secs(10),
        district: District { name: Text { zh: "示范区".into(), en: "Model".into() }, zone: "Asia/Shanghai".into() },
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_in(&areas()).await
    }

    /// In another district than the usual one.
    pub(crate) async fn start_in(areas: &AreaTree) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::standing(START_MS);
        let running = server::start(config(folder.path()), clock.clone()).await.unwrap();
        running.app.installation.import_areas(areas).await.unwrap();
        Self { running, clock, folder }
    }

    pub(crate) async fn restart(self) -> Self {
        let Self { running, clock, folder } = self;
        running.stop().await;
        let running = server::start(config(folder.path()), clock.clone()).await.unwrap();
        Self { running, clock, folder }
    }

    /// The bytes of a photo that is whole, wherever this run of tests has them.
    pub(crate) async fn stored(&self, photo: &Hash) -> Option<Vec<u8>> {
        let (blobs, photo) = (self.running.app.photos.blobs().clone(), *photo);
        let read = tokio::task::spawn_blocking(move || {
            let (mut file, _) = blobs.open_whole(&photo, Version::Original).unwrap()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            Some(bytes)
        });
        read.await.unwrap()
    }

    /// A part becomes a photo, and nobody notes it.
    pub(crate) async fn put_aside(&self, photo: &Hash, device: DeviceId) {
        let (blobs, photo) = (self.running.app.photos.blobs().clone(), *photo);
        tokio::task::spawn_blocking(move || blobs.keep(&photo, device)).await.unwrap().unwrap();
    }

    pub(crate) fn later(&self, ms: u64) {
        self.clock.set(self.clock.now_ms() + ms);
    }

    /// A person with a role over an area; says the one-time code.
    pub(crate) async fn person(&self, login: &str, role: Role, area: &str) -> String {
        let account = self.account(login, role, area, None).await;
        self.running.app.installation.code(account).await.unwrap()
    }

    /// The installation, working on the district that it was started with.
    async fn first_district(&self) -> Installation {
        let heads = self.running.app.logs.store.read_async(|db| db.heads()).await.unwrap();
        self.running.app.installation.of_district(Some(heads[0].log.to_string()))
    }

    pub(crate) async fn account(
        &self,
        login: &str,
        role: Role,
        area: &str,
        password: Option<&str>,
    ) -> schema::ids::AccountId {
        let new = NewAccount {
            id: None,
            login: login.into(),
            name: login.into(),
            person: None,
            role: Some(role),
            area: Some(area.into()),
            units: Vec::new(),
            password: password.map(str::to_owned),
        };
        self.first_district().await.add_account(new).await.unwrap()
    }

    pub(crate) async fn phone(&self, login: &str, role: Role, area: &str) -> Phone {
        let code = self.person(login, role, area).await;
        let (device, secret) = new_device(login);
        let reply = self.post("/v1/enrol", &enrol_body(&code, device, &secret)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        Phone {
            device,
            secret,
            enrolled: serde_json::from_slice(&reply.body).unwrap(),
            seq: std::cell::Cell::new((0, Hash::ZERO)),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], b"").await
    }

    pub(crate) async fn sync(&self, token: &str, body: &[u8]) -> Reply {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/x-ndjson")];
        self.send("POST", "/v1/sync", &headers, body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut stream = open(self.running.address, method, path, headers, body.len()).await;
        // A server that has answered already may not read on.
        drop(stream.write_all(body).await);
        read_reply(stream, method == "HEAD").await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Pushes ops of a phone and pulls; says the lines of the answer.
    pub(crate) async fn push(&self, phone: &Phone, bodies: &[(EntityId, Body)]) -> Vec<Value> {
        let body = phone.request(bodies);
        let token = format!("Bearer {}", phone.enrolled.tokens.access);
        let headers = [("authorization", token.as_str()), ("content-type", "application/x-ndjson")];
        let reply = self.send("POST", "/v1/sync", &headers, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn new_device(seed: &str) -> (DeviceId, DeviceSecret) {
    let digest = sha256(seed.as_bytes());
    let id = Uuid::new_v8(digest.0[..16].try_into().unwrap());
    (DeviceId(id), DeviceSecret::from_bytes(&digest.0).unwrap())
}

pub(crate) fn enrol_body(code: &str, device: DeviceId, secret: &DeviceSecret) -> Value {
    json!({"code": code, "device": device, "key": secret.key(), "label": "测试手机"})
}

impl Phone {
    /// A phone that was enrolled.
    pub(crate) fn enrolled(device: DeviceId, secret: DeviceSecret, enrolled: Enrolled) -> Self {
        Self { device, secret, enrolled, seq: std::cell::Cell::new((0, Hash::ZERO)) }
    }

    pub(crate) fn log(&self) -> LogId {
        self.enrolled.logs[0].log
    }

    pub(crate) fn token(&self) -> &str {
        &self.enrolled.tokens.access
    }

    /// The body of a push, signed.
    pub(crate) fn request(&self, bodies: &[(EntityId, Body)]) -> Vec<u8> {
        self.request_late(bodies, 0)
    }

    /// As [`Phone::request`], of what was captured a while ago.
    pub(crate) fn request_late(&self, bodies: &[(EntityId, Body)], ago_ms: u64) -> Vec<u8> {
        let captured =
            Captured { wall_ms: i64::try_from(START_MS).unwrap(), elapsed_ms: 5000, boot: BootId(Uuid::from_u128(7)) };
        let (before, mut running) = self.seq.get();
        let mut seq = before;
        let mut lines = Vec::new();
        for (entity, body) in bodies {
            seq += 1;
            let (kind, body) = kind_and_body(body).unwrap();
            let op = Op {
                v: 1,
                log: self.log(),
                op: OpId(Uuid::new_v8(sha256(format!("{}{seq}", self.device).as_bytes()).0[..16].try_into().unwrap())),
                device: self.device,
                actor: self.enrolled.account,
                entity: *entity,
                kind,
                kind_version: KIND_VERSION,
                base: None,
                captured,
                salt: Salt([3; 16]),
                body,
            };
            let line = sync_core::line::write(&op).unwrap();
            running = chain::next(&running, self.log(), 1, seq, &sha256(line.as_bytes()));
            lines.push(line);
        }
        self.seq.set((seq, running));
        let mut header = SyncHeader {
            protocol: (1, 1),
            log: self.log(),
            device: self.device,
            epoch: None,
            app: "test/1".into(),
            incarnation: 1,
            first_seq: before + 1,
            count: u32::try_from(lines.len()).unwrap(),
            chain: running,
            signature: None,
            clock: Captured { elapsed_ms: captured.elapsed_ms + ago_ms, ..captured },
            scopes: BTreeMap::new(),
            own: 0,
            checkpoint: None,
            durable_checkpoint: None,
            rows: None,
            receipts: Vec::new(),
        };
        if !lines.is_empty() {
            header.signature = Some(self.secret.sign(&chain::batch_message(&header)));
        }
        lines.insert(0, serde_json::to_string(&header).unwrap());
        lines.join("\n").into_bytes()
    }
}

/// Sends the head of a request; the body is the caller's to send, whole or not.
pub(crate) async fn open(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    length: usize,
) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: city.example\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {length}\r\n\r\n"));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

pub(crate) async fn read_reply(mut stream: TcpStream, head_only: bool) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the answer is how a server ends that has not read all.
    drop(stream.read_to_end(&mut bytes).await);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer with a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let raw = &bytes[end + 4..];
    let body = match headers.get("transfer-encoding") {
        Some(_) if !head_only => unchunk(raw),
        _ => raw.to_vec(),
    };
    Reply { status, headers, body }
}

fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&raw[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        body.extend_from_slice(&raw[end + 2..end + 2 + length]);
        raw = &raw[end + 4 + length..];
    }
    body
}
