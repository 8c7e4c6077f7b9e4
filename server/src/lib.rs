//! The Rectify server. `routes` extract and reply, `services` hold rules and transaction boundaries, `store` holds
//! every query; arrows only point that way.

pub mod app;
pub mod clock;
pub mod config;
pub mod demo;
pub mod error;
pub mod language;
pub mod problem_text;
pub mod routes;
pub mod serve;
pub mod services;
mod span;
pub mod store;

pub use serve::{Running, start};
