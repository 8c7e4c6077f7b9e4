//! Every format of Rectify in one place, and nothing that runs: types with their serde form, named limits, SQL text.
//! A change outside this crate changes no format. Rules about these values live in `sync-core`.
//!
//! Times are milliseconds since 1970-01-01T00:00:00Z, positions WGS-84 in units of 1e-7 degrees, lengths metres,
//! sizes bytes. No type here holds a float: a measured number is an integer with its catalogue field's `scale`.

pub mod admin;
pub mod api;
pub mod area;
pub mod auth;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod clock;
pub mod deadline;
pub mod device;
pub mod dictionary;
pub mod entity;
pub mod export;
pub mod figures;
pub mod hash;
pub mod ids;
pub mod limits;
pub mod notice;
pub mod op;
#[cfg(feature = "openapi")]
mod openapi;
pub mod photo;
mod position;
pub mod problem;
pub mod record;
pub mod responsibility;
pub mod sync;
pub mod tree;
