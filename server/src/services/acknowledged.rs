//! The last head whose entries were acknowledged, by log, kept beside the signer's memory and apart from the database:
//! a database that was put back to even a second ago is told by it.
//!
//! It is written after the commit and before the answer, in place, and synced once a second at most. So it is never
//! ahead of what the disk holds; it survives the end of the program exactly, and a power cut but for the last moments.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use schema::ids::LogId;
use sync_core::line::sha256;

use super::acts::{self, Act, TakenAway};
use super::signer::{self, SignedHead, SignerError};

/// How often it is synced at most.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// What the one writer of a process remembers outside the database.
#[derive(Debug)]
pub struct Memory {
    data: PathBuf,
    logs: BTreeMap<LogId, Remembered>,
    away: BTreeMap<LogId, Arc<TakenAway>>,
}

#[derive(Debug)]
struct Remembered {
    file: File,
    synced: Instant,
}

impl Memory {
    /// The memory in a data folder.
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned(), logs: BTreeMap::new(), away: BTreeMap::new() }
    }

    /// What a log must extend, where this process has not written to it yet.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn unchecked(&self, log: LogId) -> Result<Vec<SignedHead>, SignerError> {
        if self.logs.contains_key(&log) { Ok(Vec::new()) } else { known(&self.data, log) }
    }

    /// What was taken away in a log before this process first wrote to it. What it takes away itself is in the database.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn taken_away(&mut self, log: LogId) -> Result<Arc<TakenAway>, SignerError> {
        if let Some(away) = self.away.get(&log) {
            return Ok(Arc::clone(away));
        }
        let away: Arc<TakenAway> = Arc::new(acts::read(&self.data, log)?.into_iter().collect());
        self.away.insert(log, Arc::clone(&away));
        Ok(away)
    }

    /// Remembers what is about to be done at the server: on the disk when this returns.
    ///
    /// # Errors
    /// See [`SignerError`].
    pub fn keep_acts(&self, log: LogId, acts: &[Act]) -> Result<(), SignerError> {
        acts::remember(&self.data, log, acts)
    }

    /// Remembers a head whose commit is on the disk. Another process may have gone further meanwhile.
    ///
    /// # Errors
    /// The file's.
    pub fn acknowledge(&mut self, log: LogId, head: &SignedHead) -> Result<(), SignerError> {
        let path = path(&self.data, log);
        let at = |source| SignerError::File { path: path.clone(), source };
        if !self.logs.contains_key(&log) {
            signer::make_memory(&self.data)?;
            let mut open = OpenOptions::new();
            let file = open.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(at)?;
            self.logs.insert(log, Remembered { file, synced: Instant::now() });
        }
        let Some(remembered) = self.logs.get_mut(&log) else { return Ok(()) };
        let held = read(&remembered.file).map_err(at)?;
        if held.is_some_and(|held| held.epoch == head.epoch && held.head.size >= head.head.size) {
            return Ok(());
        }
        let text = serde_json::to_string(head).map_err(|_| SignerError::Memory(path.clone()))?;
        let line = format!("{text} {}\n", sha256(text.as_bytes()));
        remembered.file.write_all_at(line.as_bytes(), 0).map_err(at)?;
        if remembered.synced.elapsed() >= SYNC_EVERY {
            remembered.file.sync_data().map_err(at)?;
            remembered.synced = Instant::now();
        }
        Ok(())
    }
}

/// All that is remembered of a log outside its database: what was signed last, what was acknowledged last. Read it
/// before the database: then it can't be ahead of it by what happens meanwhile.
///
/// # Errors
/// See [`SignerError`].
pub fn known(data: &Path, log: LogId) -> Result<Vec<SignedHead>, SignerError> {
    let mut known: Vec<SignedHead> = signer::last_head(data, log)?.into_iter().collect();
    let path = path(data, log);
    match File::open(&path).and_then(|file| read(&file)) {
        Ok(Some(head)) => known.push(head),
        // Torn by a power cut: what was signed still counts.
        Ok(None) => tracing::warn!(path = %path.display(), "not to be read as an acknowledged head"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(SignerError::File { path, source }),
    }
    Ok(known)
}

/// The files in which a data folder remembers its logs, for a backup to copy.
///
/// # Errors
/// The folder's.
pub fn files(data: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    match fs::read_dir(signer::memory_folder(data)) {
        Ok(folder) => {
            for file in folder {
                found.push(file?.path());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    found.retain(|path| path.extension().is_none_or(|extension| extension != "new"));
    found.sort();
    Ok(found)
}

fn path(data: &Path, log: LogId) -> PathBuf {
    signer::memory_folder(data).join(format!("{log}.acknowledged"))
}

fn read(file: &File) -> io::Result<Option<SignedHead>> {
    let mut bytes = [0; 512];
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, u64::try_from(length).unwrap_or(u64::MAX))? {
            0 => break,
            read => length += read,
        }
    }
    let text = String::from_utf8_lossy(bytes.get(..length).unwrap_or_default());
    let Some((json, sum)) = text.lines().next().and_then(|line| line.rsplit_once(' ')) else { return Ok(None) };
    if sha256(json.as_bytes()).to_string() != sum {
        return Ok(None);
    }
    Ok(serde_json::from_str(json).ok())
}

#[cfg(test)]
mod tests {
    use schema::hash::Hash;
    use schema::ids::EpochId;
    use schema::sync::TreeHead;
    use uuid::Uuid;

    use super::*;

    fn head(epoch: u128, size: u64) -> SignedHead {
        SignedHead { epoch: EpochId(Uuid::from_u128(epoch)), head: TreeHead { size, root: Hash([7; 32]) } }
    }

    #[test]
    fn the_furthest_head_of_an_epoch_is_remembered_and_a_new_epoch_takes_its_place() {
        let data = tempfile::tempdir().unwrap();
        let log = LogId(Uuid::from_u128(1));
        assert_eq!(known(data.path(), log).unwrap(), []);
        let (mut one, mut other) = (Memory::new(data.path()), Memory::new(data.path()));
        one.acknowledge(log, &head(1, 1_000_000)).unwrap();
        other.acknowledge(log, &head(1, 1_000_001)).unwrap();
        one.acknowledge(log, &head(1, 999)).unwrap();
        assert_eq!(known(data.path(), log).unwrap(), [head(1, 1_000_001)], "the late one does not set it back");
        one.acknowledge(log, &head(2, 9)).unwrap();
        assert_eq!(known(data.path(), log).unwrap(), [head(2, 9)], "though its line is shorter");
        assert_eq!(other.unchecked(log).unwrap(), [], "a writer checks once");
        assert_eq!(Memory::new(data.path()).unchecked(log).unwrap(), [head(2, 9)]);
    }

    #[test]
    fn a_torn_memory_is_none_and_not_a_guess() {
        let data = tempfile::tempdir().unwrap();
        let log = LogId(Uuid::from_u128(1));
        Memory::new(data.path()).acknowledge(log, &head(1, 12)).unwrap();
        let path = path(data.path(), log);
        let text = fs::read_to_string(&path).unwrap().replace(":12,", ":13,");
        fs::write(&path, text).unwrap();
        assert_eq!(known(data.path(), log).unwrap(), []);
    }
}
