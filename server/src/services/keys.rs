//! Secrets of the installation: files in the data folder, each made when it is first needed, for its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use sync_core::line::sha256;
use sync_core::sealed_file::ExportSecret;

use super::tokens::random;
use crate::error::Result;

/// The secret of the token signer; made now if there is none.
///
/// # Errors
/// Where it can be neither read nor made.
pub fn token_secret(data: &Path) -> Result<[u8; 32]> {
    secret(data, "token-signer")
}

/// The secret that the devices and ids of imports follow from; made now if there is none.
///
/// # Errors
/// Where it can be neither read nor made.
pub fn import_secret(data: &Path) -> Result<[u8; 32]> {
    secret(data, "import")
}

fn secret(data: &Path, name: &str) -> Result<[u8; 32]> {
    let folder = data.join("keys");
    let path = folder.join(name);
    if let Some(known) = read(&path)? {
        return Ok(known);
    }
    let fresh: [u8; 32] = random()?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    match make(&folder, &path, &fresh) {
        Ok(()) => Ok(fresh),
        // Another program was first: its key is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(read(&path)?.with_context(|| format!("{} came and went", path.display()))?)
        }
        Err(error) => Err(anyhow::Error::new(error).context(format!("making {}", path.display())).into()),
    }
}

/// The secret that opens files of unsent work. It follows from the token signer's, so that a backup holds both or none.
///
/// # Errors
/// Only the server's own.
pub fn export_secret(token_secret: &[u8; 32]) -> Result<ExportSecret> {
    let seed = sha256(&[b"rectify export key 1\n".as_slice(), token_secret].concat());
    Ok(ExportSecret::from_bytes(&seed.0).context("making the export key")?)
}

/// The secret that signs who pushes to browsers. It follows from the token signer's, so that the servers of one database
/// have the same: a browser takes pushes of one key.
pub fn push_secret(token_secret: &[u8; 32]) -> [u8; 32] {
    sha256(&[b"rectify push key 1\n".as_slice(), token_secret].concat()).0
}

fn read(path: &Path) -> Result<Option<[u8; 32]>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(anyhow::Error::new(error).context(format!("reading {}", path.display())).into()),
    };
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim(), &mut secret)
        .with_context(|| format!("{} does not hold 64 hex digits", path.display()))?;
    Ok(Some(secret))
}

/// Whole or absent: written beside its place, synced, then linked there, which fails if another program was first.
fn make(folder: &Path, path: &Path, secret: &[u8; 32]) -> io::Result<()> {
    let beside: PathBuf = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(hex::encode(secret).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::token_secret;

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner() {
        let data = tempfile::tempdir().unwrap();
        let first = token_secret(data.path()).unwrap();
        assert_eq!(token_secret(data.path()).unwrap(), first);
        let mode = std::fs::metadata(data.path().join("keys/token-signer")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(data.path().join("keys/token-signer"), "torn").unwrap();
        assert!(token_secret(data.path()).is_err(), "a damaged key is never replaced silently");
    }
}
