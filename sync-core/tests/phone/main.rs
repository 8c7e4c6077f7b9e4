//! The phone's store against a small server: what it promises, by the names of the invariants.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a town that can't be laid out is a failed test")]

mod answering;
mod copies;
mod crash;
mod files;
mod network;
mod online;
mod people;
mod program;
mod rules;
mod scopes;
mod server;
mod story;
mod town;
mod trust;
mod uploads;
mod web;
mod wipe;

mod handset {
    pub(crate) use sync_core::device::phone::Phone;
}
