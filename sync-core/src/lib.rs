//! What must be the same everywhere: the policy of every op, the log and its proofs, the sync session.
//!
//! Without its features this crate is pure: no clock, randomness, files, network, locale, float or hash-map order.
//! Time, ids and randomness are arguments. The feature `device` adds a phone's files, transport and program.

pub mod apply;
pub mod area;
pub mod capture;
pub mod case;
pub mod catalogue;
pub mod clock;
pub mod consequence;
pub mod context;
pub mod device;
pub mod due;
pub mod figures;
pub mod json;
pub mod line;
pub mod log;
mod look_back;
pub mod merge;
pub mod permission;
pub mod personal;
pub mod position;
mod registry;
mod release;
pub mod responsibility;
mod ruling;
pub mod sealed_file;
pub mod sync;
pub mod time;
