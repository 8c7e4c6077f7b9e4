//! Rules, permissions and transaction boundaries. Diesel and actix are unknown here.

pub mod accounts;
pub mod acknowledged;
pub mod acts;
pub mod audit;
pub mod backup;
pub mod blobs;
pub mod bucket;
pub mod changes;
pub mod checkpoint;
pub mod codes;
pub mod coding;
pub mod documents;
pub mod enrolment;
pub mod events;
pub mod geojson;
mod hand_in;
pub mod installation;
pub mod intake;
pub mod keys;
pub mod ledger;
pub mod pace;
pub mod passwords;
pub mod photos;
pub mod pictures;
pub mod rebuild;
pub mod replica;
pub mod sight;
pub mod signer;
pub mod standing;
pub mod sync;
pub mod take_in;
pub mod throttle;
pub mod ticker;
pub mod tokens;
pub mod uploads;
#[cfg(test)]
pub(crate) mod world;
