//! The write path: everything that changes a log goes through one writer a server, which commits what waits together.
//! An answer means that it is on the disk.

mod again;
mod enrolling;
mod enter;
mod epoch;
mod facts;
mod handing;
mod listed;
mod own_ops;
mod parsed;
mod placing;
mod push;
mod replay;
mod sealed;
mod seen;
mod signals;
mod silence;
mod telling;
mod ticking;
mod work;
mod writer;

use schema::hash::Hash;
use schema::ids::{EntityId, LogId, OpId};
use schema::op::{Body, SealedValue};

pub use epoch::{NewEpoch, extends};
pub use handing::HandedOver;
pub use parsed::{Parsed, calendar_document, parse_entity, read_entity, zone_named, zone_of};
pub use push::{Earlier, Push, PushLine, Pushed};
pub use replay::replay;
pub use writer::Ledger;

/// What the server itself appends.
#[derive(Debug, Clone)]
pub struct ServerOp {
    /// Its id; where the same op must never be entered twice, one that follows from its occasion.
    pub id: OpId,
    /// The entity.
    pub entity: EntityId,
    /// What it does.
    pub body: Body,
    /// The values that it names.
    pub values: Vec<SealedValue>,
}

impl ServerOp {
    /// An op with a random id: asked again, it is another op.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn fresh(entity: EntityId, body: Body) -> Result<Self, LedgerError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| LedgerError::Random)?;
        Ok(Self { id: OpId(uuid::Uuid::new_v8(random)), entity, body, values: Vec::new() })
    }
}

/// Ops of the server, entered together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// Documents that the ops name.
    pub documents: Vec<(Hash, Vec<u8>)>,
    /// The ops, in order. One whose id is known already is answered by its entry.
    pub ops: Vec<ServerOp>,
}

/// Why something could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such log.
    #[error("there is no log {0}")]
    UnknownLog(LogId),
    /// The database could not do it; nothing was entered.
    #[error("the database could not do it")]
    Store(#[from] crate::store::StoreError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The writer has stopped.
    #[error("the server is stopping")]
    Stopping,
}

impl From<LedgerError> for crate::error::Error {
    fn from(error: LedgerError) -> Self {
        use schema::problem::ProblemCode;
        match error {
            LedgerError::UnknownLog(_) => Self::refused(ProblemCode::NotFound),
            LedgerError::Stopping => Self::refused(ProblemCode::Unavailable),
            LedgerError::Store(_) | LedgerError::Random => Self::Internal(anyhow::Error::new(error)),
        }
    }
}

#[cfg(test)]
mod lock_tests;
#[cfg(test)]
mod tests;
