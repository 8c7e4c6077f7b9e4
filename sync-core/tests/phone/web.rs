//! The small server behind HTTP, as little of it as a session needs, with the faults that a story asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use flate2::read::GzDecoder;
use schema::auth::LogAccess;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::photo::{Have, HaveAnswer, PhotoState};
use serde_json::json;
use sync_core::line::sha256;

use super::server::{Server, area_document, catalogue_document};
use super::town::answer;

/// What the server holds and does.
pub(crate) struct Web {
    pub(crate) server: Server,
    pub(crate) uploads: BTreeMap<Hash, Vec<u8>>,
    /// Pieces of these photos are refused so.
    pub(crate) refused: BTreeMap<Hash, u16>,
    /// Each token is good for so many pieces.
    pub(crate) pieces_a_token: usize,
    pub(crate) tokens_given: usize,
    /// Devices that were revoked.
    pub(crate) revoked: BTreeSet<String>,
    /// No login is good.
    pub(crate) logged_out: bool,
    /// Whose phone is enrolled next.
    pub(crate) enrols: u64,
    /// The page of what is parked; null: not for this caller.
    pub(crate) parked: serde_json::Value,
    /// Pages of entries by case.
    pub(crate) entries: BTreeMap<EntityId, serde_json::Value>,
    /// The districts that were told at the enrolment.
    logs: Vec<LogAccess>,
    pieces: usize,
}

/// It listens until the test ends.
pub(crate) struct Listening {
    pub(crate) address: String,
    web: Arc<Mutex<Web>>,
}

struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

impl Listening {
    pub(crate) fn start(server: Server) -> Self {
        let web = Web {
            server,
            uploads: BTreeMap::new(),
            refused: BTreeMap::new(),
            pieces_a_token: usize::MAX,
            tokens_given: 0,
            revoked: BTreeSet::new(),
            logged_out: false,
            enrols: 0,
            parked: json!({"parked": [], "next": null}),
            entries: BTreeMap::new(),
            logs: Vec::new(),
            pieces: 0,
        };
        let (web, listener) = (Arc::new(Mutex::new(web)), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&web);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &shared);
            }
        });
        Self { address, web }
    }

    pub(crate) fn web(&self) -> MutexGuard<'_, Web> {
        self.web.lock().unwrap()
    }
}

fn serve(mut stream: TcpStream, web: &Mutex<Web>) {
    let Some(asked) = read(&mut stream) else { return };
    let (status, headers, body) = web.lock().unwrap().answer(&asked);
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    if asked.method != "HEAD" {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    // A client that has gone hears nothing.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(&body));
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    lines.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn refusal(status: u16, code: &str) -> Answer {
    let problem = json!({"type": "about:blank", "code": code, "title": code, "status": status, "detail": code});
    (status, Vec::new(), serde_json::to_vec(&problem).unwrap())
}

fn found(value: &impl serde::Serialize) -> Answer {
    (200, Vec::new(), serde_json::to_vec(value).unwrap())
}

impl Web {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let who = asked.headers.get("authorization").cloned().unwrap_or_default();
        let shut_out = who.strip_prefix("Device ").is_some_and(|device| self.revoked.contains(device));
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/v1/enrol") => {
                let enrol = serde_json::from_slice(&asked.body).unwrap();
                self.logged_out = false;
                let enrolled = answer(&mut self.server, &enrol, self.enrols);
                self.logs.clone_from(&enrolled.logs);
                found(&enrolled)
            }
            _ if self.logged_out => refusal(401, "unauthenticated"),
            ("POST", "/v1/token") if !self.revoked.is_empty() => refusal(403, "device_revoked"),
            ("POST", "/v1/token") => self.new_tokens(),
            _ if !self.revoked.is_empty() && !shut_out => refusal(401, "unauthenticated"),
            ("GET", "/v1/logs") => found(&self.logs),
            ("POST", "/v1/sync") => {
                let mut body = Vec::new();
                GzDecoder::new(asked.body.as_slice()).read_to_end(&mut body).unwrap();
                (200, Vec::new(), self.server.sync(&body))
            }
            ("POST", "/v1/photos/have") => {
                let have: Have = serde_json::from_slice(&asked.body).unwrap();
                let photos = have.photos.iter().map(|photo| self.state(photo)).collect();
                found(&HaveAnswer { photos })
            }
            ("POST", "/v1/photos") => (201, Vec::new(), Vec::new()),
            ("GET", path) if path.contains("/parked") && self.parked.is_null() => refusal(403, "forbidden"),
            ("GET", path) if path.contains("/parked") => found(&self.parked),
            ("GET", path) if path.contains("/entries") => {
                let page = self.entries.iter().find(|(case, _)| path.contains(&case.to_string()));
                page.map_or_else(|| refusal(404, "not_found"), |(_, page)| found(page))
            }
            ("GET", path) if path.contains("/documents/") => {
                let named = |bytes: &Vec<u8>| path.ends_with(&sha256(bytes).to_string());
                let document = [area_document(), catalogue_document()].into_iter().find(named);
                document.map_or_else(|| refusal(404, "not_found"), |bytes| (200, Vec::new(), bytes))
            }
            (_, path) => self.photo(asked, path.rsplit('/').next().unwrap().parse().unwrap()),
        }
    }

    fn new_tokens(&mut self) -> Answer {
        self.tokens_given += 1;
        self.pieces = 0;
        found(&json!({"access": "again", "access_expires_in_s": 600, "refresh": "r"}))
    }

    fn state(&self, photo: &Hash) -> PhotoState {
        match self.uploads.get(photo) {
            None => PhotoState::Absent,
            Some(_) if self.server.verified.contains_key(photo) => PhotoState::Verified,
            Some(bytes) => PhotoState::Partial { offset: u64::try_from(bytes.len()).unwrap() },
        }
    }

    fn photo(&mut self, asked: &Asked, photo: Hash) -> Answer {
        let offset = |bytes: &Vec<u8>| vec![("Upload-Offset", bytes.len().to_string())];
        if asked.method == "HEAD" {
            let held = self.uploads.get(&photo);
            return held.map_or_else(|| refusal(404, "not_found"), |bytes| (200, offset(bytes), Vec::new()));
        }
        if let Some(status) = self.refused.get(&photo) {
            return refusal(*status, "internal");
        }
        if self.pieces == self.pieces_a_token {
            return refusal(401, "unauthenticated");
        }
        self.pieces += 1;
        let bytes = self.uploads.entry(photo).or_default();
        bytes.extend(&asked.body);
        let (headers, whole) = (offset(bytes), sha256(bytes) == photo);
        let size = u64::try_from(bytes.len()).unwrap();
        if whole {
            self.server.photo_arrives(photo, size);
        }
        (204, headers, Vec::new())
    }
}
