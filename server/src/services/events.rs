//! Telling those who wait that a log has moved. One look at the heads every half second for the whole server, and
//! never any data: whoever is told comes and syncs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schema::ids::{AccountId, LogId};
use schema::problem::ProblemCode;
use schema::sync::HeadEvent;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::store::Store;

/// How often the heads are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Open streams of one account.
const STREAMS_PER_ACCOUNT: usize = 3;

/// The heads of all logs, as last seen. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    store: Store,
    heads: Arc<watch::Sender<Vec<HeadEvent>>>,
    open: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// A place among the open streams of an account; given back when it is dropped.
pub struct Place {
    events: Events,
    account: AccountId,
}

impl Events {
    /// With nothing seen yet.
    pub fn new(store: Store) -> Self {
        Self { store, heads: Arc::new(watch::Sender::new(Vec::new())), open: Arc::default() }
    }

    /// Looks at the heads now, and tells those who wait if one has moved.
    ///
    /// # Errors
    /// The server's own.
    pub async fn look(&self) -> Result<()> {
        let heads = self.store.read_async(|db| -> Result<_> { Ok(db.heads()?) }).await?;
        let seen: Vec<HeadEvent> =
            heads.into_iter().map(|head| HeadEvent { log: head.log, epoch: head.epoch, rev: head.rev }).collect();
        self.heads.send_if_modified(|known| {
            let moved = *known != seen;
            *known = seen;
            moved
        });
        Ok(())
    }

    /// Looks at the heads for ever: when this program has committed, and now and then because another one may have.
    pub async fn watch(self, mut commits: watch::Receiver<u64>) {
        loop {
            drop(tokio::time::timeout(LOOK_EVERY, commits.changed()).await);
            if let Err(error) = self.look().await {
                tracing::warn!(error = %super::photos::causes(&error), "the heads could not be read");
            }
        }
    }

    /// The heads from now on.
    pub fn subscribe(&self) -> watch::Receiver<Vec<HeadEvent>> {
        let mut heads = self.heads.subscribe();
        heads.mark_changed();
        heads
    }

    /// A place for one more stream of an account.
    ///
    /// # Errors
    /// `too_many`.
    pub fn place(&self, account: AccountId) -> Result<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account).or_default();
        if *count >= STREAMS_PER_ACCOUNT {
            return Err(Error::later(ProblemCode::TooMany, 30));
        }
        *count = count.saturating_add(1);
        Ok(Place { events: self.clone(), account })
    }

    /// Waits until a log is beyond a revision, at most this long, and says where it is.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn beyond(&self, log: LogId, rev: u64, wait: Duration) -> Result<HeadEvent> {
        let mut heads = self.heads.subscribe();
        let moved = heads.wait_for(|heads| heads.iter().any(|head| head.log == log && head.rev > rev));
        // Whether it moved or the time is over, the newest head is the answer.
        drop(tokio::time::timeout(wait, moved).await);
        let head = self.store.read_async(move |db| -> Result<_> { Ok(db.head(log)?) }).await?;
        let head = head.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        Ok(HeadEvent { log, epoch: head.epoch, rev: head.rev })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.events.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.account) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.account);
            }
        }
    }
}
