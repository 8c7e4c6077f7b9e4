//! Files of photos in the data folder: where they stand and in which order they become durable. It knows no
//! database: a photo's row is committed by the caller, after its file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::ids::DeviceId;
use sha2::{Digest, Sha256};

use super::pictures::{LARGE_PX, SMALL_PX};

/// How much of a file is in memory at a time.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// The folders of whole photos and of what is on its way.
#[derive(Debug, Clone)]
pub struct Blobs {
    photos: PathBuf,
    uploads: PathBuf,
}

/// Which file of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// As it was sent: sealed evidence.
    Original,
    /// For lists.
    Small,
    /// For pages.
    Large,
}

impl Blobs {
    /// The folders below a place, made or not.
    pub fn at(place: &Path) -> Self {
        Self { photos: place.join("photos"), uploads: place.join("uploads") }
    }

    /// Makes the folders where they are missing.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open(data: &Path) -> io::Result<Self> {
        let blobs = Self::at(data);
        fs::create_dir_all(&blobs.photos)?;
        fs::create_dir_all(&blobs.uploads)?;
        sync_folder(data)?;
        Ok(blobs)
    }

    /// Where a whole photo stands. The name is made of nothing but its hash.
    pub fn place(&self, photo: &Hash, version: Version) -> PathBuf {
        let name = photo.to_string();
        let folder = self.photos.join(name.get(..2).unwrap_or_default());
        match version {
            Version::Original => folder.join(name),
            Version::Small => folder.join(format!("{name}.{SMALL_PX}.jpg")),
            Version::Large => folder.join(format!("{name}.{LARGE_PX}.jpg")),
        }
    }

    /// Where the part stands that a device has sent so far: no device can spoil another's part.
    pub fn part(&self, photo: &Hash, device: DeviceId) -> PathBuf {
        self.uploads.join(format!("{photo}.{device}.part"))
    }

    /// Opens a part for writing behind `offset`; what stands there already was never promised and is cut off. None if
    /// fewer bytes are there than were promised.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open_part(&self, photo: &Hash, device: DeviceId, offset: u64) -> io::Result<Option<File>> {
        let path = self.part(photo, device);
        let is_new = !path.exists();
        if is_new && offset > 0 {
            return Ok(None);
        }
        let mut file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path)?;
        if is_new {
            // An offset will be promised for it: then its name must survive too.
            sync_folder(&self.uploads)?;
        }
        let length = file.metadata()?.len();
        if length < offset {
            return Ok(None);
        }
        if length > offset {
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(Some(file))
    }

    /// The size of a photo's file, if it stands at its place with the right hash.
    ///
    /// # Errors
    /// Where reading it fails.
    pub fn size_of_whole(&self, photo: &Hash) -> io::Result<Option<u64>> {
        let place = self.place(photo, Version::Original);
        let mut file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if hash_file(&mut file)? != *photo {
            return Ok(None);
        }
        // Whoever put it there may have been stopped before it was durable.
        file.sync_all()?;
        sync_folder(place.parent().unwrap_or(&self.photos))?;
        Ok(Some(file.metadata()?.len()))
    }

    /// Makes a part a photo, durably: the file is synced already; rename, then sync the folders.
    ///
    /// # Errors
    /// Where that fails; the part then still stands.
    pub fn keep(&self, photo: &Hash, device: DeviceId) -> io::Result<()> {
        let place = self.place(photo, Version::Original);
        let folder = place.parent().unwrap_or(&self.photos);
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.photos)?;
        }
        fs::rename(self.part(photo, device), &place)?;
        sync_folder(folder)
    }

    /// Writes a small version. It can be made again at any time, so it is whole or absent, but not synced.
    ///
    /// # Errors
    /// Where that fails.
    pub fn keep_version(&self, photo: &Hash, version: Version, bytes: &[u8]) -> io::Result<()> {
        let place = self.place(photo, version);
        let folder = place.parent().unwrap_or(&self.photos);
        fs::create_dir_all(folder)?;
        let beside = place.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        fs::rename(beside, place)
    }

    /// Removes a part; one that is gone already is fine.
    ///
    /// # Errors
    /// Where that fails.
    pub fn discard(&self, photo: &Hash, device: DeviceId) -> io::Result<()> {
        match fs::remove_file(self.part(photo, device)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The hash of a file from its beginning, read in chunks.
///
/// # Errors
/// Where reading fails.
pub fn hash_file(file: &mut File) -> io::Result<Hash> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        match chunk.get(..read) {
            Some(bytes) if read > 0 => hasher.update(bytes),
            _ => return Ok(Hash(hasher.finalize().into())),
        }
    }
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
