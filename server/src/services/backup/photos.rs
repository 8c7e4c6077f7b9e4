//! The photos of a backup: by hash, so that only new ones are copied, and each is as good as its name.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use schema::hash::Hash;

use super::folder::{self, at};
use super::{BackupError, Step, Watch};
use crate::services::blobs::{self, Blobs, Version, hash_file};

/// Photos after which the watcher is told.
const TELL_EVERY: u64 = 50;

/// What came of copying.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) photos: u64,
    pub(super) copied: u64,
    pub(super) bytes: u64,
    pub(super) missing: Vec<Hash>,
}

/// Copies the photos that are not there yet, and reads back.
pub(super) fn copy(
    from: &Blobs,
    dir: &Path,
    wanted: &[(Hash, u64)],
    trust_old: bool,
    watch: Watch<'_>,
) -> Result<Kept, BackupError> {
    folder::make_private(&dir.join("photos"))?;
    let all = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    let mut kept = Kept::default();
    let mut touched: Option<PathBuf> = None;
    for (done, (photo, size)) in (1_u64..).zip(wanted) {
        let place = blobs::place(dir, photo, Version::Original);
        let below = place.parent().unwrap_or(dir).to_owned();
        // They come in the order of their names: one folder after the other.
        if touched.as_ref() != Some(&below) {
            sync_done(touched.take())?;
            folder::make_private(&below)?;
        }
        let there =
            fs::metadata(&place).is_ok_and(|file| file.len() == *size) && (trust_old || is_whole(&place, photo)?);
        if !there && copy_photo(from, dir, photo, *size)? {
            kept.copied += 1;
            touched = Some(below);
        }
        if there || fs::metadata(&place).is_ok_and(|file| file.len() == *size) {
            copy_versions(from, dir, photo)?;
            kept.photos += 1;
            kept.bytes += size;
        } else {
            kept.missing.push(*photo);
        }
        if done % TELL_EVERY == 0 || done == all {
            watch(Step::Photos(done, all));
        }
    }
    sync_done(touched)?;
    folder::sync_folder(&dir.join("photos"))?;
    Ok(kept)
}

/// Every photo read and hashed. Says the first one that is not there or not whole.
pub(super) fn verify(dir: &Path, wanted: &[(Hash, u64)], watch: Watch<'_>) -> Result<Option<Hash>, BackupError> {
    let all = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    for (done, (photo, _)) in (1_u64..).zip(wanted) {
        if !is_whole(&blobs::place(dir, photo, Version::Original), photo)? {
            return Ok(Some(*photo));
        }
        if done % TELL_EVERY == 0 || done == all {
            watch(Step::Photos(done, all));
        }
    }
    Ok(None)
}

/// Whether the copy has the hash that it is named by. A file that the server has lost, or that was changed there, is
/// no copy, and takes the place of none.
fn copy_photo(from: &Blobs, dir: &Path, photo: &Hash, size: u64) -> Result<bool, BackupError> {
    let place = blobs::place(dir, photo, Version::Original);
    let Some((mut source, length)) = from.open_whole(photo, Version::Original).map_err(at(&place))? else {
        return Ok(false);
    };
    if length != size || hash_file(&mut source).map_err(at(&place))? != *photo {
        return Ok(false);
    }
    source.seek(SeekFrom::Start(0)).map_err(at(&place))?;
    folder::copy_open(&mut source, &place, true)?;
    is_whole(&place, photo)
}

/// Small versions can be made again, so they are copied without being synced, where they differ in size. Each question
/// to a bucket costs a journey: what was copied out of it once is taken as it is.
fn copy_versions(from: &Blobs, dir: &Path, photo: &Hash) -> Result<(), BackupError> {
    for version in [Version::Small, Version::Large] {
        let place = blobs::place(dir, photo, version);
        let there = fs::metadata(&place).map_or(0, |file| file.len());
        if there > 0 && from.bucket().is_some() {
            continue;
        }
        let Some((mut source, size)) = from.open_whole(photo, version).map_err(at(&place))? else { continue };
        if there != size {
            folder::copy_open(&mut source, &place, false)?;
        }
    }
    Ok(())
}

pub(super) fn is_whole(place: &Path, photo: &Hash) -> Result<bool, BackupError> {
    match File::open(place) {
        Ok(mut file) => Ok(hash_file(&mut file).map_err(at(place))? == *photo),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(place)(error)),
    }
}

fn sync_done(folder: Option<PathBuf>) -> Result<(), BackupError> {
    folder.map_or(Ok(()), |folder| folder::sync_folder(&folder))
}
