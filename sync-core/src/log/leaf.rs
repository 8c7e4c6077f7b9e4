//! The leaf: the bytes that one entry commits to, and their hash.
//! It does not know the tree they go into, nor what an op means.

use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, LogId};
use schema::record::{Leaf, Outcome, OutcomeLine};
use serde::Deserialize;

use super::tree;
use crate::line::sha256;

/// The layout of the bytes. Another layout gets another number, never another meaning for this one.
pub const VERSION: u8 = 1;
/// The hash algorithm of the leaf and of the hashes in it: 1 is SHA-256. Others (SM3) get numbers of their own.
pub const HASH_ALGORITHM: u8 = 1;

/// The leaf's bytes (version 1, SHA-256), big-endian, in the order of [`Leaf`]'s members, headed by version u8 and
/// hash algorithm u8; the kind last, as length u8 and ASCII.
///
/// A kind has at most 40 characters (`line::read`). A longer one, which only a dishonest server could name, gets the
/// length 255 and all its bytes: the encoding stays unambiguous, because everything before the kind has a fixed width.
pub fn encode(leaf: &Leaf) -> Vec<u8> {
    let mut bytes = vec![VERSION, HASH_ALGORITHM];
    bytes.extend(leaf.log.bytes());
    bytes.extend(leaf.epoch.bytes());
    bytes.extend(leaf.rev.to_be_bytes());
    bytes.extend(leaf.op.bytes());
    bytes.extend(leaf.device.bytes());
    bytes.extend(leaf.incarnation.to_be_bytes());
    bytes.extend(leaf.device_seq.to_be_bytes());
    bytes.extend(leaf.actor.bytes());
    bytes.extend(leaf.entity.bytes());
    bytes.extend(leaf.prev_leaf.0);
    bytes.extend(leaf.received_ms.to_be_bytes());
    bytes.extend(leaf.first_received_ms.to_be_bytes());
    bytes.push(leaf.outcome);
    bytes.push(leaf.state_after);
    bytes.extend(leaf.line_hash.0);
    bytes.extend(leaf.record_hash.0);
    bytes.push(u8::try_from(leaf.kind.len()).unwrap_or(u8::MAX));
    bytes.extend(leaf.kind.as_bytes());
    bytes
}

/// The leaf's hash: SHA-256(0x00 ‖ bytes) (RFC 6962 §2.1).
pub fn hash(leaf: &Leaf) -> Hash {
    tree::leaf_hash(&encode(leaf))
}

/// The leaf of an answered op, from the answer and what its device knows.
///
/// A record that names no outcome this program knows gives outcome 0, which no entry has: that leaf is in no log.
pub fn of_outcome(log: LogId, device: DeviceId, actor: AccountId, line_hash: Hash, answer: &OutcomeLine) -> Leaf {
    Leaf {
        log,
        epoch: answer.epoch,
        rev: answer.rev,
        op: answer.op,
        device,
        incarnation: answer.incarnation,
        device_seq: answer.device_seq,
        actor,
        entity: answer.entity,
        prev_leaf: answer.prev_leaf,
        received_ms: answer.received_ms,
        first_received_ms: answer.first_received_ms,
        outcome: outcome_in(&answer.record).map_or(0, outcome_number),
        state_after: answer.state_after,
        line_hash,
        record_hash: sha256(answer.record.as_bytes()),
        kind: answer.kind.clone(),
    }
}

/// An outcome as the leaf writes it.
pub fn outcome_number(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Accepted => 1,
        Outcome::AcceptedWithConflict => 2,
        Outcome::Rejected => 3,
        Outcome::Parked => 4,
    }
}

/// Reads one member only: an old phone must be able to check the leaf of a record whose other members (a new refusal
/// code, say) it does not know.
fn outcome_in(record: &str) -> Option<Outcome> {
    #[derive(Deserialize)]
    struct OutcomeOnly {
        outcome: Outcome,
    }
    crate::json::read::<OutcomeOnly>(record).ok().map(|record| record.outcome)
}

#[cfg(test)]
mod tests;
