//! A receiver of webhooks, as somebody else would write one: it knows the secret and Standard Webhooks, and nothing of
//! the server.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Channel, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sync_core::line::sha256;

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// With a status.
    Say(u16),
    /// Never, for as long as the other side waits.
    Hang,
}

/// What came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) at_s: String,
    pub(crate) signature: String,
    pub(crate) body: String,
    pub(crate) answered: Mood,
}

impl Came {
    /// Whether the signature is right, counted here by RFC 2104.
    pub(crate) fn is_signed_with(&self, secret: &str) -> Result<bool> {
        let key = base64(secret.strip_prefix("whsec_").context("the form of a secret")?)?;
        let mut padded = [0_u8; 64];
        padded[..key.len()].copy_from_slice(&key);
        let with = |pad: u8, rest: &[u8]| {
            let mut bytes: Vec<u8> = padded.iter().map(|byte| byte ^ pad).collect();
            bytes.extend_from_slice(rest);
            sha256(&bytes).0
        };
        let signed = format!("{}.{}.{}", self.id, self.at_s, self.body);
        let expected = with(0x5c, &with(0x36, signed.as_bytes()));
        let given = self.signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).map(base64);
        Ok(given.collect::<Result<Vec<_>>>()?.iter().any(|given| *given == expected))
    }
}

/// Base64 as RFC 4648 has it.
fn base64(text: &str) -> Result<Vec<u8>> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.bytes().take_while(|digit| *digit != b'=') {
        let value = digits.iter().position(|known| *known == digit).context("a digit of base64")?;
        bits = (bits << 6) | u32::try_from(value)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff)?);
        }
    }
    Ok(bytes)
}

/// A receiver at an address that stays the same.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    came: Channel<Came>,
    tell: Sender<Came>,
    moods: Arc<Mutex<VecDeque<Mood>>>,
    up: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Receiver {
    pub(crate) fn new() -> Result<Self> {
        let (tell, came) = channel();
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut this = Self { address, came, tell, moods: Arc::default(), up: None };
        this.rise()?;
        Ok(this)
    }

    /// Listens.
    pub(crate) fn rise(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address)?;
        let ends = Arc::new(AtomicBool::new(false));
        let (ended, tell, moods) = (Arc::clone(&ends), self.tell.clone(), Arc::clone(&self.moods));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (tell, moods) = (tell.clone(), Arc::clone(&moods));
                std::thread::spawn(move || drop(serve(stream, &tell, &moods)));
            }
        });
        self.up = Some((ends, thread));
        Ok(())
    }

    /// Listens no more.
    pub(crate) fn fall(&mut self) -> Result<()> {
        let Some((ends, thread)) = self.up.take() else { return Ok(()) };
        ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address)?);
        thread.join().ok().context("the receiver's thread")
    }

    /// The next requests are answered so; all others with 204.
    pub(crate) fn answer(&self, moods: &[Mood]) {
        self.moods.lock().unwrap_or_else(PoisonError::into_inner).extend(moods);
    }

    /// The next request.
    pub(crate) fn next(&self) -> Result<Came> {
        self.came.recv_timeout(Duration::from_secs(90)).context("nothing came")
    }
}

fn serve(stream: TcpStream, tell: &Sender<Came>, moods: &Mutex<VecDeque<Mood>>) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_ascii_whitespace();
    ensure!(words.next() == Some("POST"), "only a POST is ever sent: {line:?}");
    let path = words.next().context("a path")?.to_owned();
    let mut headers = std::collections::BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let header = |name: &str| headers.get(name).cloned().with_context(|| format!("a header {name}"));
    ensure!(header("content-type")? == "application/json");
    let mut body = vec![0; header("content-length")?.parse()?];
    reader.read_exact(&mut body)?;
    let answered = moods.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(Mood::Say(204));
    let came = Came {
        path,
        id: header("webhook-id")?,
        at_s: header("webhook-timestamp")?,
        signature: header("webhook-signature")?,
        body: String::from_utf8(body)?,
        answered,
    };
    let mut stream = stream;
    tell.send(came)?;
    match answered {
        Mood::Say(status) => {
            let elsewhere = if status == 302 { "location: /elsewhere\r\n" } else { "" };
            let head = format!("HTTP/1.1 {status} x\r\n{elsewhere}content-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(head.as_bytes())?;
        }
        // Until the other side goes away.
        Mood::Hang => drop(stream.read(&mut [0])?),
    }
    Ok(())
}
