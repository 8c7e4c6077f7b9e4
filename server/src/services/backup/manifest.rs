//! What a backup holds: one line of JSON, and its hash on the next. It names the copy that is good.

use std::fs;
use std::io;
use std::path::Path;

use schema::hash::Hash;
use schema::ids::{EpochId, LogId};
use serde::{Deserialize, Serialize};
use sync_core::line::sha256;

use super::BackupError;
use super::folder::{self, FileSum, at};

/// The form of what is written now.
pub(super) const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its form.
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When its snapshot was taken.
    pub made_ms: u64,
    /// The signer's name.
    pub host: String,
    /// The copy's folder, beside the manifest.
    pub folder: String,
    /// The copy's files.
    pub files: Vec<FileSum>,
    /// Photos.
    pub photos: u64,
    /// Their bytes in all.
    pub photo_bytes: u64,
    /// Photos that the server had lost.
    pub missing: Vec<Hash>,
    /// The logs.
    pub logs: Vec<LogCopy>,
}

/// A log in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCopy {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision.
    pub rev: u64,
    /// The tree's root there, computed from the entries.
    pub root: Hash,
    /// Everything up to here is in the backup, photos included.
    pub covered: u64,
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// [`BackupError::None`], [`BackupError::Torn`], [`BackupError::Newer`].
    pub fn read(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join("manifest");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BackupError::None(dir.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(BackupError::Torn(path)),
            Err(error) => return Err(at(&path)(error)),
        };
        let torn = || BackupError::Torn(path.clone());
        let (json, sum) = text.split_once('\n').ok_or_else(torn)?;
        if sum.trim_end() != sha256(json.as_bytes()).to_string() {
            return Err(torn());
        }
        #[derive(Deserialize)]
        struct Made {
            format: u32,
            program: String,
        }
        let made: Made = serde_json::from_str(json).map_err(|_| torn())?;
        if made.format > FORMAT {
            return Err(BackupError::Newer(made.program));
        }
        let manifest: Self = serde_json::from_str(json).map_err(|_| torn())?;
        // It is a folder beside the manifest and nothing else.
        let is_a_name = manifest.folder.starts_with("copy-") && !manifest.folder.contains('/');
        if is_a_name { Ok(manifest) } else { Err(torn()) }
    }

    /// Puts it in force, durably: the copy that it names is the backup from here on.
    pub(super) fn write(&self, dir: &Path) -> Result<(), BackupError> {
        let json = serde_json::to_string(self).map_err(|_| BackupError::Torn(dir.join("manifest")))?;
        let text = format!("{json}\n{}\n", sha256(json.as_bytes()));
        folder::replace(&dir.join("manifest"), text.as_bytes())?;
        folder::sync_folder(dir)
    }
}
