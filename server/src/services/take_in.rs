//! Taking in a file of unsent work that somebody carried here, because its phone can't reach the server any more. The
//! file is looked through whole before anything of it is taken. Its ops go the way of every push, on the signature of
//! the device that made them: who carries the file decides nothing.

mod lines;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use schema::entity::{Device, Entity};
use schema::export::{ExportHead, TakenIn, message};
use schema::hash::{ExportKey, Hash};
use schema::ids::{DeviceId, EntityId, LogId};
use schema::limits::EXPORT_BYTES_MAX;
use schema::op::Role;
use schema::problem::ProblemCode;
use schema::record::Outcome;
use sync_core::log::chain;
use sync_core::sealed_file::{ExportSecret, MAGIC, Opener, SealedFileError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::lines::{Item, Lines};
use super::accounts::Caller;
use super::photos::Photos;
use super::sync::{self, Carried, Logs};
use super::uploads::{Stream, blocking};
use crate::error::{Error, Result};
use crate::store::Store;

/// Files received at once: each may fill much of a disk.
const AT_ONCE: usize = 2;

/// Takes files in. Cheap to clone.
#[derive(Clone)]
pub struct TakeIn {
    logs: Logs,
    photos: Photos,
    secret: Arc<ExportSecret>,
    folder: PathBuf,
    turns: Arc<Semaphore>,
}

/// A file on its way, without a name: it goes with the program, however that ends.
pub struct Spool {
    file: File,
    bytes: u64,
    _turn: OwnedSemaphorePermit,
}

/// What was found out of a file before anything of it was taken.
struct Looked {
    head: ExportHead,
}

impl TakeIn {
    /// For the logs of an installation; files wait in its data folder.
    pub fn new(logs: Logs, photos: Photos, secret: ExportSecret, folder: PathBuf) -> Self {
        Self { logs, photos, secret: Arc::new(secret), folder, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// What phones are given.
    pub fn key(&self) -> ExportKey {
        self.secret.key()
    }

    /// Room for a file that a supervisor sends.
    ///
    /// # Errors
    /// `forbidden`, `too_many`.
    pub async fn spool(&self, caller: &Caller) -> Result<Spool> {
        if !caller.logs.iter().any(|access| supervises(caller, access.log)) {
            return Err(Error::refused(ProblemCode::Forbidden));
        }
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Error::later(ProblemCode::TooMany, 30))?;
        let folder = self.folder.clone();
        let file = blocking(move || Ok(tempfile::tempfile_in(folder)?)).await?;
        Ok(Spool { file, bytes: 0, _turn: turn })
    }

    /// Takes in what a supervisor sent.
    ///
    /// # Errors
    /// As [`TakeIn::take`].
    pub async fn take_from(&self, spool: Spool, caller: &Caller) -> Result<TakenIn> {
        let Spool { file, _turn, .. } = spool;
        self.take(file, Some(caller.clone())).await
    }

    /// Takes a file in; `caller` is none for the operator at the machine.
    ///
    /// # Errors
    /// `foreign_file`, `tampered_file`, `truncated`: then nothing of it was taken. Others may come in its middle: then it
    /// is taken in again.
    pub async fn take(&self, file: File, caller: Option<Caller>) -> Result<TakenIn> {
        let this = self.clone();
        let (looked, file) = blocking(move || Ok((this.look(&file, caller.as_ref())?, file))).await?;
        let ExportHead { device, account, name, .. } = looked.head;
        let mut taken = TakenIn { device, account, name, accepted: 0, rejected: 0, parked: 0, refused: 0, photos: 0 };
        let this = self.clone();
        let mut lines = blocking(move || this.open(&file)).await?;
        loop {
            let (back, item) = blocking(move || {
                let item = lines.item()?;
                Ok((lines, item))
            })
            .await?;
            lines = back;
            match item {
                Item::Head(_) => {}
                Item::Batch(body) => self.push(&mut taken, body).await?,
                Item::Photo(photo, bytes) => {
                    self.put_photo(device, photo, &bytes).await?;
                    taken.photos = taken.photos.saturating_add(1);
                }
                Item::End(_) => break,
            }
        }
        tracing::info!(device.id = %device, account.id = %account, ?taken, "a file of unsent work was taken in");
        Ok(taken)
    }

    async fn push(&self, taken: &mut TakenIn, body: Vec<u8>) -> Result<()> {
        let caller = sync::Caller { account: taken.account, device: taken.device, revoked: true };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        match sync::carried(&self.logs, caller, body).await? {
            Carried::Taken(outcomes) => {
                for outcome in outcomes {
                    let counted = match outcome {
                        Outcome::Accepted | Outcome::AcceptedWithConflict => &mut taken.accepted,
                        Outcome::Rejected => &mut taken.rejected,
                        Outcome::Parked => &mut taken.parked,
                    };
                    *counted = counted.saturating_add(1);
                }
            }
            Carried::Refused { ops } => taken.refused = taken.refused.saturating_add(count(ops)),
        }
        Ok(())
    }

    /// As the phone would have sent it. What it had sent of it stays; spoilt bytes begin anew, once.
    async fn put_photo(&self, device: DeviceId, photo: Hash, bytes: &[u8]) -> Result<()> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        for last in [false, true] {
            let standing = self.photos.create(photo, device, size).await?;
            if standing.expires_ms.is_none() {
                return Ok(());
            }
            let Stream::Open(mut stream) = self.photos.begin(photo, device, standing.offset, None).await? else {
                return Ok(());
            };
            let rest = usize::try_from(standing.offset).ok().and_then(|offset| bytes.get(offset..));
            stream.write(rest.unwrap_or_default()).await?;
            match stream.finish().await {
                Err(error) if !last && error.code() == ProblemCode::ChecksumMismatch => {}
                done => return done.map(|_| ()),
            }
        }
        Ok(())
    }

    /// The lines of a file from its beginning, opened if it is sealed.
    fn open(&self, file: &File) -> Result<Lines> {
        let mut file = file.try_clone().context("reading a file of unsent work")?;
        file.seek(SeekFrom::Start(0))?;
        let mut begin = Vec::new();
        (&mut file).take(u64::try_from(MAGIC.len()).unwrap_or(0)).read_to_end(&mut begin)?;
        file.seek(SeekFrom::Start(0))?;
        let from: Box<dyn Read + Send> = match begin == MAGIC {
            false => Box::new(file),
            true => Box::new(Opener::new(file, &self.secret).map_err(|error| match error {
                SealedFileError::Cut => Error::refused(ProblemCode::Truncated),
                SealedFileError::Io(error) => error.into(),
                SealedFileError::Foreign => Error::refused(ProblemCode::ForeignFile),
                SealedFileError::NotAKey | SealedFileError::NotSealed => Error::refused(ProblemCode::TamperedFile),
            })?),
        };
        Ok(Lines::new(Box::new(BufReader::new(from))))
    }

    /// Reads a file to its end, and checks all that can be wrong with it.
    fn look(&self, file: &File, caller: Option<&Caller>) -> Result<Looked> {
        let foreign = || Error::refused(ProblemCode::ForeignFile);
        let tampered = || Error::refused(ProblemCode::TamperedFile);
        let mut lines = self.open(file)?;
        let Item::Head(head) = lines.item()? else { return Err(tampered()) };
        let known = known_device(&self.logs.store, head.device, caller)?.ok_or_else(foreign)?;
        let as_device = sync::Caller { account: known.account, device: head.device, revoked: true };
        let (mut ops, mut photos) = (0_usize, 0_usize);
        loop {
            match lines.item()? {
                Item::Head(_) => return Err(tampered()),
                Item::Batch(body) => {
                    let (log, count) = sync::check_carried(&self.logs, as_device, &body)?;
                    if caller.is_some_and(|caller| !supervises(caller, log)) {
                        return Err(foreign());
                    }
                    ops = ops.saturating_add(count);
                }
                Item::Photo(..) => photos = photos.saturating_add(1),
                Item::End(end) => {
                    let whole = end.sha256 == lines.sha256() && (end.ops, end.photos) == (ops, photos);
                    let signed = chain::verify(&known.key, &message(head.device, &end.sha256), &end.signature);
                    if !whole || !signed || head.account != known.account || !lines.is_at_end()? {
                        return Err(tampered());
                    }
                    return Ok(Looked { head });
                }
            }
        }
    }
}

impl Spool {
    /// Takes some bytes.
    ///
    /// # Errors
    /// `too_large`, `storage_full`.
    pub async fn write(mut self, bytes: Vec<u8>) -> Result<Self> {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.bytes > EXPORT_BYTES_MAX {
            return Err(Error::refused(ProblemCode::TooLarge));
        }
        blocking(move || {
            self.file.write_all(&bytes)?;
            Ok(self)
        })
        .await
    }
}

fn supervises(caller: &Caller, log: LogId) -> bool {
    caller
        .logs
        .iter()
        .filter(|access| access.log == log)
        .any(|access| access.account.grants.iter().any(|grant| matches!(grant.role, Role::Supervisor | Role::Admin)))
}

/// The device as a log knows it that the caller supervises.
fn known_device(store: &Store, device: DeviceId, caller: Option<&Caller>) -> Result<Option<Device>> {
    let found = store.read(|db| db.in_all_logs(EntityId::from(device)))?;
    let mut of_caller = found.into_iter().filter(|found| caller.is_none_or(|caller| supervises(caller, found.log)));
    Ok(of_caller.find_map(|found| match found.entity {
        Entity::Device(device) => Some(device),
        _ => None,
    }))
}

/// What reading a line came to, as the caller is told.
fn told(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::refused(ProblemCode::Truncated),
        io::ErrorKind::InvalidData => Error::refused(ProblemCode::TamperedFile),
        _ => Error::Internal(anyhow!(error).context("reading a file of unsent work")),
    }
}
