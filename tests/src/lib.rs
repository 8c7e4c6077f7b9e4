//! The world that the tests live in: the server, its phones, and a network that loses, repeats, delays and reorders.

pub mod dice;
pub mod programs;
pub mod world;
