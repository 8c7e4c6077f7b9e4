//! A bucket of S3, or of what speaks like it, as a place for whole files. It knows names and bytes, not photos.
//!
//! To be called where it may block, and not on the runtime that it was opened on: that one carries the requests.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, RetryConfig};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// A file goes in pieces of this size: the smallest that S3 takes.
const PIECE_BYTES: usize = 5 * 1024 * 1024;
/// A request that fails is repeated for this long: whoever waits for it tries again later.
const RETRIED_FOR: Duration = Duration::from_secs(20);
/// Files put at once: each holds a piece or two in memory.
const PUT_AT_ONCE: usize = 2;
/// What is written at the start, to learn whether anything can be.
const PROBE: &str = "written-at-start";

/// Where a bucket is, and how it is got at.
#[derive(Debug, Clone)]
pub struct BucketAt {
    /// `s3://bucket/prefix`.
    pub url: String,
    /// Settings by their ordinary names in the environment: `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` …
    pub settings: Vec<(String, String)>,
}

/// A bucket, below a prefix. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    prefix: Path,
    runtime: Handle,
    turns: Arc<Semaphore>,
}

impl Bucket {
    /// Gets ready to talk to it. To be called on the runtime that lives as long as the program.
    ///
    /// # Errors
    /// An address or a setting that is none.
    pub fn open(at: &BucketAt) -> io::Result<Self> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidInput, format!("{}: say s3://bucket/prefix", at.url));
        let place = at.url.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        let retry = RetryConfig { retry_timeout: RETRIED_FOR, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
        for (name, value) in &at.settings {
            // Others of these names are for other programs.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        let store = builder.build().map_err(io::Error::other)?;
        let prefix = Path::parse(prefix).map_err(io::Error::other)?;
        let turns = Arc::new(Semaphore::new(PUT_AT_ONCE));
        Ok(Self { store: Arc::new(store), prefix, runtime: Handle::current(), turns })
    }

    /// Writes something small and reads it back.
    ///
    /// # Errors
    /// It can't be reached, or does not let us.
    pub fn check(&self) -> io::Result<()> {
        self.put(PROBE, PROBE.as_bytes().to_vec())?;
        let read = self.size(PROBE)?;
        if read == u64::try_from(PROBE.len()).ok() { Ok(()) } else { Err(io::Error::other("it does not keep files")) }
    }

    /// Puts bytes at a name, whole or not at all; when this returns they are kept.
    ///
    /// # Errors
    /// The bucket's.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let place = self.prefix.clone().join(name);
        self.runtime.block_on(self.store.put(&place, bytes.into())).map(drop).map_err(io::Error::other)
    }

    /// Puts a file at a name, whole or not at all, piece by piece; when this returns it is kept.
    ///
    /// # Errors
    /// The bucket's, or the file's.
    pub fn put_file(&self, name: &str, file: &mut File) -> io::Result<()> {
        let _turn = self.runtime.block_on(self.turns.acquire()).map_err(io::Error::other)?;
        file.seek(SeekFrom::Start(0))?;
        let first = piece(file)?;
        if first.len() < PIECE_BYTES {
            return self.put(name, first);
        }
        let place = self.prefix.clone().join(name);
        self.runtime.block_on(async {
            let mut upload = self.store.put_multipart(&place).await.map_err(io::Error::other)?;
            let mut next = first;
            let sent = loop {
                if next.is_empty() {
                    break upload.complete().await.map(drop).map_err(io::Error::other);
                }
                let put = upload.put_part(next.into()).await.map_err(io::Error::other);
                match put.and_then(|()| piece(file)) {
                    Ok(piece) => next = piece,
                    Err(error) => break Err(error),
                }
            };
            if sent.is_err()
                && let Err(error) = upload.abort().await
            {
                tracing::warn!(error = %error, "pieces of a photo that was not put lie in the bucket");
            }
            sent
        })
    }

    /// Writes what is at a name into a file. Says its size; none if nothing is there.
    ///
    /// # Errors
    /// The bucket's, or the file's.
    pub fn fetch(&self, name: &str, to: &mut File) -> io::Result<Option<u64>> {
        let place = self.prefix.clone().join(name);
        self.runtime.block_on(async {
            let found = match self.store.get(&place).await {
                Ok(found) => found,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(io::Error::other(error)),
            };
            let (mut size, mut bytes) = (0_u64, found.into_stream());
            while let Some(some) = bytes.next().await {
                let some = some.map_err(io::Error::other)?;
                to.write_all(&some)?;
                size = size.saturating_add(u64::try_from(some.len()).unwrap_or(u64::MAX));
            }
            Ok(Some(size))
        })
    }

    /// The size of what is at a name; none if nothing is there.
    ///
    /// # Errors
    /// The bucket's.
    pub fn size(&self, name: &str) -> io::Result<Option<u64>> {
        let place = self.prefix.clone().join(name);
        match self.runtime.block_on(self.store.head(&place)) {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// The next piece of a file; a shorter one is the last.
fn piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PIECE_BYTES);
    Read::by_ref(file).take(u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
