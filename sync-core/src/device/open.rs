//! Opening the store: the checks that must come first, the settings, the steps from older versions, and the marker
//! that tells a copied or restored store from the one that this phone has always had.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use schema::device::{APPLICATION_ID, STEPS};

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::sqlite::Sqlite;
use super::store::logs;
use super::tables::rows::Meta;
use super::tables::{self, values};
use super::{outbox, wipe};

/// The oldest SQLite without the bug that damages a log-mode database under two connections.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// The files of a home.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
}

impl Home {
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("phone.db")
    }
    pub(crate) fn photos(&self) -> PathBuf {
        self.folder.join("photos")
    }
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("phone.lock")
    }
    pub(crate) fn marker(&self) -> PathBuf {
        self.folder.join("install.marker")
    }
}

/// Opens or makes the store.
pub(crate) fn open(folder: &Path, entropy: &mut dyn Entropy) -> Result<(Sqlite, Home, File), PhoneError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(PhoneError::OldSqlite(rusqlite::version().to_owned()));
    }
    let home = Home { folder: folder.to_path_buf() };
    wipe::go_on(&home)?;
    refuse_untouched(&home.database())?;
    make_folder(&home.folder)?;
    make_folder(&home.photos())?;
    let in_use = sweep(&home)?;
    // Another program may have wiped it while this one waited for the lock.
    wipe::go_on(&home)?;
    let mut db = connect(&home)?;
    migrate(&mut db, &home)?;
    let db = Sqlite::new(db);
    mark(&db, &home, entropy)?;
    Ok((db, home, in_use))
}

/// Reads the file's own header before SQLite does: a file that is not ours, or newer, is left exactly as it is.
fn refuse_untouched(database: &Path) -> Result<(), PhoneError> {
    let mut header = [0; 100];
    let whole = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    if whole.is_err() {
        return match fs::metadata(database) {
            Ok(file) if file.len() > 0 => Err(PhoneError::NotOurs(database.to_path_buf())),
            Ok(_) | Err(_) => Ok(()),
        };
    }
    let number = |at: usize| {
        let bytes = header.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, i32::from_be_bytes)
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(PhoneError::NotOurs(database.to_path_buf()));
    }
    check_numbers(number(68), number(60), database)
}

/// `0, 0` is a file that was made and not yet given its first version.
fn check_numbers(application: i32, version: i32, database: &Path) -> Result<(), PhoneError> {
    let known = newest();
    match (application, version) {
        (0, 0) => Ok(()),
        (APPLICATION_ID, found) if found > known => Err(PhoneError::TooNew { found, known }),
        (APPLICATION_ID, _) => Ok(()),
        _ => Err(PhoneError::NotOurs(database.to_path_buf())),
    }
}

fn newest() -> i32 {
    i32::try_from(STEPS.len()).unwrap_or(i32::MAX)
}

fn make_folder(folder: &Path) -> Result<(), PhoneError> {
    fs::create_dir_all(folder).map_err(PhoneError::file(folder))?;
    private(folder, 0o700)
}

/// Keys, tokens and people's data are in there: nobody else on the machine may read it.
#[cfg(unix)]
fn private(path: &Path, mode: u32) -> Result<(), PhoneError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(PhoneError::file(path))
}

#[cfg(not(unix))]
fn private(_: &Path, _: u32) -> Result<(), PhoneError> {
    Ok(())
}

fn connect(home: &Home) -> Result<Connection, PhoneError> {
    let path = home.database();
    // Made with its permissions: SQLite gives its log and index the same.
    OpenOptions::new().create(true).append(true).open(&path).map_err(PhoneError::file(&path))?;
    private(&path, 0o600)?;
    let db = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    let number = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0));
    check_numbers(number("application_id")?, number("user_version")?, &path)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1;
         PRAGMA checkpoint_fullfsync = 1; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864;
         PRAGMA secure_delete = ON; PRAGMA cache_size = -8192;",
    )?;
    Ok(db)
}

/// All steps that are missing, in one transaction: a crash in between leaves the old version whole.
fn migrate(db: &mut Connection, home: &Home) -> Result<(), PhoneError> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i32 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i32 = change.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    check_numbers(application, found, &home.database())?;
    let done = usize::try_from(found).unwrap_or(0);
    if done >= STEPS.len() {
        return Ok(());
    }
    for step in STEPS.iter().skip(done) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "application_id", APPLICATION_ID)?;
    change.pragma_update(None, "user_version", newest())?;
    change.commit()?;
    Ok(())
}

/// The marker file holds the same random bytes as the store and has the inode that the store remembers. Another phone's
/// database, a copied folder and a restored one do not: they take a new incarnation, so that nothing they make can be
/// taken for something that was sent before.
fn mark(db: &Sqlite, home: &Home, entropy: &mut dyn Entropy) -> Result<(), PhoneError> {
    let change = tables::write(db)?;
    let held: Option<Meta> = tables::get(&*change, values!(1_i64))?;
    let found = read_marker(home);
    if let (Some(held), Some(found)) = (&held, &found)
        && held.install == found.install
        && held.marker_inode == found.inode
    {
        return Ok(());
    }
    let install: [u8; 16] = draw(entropy)?;
    let marker_inode = write_marker(home, &install)?;
    let meta = held.unwrap_or_else(|| Meta::new(install, marker_inode));
    tables::put(&*change, &Meta { install: install.to_vec(), marker_inode, ..meta })?;
    for log in logs(&*change)? {
        outbox::renumber(&*change, log.id, entropy)?;
    }
    change.commit()
}

/// Moves what is in the database's log into its file, and leaves nothing in the log.
pub(crate) fn empty_log(home: &Home) -> Result<(), PhoneError> {
    let db = Connection::open_with_flags(home.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

struct Marker {
    install: Vec<u8>,
    inode: i64,
}

fn read_marker(home: &Home) -> Option<Marker> {
    let install = hex::decode(fs::read_to_string(home.marker()).ok()?.trim()).ok()?;
    Some(Marker { install, inode: inode(&home.marker())? })
}

fn write_marker(home: &Home, install: &[u8; 16]) -> Result<i64, PhoneError> {
    let path = home.marker();
    let failed = |error| PhoneError::file(&path)(error);
    let mut file = File::create(&path).map_err(failed)?;
    file.write_all(hex::encode(install).as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    sync_folder(&home.folder)?;
    Ok(inode(&path).unwrap_or(0))
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    // The bits, not the number: an inode may use all 64.
    fs::metadata(path).ok().map(|file| i64::from_be_bytes(file.ino().to_be_bytes()))
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<i64> {
    Some(0)
}

/// A new name in a folder survives a power cut only once the folder itself is written.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), PhoneError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(PhoneError::file(folder))
}

/// Removes what captures that never ended left behind: files still under their temporary name. Only where no other
/// program has the home open, whose capture may be under way. The lock that is returned says that this one has.
fn sweep(home: &Home) -> Result<File, PhoneError> {
    let path = home.lock();
    let failed = |error| PhoneError::file(&path)(error);
    let lock = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    if lock.try_lock().is_ok() {
        let entries = fs::read_dir(home.photos()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")) {
            // A file that can't be removed costs a little space and nothing else.
            let _ = fs::remove_file(entry.path());
        }
        lock.unlock().map_err(failed)?;
    }
    lock.lock_shared().map_err(failed)?;
    Ok(lock)
}
