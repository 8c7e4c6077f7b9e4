//! The real server over real HTTP on a port of its own, on a real SQLite file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on fails")]

mod accounts;
mod admin;
mod bad_photos;
mod contract;
mod figures;
mod guessing;
mod leak;
mod look_backs;
mod lost_parts;
mod matrix;
mod order;
mod photo_custody;
mod photo_signals;
mod photos;
mod problems;
mod reading;
mod responsibilities;
mod session;
mod take_in;
mod threats;
mod world;
