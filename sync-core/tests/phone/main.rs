//! The phone's store against a small server: what it promises, by the names of the invariants.

mod crash;
mod files;
mod network;
mod server;
mod story;
mod town;
mod trust;
