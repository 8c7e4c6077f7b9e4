//! The log as evidence: leaves, the RFC 6962 tree, tiles, checkpoints, device chains, receipts. All pure.

pub mod chain;
pub mod checkpoint;
pub mod epoch_start;
pub mod leaf;
pub mod receipt;
pub mod tile;
pub mod tree;

#[cfg(test)]
mod worked_example;
