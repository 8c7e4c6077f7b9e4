//! What the writer is asked for, and what each job came to.

use schema::hash::Hash;
use sync_core::context::VerifiedPhoto;
use tokio::sync::oneshot;

use super::epoch::NewEpoch;
use super::{Append, LedgerError, Push, Pushed};
use crate::services::signer::SignedHead;
use crate::store::Entry;

/// A job.
pub(super) enum Work {
    Push(Box<Push>, oneshot::Sender<Result<Pushed, LedgerError>>),
    Append(Box<Append>, oneshot::Sender<Result<Vec<Entry>, LedgerError>>),
    PhotoArrived(Hash, VerifiedPhoto, oneshot::Sender<Result<Vec<Entry>, LedgerError>>),
    Tick(oneshot::Sender<Result<Vec<Entry>, LedgerError>>),
    Place(oneshot::Sender<Result<Vec<Entry>, LedgerError>>),
    Recover(Vec<SignedHead>, NewEpoch, oneshot::Sender<Result<Vec<Entry>, LedgerError>>),
}

/// What a job came to, kept until the commit.
pub(super) enum Done {
    Pushed(Result<Pushed, LedgerError>),
    Entered(Result<Vec<Entry>, LedgerError>),
}

impl Work {
    /// Who asked may be gone: then the answer stands in the log, and a repeat will find it.
    pub(super) fn answer(self, done: Done) {
        match (self, done) {
            (Self::Push(_, reply), Done::Pushed(done)) => drop(reply.send(done)),
            (
                Self::Append(_, reply)
                | Self::PhotoArrived(_, _, reply)
                | Self::Tick(reply)
                | Self::Place(reply)
                | Self::Recover(_, _, reply),
                Done::Entered(done),
            ) => drop(reply.send(done)),
            (work, Done::Pushed(_) | Done::Entered(_)) => work.refuse(LedgerError::Stopping),
        }
    }

    pub(super) fn refuse(self, error: LedgerError) {
        match self {
            Self::Push(_, reply) => drop(reply.send(Err(error))),
            Self::Append(_, reply)
            | Self::PhotoArrived(_, _, reply)
            | Self::Tick(reply)
            | Self::Place(reply)
            | Self::Recover(_, _, reply) => {
                drop(reply.send(Err(error)));
            }
        }
    }
}
