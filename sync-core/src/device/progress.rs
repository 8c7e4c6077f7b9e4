//! What the answer to a sync request came to.

use serde::Serialize;

use crate::sync::session::Event;

/// What an answer brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What became of the rows in it.
    pub pull: Pull,
    /// What became of the batch.
    pub batch: Batch,
    /// Own ops that were decided by it.
    pub decided: u64,
    /// Entity versions that were taken.
    pub rows: u64,
    /// Own ops still undecided.
    pub undecided: u64,
    /// There is more to do at once.
    pub more: bool,
}

impl Progress {
    /// What it is to the session; or why the answer to so many ops is as good as none.
    ///
    /// # Errors
    /// The sentence: it is tried again later.
    pub fn event(&self, sent: u32) -> Result<Event, &'static str> {
        if self.batch == Batch::BadSignature {
            return Err("the server says that the signature of the batch does not fit");
        }
        if self.undecided > 0 && self.decided == 0 && !self.more && sent > 0 {
            return Err("the server's answer decided nothing of what was sent");
        }
        let progress = self.rows > 0 || self.decided > 0 || self.pull == Pull::NewEpoch;
        Ok(Event::Synced { progress, more: self.more })
    }
}

/// What became of the rows of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// Taken.
    Taken,
    /// The answer is to a request of an earlier epoch: nothing of it was used.
    Late,
    /// The log has a new epoch: it is pulled anew.
    NewEpoch,
    /// The log is forked, or was set back: own outcomes only.
    Forked,
    /// The checkpoint can't be believed: own outcomes only.
    Unsigned,
    /// The storage is full: own outcomes only.
    StorageFull,
}

/// What became of the batch of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// There was none, or it was taken.
    Done,
    /// What is undecided has new numbers now.
    Renumbered,
    /// The server says that the signature does not fit.
    BadSignature,
}
