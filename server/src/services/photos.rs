//! Photos that are here: custody first, then looking at them, then telling every case that names them. Whatever is
//! interrupted, the sweep finishes.

use std::path::PathBuf;

use anyhow::Context;
use schema::hash::Hash;
use schema::ids::DeviceId;
use schema::photo::{Have, HaveAnswer, PhotoState};
use sync_core::context::VerifiedPhoto;
use tokio::runtime::Handle;

use super::blobs::{Blobs, Version};
use super::ledger::Ledger;
use super::ledger::PHOTO_USED_BEFORE;
use super::pictures::{Decoders, Picture, UNDECODABLE};
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

    /// Which of these are here, and how much of the others this device has sent.
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
                    if db.received_photo(photo)?.is_some() {
                        photos.push(PhotoState::Verified);
                        continue;
                    }
                    let upload = device.map(|device| db.upload(photo, device)).transpose()?.flatten();
                    photos.push(match upload {
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
    pub async fn file(&self, photo: Hash, version: Version) -> Result<(PathBuf, u64)> {
        let place = self.blobs.place(&photo, version);
        let looked = place.clone();
        let found = blocking(move || Ok(std::fs::metadata(looked).ok().map(|file| file.len()))).await?;
        found.map(|length| (place, length)).ok_or_else(|| Error::refused(schema::problem::ProblemCode::NotFound))
    }

    /// Promises what is synced of an upload.
    pub(super) async fn promise(&self, photo: Hash, device: DeviceId, offset: u64) -> Result<()> {
        self.store.write_async(move |db| Ok(db.set_upload_offset(&photo, device, offset)?)).await
    }

    /// Takes custody of a photo whose file is durable, and has it looked at after the answer.
    pub(super) async fn take(&self, photo: Hash, device: DeviceId, size: u64) -> Result<()> {
        let now_ms = self.clock.now_ms();
        self.store.write_async(move |db| -> Result<_> { Ok(db.receive_photo(&photo, device, size, now_ms)?) }).await?;
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
        let picture = self.decoders.look(&self.blobs.place(&photo, Version::Original)).await?;
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
        let now_ms = self.clock.now_ms();
        self.store.write(|db| {
            let mut flags = Vec::new();
            if picture.pixels.is_none() {
                flags.push(UNDECODABLE.to_owned());
            }
            if db.cases_naming(photo)? > 1 {
                flags.push(PHOTO_USED_BEFORE.to_owned());
            }
            db.keep_looks(photo, &camera, picture.perceptual.as_deref())?;
            let looked_at = VerifiedPhoto { size, pixels: picture.pixels, flags };
            Ok(db.insert_photo(photo, &looked_at, now_ms)?)
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
        let photos = self.clone();
        blocking(move || {
            for part in photos.store.read(|db| db.expired_uploads(photos.clock.now_ms()))? {
                photos.store.write(|db| db.forget_upload(&part.photo, part.device))?;
                photos.blobs.discard(&part.photo, part.device)?;
            }
            Ok(())
        })
        .await
    }
}

/// An error with its causes, on one line.
pub fn causes(error: &Error) -> String {
    match error {
        Error::Internal(cause) => format!("{cause:#}"),
        Error::Refused { .. } | Error::Faults(_) => error.to_string(),
    }
}
