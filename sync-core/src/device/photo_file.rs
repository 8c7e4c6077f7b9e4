//! Taking a photo's bytes into the phone: hashed while they are copied, on the medium before anything names them.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::limits::PHOTO_BYTES_MAX;
use schema::op::{EvidenceRole, PhotoClaim, Taken};
use sha2::{Digest, Sha256};

use super::capture::HeldPhoto;
use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::open::{Home, sync_folder};

/// A photo to capture with an op.
#[derive(Debug, Clone)]
pub struct PhotoFile {
    /// Where its bytes are.
    pub source: PhotoSource,
    /// What it shows.
    pub role: EvidenceRole,
    /// How it was taken.
    pub taken: Taken,
}

/// Where a photo's bytes are.
#[derive(Debug, Clone)]
pub enum PhotoSource {
    /// In a file, which is left as it is.
    Path(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
}

impl PhotoSource {
    fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        }
    }
}

/// Copies the bytes exactly: temporary file, fsync, rename to the hash, fsync of the folder.
pub(crate) fn take_in(home: &Home, photo: &PhotoFile, entropy: &mut dyn Entropy) -> Result<HeldPhoto, PhoneError> {
    let name: [u8; 8] = draw(entropy)?;
    let temporary = home.photos().join(format!("{}.tmp", hex::encode(name)));
    let copied = copy(photo, &temporary).and_then(|(sha256, size)| {
        let place = place(home, &sha256);
        fs::rename(&temporary, &place).map_err(PhoneError::file(&place))?;
        sync_folder(&home.photos())?;
        Ok((sha256, size))
    });
    if copied.is_err() {
        // What can't be removed now is swept at the next start.
        let _ = fs::remove_file(&temporary);
    }
    let (sha256, size) = copied?;
    let origin = match &photo.source {
        PhotoSource::Path(path) => Some(path.display().to_string()),
        PhotoSource::Bytes(_) => None,
    };
    Ok(HeldPhoto { claim: PhotoClaim { sha256, size, role: photo.role, taken: photo.taken }, origin })
}

/// Where a photo's file stands.
pub(crate) fn place(home: &Home, sha256: &Hash) -> PathBuf {
    home.photos().join(sha256.to_string())
}

/// Whether a file has the bytes that its hash says.
pub(crate) fn is_whole(path: &Path, sha256: &Hash) -> bool {
    let mut hasher = Sha256::new();
    let read = File::open(path).and_then(|mut file| {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let read = file.read(&mut chunk)?;
            match chunk.get(..read).filter(|bytes| !bytes.is_empty()) {
                Some(bytes) => hasher.update(bytes),
                None => return Ok(()),
            }
        }
    });
    read.is_ok() && Hash(hasher.finalize().into()) == *sha256
}

fn copy(photo: &PhotoFile, to: &Path) -> Result<(Hash, u64), PhoneError> {
    match &photo.source {
        PhotoSource::Bytes(bytes) => copy_from(&mut bytes.as_slice(), &photo.source, to),
        PhotoSource::Path(path) => {
            let unreadable = |error: io::Error| PhoneError::Photo { path: photo.source.name(), why: error.to_string() };
            let mut file = File::open(path).map_err(unreadable)?;
            copy_from(&mut file, &photo.source, to)
        }
    }
}

fn copy_from(from: &mut dyn Read, source: &PhotoSource, to: &Path) -> Result<(Hash, u64), PhoneError> {
    let unreadable = |why: String| PhoneError::Photo { path: source.name(), why };
    let mut file = File::create(to).map_err(PhoneError::file(to))?;
    let (mut hasher, mut size) = (Sha256::new(), 0_u64);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut chunk).map_err(|error| unreadable(error.to_string()))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if size > PHOTO_BYTES_MAX {
            return Err(PhoneError::TooLarge { what: "the photo", bytes: size, bytes_max: PHOTO_BYTES_MAX });
        }
        hasher.update(bytes);
        file.write_all(bytes).map_err(PhoneError::file(to))?;
    }
    if size == 0 {
        return Err(unreadable("it is empty".into()));
    }
    file.sync_all().map_err(PhoneError::file(to))?;
    Ok((Hash(hasher.finalize().into()), size))
}
