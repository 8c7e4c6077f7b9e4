//! Photos on their way: tus 1.0 without its HTTP. A part belongs to one photo of one device; only synced bytes are
//! promised; a newer stream fences off an older one; the whole hash is checked at the end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::anyhow;
use schema::hash::Hash;
use schema::ids::DeviceId;
use schema::limits::{DAY_MS, PHOTO_BYTES_MAX, UPLOAD_KEPT_DAYS, UPLOAD_SYNC_BYTES, UPLOADS_PER_DEVICE_MAX};
use schema::problem::ProblemCode;
use sha2::{Digest, Sha256};

use super::blobs::{CHUNK_BYTES, hash_file};
use super::photos::Photos;
use crate::error::{Error, Result};
use crate::store::Upload;

/// Streams of one device at a time.
const STREAMS_PER_DEVICE: usize = 4;
/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Bytes that survive a power cut.
    pub offset: u64,
    /// Size of the whole file.
    pub size: u64,
    /// When the part is thrown away, in ms; none for a whole photo.
    pub expires_ms: Option<u64>,
}

impl Standing {
    fn whole(size: u64) -> Self {
        Self { offset: size, size, expires_ms: None }
    }

    fn of(upload: &Upload) -> Self {
        Self { offset: upload.offset, size: upload.size, expires_ms: Some(upload.expires_ms) }
    }
}

/// The streams that are open, by what they write to. The number is the newest stream's: an older one finds another
/// number before its next write, and stops.
#[derive(Debug, Clone, Default)]
pub struct Fences(Arc<Mutex<OpenFences>>);

type OpenFences = HashMap<(Hash, DeviceId), Weak<Fence>>;

/// The number of an upload's newest stream, held by whoever writes.
type Fence = tokio::sync::Mutex<u64>;

impl Fences {
    /// The fence of an upload, and how many uploads of this device have one.
    fn of(&self, photo: Hash, device: DeviceId) -> (Arc<Fence>, usize) {
        let mut fences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fences.retain(|_, fence| fence.strong_count() > 0);
        let fence = fences.get(&(photo, device)).and_then(Weak::upgrade).unwrap_or_default();
        fences.insert((photo, device), Arc::downgrade(&fence));
        (fence, fences.keys().filter(|(_, of)| *of == device).count())
    }

    /// Whether somebody writes to an upload.
    fn is_open(&self, photo: Hash, device: DeviceId) -> bool {
        let fences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fences.get(&(photo, device)).is_some_and(|fence| fence.strong_count() > 0)
    }
}

impl Photos {
    /// Announces an upload. Announcing one again changes nothing, whatever became of the first answer.
    ///
    /// # Errors
    /// `too_large`, or the server's own.
    pub async fn create(&self, photo: Hash, device: DeviceId, size: u64) -> Result<Standing> {
        if size > PHOTO_BYTES_MAX {
            return Err(Error::refused(ProblemCode::TooLarge));
        }
        let expires_ms = self.clock.now_ms().saturating_add(UPLOAD_KEPT_DAYS.unsigned_abs().saturating_mul(DAY_MS));
        self.make_room(photo, device).await?;
        let standing = self
            .store
            .write_async(move |db| -> Result<_> {
                if let Some(whole) = db.received_from(&photo, device)? {
                    return Ok(Standing::whole(whole.size));
                }
                let known = db.upload(&photo, device)?;
                let upload = match known {
                    Some(known) if known.size == size => Upload { expires_ms, ..known },
                    _ => Upload { photo, device, size, offset: 0, expires_ms },
                };
                db.put_upload(&upload)?;
                Ok(Standing::of(&upload))
            })
            .await?;
        if standing.size == 0 && standing.expires_ms.is_some() {
            let stream = self.begin(photo, device, 0, None).await?;
            return match stream {
                Stream::Whole(standing) => Ok(standing),
                Stream::Open(stream) => stream.finish().await,
            };
        }
        Ok(standing)
    }

    /// Lets go of the parts that a device announced longest ago, beyond as many as it may have: it has the photos
    /// still, and a refusal would stop it for a month.
    async fn make_room(&self, photo: Hash, device: DeviceId) -> Result<()> {
        let announced = self.store.read_async(move |db| -> Result<_> { Ok(db.uploads_of(device)?) }).await?;
        let others: Vec<Upload> = announced.into_iter().filter(|upload| upload.photo != photo).collect();
        let surplus = others.len().saturating_sub(UPLOADS_PER_DEVICE_MAX.saturating_sub(1));
        for upload in others.into_iter().filter(|upload| !self.fences.is_open(upload.photo, device)).take(surplus) {
            self.forget(upload).await?;
        }
        Ok(())
    }

    /// Throws a part away, its row first: what has no row was never promised.
    pub(super) async fn forget(&self, upload: Upload) -> Result<()> {
        let Upload { photo, device, .. } = upload;
        self.store.write_async(move |db| -> Result<_> { Ok(db.forget_upload(&photo, device)?) }).await?;
        let blobs = self.blobs.clone();
        blocking(move || Ok(blobs.discard(&photo, device)?)).await
    }

    /// How far an upload is; `not_found` if it was never announced.
    ///
    /// # Errors
    /// `not_found`, or the server's own.
    pub async fn standing(&self, photo: Hash, device: DeviceId) -> Result<Standing> {
        let found = self
            .store
            .read_async(move |db| -> Result<_> {
                if let Some(whole) = db.received_from(&photo, device)? {
                    return Ok(Some(Standing::whole(whole.size)));
                }
                Ok(db.upload(&photo, device)?.as_ref().map(Standing::of))
            })
            .await?;
        found.ok_or_else(|| Error::refused(ProblemCode::NotFound))
    }

    /// Opens a stream behind `offset`. From now on no older stream of this upload writes.
    ///
    /// # Errors
    /// `not_found`, `offset_mismatch`, `too_many`, or the server's own.
    pub async fn begin(&self, photo: Hash, device: DeviceId, offset: u64, checksum: Option<Hash>) -> Result<Stream> {
        let (fence, open) = self.fences.of(photo, device);
        if open > STREAMS_PER_DEVICE {
            return Err(Error::later(ProblemCode::TooMany, 5));
        }
        let mut newest = fence.lock().await;
        *newest = newest.saturating_add(1);
        let number = *newest;
        let standing = self.standing(photo, device).await?;
        let Some(_) = standing.expires_ms else { return Ok(Stream::Whole(standing)) };
        if standing.offset != offset {
            return Err(Error::refused(ProblemCode::OffsetMismatch));
        }
        let blobs = self.blobs.clone();
        let Some(file) = blocking(move || Ok(blobs.open_part(&photo, device, offset)?)).await? else {
            return self.recover(photo, device).await;
        };
        drop(newest);
        Ok(Stream::Open(Box::new(Receiving {
            photos: self.clone(),
            photo,
            device,
            size: standing.size,
            fence,
            number,
            checksum,
            buffer: Vec::with_capacity(CHUNK_BYTES),
            written: Written {
                file: Some(file),
                at: offset,
                synced: offset,
                whole: (offset == 0).then(Sha256::new),
                part: Sha256::new(),
            },
        })))
    }

    /// A part lacks what was promised of it. Either it was renamed and the server stopped before the photo's row: then
    /// the photo is taken now; or it is lost: then the device learns that it begins anew. The fence is held.
    async fn recover(&self, photo: Hash, device: DeviceId) -> Result<Stream> {
        let blobs = self.blobs.clone();
        let store = self.store.clone();
        let renamed = blocking(move || {
            // A photo that has its row is somebody else's: it says nothing about this device's part.
            let known = store.read(|db| -> Result<_> { Ok(db.received_photo(&photo)?) })?;
            if known.is_some() { Ok(None) } else { Ok(blobs.size_of_whole(&photo)?) }
        });
        if let Some(size) = renamed.await? {
            self.take(photo, device, size).await?;
            let blobs = self.blobs.clone();
            blocking(move || Ok(blobs.discard(&photo, device)?)).await?;
            return Ok(Stream::Whole(Standing::whole(size)));
        }
        tracing::warn!(%photo, device.id = %device, "a part is shorter than was promised; its upload begins anew");
        self.promise(photo, device, 0).await?;
        Err(Error::refused(ProblemCode::OffsetMismatch))
    }
}

/// What a stream may do.
pub enum Stream {
    /// The photo is here already: nothing to write.
    Whole(Standing),
    /// Write.
    Open(Box<Receiving>),
}

/// A stream that is being received.
pub struct Receiving {
    photos: Photos,
    photo: Hash,
    device: DeviceId,
    size: u64,
    fence: Arc<Fence>,
    number: u64,
    checksum: Option<Hash>,
    buffer: Vec<u8>,
    written: Written,
}

/// The file side of a stream. It moves to a blocking thread and back with each piece.
struct Written {
    file: Option<File>,
    at: u64,
    synced: u64,
    /// Runs along where the stream began at 0: then the file need not be read again at the end.
    whole: Option<Sha256>,
    part: Sha256,
}

impl Written {
    fn write(mut self, bytes: &[u8]) -> Result<Self> {
        let file = self.file.as_mut().ok_or_else(|| anyhow!("a stream lost its file"))?;
        file.write_all(bytes)?;
        if let Some(whole) = &mut self.whole {
            whole.update(bytes);
        }
        self.part.update(bytes);
        self.at = self.at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(self)
    }

    fn sync(mut self) -> Result<Self> {
        if self.synced != self.at {
            self.file.as_ref().ok_or_else(|| anyhow!("a stream lost its file"))?.sync_data()?;
            self.synced = self.at;
        }
        Ok(self)
    }
}

impl Receiving {
    /// Takes some bytes.
    ///
    /// # Errors
    /// `too_large` where more come than were announced, `upload_superseded`, `storage_full`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let after = self.written.at.saturating_add(length(&self.buffer)).saturating_add(length(bytes));
        if after > self.size {
            return Err(Error::refused(ProblemCode::TooLarge));
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush().await?;
        }
        if self.written.at.saturating_sub(self.written.synced) >= UPLOAD_SYNC_BYTES {
            self.promise().await?;
        }
        Ok(())
    }

    /// The stream broke or its sender was too slow: what has come is kept, unless its checksum is now unknowable.
    ///
    /// # Errors
    /// The server's own.
    pub async fn broken(mut self) -> Result<()> {
        if self.checksum.is_some() {
            return Ok(());
        }
        self.flush().await?;
        self.promise().await
    }

    /// The stream ended as its sender meant it to.
    ///
    /// # Errors
    /// `checksum_mismatch` where the part or the whole file does not have its hash.
    pub async fn finish(mut self) -> Result<Standing> {
        self.flush().await?;
        if let Some(checksum) = self.checksum.take()
            && checksum != Hash(self.written.part.clone().finalize().into())
        {
            // The bytes behind the promised offset are cut off when the next stream begins.
            return Err(Error::refused(ProblemCode::ChecksumMismatch));
        }
        self.promise().await?;
        if self.written.at < self.size {
            return self.photos.standing(self.photo, self.device).await;
        }
        self.complete().await
    }

    /// Writes the buffer, unless a newer stream has taken over.
    async fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        self.behind_fence(move |written| written.write(&bytes)).await
    }

    /// Syncs what is written, then promises it. The last promise is the photo's own row.
    async fn promise(&mut self) -> Result<()> {
        let before = self.written.synced;
        self.behind_fence(Written::sync).await?;
        let at = self.written.at;
        // A checksum is known only at the end, and a whole file is promised by its row.
        if at == before || at == self.size || self.checksum.is_some() {
            return Ok(());
        }
        let (photo, device) = (self.photo, self.device);
        self.photos.promise(photo, device, at).await
    }

    async fn behind_fence(&mut self, work: impl FnOnce(Written) -> Result<Written> + Send + 'static) -> Result<()> {
        let newest = self.fence.lock().await;
        if *newest != self.number {
            return Err(Error::refused(ProblemCode::UploadSuperseded));
        }
        let empty = Written { file: None, at: 0, synced: 0, whole: None, part: Sha256::new() };
        let written = std::mem::replace(&mut self.written, empty);
        self.written = blocking(move || work(written)).await?;
        drop(newest);
        Ok(())
    }

    /// All bytes are here and synced: check the hash, then file, folder, row, in this order.
    async fn complete(mut self) -> Result<Standing> {
        let fence = Arc::clone(&self.fence);
        let newest = fence.lock().await;
        if *newest != self.number {
            return Err(Error::refused(ProblemCode::UploadSuperseded));
        }
        let (photo, device, size) = (self.photo, self.device, self.size);
        let blobs = self.photos.blobs.clone();
        let whole = self.written.whole.take();
        let mut file = self.written.file.take().ok_or_else(|| anyhow!("a stream lost its file"))?;
        let right = blocking(move || {
            let hash = match whole {
                Some(whole) => Hash(whole.finalize().into()),
                None => hash_file(&mut file)?,
            };
            if hash == photo {
                blobs.keep(&photo, device)?;
            } else {
                file.set_len(0)?;
                file.seek(SeekFrom::Start(0))?;
            }
            Ok(hash == photo)
        })
        .await?;
        if !right {
            self.photos.promise(photo, device, 0).await?;
            return Err(Error::refused(ProblemCode::ChecksumMismatch));
        }
        self.photos.take(photo, device, size).await?;
        Ok(Standing::whole(size))
    }
}

/// Runs file work where it may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(anyhow!(error).context("file work")))?
}
