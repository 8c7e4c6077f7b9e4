//! What attackers send: paths that climb, SQL in every text, two lengths for one body, a fourth stream; and whether any
//! secret comes to lie where it does not belong.

use std::io::Write;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::op::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing_subscriber::fmt::MakeWriter;

use super::reading::{case, report};
use super::world::{PASSWORD, World, enrol_body, new_device, open, read_reply};

/// Sends bytes as they are; says what comes back.
async fn raw(world: &World, bytes: &str) -> String {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said).await);
    String::from_utf8_lossy(&said).into_owned()
}

#[actix_web::test]
async fn no_path_and_no_name_climbs_out_of_its_folder() {
    let world = World::start().await;
    let supervisor = world.phone("sun", Role::Supervisor, "A0").await;
    let secret = std::fs::read_to_string(world.folder.path().join("keys/token-signer")).unwrap();
    let climbing = "../../keys/token-signer";
    for path in [
        format!("/v1/photos/{climbing}/original"),
        "/v1/photos/..%2f..%2fkeys%2ftoken-signer/original".to_owned(),
        "/v1/photos/%2e%2e/%2e%2e/keys/token-signer".to_owned(),
        format!("/v1/photos/{}/{climbing}", "a".repeat(64)),
        format!("/v1/logs/{}/documents/{climbing}", supervisor.log()),
        format!("/v1/audit/{}/tile/0/{climbing}", supervisor.log()),
        format!("/v1/audit/{}/tile/entries/..%2f{climbing}", supervisor.log()),
        "/docs/../keys/token-signer".to_owned(),
        "/problems/..%2f..%2fkeys".to_owned(),
    ] {
        let token = supervisor.token();
        let said = raw(
            &world,
            &format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let status: u16 = said.split(' ').nth(1).unwrap().parse().unwrap();
        assert!((400..500).contains(&status), "{path}: {said}");
        assert!(!said.contains(&secret), "{path}");
    }
    for name in [climbing, "/etc/passwd", "..", &"A".repeat(64)] {
        let metadata = format!("sha256 {}", STANDARD.encode(name));
        let token = format!("Bearer {}", supervisor.token());
        let headers = [
            ("authorization", token.as_str()),
            ("tus-resumable", "1.0.0"),
            ("upload-length", "5"),
            ("upload-metadata", metadata.as_str()),
        ];
        assert_eq!(world.send("POST", "/v1/photos", &headers, b"").await.status, 422, "{name}");
    }
    assert_eq!(std::fs::read_dir(world.folder.path().join("uploads")).unwrap().count(), 0);
}

#[actix_web::test]
async fn sql_is_a_text_like_any_other() {
    let world = World::start().await;
    let inspector = world.phone("li", Role::Inspector, "A3").await;
    world.push(&inspector, &[(case(1), report(&[]))]).await;
    let list = format!("/v1/logs/{}/cases", inspector.log());
    for sql in ["' OR '1'='1", "'; DROP TABLE entity; --", "x' UNION SELECT password FROM account_secret --", "%", "\0"]
    {
        let quoted: String = sql.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for member in ["category", "subtype", "code"] {
            let said = world.get(&format!("{list}?{member}={quoted}"), inspector.token()).await;
            let rows = said.json()["cases"].as_array().map(Vec::len).unwrap_or_default();
            assert!(rows == 0 && said.status < 500, "{member} {sql}: {}", said.text());
        }
        let login = world.post("/v1/login", &json!({ "login": sql, "password": sql })).await;
        assert_eq!(login.problem(), (401, "wrong_password".into()), "{sql}");
        let (device, secret) = new_device(sql);
        assert_eq!(world.post("/v1/enrol", &enrol_body(sql, device, &secret)).await.status, 401, "{sql}");
    }
    assert_eq!(world.get(&list, inspector.token()).await.json()["cases"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_request_with_two_lengths_is_refused() {
    let world = World::start().await;
    let inner = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    for head in [
        "POST /v1/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "POST /v1/logout HTTP/1.0\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/logout HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n",
        "POST /v1/logout HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ] {
        let said = raw(&world, &format!("{head}{inner}")).await;
        assert!(said.starts_with("HTTP/1.1 400") || said.starts_with("HTTP/1.0 400"), "{head:?}: {said}");
        assert!(!said.contains("ok\n"), "the hidden request is not answered: {head:?}: {said}");
    }
}

#[actix_web::test]
async fn three_streams_are_open_and_each_ends_with_its_token() {
    let world = World::start().await;
    let phone = world.phone("li", Role::Inspector, "A3").await;
    let token = format!("Bearer {}", phone.token());
    let headers = [("authorization", token.as_str())];
    // The token's last second.
    world.later(599_000);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = open(world.address(), "GET", "/v1/events", &headers, 0).await;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        streams.push(stream);
    }
    let fourth = read_reply(open(world.address(), "GET", "/v1/events", &headers, 0).await, false).await;
    assert_eq!(fourth.problem(), (429, "too_many".into()));
    for mut stream in streams {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("the server ends it");
    }
}

/// What a server writes into its log, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[actix_web::test]
async fn no_secret_is_logged_and_none_is_stored_as_it_is() {
    let kept = Kept::default();
    let logging = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(kept.clone());
    logging.try_init().expect("no other test keeps the log");
    let world = World::start().await;
    world.account("wang", Role::Supervisor, "A0", Some(PASSWORD)).await;
    let code = world.person("li", Role::Inspector, "A3").await;
    let (device, secret) = new_device("li");
    let enrolled = world.post("/v1/enrol", &enrol_body(&code, device, &secret)).await.json();
    let (access, refresh) = (enrolled["tokens"]["access"].clone(), enrolled["tokens"]["refresh"].clone());
    let wrong = "a password that was typed wrongly";
    world.post("/v1/login", &json!({ "login": "wang", "password": wrong })).await;
    world.post("/v1/login", &json!({ "login": "a password in the wrong field", "password": PASSWORD })).await;
    world.later(2000);
    let desk = world.post("/v1/login", &json!({ "login": "wang", "password": PASSWORD })).await.json();
    let renewed = world.post("/v1/token", &json!({ "refresh": refresh })).await.json();
    world.get("/v1/head?log=nonsense", access.as_str().unwrap()).await;
    world.post("/v1/token", &json!({ "refresh": refresh, "more": "unknown members are refused" })).await;
    let token_secret = std::fs::read_to_string(world.folder.path().join("keys/token-signer")).unwrap();
    let World { running, folder, .. } = world;
    running.stop().await;

    let mut secrets: Vec<String> =
        [PASSWORD, wrong, "a password in the wrong field", &code, &code.replace('-', ""), &token_secret]
            .map(str::to_owned)
            .to_vec();
    for token in [&access, &refresh, &desk["access"], &desk["refresh"], &renewed["refresh"], &renewed["access"]] {
        let token = token.as_str().unwrap();
        // Of a refresh token its first half is a name.
        secrets.push(token.rsplit('.').next().unwrap().to_owned());
    }
    secrets.push(hex::encode(secret.to_bytes()));
    let logged = kept.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("/v1/login"), "the log was kept");
    let mut files = vec![("the log".to_owned(), logged)];
    for name in ["rectify.db", "rectify.db-wal"] {
        files.extend(std::fs::read(folder.path().join(name)).ok().map(|bytes| (name.to_owned(), bytes)));
    }
    assert!(files.len() >= 2 || databases::Kind::of_this_run() != databases::Kind::Sqlite, "a database in a file");
    for (name, bytes) in files {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} holds {secret}");
        }
        let binary = secret.to_bytes();
        assert!(!bytes.windows(32).any(|window| window == binary), "{name} holds a phone's key");
    }
}
