//! Getting an installation back from a backup: verified first, into a place that is empty, and in a new epoch.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::ids::{EntityId, EpochId, LogId, OpId};
use serde::Serialize;
use sync_core::line;

use super::folder::{self, at};
use super::manifest::{LogCopy, Manifest};
use super::{BackupError, Step, Watch, logs, photos};
use crate::clock::Clock;
use crate::services::acknowledged;
use crate::services::acts::{self, Act};
use crate::services::blobs::{self, Blobs, Version, hash_file};
use crate::services::bucket::BucketAt;
use crate::services::ledger::{Ledger, NewEpoch};
use crate::services::signer;
use crate::store::{Db, Store};

/// The file that stands in a data folder while a restore into it is not complete.
pub const UNFINISHED: &str = "restore-unfinished";

/// What to restore, and where to.
#[derive(Debug, Clone)]
pub struct Restore {
    /// The backup's folder.
    pub backup: PathBuf,
    /// The new data folder.
    pub data: PathBuf,
    /// The new database's address.
    pub database: String,
    /// Where whole photos go, if not into the data folder.
    pub photos: Option<BucketAt>,
    /// The lost server's `signed` folder, if it survived: it tells how far the logs had gone.
    pub signed: Option<PathBuf>,
}

/// A log after a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoredLog {
    /// The log.
    pub log: LogId,
    /// The epoch that ended.
    pub old_epoch: EpochId,
    /// The epoch that it goes on in.
    pub epoch: EpochId,
    /// The last revision kept.
    pub kept_rev: u64,
    /// How far it is known to have gone before.
    pub last_known_rev: u64,
    /// What had been taken away at the server since the backup, and is again.
    pub taken_away: Vec<LostAct>,
    /// What had been done at the server since the backup, and is lost: no phone brings it back.
    pub lost: Vec<LostAct>,
}

/// Something that was done at the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostAct {
    /// What it did: the kind of its op.
    pub kind: String,
    /// The account, phone, unit or case.
    pub entity: EntityId,
    /// Its name, or what else tells it.
    pub about: String,
}

/// Restores. The server is not started by it.
///
/// # Errors
/// See [`BackupError`]. A restore that was interrupted is begun again in another folder.
pub async fn restore(asked: &Restore, clock: &Clock, watch: Watch<'_>) -> Result<Vec<RestoredLog>, BackupError> {
    let manifest = Manifest::read(&asked.backup)?;
    must_be_empty(&asked.data)?;
    let copy = asked.backup.join(&manifest.folder);
    let wanted = verify(&asked.backup, &manifest, watch)?;

    folder::make_private(&asked.data)?;
    let unfinished = asked.data.join(UNFINISHED);
    File::create(&unfinished).and_then(|file| file.sync_all()).map_err(at(&unfinished))?;
    folder::sync_folder(&asked.data)?;
    for file in manifest.files.iter().filter(|file| file.path != "rectify.db") {
        place(&copy.join(&file.path), &asked.data.join(&file.path))?;
    }
    if let Some(signed) = &asked.signed {
        for file in fs::read_dir(signed).map_err(at(signed))? {
            let file = file.map_err(at(signed))?;
            place(&file.path(), &asked.data.join("signed").join(file.file_name()))?;
        }
    }
    let blobs = Blobs::open(&asked.data, asked.photos.as_ref()).map_err(at(&asked.data))?;
    let (backup, data) = (asked.backup.clone(), asked.data.clone());
    let put = tokio::task::spawn_blocking(move || put_photos(&backup, &data, &blobs, &wanted));
    put.await.map_err(|error| at(&asked.data)(error.into()))??;
    watch(Step::Copying);
    let scratch = asked.data.join("restoring.db");
    let store = Store::restore(&asked.database, &copy.join("rectify.db"), &scratch)?;
    let restored = begin_epochs(&store, &manifest, asked, clock).await?;
    fs::remove_file(&unfinished).map_err(at(&unfinished))?;
    folder::sync_folder(&asked.data)?;
    Ok(restored)
}

/// Reads the whole backup. Returns the photos that it holds.
fn verify(dir: &Path, manifest: &Manifest, watch: Watch<'_>) -> Result<Vec<(Hash, u64)>, BackupError> {
    let copy = dir.join(&manifest.folder);
    watch(Step::Looking);
    for written in &manifest.files {
        let place = copy.join(&written.path);
        let now = if place.exists() { Some(folder::sum(&copy, &written.path)?) } else { None };
        if now.as_ref() != Some(written) {
            return Err(BackupError::Damaged(format!("{} is not as it was written", place.display())));
        }
    }
    let mut db = Db::open_copy(&copy.join("rectify.db"))?;
    db.look_through()?;
    let found = logs::verify(&mut db, &copy, &manifest.host, watch)?;
    let heads =
        |logs: &[LogCopy]| -> Vec<_> { logs.iter().map(|log| (log.log, log.epoch, log.rev, log.root)).collect() };
    if heads(&found) != heads(&manifest.logs) {
        return Err(BackupError::Damaged("its logs are not those of its manifest".to_owned()));
    }
    let mut wanted = db.all_photos()?;
    wanted.retain(|(photo, _)| !manifest.missing.contains(photo));
    match photos::verify(dir, &wanted, watch)? {
        None => Ok(wanted),
        Some(photo) => Err(BackupError::Damaged(format!("photo {photo} is missing or was changed"))),
    }
}

fn must_be_empty(data: &Path) -> Result<(), BackupError> {
    match fs::read_dir(data) {
        Ok(mut found) => match found.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(data.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(data)(error)),
    }
}

fn place(from: &Path, to: &Path) -> Result<(), BackupError> {
    if let Some(folder) = to.parent() {
        folder::make_private(folder)?;
    }
    folder::copy_file(from, to, true).map(|_| ())
}

fn put_photos(dir: &Path, data: &Path, to: &Blobs, wanted: &[(Hash, u64)]) -> Result<(), BackupError> {
    for (photo, _) in wanted {
        for version in [Version::Original, Version::Small, Version::Large] {
            let source = blobs::place(dir, photo, version);
            if source.exists() {
                let mut file = File::open(&source).map_err(at(&source))?;
                to.put_whole(photo, version, &mut file).map_err(at(&source))?;
            }
        }
        let put = to.open_whole(photo, Version::Original).map_err(at(data))?;
        let read = put.map(|(mut file, _)| hash_file(&mut file)).transpose().map_err(at(data))?;
        if read != Some(*photo) {
            return Err(BackupError::Damaged(format!("photo {photo} was changed on its way")));
        }
    }
    folder::make_private(&data.join("photos"))?;
    folder::sync_tree(&data.join("photos"))
}

/// What the log says of its restore, before anything else is entered.
async fn begin_epochs(
    store: &Store,
    manifest: &Manifest,
    asked: &Restore,
    clock: &Clock,
) -> Result<Vec<RestoredLog>, BackupError> {
    store.write(|db| {
        db.forget_what_was_open()?;
        for photo in &manifest.missing {
            db.forget_photo(photo)?;
        }
        for copied in &manifest.logs {
            if let Some(head) = db.head(copied.log)? {
                db.set_durable(head.num, copied.covered, manifest.made_ms)?;
            }
        }
        Ok::<_, BackupError>(())
    })?;
    let ledger = Ledger::start_remembering(store.clone(), clock.clone(), &asked.data).map_err(at(&asked.data))?;
    let mut restored = Vec::new();
    for copied in &manifest.logs {
        let known = acknowledged::known(&asked.data, copied.log)?;
        let last_known_rev = known.iter().map(|last| last.head.size).max().unwrap_or(copied.rev);
        let undone = undone(store, &asked.data, copied.log)?;
        let Some(first) = ledger.recover(copied.log, known, NewEpoch::Always).await? else { continue };
        if let Some(head) = store.read(|db| db.head(copied.log))? {
            signer::bind(&asked.data, &head)?;
        }
        restored.push(RestoredLog {
            log: copied.log,
            old_epoch: copied.epoch,
            epoch: first.epoch,
            kept_rev: copied.rev,
            last_known_rev,
            taken_away: listed(&undone, true)?,
            lost: listed(&undone, false)?,
        });
    }
    Ok(restored)
}

/// What was done at the server and the log does not know of.
fn undone(store: &Store, data: &Path, log: LogId) -> Result<Vec<Act>, BackupError> {
    let mut acts = acts::read(data, log)?;
    let ops: Vec<OpId> = acts.iter().map(|act| act.op).collect();
    let known = store.read(|db| {
        let head = db.head(log)?;
        head.map_or(Ok(Vec::new()), |head| db.entries_of_ops(head.num, &ops))
    })?;
    let known: BTreeSet<OpId> = known.into_iter().map(|entry| entry.op).collect();
    acts.retain(|act| !known.contains(&act.op));
    Ok(acts)
}

fn listed(acts: &[Act], taken_away: bool) -> Result<Vec<LostAct>, BackupError> {
    let some = acts.iter().filter(|act| act.takes_away() == taken_away);
    some.map(|act| {
        let (kind, _) = line::kind_and_body(&act.body).map_err(|_| BackupError::Damaged("an act".to_owned()))?;
        Ok(LostAct { kind, entity: act.entity, about: act.about() })
    })
    .collect()
}
