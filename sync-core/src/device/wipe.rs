//! The end of a phone that was shut out. Once the server has all that only this phone held, it deletes what it knows:
//! cases, values, photos, keys, tokens. A note stays, with the newest checkpoints that it had verified, for the phone was
//! a witness. The note comes first and is durable: whatever is interrupted behind it goes on at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use schema::ids::{DeviceId, LogId};
use schema::op::Captured;
use serde::{Deserialize, Serialize};

use super::error::PhoneError;
use super::open::{Home, sync_folder};
use super::phone::Phone;
use super::store::identity;
use super::tables::memory::MemoryTables;

/// What is left of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiped {
    /// What happened, for whoever finds it.
    pub sentence: String,
    /// The phone's wall clock then, in ms.
    pub wall_ms: i64,
    /// The device.
    pub device: DeviceId,
    /// Its user.
    pub name: String,
    /// Its server.
    pub server: String,
    /// The newest checkpoint of each log that it had verified.
    pub checkpoints: Vec<(LogId, String)>,
}

/// What came of wanting to wipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiping {
    /// It is done.
    Done,
    /// Something is on this phone only.
    HoldsSomething,
    /// The server rewrote its history, and this phone can show it.
    Witness,
    /// Another program has the store open.
    InUse,
}

fn note(folder: &Path) -> PathBuf {
    folder.join("wiped.json")
}

/// What is left of a store that was wiped; none of one that was not.
pub fn wiped(folder: &Path) -> Option<Wiped> {
    let text = fs::read_to_string(note(folder)).ok()?;
    serde_json::from_str(&text).ok()
}

/// Goes on with what was interrupted; an error for a store that was wiped.
pub(crate) fn go_on(home: &Home) -> Result<(), PhoneError> {
    if !note(&home.folder).exists() {
        return Ok(());
    }
    delete(home)?;
    let told = wiped(&home.folder).map_or_else(String::new, |wiped| wiped.name);
    Err(PhoneError::Wiped(told))
}

impl Phone {
    /// Wipes the store of a device that the server said is revoked. Nothing is decided by it but by what the tables
    /// say: what is undecided, what was not uploaded.
    ///
    /// # Errors
    /// The store's. The phone can't be used behind it, whatever came of it but [`Wiping::HoldsSomething`] and
    /// [`Wiping::Witness`].
    pub fn wipe(&mut self, now: Captured) -> Result<Wiping, PhoneError> {
        // A capture of another program between the look and the end would be lost: first be alone.
        if self.in_use.unlock().and_then(|()| self.in_use.try_lock().map_err(io::Error::from)).is_err() {
            self.in_use.lock_shared().map_err(PhoneError::file(self.home.lock()))?;
            return Ok(Wiping::InUse);
        }
        let wiping = self.wipe_alone(now);
        if !matches!(wiping, Ok(Wiping::Done)) {
            self.in_use.lock_shared().map_err(PhoneError::file(self.home.lock()))?;
        }
        wiping
    }

    fn wipe_alone(&mut self, now: Captured) -> Result<Wiping, PhoneError> {
        // A file that is gone already can't be handed in.
        let photos = self.photos_to_send()?.iter().any(|photo| self.photo_path(&photo.sha256).exists());
        if photos || self.status()?.on_this_phone > 0 {
            return Ok(Wiping::HoldsSomething);
        }
        let Some(checkpoints) = self.last_checkpoints()? else { return Ok(Wiping::Witness) };
        let identity = identity(self.db())?;
        let left = Wiped {
            sentence: "本机已被停用；服务器收齐其全部内容后，本机已自行清除。This phone was shut out; once the server had all that it held, it wiped itself.".to_owned(),
            wall_ms: now.wall_ms,
            device: identity.device,
            name: identity.account_name,
            server: identity.server,
            checkpoints,
        };
        write(&self.home.folder, &left)?;
        // Closed, so that what SQLite still holds is in the files that go.
        self.store.tables = Box::new(MemoryTables::default());
        delete(&self.home)?;
        Ok(Wiping::Done)
    }
}

fn write(folder: &Path, left: &Wiped) -> Result<(), PhoneError> {
    let (note, beside) = (note(folder), folder.join("wiped.new"));
    let failed = |error| PhoneError::file(&note)(error);
    let mut file = File::create(&beside).map_err(failed)?;
    file.write_all(&serde_json::to_vec_pretty(left)?).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&beside, &note).map_err(failed)?;
    sync_folder(folder)
}

/// Deletes everything but the note, and the folders of other people. Keys first; doing it again changes nothing.
fn delete(home: &Home) -> Result<(), PhoneError> {
    let database = home.database();
    let beside = |suffix: &str| {
        let mut name = database.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    for path in [home.folder.join("pin.json"), database.clone(), beside("-wal"), beside("-shm")] {
        overwrite(&path).map_err(PhoneError::file(&path))?;
    }
    if let Ok(photos) = fs::read_dir(home.photos()) {
        for photo in photos.flatten() {
            remove(&photo.path()).map_err(PhoneError::file(photo.path()))?;
        }
        fs::remove_dir(home.photos()).map_err(PhoneError::file(home.photos()))?;
    }
    for path in [home.marker(), home.lock()] {
        remove(&path).map_err(PhoneError::file(&path))?;
    }
    sync_folder(&home.folder)
}

/// On most media what is overwritten is gone; on flash the key under the PIN is what counts.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    io::copy(&mut io::Read::take(io::repeat(0), length), &mut file)?;
    file.sync_all()?;
    remove(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
