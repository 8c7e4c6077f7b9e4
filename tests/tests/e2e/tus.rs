//! Photos over the wire to the shipped server: sent by a tus client that others wrote, cut off and killed in between;
//! and by many at once, in little memory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use schema::hash::Hash;
use serde_json::Value;
use sync_core::device::entropy::SystemEntropy;
use sync_core::device::transport::{Identified, Transport};
use sync_core::line::sha256;
use tests::programs::Phone;

use crate::city::{District, draw, settle};

const MIB: usize = 1024 * 1024;

/// The client, with its packages as `npm ci` puts them.
struct Client<'a> {
    district: &'a District,
    token: String,
    file: &'a Path,
    hash: Hash,
}

impl Client<'_> {
    fn start(&self, chunk: u64, cut_at: Option<u64>) -> Result<Child> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tus");
        ensure!(
            here.join("node_modules/tus-js-client").is_dir(),
            "tus-js-client is missing: cargo xtask test --only needs"
        );
        let mut command = Command::new("node");
        command.arg(here.join("upload.js")).arg(format!("{}/v1/photos", self.district.installation.url()));
        command.arg(&self.token).arg(self.file).arg(self.hash.to_string());
        command.arg(self.district.folder.path().join("tus-memory.json"));
        command.arg(chunk.to_string()).args(cut_at.map(|bytes| bytes.to_string()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("node")
    }

    /// Runs it to its end; what it said.
    fn run(&self, chunk: u64, cut_at: Option<u64>) -> Result<Vec<Value>> {
        let output = self.start(chunk, cut_at)?.wait_with_output()?;
        let said = String::from_utf8(output.stdout)?;
        said.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }
}

/// Where the server said that the upload is, each time it was asked.
fn found(said: &[Value]) -> Vec<u64> {
    said.iter().filter_map(|line| line["found"].as_u64()).collect()
}

fn token(phone: &Phone) -> Result<String> {
    let store = sync_core::device::phone::Phone::open(&phone.home, Box::new(SystemEntropy))?;
    Ok(store.tokens()?.0)
}

/// A photo of a given size: a drawn one with bytes behind its end, which no decoder minds.
fn large_photo(folder: &Path, number: u64, size: usize) -> Result<std::path::PathBuf> {
    let path = draw(folder, number)?;
    let mut bytes = fs::read(&path)?;
    let mut state = number | 1;
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    fs::write(&path, bytes)?;
    Ok(path)
}

fn report(district: &District, phone: &Phone, photo: &Path) -> Result<String> {
    let place = district.place(&district.grids()[0])?;
    let photo = photo.display().to_string();
    let what = ["report", "--category", "stall", "--subtype", "road_occupation", "--at", &place, "--accuracy-m", "8"];
    let more = ["--subject", "stall 1", "--note", "占道", "--field", "goods=fruit_vegetables", "--photo", &photo];
    let said = phone.must(&[&what[..], &more].concat())?;
    Ok(said["short_code"].as_str().with_context(|| format!("a code in {said}"))?.to_owned())
}

#[test]
fn a_tus_client_that_others_wrote_uploads_through_cuts_and_kills() {
    uploads_with_tus_js_client().unwrap();
}

fn uploads_with_tus_js_client() -> Result<()> {
    let mut district = District::new()?;
    let phone = district.phone("inspector", "inspector", &["--area", &district.grids()[0]])?;
    settle(&phone)?;
    let file = large_photo(district.folder.path(), 1, 24 * MIB)?;
    let hash = sha256(&fs::read(&file)?);
    let code = report(&district, &phone, &file)?;
    // The op goes first and the photo stays: another program is to send it.
    phone.must(&["sync", "--photos", "later"])?;
    let status = phone.must(&["status"])?;
    ensure!(status["on_this_phone"] == 0 && status["photos_to_send"] == 1, "{status}");

    let (piece, whole) = (u64::try_from(MIB)?, u64::try_from(24 * MIB)?);
    let client = Client { district: &district, token: token(&phone)?, file: &file, hash };
    // The connection breaks off in the middle of the only request.
    ensure!(client.run(whole, Some(3_000_000))?.last().is_some_and(|last| last["cut"] == true));
    // Then the server is killed under it, and comes back.
    let mut running = client.start(piece, None)?;
    drop(client);
    let mut lines = BufReader::new(running.stdout.take().context("its output")?).lines();
    let mut said: Vec<Value> = Vec::new();
    while !said.last().is_some_and(|line| line["accepted"].is_u64()) {
        said.push(serde_json::from_str(&lines.next().context("a chunk")??)?);
    }
    district.installation.kill()?;
    district.installation.start()?;
    for line in lines {
        said.push(serde_json::from_str(&line?)?);
    }
    running.wait()?;
    let place = format!("{}/v1/photos/{hash}", district.installation.url());
    ensure!(said.last().is_some_and(|last| last["done"] == place.as_str()), "{said:?}");
    let asked = found(&said);
    let kept = *asked.first().context("it asks where it is")?;
    ensure!(kept > 0 && kept < whole, "what came of a request that was cut is kept: {asked:?}");
    ensure!(asked.len() >= 2 && asked.is_sorted() && asked[1] > kept, "it goes on where it was: {asked:?}");

    let stored = district.installation.photo(&hash.to_string())?.context("a photo that arrived")?;
    ensure!(sha256(&stored) == hash, "the bytes that were sent");
    arrives(&phone, &code)?;
    // Once more is harmless, and says that it is all there.
    let again = Client { district: &district, token: token(&phone)?, file: &file, hash };
    ensure!(again.run(piece, None)?.last().is_some_and(|last| last["done"] == place.as_str()));
    settle(&phone).map(drop)
}

/// The case is told of its photo.
fn arrives(phone: &Phone, code: &str) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        phone.must(&["sync", "--photos", "later"])?;
        let shown = phone.must(&["show", code])?;
        let evidence =
            shown.pointer("/case/evidence").or(shown.pointer("/document/evidence")).or(shown.pointer("/evidence"));
        let item = evidence.and_then(|evidence| evidence.get(0)).with_context(|| format!("evidence in {shown}"))?;
        if item["verified_rev"].is_u64() {
            return Ok(());
        }
    }
    bail!("no photo_verified came")
}

/// Bytes of memory that the server had at most so far.
fn peak_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}

#[test]
fn uploads_take_memory_by_the_chunk_and_not_by_the_photo() {
    uploads_in_little_memory().unwrap();
}

/// Eight photos of 24 MiB at once, each in one request: buffered they would be 192 MiB.
fn uploads_in_little_memory() -> Result<()> {
    const SIZE: usize = 24 * MIB;
    let district = District::new()?;
    let phones: Vec<Phone> = (0..2)
        .map(|n| district.phone(&format!("inspector{n}"), "inspector", &["--area", &district.grids()[0]]))
        .collect::<Result<_>>()?;
    // A bucket takes pieces of 5 MiB, the disk 256 KiB.
    let allowed_mib = if district.installation.photos.is_some() { 64 } else { 40 };
    let pid = district.installation.pid().context("the server runs")?;
    let send = |token: &str, bytes: &[u8]| -> Result<()> {
        let transport = Transport::new(&district.installation.url(), "en");
        let (who, hash) = (Identified::Token(token), sha256(bytes));
        ensure!(transport.photo_offset(who, hash, u64::try_from(bytes.len())?)? == 0);
        ensure!(transport.photo_bytes(who, hash, 0, bytes)? == u64::try_from(bytes.len())?);
        Ok(())
    };
    // No picture: what the decoders take is another matter. The first warms up what is needed once.
    send(&token(&phones[0])?, b"a warm-up")?;
    let before = peak_bytes(pid)?;
    std::thread::scope(|scope| -> Result<()> {
        let mut senders = Vec::new();
        for phone in &phones {
            let token = token(phone)?;
            for n in 0..4_u8 {
                let (token, home) = (token.clone(), phone.home.display().to_string());
                let send = &send;
                senders.push(scope.spawn(move || {
                    let mut bytes = vec![n; SIZE];
                    bytes[..home.len()].copy_from_slice(home.as_bytes());
                    send(&token, &bytes)
                }));
            }
        }
        for sender in senders {
            sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        Ok(())
    })?;
    let grown = peak_bytes(pid)?.saturating_sub(before);
    ensure!(grown / 1024 / 1024 < allowed_mib, "192 MiB at once took {} MiB", grown / 1024 / 1024);
    Ok(())
}
