//! An S3 server that others wrote (moto, from the Python package index), started by the test program and ended with it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The environment variable that says where a run of tests has its photos.
const CHOICE: &str = "RECTIFY_TEST_PHOTOS";
/// The one bucket; each folder has a prefix of its own.
const BUCKET: &str = "rectify-photos";
/// Ends the server when its input ends, which is when the program that holds the other end is gone.
const KEEPER: &str = "trap '' INT TERM HUP; \"$@\" >/dev/null 2>&1 </dev/null & cat; kill $!";

/// The bucket of a folder, and the settings by which it is got at, if this run of tests has photos in one.
///
/// # Panics
/// There is no S3 server to start; the message says what to do.
pub fn bucket(folder: &Path) -> Option<(String, Vec<(String, String)>)> {
    match std::env::var(CHOICE).as_deref() {
        Err(_) | Ok("folder") => return None,
        Ok("bucket") => {}
        Ok(other) => panic!("{CHOICE} is {other:?}: say folder or bucket"),
    }
    static SERVER: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
    let started = SERVER.get_or_init(|| Server::start().map_err(|error| format!("{error:#}")));
    let server = started.as_ref().unwrap_or_else(|error| panic!("{error}"));
    let prefix: String =
        folder.display().to_string().chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let settings = [
        ("AWS_ENDPOINT_URL", format!("http://{}", server.address)),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "tests".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "tests".to_owned()),
    ];
    let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Some((format!("s3://{BUCKET}/{prefix}"), settings))
}

struct Server {
    address: String,
    /// Its standard input closes with this program.
    _keeper: Child,
}

impl Server {
    fn start() -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh", "python3", "-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("PYTHONPATH", packages())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sh")?;
        let server = Self { address, _keeper: keeper };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Ok(stream) = TcpStream::connect(&server.address) {
                server.make_bucket(stream)?;
                return Ok(server);
            }
            std::thread::yield_now();
        }
        bail!("these tests need an S3 server: `cargo xtask test --only needs` installs moto with pip")
    }

    fn make_bucket(&self, mut stream: TcpStream) -> Result<()> {
        write!(
            stream,
            "PUT /{BUCKET} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { bail!("no bucket: {answer}") }
    }
}

/// Where `cargo xtask test --only needs` puts the packages of Python.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto")
}
