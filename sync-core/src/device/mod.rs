//! A device: what it holds, and the rules by which it shows, sends and takes. The rules are the same on a phone and in
//! the page; they know tables, not where those are, and take time and randomness as arguments, so a simulation can
//! drive them. The feature `device` adds a phone's parts around them: the tables on SQLite, photos in files, keys and
//! PINs, the transport, the driver. Only those ask the system for anything.

pub mod answers;
pub mod attention;
mod base;
pub mod capture;
mod districts;
pub mod documents;
pub mod enrolment;
pub mod entropy;
mod epoch;
pub mod error;
pub mod export;
mod known;
pub mod list;
mod look_backs;
mod near;
mod outbox;
mod outcomes;
pub mod photos;
mod progress;
mod pull;
pub mod requests;
mod responsible;
mod room;
pub mod status;
pub mod store;
pub mod tables;
mod trust;
mod view;

#[cfg(feature = "device")]
pub mod clocks;
#[cfg(feature = "device")]
pub mod drive;
#[cfg(feature = "device")]
mod open;
#[cfg(feature = "device")]
pub mod people;
#[cfg(feature = "device")]
pub mod phone;
#[cfg(feature = "device")]
mod photo_file;
#[cfg(feature = "device")]
mod sqlite;
#[cfg(feature = "device")]
pub mod transport;
#[cfg(feature = "device")]
pub mod vault;
#[cfg(feature = "device")]
pub mod wipe;
