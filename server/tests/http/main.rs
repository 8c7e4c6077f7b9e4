//! The real server over real HTTP on a port of its own, on a real SQLite file.

mod accounts;
mod contract;
mod photos;
mod problems;
mod reading;
mod world;
