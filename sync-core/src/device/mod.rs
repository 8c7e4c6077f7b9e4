//! The phone: its store on SQLite, its transport, its session driver. Only `transport`, `clocks` and the program ask
//! the system for anything but files: the store takes time and randomness as arguments, so a simulation can drive it.

pub mod answers;
pub mod attention;
mod base;
pub mod capture;
pub mod clocks;
pub mod documents;
pub mod drive;
pub mod enrolment;
pub mod entropy;
mod epoch;
pub mod error;
pub mod export;
mod known;
pub mod list;
mod open;
mod outbox;
mod outcomes;
pub mod people;
pub mod phone;
mod photo_file;
pub mod photos;
mod pull;
pub mod requests;
mod row;
pub mod status;
pub mod transport;
mod trust;
pub mod vault;
mod view;
pub mod wipe;
