//! The log signer's secret and its memory: it never signs a head that is smaller than, or does not extend, the last one
//! it signed, whatever the database says. Both are files of their own, apart from the database.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use schema::ids::{EpochId, LogId};
use schema::sync::TreeHead;
use serde::{Deserialize, Serialize};
use sync_core::log::checkpoint::{Signer, is_signer_name};

use crate::store::LogHead;

/// The last head that the signer signed for a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// In which epoch.
    pub epoch: EpochId,
    /// Size and root.
    pub head: TreeHead,
}

impl From<&LogHead> for SignedHead {
    fn from(head: &LogHead) -> Self {
        Self { epoch: head.epoch, head: TreeHead { size: head.rev, root: head.root } }
    }
}

/// The signer can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// A signer's name has no spaces and no `+`.
    #[error("{0:?} can't be a signer's name: it must not be empty nor hold spaces or `+`")]
    Name(String),
    /// The key file holds something else.
    #[error("{} does not hold 64 hex digits", .0.display())]
    Key(PathBuf),
    /// The memory of the last head can't be read: signing might fork the log.
    #[error("{} can't be read as a signed head; nothing is signed until it is restored", .0.display())]
    Memory(PathBuf),
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> SignerError {
    let path = path.to_owned();
    move |source| SignerError::File { path, source }
}

/// Reads the signer's secret from `keys/log-signer`, made at the first start.
///
/// # Errors
/// See [`SignerError`].
pub fn load(data: &Path, name: &str) -> Result<Signer, SignerError> {
    if !is_signer_name(name) {
        return Err(SignerError::Name(name.to_owned()));
    }
    let folder = data.join("keys");
    make_folder(&folder)?;
    let path = folder.join("log-signer");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_secret(&path)?,
        Err(error) => return Err(at(&path)(error)),
    };
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim(), &mut seed).map_err(|_| SignerError::Key(path))?;
    Ok(Signer::new(name, &seed))
}

fn make_secret(path: &Path) -> Result<String, SignerError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| SignerError::Random)?;
    let text = hex::encode(seed);
    replace(path, text.as_bytes())?;
    Ok(text)
}

/// The last head signed for a log; none if none ever was.
///
/// # Errors
/// See [`SignerError`].
pub fn last_head(data: &Path, log: LogId) -> Result<Option<SignedHead>, SignerError> {
    let path = memory(data, log);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| SignerError::Memory(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(&path)(error)),
    }
}

/// Remembers a head before it is signed: on the disk when this returns.
///
/// # Errors
/// See [`SignerError`].
pub fn remember(data: &Path, log: LogId, head: &SignedHead) -> Result<(), SignerError> {
    let path = memory(data, log);
    make_memory(data)?;
    let text = serde_json::to_vec(head).map_err(|_| SignerError::Memory(path.clone()))?;
    replace(&path, &text)
}

/// Binds the signer to a log as it stands, in an epoch that has just begun: what was signed in an epoch that a restore took
/// away would otherwise start another one.
///
/// # Errors
/// See [`SignerError`].
pub fn bind(data: &Path, head: &LogHead) -> Result<(), SignerError> {
    remember(data, head.log, &SignedHead::from(head))
}

/// The folder of what is remembered apart from the database.
pub fn memory_folder(data: &Path) -> PathBuf {
    data.join("signed")
}

/// Makes that folder.
///
/// # Errors
/// See [`SignerError`].
pub fn make_memory(data: &Path) -> Result<(), SignerError> {
    make_folder(&memory_folder(data))
}

fn memory(data: &Path, log: LogId) -> PathBuf {
    memory_folder(data).join(log.to_string())
}

fn make_folder(folder: &Path) -> Result<(), SignerError> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(at(folder))
}

/// Replaces a file whole: after a power cut it holds the old text or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), SignerError> {
    let fresh = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh).map_err(at(&fresh))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&fresh))?;
    fs::rename(&fresh, path).map_err(at(path))?;
    match path.parent() {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(path)),
        None => Ok(()),
    }
}
