//! The world that the tests live in: the server, its phones, and a network that loses, repeats, delays and reorders.

#![expect(clippy::expect_used, reason = "a world that breaks is a failed test")]

pub mod dice;
pub mod programs;
pub mod world;
