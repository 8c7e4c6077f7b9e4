//! Files of a backup: copied, synced, summed, replaced whole. It does not know what they say.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use schema::hash::Hash;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::BackupError;
use crate::services::blobs::{CHUNK_BYTES, hash_file};

/// A file of a copy, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its path in the copy's folder.
    pub path: String,
    /// Its size.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}

/// Keys and personal values lie in it: it is for its owner only.
pub(super) fn make_private(folder: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))
}

pub(super) fn lock_file(dir: &Path) -> Result<File, BackupError> {
    let path = dir.join("lock");
    OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path).map_err(at(&path))
}

/// Copies that no manifest names: what an interrupted backup left, and the one before the last.
pub(super) fn remove_unfinished(dir: &Path, keep: Option<&str>) -> Result<(), BackupError> {
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let entry = entry.map_err(at(dir))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("copy-") && Some(name.as_ref()) != keep {
            fs::remove_dir_all(entry.path()).map_err(at(&entry.path()))?;
        }
    }
    Ok(())
}

/// Copies these files of a folder, as far as they are there.
pub(super) fn copy_all(from: &Path, to: &Path, names: &[&str]) -> Result<Vec<FileSum>, BackupError> {
    let mut sums = Vec::new();
    for name in names {
        let path = from.join(name);
        if path.exists() {
            copy_into(&path, to, &mut sums)?;
        }
    }
    Ok(sums)
}

/// Copies a file into a folder of the copy, under its own name.
pub(super) fn copy_into(file: &Path, folder: &Path, sums: &mut Vec<FileSum>) -> Result<(), BackupError> {
    make_private(folder)?;
    let name = file.file_name().unwrap_or_default();
    let place = folder.join(name);
    copy_file(file, &place, true)?;
    if let (Some(copy), Some(below)) = (folder.parent(), folder.file_name()) {
        sums.push(sum(copy, &format!("{}/{}", below.to_string_lossy(), name.to_string_lossy()))?);
    }
    Ok(())
}

/// Copies a file to its place, whole or not at all. Says the hash of what was read.
pub(super) fn copy_file(from: &Path, to: &Path, durably: bool) -> Result<Hash, BackupError> {
    copy_open(&mut File::open(from).map_err(at(from))?, to, durably)
}

/// As [`copy_file`], from a file that is open.
pub(super) fn copy_open(source: &mut File, to: &Path, durably: bool) -> Result<Hash, BackupError> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let mut open = OpenOptions::new();
    let mut target = open.create(true).write(true).truncate(true).mode(0o600).open(beside).map_err(at(beside))?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = source.read(&mut chunk).map_err(at(to))?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        target.write_all(bytes).map_err(at(beside))?;
    }
    if durably {
        target.sync_all().map_err(at(beside))?;
    }
    fs::rename(beside, to).map_err(at(to))?;
    Ok(Hash(hasher.finalize().into()))
}

/// Replaces a file whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let beside = path.with_extension("new");
    let mut open = OpenOptions::new();
    let mut file = open.create(true).write(true).truncate(true).mode(0o600).open(&beside).map_err(at(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&beside))?;
    fs::rename(&beside, path).map_err(at(path))
}

/// The sum of a file of a copy, read back.
pub(super) fn sum(copy: &Path, path: &str) -> Result<FileSum, BackupError> {
    let place = copy.join(path);
    let mut file = File::open(&place).map_err(at(&place))?;
    let sha256 = hash_file(&mut file).map_err(at(&place))?;
    let size = file.metadata().map_err(at(&place))?.len();
    Ok(FileSum { path: path.to_owned(), size, sha256 })
}

/// Makes the names in a folder and below durable.
pub(super) fn sync_tree(folder: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        if entry.file_type().map_err(at(folder))?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}
