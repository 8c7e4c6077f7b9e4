//! Photos that are here: custody first, then looking at them, then telling every case that names them. Whatever is
//! interrupted, the sweep finishes.

use std::fs::File;

use anyhow::{Context, anyhow};
use schema::hash::Hash;
use schema::ids::DeviceId;
use schema::photo::{Have, HaveAnswer, PhotoState};
use sync_core::context::VerifiedPhoto;
use tokio::runtime::Handle;

use super::blobs::{Blobs, Version};
use super::ledger::Ledger;
use super::pictures::{ALIKE_BITS_MAX, Decoders, Look, Picture, UNDECODABLE};
use super::uploads::{Fences, blocking};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::Store;

/// Photos asked about in one request.
pub const HAVE_MAX: usize = 200;
/// Photos that one sweep takes up.
const SWEEP_MAX: i64 = 200;

/// Photos: on their way, and here. Cheap to clone.
#[derive(Clone)]
pub struct Photos {
    pub(super) store: Store,
    pub(super) blobs: Blobs,
    pub(super) clock: Clock,
    pub(super) fences: Fences,
    decoders: Decoders,
    /// Looking goes on when the request that brought a photo is answered: on the program's runtime, not a worker's.
    background: Handle,
    ledger: Ledger,
}

impl Photos {
    /// Photos of a data folder. To be called on the runtime that lives as long as the program.
    pub fn new(store: Store, blobs: Blobs, clock: Clock, ledger: Ledger) -> Self {
        let (fences, decoders) = (Fences::default(), Decoders::new());
        Self { store, blobs, clock, fences, decoders, background: Handle::current(), ledger }
    }

    /// Which of these this device has sent, and how much of the others.
    ///
    /// # Errors
    /// More than [`HAVE_MAX`]; or the server's own.
    pub async fn have(&self, asked: Have, device: Option<DeviceId>) -> Result<HaveAnswer> {
        if asked.photos.len() > HAVE_MAX {
            return Err(Error::invalid("photos"));
        }
        self.store
            .read_async(move |db| {
                let mut photos = Vec::with_capacity(asked.photos.len());
                for photo in &asked.photos {
                    let Some(device) = device else {
                        photos.push(PhotoState::Absent);
                        continue;
                    };
                    if db.received_from(photo, device)?.is_some() {
                        photos.push(PhotoState::Verified);
                        continue;
                    }
                    photos.push(match db.upload(photo, device)? {
                        Some(upload) => PhotoState::Partial { offset: upload.offset },
                        None => PhotoState::Absent,
                    });
                }
                Ok(HaveAnswer { photos })
            })
            .await
    }

    /// The file of a photo, if that version of it is here.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn file(&self, photo: Hash, version: Version) -> Result<(File, u64)> {
        let blobs = self.blobs.clone();
        let found = blocking(move || Ok(blobs.open_whole(&photo, version)?)).await?;
        found.ok_or_else(|| Error::refused(schema::problem::ProblemCode::NotFound))
    }

    /// Where their files stand.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Promises what is synced of an upload.
    pub(super) async fn promise(&self, photo: Hash, device: DeviceId, offset: u64) -> Result<()> {
        self.store.write_async(move |db| Ok(db.set_upload_offset(&photo, device, offset)?)).await
    }

    /// Takes custody of a photo whose file is durable, and has it looked at after the answer.
    pub(super) async fn take(&self, photo: Hash, device: DeviceId, size: u64) -> Result<()> {
        let now_ms = self.clock.now_ms();
        let known = self
            .store
            .write_async(move |db| -> Result<_> { Ok(db.receive_photo(&photo, device, size, now_ms)?) })
            .await?;
        if known.settled {
            return Ok(());
        }
        let photos = self.clone();
        self.background.spawn(async move {
            if let Err(error) = photos.settle(photo, size).await {
                tracing::error!(%photo, error = %causes(&error), "a photo could not be settled; the sweep tries again");
            }
        });
        Ok(())
    }

    /// Looks at a photo, then tells every case that names it. Doing it again changes nothing.
    ///
    /// # Errors
    /// The server's own.
    pub async fn settle(&self, photo: Hash, size: u64) -> Result<()> {
        let blobs = self.blobs.clone();
        let whole = blocking(move || Ok(blobs.open_whole(&photo, Version::Original)?)).await?;
        let (file, _) = whole.ok_or_else(|| anyhow!("the file of photo {photo} is not at its place"))?;
        let picture = self.decoders.look(file, &photo).await?;
        let photos = self.clone();
        blocking(move || photos.keep(&photo, size, &picture)).await?;
        self.ledger.photo_arrived(photo).await?;
        let now_ms = self.clock.now_ms();
        self.store.write_async(move |db| Ok(db.settle_photo(&photo, now_ms)?)).await
    }

    fn keep(&self, photo: &Hash, size: u64, picture: &Picture) -> Result<()> {
        if let Some(versions) = &picture.versions {
            self.blobs.keep_version(photo, Version::Small, &versions.small)?;
            self.blobs.keep_version(photo, Version::Large, &versions.large)?;
        }
        let camera = serde_json::to_string(&picture.camera).context("writing what a camera wrote")?;
        let upright = picture.looks.first();
        self.store.write(|db| -> Result<()> {
            if let Some(look) = upright {
                db.put_look(photo, &look.pieces())?;
            }
            Ok(db.keep_looks(photo, &camera, upright.map(Look::bytes))?)
        })?;
        // Behind that commit: of two photos that are looked at at once, at least one finds the other.
        self.compare(photo, &picture.looks)?;
        let now_ms = self.clock.now_ms();
        let flags = if picture.pixels.is_none() { vec![UNDECODABLE.to_owned()] } else { Vec::new() };
        let looked_at = VerifiedPhoto { size, pixels: picture.pixels, flags };
        self.store.write(|db| Ok(db.insert_photo(photo, &looked_at, now_ms)?))
    }

    /// Notes which photos that are here already look like this one, whichever way it is turned or mirrored.
    fn compare(&self, photo: &Hash, looks: &[Look]) -> Result<()> {
        let Some((upright, turned)) = looks.split_first() else { return Ok(()) };
        let mut pieces = upright.pieces_nearby();
        pieces.extend(turned.iter().flat_map(Look::pieces));
        let sharing = self.store.read(|db| -> Result<_> { Ok(db.looks_sharing(&pieces)?) })?;
        let mut alike = Vec::new();
        for (other, look) in sharing {
            let Some(look) = Look::from_bytes(&look) else { continue };
            let nearest = looks.iter().map(|of| of.distance(&look)).min().unwrap_or(u32::MAX);
            if other != *photo && nearest <= ALIKE_BITS_MAX {
                alike.push((other, u64::from(nearest)));
            }
        }
        if alike.is_empty() {
            return Ok(());
        }
        self.store.write(|db| {
            for (other, distance) in &alike {
                db.put_alike(photo, other, *distance)?;
            }
            Ok(())
        })
    }

    /// Takes up what was interrupted, and throws away parts that nobody came back for.
    ///
    /// # Errors
    /// The server's own.
    pub async fn sweep(&self) -> Result<()> {
        let waiting = self.store.read_async(move |db| -> Result<_> { Ok(db.unsettled_photos(SWEEP_MAX)?) }).await?;
        for (photo, size) in waiting {
            if let Err(error) = self.settle(photo, size).await {
                tracing::error!(%photo, error = %causes(&error), "a photo could not be settled; the sweep tries again");
            }
        }
        self.ledger.sweep_photos().await?;
        let now_ms = self.clock.now_ms();
        for part in self.store.read_async(move |db| -> Result<_> { Ok(db.expired_uploads(now_ms)?) }).await? {
            self.forget(part).await?;
        }
        Ok(())
    }
}

/// An error with its causes, on one line.
pub fn causes(error: &Error) -> String {
    match error {
        Error::Internal(cause) => format!("{cause:#}"),
        Error::Refused { .. } | Error::Faults(_) => error.to_string(),
    }
}
