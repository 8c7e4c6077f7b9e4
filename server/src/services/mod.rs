//! Rules, permissions and transaction boundaries. Diesel and actix are unknown here.

pub mod checkpoint;
pub mod documents;
pub mod ledger;
pub mod rebuild;
pub mod signer;
pub mod sync;
#[cfg(test)]
pub(crate) mod world;
