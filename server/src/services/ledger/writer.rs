//! The one writer: a thread that takes what waits and commits it together, each job in its own savepoint.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

use schema::hash::Hash;
use schema::ids::{LogId, OpId};
use schema::op::{Body, CreateLog};
use sync_core::line::consequence_id;
use tokio::sync::{oneshot, watch};

use super::enter::Desk;
use super::epoch::NewEpoch;
use super::parsed::Parsed;
use super::seen::Seen;
use super::work::{Done, Work};
use super::{Append, LedgerError, Push, Pushed, ServerOp};
use crate::clock::Clock;
use crate::services::acknowledged::Memory;
use crate::services::acts::TakenAway;
use crate::services::signer::SignedHead;
use crate::store::{Entry, LogHead, LogTx, Store, StoreError};

/// Jobs committed together.
const GROUP_MAX: usize = 64;
/// Jobs that may wait; more wait at the door.
const QUEUE_MAX: usize = 1024;
/// Photos that a sweep makes good at a time.
const SWEEP_MAX: usize = 500;

/// The ledger: cheap to clone; the writer stops when the last clone is gone.
#[derive(Clone)]
pub struct Ledger {
    jobs: SyncSender<Job>,
    pub(super) store: Store,
    parsed: Parsed,
    commits: watch::Receiver<u64>,
}

struct Job {
    log: LogId,
    work: Work,
}

impl Ledger {
    /// Starts the writer of a data folder. It remembers there what it acknowledged, and never appends to a log that was
    /// set back without starting a new epoch first.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_remembering(store: Store, clock: Clock, data: &Path) -> std::io::Result<Self> {
        Self::start_with(store, clock, Some(Memory::new(data)))
    }

    /// Starts a writer that remembers nothing outside the database.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(store: Store, clock: Clock) -> std::io::Result<Self> {
        Self::start_with(store, clock, None)
    }

    fn start_with(store: Store, clock: Clock, memory: Option<Memory>) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(QUEUE_MAX);
        let (committed, commits) = watch::channel(0);
        let parsed = Parsed::default();
        let mut writer = Writer { store: store.clone(), clock, parsed: parsed.clone(), committed, memory };
        Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { jobs, store, parsed, commits })
    }

    /// The documents that the writer has parsed: the same for readers.
    pub fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// Counts commits: who waits for news of a log looks at its head when this moves.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    /// Takes a push, or refuses it as a whole.
    ///
    /// # Errors
    /// See [`LedgerError`]; then nothing was taken.
    pub async fn push(&self, push: Push) -> Result<Pushed, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(push.header.log, Work::Push(Box::new(push), reply)).await?;
        answer.await.map_err(|_| LedgerError::Stopping)?
    }

    /// Enters ops of the server together. What became of each stands in its entry.
    ///
    /// # Errors
    /// See [`LedgerError`]; then none was entered.
    pub async fn append(&self, log: LogId, append: Append) -> Result<Vec<Entry>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(log, Work::Append(Box::new(append), reply)).await?;
        answer.await.map_err(|_| LedgerError::Stopping)?
    }

    /// Starts a new epoch where one has to: its first entry. `known` is what is remembered outside the database.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub async fn recover(
        &self,
        log: LogId,
        known: Vec<SignedHead>,
        when: NewEpoch,
    ) -> Result<Option<Entry>, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(log, Work::Recover(known, when, reply)).await?;
        Ok(answer.await.map_err(|_| LedgerError::Stopping)??.pop())
    }

    /// Makes a log with its first entry, or finds it made.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub async fn create_log(
        &self,
        log: LogId,
        epoch: schema::ids::EpochId,
        body: CreateLog,
    ) -> Result<Vec<Entry>, LedgerError> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || store.make_log(log, epoch)).await.map_err(|_| LedgerError::Stopping)??;
        let id = consequence_id(log, OpId::NIL, "create_log", 0);
        let op = ServerOp { id, entity: log.into(), body: Body::CreateLog(body), values: Vec::new() };
        self.append(log, Append { ops: vec![op], ..Append::default() }).await
    }

    /// Moves every case that a new area tree has not placed yet, or that was handed over, some in each transaction. What another server or a
    /// program before this one began is gone on with.
    ///
    /// # Errors
    /// See [`LedgerError`]; the rest is placed when it is asked for again.
    pub async fn place_cases(&self, log: LogId) -> Result<usize, LedgerError> {
        let mut placed = 0;
        loop {
            let left = self.store.read_async(move |db| {
                let head = db.head(log)?;
                let Some(head) = head else { return Ok(false) };
                Ok::<_, StoreError>(db.placing(head.num)?.is_some() || db.handing(head.num)?.is_some())
            });
            if !left.await? {
                return Ok(placed);
            }
            let (reply, answer) = oneshot::channel();
            self.send(log, Work::Place(reply)).await?;
            placed += answer.await.map_err(|_| LedgerError::Stopping)??.len();
        }
    }

    /// Tells every log that waits for a photo that its bytes are here. Call it after the photo's row is committed.
    ///
    /// # Errors
    /// See [`LedgerError`]; the sweep makes good what is missed.
    pub async fn photo_arrived(&self, sha256: Hash) -> Result<Vec<Entry>, LedgerError> {
        let found = self
            .store
            .read_async(move |db| {
                let photo = db.photos(&[sha256])?.remove(&sha256);
                Ok::<_, StoreError>(photo.map(|photo| (photo, db.logs_waiting_for(&sha256))))
            })
            .await?;
        let Some((photo, logs)) = found else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for log in logs? {
            let (reply, answer) = oneshot::channel();
            self.send(log, Work::PhotoArrived(sha256, photo.clone(), reply)).await?;
            entries.extend(answer.await.map_err(|_| LedgerError::Stopping)??);
        }
        Ok(entries)
    }

    /// Tells of photos that are here while a log does not say so: what a crash between the two left. How many.
    ///
    /// # Errors
    /// See [`LedgerError`].
    pub async fn sweep_photos(&self) -> Result<usize, LedgerError> {
        let untold = self.store.read_async(|db| db.untold_photos(SWEEP_MAX)).await?;
        for sha256 in &untold {
            self.photo_arrived(*sha256).await?;
        }
        Ok(untold.len())
    }

    /// A full queue blocks, and that must not be on the caller's thread.
    pub(super) async fn send(&self, log: LogId, work: Work) -> Result<(), LedgerError> {
        use std::sync::mpsc::TrySendError;
        match self.jobs.try_send(Job { log, work }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(_)) => Err(LedgerError::Stopping),
            Err(TrySendError::Full(job)) => {
                let jobs = self.jobs.clone();
                let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
                sent.map_err(|_| LedgerError::Stopping)?.map_err(|_| LedgerError::Stopping)
            }
        }
    }
}

pub(super) struct Writer {
    store: Store,
    clock: Clock,
    parsed: Parsed,
    committed: watch::Sender<u64>,
    pub(super) memory: Option<Memory>,
}

impl Writer {
    fn run(&mut self, waiting: &Receiver<Job>) {
        while let Ok(first) = waiting.recv() {
            let mut groups: BTreeMap<LogId, Vec<Work>> = BTreeMap::new();
            for job in std::iter::once(first).chain(waiting.try_iter().take(GROUP_MAX - 1)) {
                groups.entry(job.log).or_default().push(job.work);
            }
            for (log, group) in groups {
                self.commit(log, group);
            }
        }
    }

    /// Commits a group; each job gets its own answer, after the commit.
    fn commit(&mut self, log: LogId, group: Vec<Work>) {
        match self.commit_all(log, &group) {
            Ok(done) => {
                self.committed.send_modify(|count| *count += 1);
                for (work, done) in group.into_iter().zip(done) {
                    work.answer(done);
                }
            }
            Err(failure) => {
                for work in group {
                    work.refuse(failure.error(log));
                }
            }
        }
    }

    fn commit_all(&mut self, log: LogId, group: &[Work]) -> Result<Vec<Done>, Failure> {
        let now_ms = self.clock.now_ms();
        // Before the database is read, so that another process may go on meanwhile.
        let (unchecked, away) = self.remembered(log, group).map_err(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, log.id = %log, "what is remembered can't be read or written: nothing is entered");
            Failure::Database
        })?;
        let done = catch_unwind(AssertUnwindSafe(|| {
            self.store.with_log(log, StoreError::is_transient, |tx| {
                let mut seen = Seen::default();
                let received_ms = now_ms.max(tx.head.last_received_ms);
                let mut desk = Desk { tx: &mut *tx, seen: &mut seen, parsed: &self.parsed, away: &away };
                let begun = desk.recover(&unchecked, NewEpoch::IfSetBack, received_ms)?;
                let one = |work: &Work| match (work, &begun) {
                    (Work::Recover(..), Some(first)) => Ok(Done::Entered(Ok(vec![first.clone()]))),
                    _ => self.one(tx, &mut seen, &away, work, now_ms),
                };
                let done = group.iter().map(one).collect::<Result<Vec<_>, _>>()?;
                Ok::<_, StoreError>((done, tx.read_head()))
            })
        }));
        match done {
            Ok(Ok(Some((done, head)))) => {
                self.acknowledge(&head);
                Ok(done)
            }
            Ok(Ok(None)) => Err(Failure::UnknownLog),
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, log.id = %log, "a group could not be committed");
                Err(Failure::Database)
            }
            Err(_) => {
                tracing::error!(log.id = %log, "the writer failed on a group");
                Err(Failure::Database)
            }
        }
    }

    /// The answers go out whatever comes of this: then a set-back is noticed less finely.
    fn acknowledge(&mut self, head: &LogHead) {
        let Some(memory) = &mut self.memory else { return };
        if let Err(error) = memory.acknowledge(head.log, &SignedHead::from(head)) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, log.id = %head.log, "what was acknowledged can't be remembered");
        }
    }

    /// One job in its own savepoint. What fails it fails its neighbours only if the database gave all of it up.
    fn one(
        &self,
        tx: &mut LogTx<'_>,
        seen: &mut Seen,
        away: &TakenAway,
        work: &Work,
        now_ms: u64,
    ) -> Result<Done, StoreError> {
        let received_ms = now_ms.max(tx.head.last_received_ms);
        let done = tx.savepoint(|tx| {
            let mut desk = Desk { tx, seen: &mut *seen, parsed: &self.parsed, away };
            match work {
                Work::Push(push, _) => desk.push(push).map(|pushed| Done::Pushed(Ok(pushed))),
                Work::Append(append, _) => desk.append(append, received_ms).map(|entries| Done::Entered(Ok(entries))),
                Work::Tick(_) => {
                    let entries = desk.fall_due(received_ms)?;
                    desk.prune_exits(received_ms)?;
                    Ok(Done::Entered(Ok(entries)))
                }
                Work::Place(_) => desk.move_some(received_ms).map(|entries| Done::Entered(Ok(entries))),
                Work::Recover(known, when, _) => {
                    let first = desk.recover(known, *when, received_ms)?;
                    Ok(Done::Entered(Ok(first.into_iter().collect())))
                }
                Work::PhotoArrived(sha256, photo, _) => {
                    desk.photo_arrived(sha256, photo, received_ms).map(|entries| Done::Entered(Ok(entries)))
                }
            }
        });
        match done {
            Ok(done) => Ok(done),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => {
                seen.clear();
                let cause: &dyn std::error::Error = &error;
                tracing::error!(error = cause, "a job could not be entered");
                Ok(match work {
                    Work::Push(..) => Done::Pushed(Err(error.into())),
                    Work::Append(..) | Work::PhotoArrived(..) | Work::Tick(_) | Work::Place(_) | Work::Recover(..) => {
                        Done::Entered(Err(error.into()))
                    }
                })
            }
        }
    }
}

/// Why a whole group failed.
#[derive(Debug, Clone, Copy)]
enum Failure {
    UnknownLog,
    Database,
}

impl Failure {
    fn error(self, log: LogId) -> LedgerError {
        match self {
            Self::UnknownLog => LedgerError::UnknownLog(log),
            Self::Database => LedgerError::Store(StoreError::NotCommitted),
        }
    }
}
