//! Files of photos: where they stand, in the data folder or in a bucket, and in which order they become durable. It knows
//! no database: a photo's row is committed by the caller, after its file. Parts are always in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::ids::DeviceId;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::bucket::{Bucket, BucketAt};
use super::pictures::{LARGE_PX, SMALL_PX};

/// How much of a file is in memory at a time.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// Whole photos, and what is on its way.
#[derive(Debug, Clone)]
pub struct Blobs {
    data: PathBuf,
    uploads: PathBuf,
    /// Where whole photos are, if not in the data folder.
    bucket: Option<Bucket>,
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

/// The name of a photo's file: made of nothing but its hash.
fn name(photo: &Hash, version: Version) -> String {
    let hash = photo.to_string();
    let below = hash.get(..2).unwrap_or_default();
    match version {
        Version::Original => format!("photos/{below}/{hash}"),
        Version::Small => format!("photos/{below}/{hash}.{SMALL_PX}.jpg"),
        Version::Large => format!("photos/{below}/{hash}.{LARGE_PX}.jpg"),
    }
}

/// Where a whole photo stands in a data folder or a backup.
pub fn place(folder: &Path, photo: &Hash, version: Version) -> PathBuf {
    folder.join(name(photo, version))
}

impl Blobs {
    /// The folders of a data folder, made where they are missing; whole photos in a bucket, if there is one. To be called
    /// on the runtime that lives as long as the program.
    ///
    /// # Errors
    /// Where that fails; a bucket's address that is none.
    pub fn open(data: &Path, bucket: Option<&BucketAt>) -> io::Result<Self> {
        let bucket = bucket.map(Bucket::open).transpose()?;
        let blobs = Self { data: data.to_owned(), uploads: data.join("uploads"), bucket };
        fs::create_dir_all(data.join("photos"))?;
        fs::create_dir_all(&blobs.uploads)?;
        sync_folder(data)?;
        Ok(blobs)
    }

    /// The bucket that whole photos are in; none where they are in the data folder.
    pub fn bucket(&self) -> Option<&Bucket> {
        self.bucket.as_ref()
    }

    /// A whole photo's file for reading, and its size; none if it is not here. Out of a bucket it comes whole first.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open_whole(&self, photo: &Hash, version: Version) -> io::Result<Option<(File, u64)>> {
        if let Some(bucket) = &self.bucket {
            let mut file = tempfile::tempfile_in(&self.uploads)?;
            let Some(size) = bucket.fetch(&name(photo, version), &mut file)? else { return Ok(None) };
            file.seek(SeekFrom::Start(0))?;
            return Ok(Some((file, size)));
        }
        match File::open(place(&self.data, photo, version)) {
            Ok(file) => {
                let size = file.metadata()?.len();
                Ok(Some((file, size)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
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
        let Some((mut file, size)) = self.open_whole(photo, Version::Original)? else { return Ok(None) };
        if hash_file(&mut file)? != *photo {
            return Ok(None);
        }
        if self.bucket.is_none() {
            // Whoever put it there may have been stopped before it was durable.
            file.sync_all()?;
            sync_folder(self.below(photo).as_path())?;
        }
        Ok(Some(size))
    }

    /// Makes a part a photo, durably: the file is synced already; rename, then sync the folders.
    ///
    /// # Errors
    /// Where that fails; the part then still stands.
    pub fn keep(&self, photo: &Hash, device: DeviceId) -> io::Result<()> {
        let part = self.part(photo, device);
        if let Some(bucket) = &self.bucket {
            bucket.put_file(&name(photo, Version::Original), &mut File::open(&part)?)?;
            return self.discard(photo, device);
        }
        let folder = self.below(photo);
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            sync_folder(&self.data.join("photos"))?;
        }
        fs::rename(part, place(&self.data, photo, Version::Original))?;
        sync_folder(&folder)
    }

    /// Puts a whole file at its place. The names of folders are the caller's to sync.
    ///
    /// # Errors
    /// Where that fails.
    pub fn put_whole(&self, photo: &Hash, version: Version, from: &mut File) -> io::Result<()> {
        if let Some(bucket) = &self.bucket {
            return bucket.put_file(&name(photo, version), from);
        }
        let place = place(&self.data, photo, version);
        fs::create_dir_all(self.below(photo))?;
        let mut beside = self.beside(photo)?;
        io::copy(from, &mut beside)?;
        beside.as_file().sync_all()?;
        beside.persist(place).map(drop).map_err(|error| error.error)
    }

    /// Writes a small version. It can be made again at any time, so it is whole or absent, but not synced.
    ///
    /// # Errors
    /// Where that fails.
    pub fn keep_version(&self, photo: &Hash, version: Version, bytes: &[u8]) -> io::Result<()> {
        if let Some(bucket) = &self.bucket {
            return bucket.put(&name(photo, version), bytes.to_vec());
        }
        let place = place(&self.data, photo, version);
        fs::create_dir_all(self.below(photo))?;
        let mut beside = self.beside(photo)?;
        beside.write_all(bytes)?;
        beside.persist(place).map(drop).map_err(|error| error.error)
    }

    /// A file to write before it takes its place: of whoever writes alone, since two may write the same photo.
    fn beside(&self, photo: &Hash) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().suffix(".new").tempfile_in(self.below(photo))
    }

    fn below(&self, photo: &Hash) -> PathBuf {
        let place = place(&self.data, photo, Version::Original);
        place.parent().unwrap_or(&self.data).to_owned()
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
