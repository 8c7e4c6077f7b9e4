//! The phone's side of the HTTP API: blocking, with time limits on every read and write. It knows no store.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use schema::api::{EntryPage, ParkedPage};
use schema::auth::{Enrol, Enrolled, LogAccess, Refresh, Tokens};
use schema::hash::{Hash, Signature};
use schema::ids::{DeviceId, EntityId, LogId};
use schema::limits::{DOCUMENT_BYTES_MAX, WAIT_S_MAX};
use schema::photo::{Have, HaveAnswer, PhotoState};
use schema::problem::{Problem, ProblemCode};
use schema::sync::HeadEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use crate::line::sha256;
use crate::sync::course;
use crate::sync::session::Failure;

/// Bytes of a photo in one PATCH: two and a half minutes at 14 kbit/s, a moment on anything better.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The largest answer that is read: a page and the outcomes of a long absence.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The largest page of a reading route.
const PAGE_BYTES_MAX: u64 = 16 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(40);
const WHOLE: Duration = Duration::from_secs(600);

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The server answered with a refusal.
    #[error("the server refused ({status}{})", code_of(problem))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its explanation, where it gave one.
        problem: Option<Box<Problem>>,
        /// When it asks to be left alone until.
        retry_after_ms: Option<u64>,
    },
    /// It took too long.
    #[error("the server did not answer in time")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    /// The answer is not what it should be.
    #[error("the answer can't be read: {0}")]
    Unreadable(String),
}

fn code_of(problem: &Option<Box<Problem>>) -> String {
    problem.as_ref().map_or_else(String::new, |problem| format!(", {}: {}", problem.title, problem.detail))
}

impl CallError {
    /// How the session takes it.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Refused { status, retry_after_ms, .. } => course::failure(*status, *retry_after_ms),
            Self::TimedOut => Failure::TimedOut,
            Self::Unreachable(_) | Self::Unreadable(_) => Failure::Later { retry_after_ms: None },
        }
    }

    /// The stable name of the refusal.
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused { problem, .. } => problem.as_ref().map(|problem| problem.code),
            Self::TimedOut | Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }

    /// When it asks to be left alone until, in s.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::Refused { retry_after_ms, .. } => retry_after_ms.map(|ms| ms.div_ceil(1000)),
            Self::TimedOut | Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::TimedOut | Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }
}

/// Who a request comes from.
#[derive(Debug, Clone, Copy)]
pub enum Identified<'a> {
    /// By access token.
    Token(&'a str),
    /// By the signature in the request alone: a revoked phone.
    Key(DeviceId),
    /// By a signature over the photo's hash: a revoked phone that hands in a photo.
    Photo(DeviceId, Signature),
    /// Not at all.
    Nobody,
}

/// A server by its base address.
#[derive(Debug, Clone)]
pub struct Transport {
    agent: Agent,
    base: String,
    language: &'static str,
}

impl Transport {
    /// `base` like `https://rectify.example`; `language` for the server's explanations.
    pub fn new(base: &str, language: &'static str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .timeout_global(Some(WHOLE))
            .user_agent(concat!("rectify-phone/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), base: base.trim_end_matches('/').to_owned(), language }
    }

    /// `POST /v1/enrol`
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn enrol(&self, enrol: &Enrol) -> Result<Enrolled, CallError> {
        self.post("/v1/enrol", Identified::Nobody, enrol)
    }

    /// `POST /v1/token`
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn refresh(&self, refresh: &str) -> Result<Tokens, CallError> {
        self.post("/v1/token", Identified::Nobody, &Refresh { refresh: refresh.to_owned() })
    }

    /// `POST /v1/sync`
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn sync(&self, who: Identified<'_>, body: &[u8]) -> Result<Vec<u8>, CallError> {
        let mut coder = GzEncoder::new(Vec::new(), Compression::new(6));
        let packed = coder.write_all(body).and_then(|()| coder.finish());
        let packed = packed.map_err(|error| CallError::Unreadable(error.to_string()))?;
        let request = self
            .request("POST", "/v1/sync", who)
            .header("Content-Type", "application/x-ndjson")
            .header("Content-Encoding", "gzip");
        read(self.send(request, &packed)?, ANSWER_BYTES_MAX)
    }

    /// `GET /v1/logs/{log}/documents/{sha256}`
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn document(&self, token: &str, log: LogId, document: Hash) -> Result<Vec<u8>, CallError> {
        let path = format!("/v1/logs/{log}/documents/{document}");
        let limit = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
        read(self.send(self.request("GET", &path, Identified::Token(token)), &[])?, limit)
    }

    /// `GET /v1/photos/{sha256}/320`: a small picture of somebody's photo.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn thumbnail(&self, token: &str, photo: Hash) -> Result<Vec<u8>, CallError> {
        let path = format!("/v1/photos/{photo}/320");
        read(self.send(self.request("GET", &path, Identified::Token(token)), &[])?, 8 * 1024 * 1024)
    }

    /// `POST /v1/photos/have`
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn have(&self, token: &str, photos: Vec<Hash>) -> Result<Vec<PhotoState>, CallError> {
        let asked = photos.len();
        let answer: HaveAnswer = self.post("/v1/photos/have", Identified::Token(token), &Have { photos })?;
        if answer.photos.len() != asked {
            return Err(CallError::Unreadable("not one state for each photo".into()));
        }
        Ok(answer.photos)
    }

    /// Where the upload of a photo stands, announcing it where the server does not know of it (tus `HEAD`, `POST`).
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn photo_offset(&self, who: Identified<'_>, photo: Hash, size: u64) -> Result<u64, CallError> {
        let path = format!("/v1/photos/{photo}");
        let head = self.request("HEAD", &path, who).header("Tus-Resumable", "1.0.0");
        let answer = match self.send(head, &[]) {
            Err(error) if matches!(error.status(), Some(404 | 410)) => {
                let name = STANDARD.encode(photo.to_string());
                let post = self
                    .request("POST", "/v1/photos", who)
                    .header("Tus-Resumable", "1.0.0")
                    .header("Upload-Length", size.to_string())
                    .header("Upload-Metadata", format!("sha256 {name}"));
                self.send(post, &[])?
            }
            answer => answer?,
        };
        // An answer to the creation need not name an offset: it is nothing then.
        Ok(number(&answer, "Upload-Offset").unwrap_or(0))
    }

    /// Sends bytes of a photo from an offset on (tus `PATCH`). Says how much the server has for sure then.
    ///
    /// # Errors
    /// See [`CallError`]; 409: the upload is elsewhere, ask for its offset.
    pub fn photo_bytes(&self, who: Identified<'_>, photo: Hash, offset: u64, bytes: &[u8]) -> Result<u64, CallError> {
        let path = format!("/v1/photos/{photo}");
        let patch = self
            .request("PATCH", &path, who)
            .header("Tus-Resumable", "1.0.0")
            .header("Content-Type", "application/offset+octet-stream")
            .header("Upload-Offset", offset.to_string())
            .header("Upload-Checksum", format!("sha256 {}", STANDARD.encode(sha256(bytes).0)));
        let answer = self.send(patch, bytes)?;
        number(&answer, "Upload-Offset").ok_or_else(|| CallError::Unreadable("no Upload-Offset".into()))
    }

    /// `GET /v1/head`: waits until the log is beyond a revision, or for as long as the server lets it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait_for_head(&self, token: &str, log: LogId, rev: u64) -> Result<HeadEvent, CallError> {
        let path = format!("/v1/head?log={log}&rev={rev}&wait={WAIT_S_MAX}");
        self.get(&path, token, 4096)
    }

    /// `GET /v1/logs`: the districts that the person may work in.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn logs(&self, token: &str) -> Result<Vec<LogAccess>, CallError> {
        self.get("/v1/logs", token, PAGE_BYTES_MAX)
    }

    /// `GET /v1/logs/{log}/parked`: a page of the ops that wait for a person.
    ///
    /// # Errors
    /// See [`CallError`]; 403 for whoever may not decide on any.
    pub fn parked(&self, token: &str, log: LogId, after: u64) -> Result<ParkedPage, CallError> {
        self.get(&format!("/v1/logs/{log}/parked?after={after}"), token, PAGE_BYTES_MAX)
    }

    /// `GET /v1/logs/{log}/cases/{case}/entries`: a page of what was done to a case.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn entries(&self, token: &str, log: LogId, case: EntityId, after: u64) -> Result<EntryPage, CallError> {
        self.get(&format!("/v1/logs/{log}/cases/{case}/entries?after={after}"), token, PAGE_BYTES_MAX)
    }

    /// `GET /v1/events`: calls back with each poke until the stream ends or the callback says enough.
    ///
    /// # Errors
    /// See [`CallError`]; a stream that ended is no error.
    pub fn events(&self, token: &str, heard: &mut dyn FnMut(Option<HeadEvent>) -> bool) -> Result<(), CallError> {
        let request = self.request("GET", "/v1/events", Identified::Token(token)).header("Accept", "text/event-stream");
        let body = self.send(request, &[])?.into_body();
        let mut lines = BufReader::new(body.into_with_config().limit(u64::MAX).reader());
        let mut line = String::new();
        loop {
            line.clear();
            match (&mut lines).take(64 * 1024).read_line(&mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(from_io(&error)),
            }
            let event = line.strip_prefix("data:").and_then(|text| serde_json::from_str(text.trim()).ok());
            if !heard(event) {
                return Ok(());
            }
        }
    }

    fn get<B: DeserializeOwned>(&self, path: &str, token: &str, bytes_max: u64) -> Result<B, CallError> {
        let answer = read(self.send(self.request("GET", path, Identified::Token(token)), &[])?, bytes_max)?;
        serde_json::from_slice(&answer).map_err(|error| CallError::Unreadable(error.to_string()))
    }

    fn post<A: Serialize, B: DeserializeOwned>(
        &self,
        path: &str,
        who: Identified<'_>,
        body: &A,
    ) -> Result<B, CallError> {
        let unreadable = |error: serde_json::Error| CallError::Unreadable(error.to_string());
        let body = serde_json::to_vec(body).map_err(unreadable)?;
        let request = self.request("POST", path, who).header("Content-Type", "application/json");
        let answer = read(self.send(request, &body)?, PAGE_BYTES_MAX)?;
        serde_json::from_slice(&answer).map_err(unreadable)
    }

    fn request(&self, method: &str, path: &str, who: Identified<'_>) -> ureq::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Accept-Encoding", "gzip")
            .header("Accept-Language", self.language);
        match who {
            Identified::Token(token) => request.header("Authorization", format!("Bearer {token}")),
            Identified::Key(device) => request.header("Authorization", format!("Device {device}")),
            Identified::Photo(device, signature) => {
                request.header("Authorization", format!("Device {device} {signature}"))
            }
            Identified::Nobody => request,
        }
    }

    fn send(&self, request: ureq::http::request::Builder, body: &[u8]) -> Result<Response<Body>, CallError> {
        let request = request.body(()).map_err(|error| CallError::Unreachable(error.to_string()))?;
        let (parts, ()) = request.into_parts();
        let answer = match matches!(parts.method.as_str(), "POST" | "PATCH") {
            true => self.agent.run(Request::from_parts(parts, body)),
            false => self.agent.run(Request::from_parts(parts, ())),
        };
        let answer = answer.map_err(|error| from_ureq(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer)) }
    }
}

fn refusal(answer: Response<Body>) -> CallError {
    let status = answer.status().as_u16();
    let retry_after_ms = number(&answer, "Retry-After").map(|seconds| seconds.saturating_mul(1_000));
    let problem = read(answer, 64 * 1024).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    CallError::Refused { status, problem, retry_after_ms }
}

fn number(answer: &Response<Body>, header: &str) -> Option<u64> {
    answer.headers().get(header)?.to_str().ok()?.trim().parse().ok()
}

/// The body, unpacked, and never more than so much of it.
fn read(answer: Response<Body>, bytes_max: u64) -> Result<Vec<u8>, CallError> {
    let packed = answer.headers().get("Content-Encoding").is_some_and(|coding| coding.as_bytes() == b"gzip");
    let body = answer.into_body().into_with_config().limit(bytes_max).reader();
    let mut bytes = Vec::new();
    let unpacked = match packed {
        true => GzDecoder::new(body).take(bytes_max).read_to_end(&mut bytes),
        false => body.take(bytes_max).read_to_end(&mut bytes),
    };
    unpacked.map_err(|error| from_io(&error))?;
    Ok(bytes)
}

fn from_io(error: &std::io::Error) -> CallError {
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => CallError::TimedOut,
        _ => CallError::Unreachable(error.to_string()),
    }
}

fn from_ureq(error: &ureq::Error) -> CallError {
    match error {
        ureq::Error::Timeout(_) => CallError::TimedOut,
        ureq::Error::Io(error) => from_io(error),
        other => CallError::Unreachable(other.to_string()),
    }
}
