//! The leaf: the bytes that one entry commits to.

use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, LogId};
use schema::record::{Leaf, OutcomeLine};

/// The leaf's bytes (version 1, SHA-256), big-endian, in the order of [`Leaf`]'s members, headed by version u8 and
/// hash algorithm u8; the kind last, as length u8 and ASCII.
pub fn encode(leaf: &Leaf) -> Vec<u8> {
    let _ = leaf;
    todo!()
}

/// The leaf's hash: SHA-256(0x00 ‖ bytes) (RFC 6962).
pub fn hash(leaf: &Leaf) -> Hash {
    let _ = leaf;
    todo!()
}

/// The leaf of an answered op, from the answer and what its device knows.
pub fn of_outcome(log: LogId, device: DeviceId, actor: AccountId, line_hash: Hash, answer: &OutcomeLine) -> Leaf {
    let _ = (log, device, actor, line_hash, answer);
    todo!()
}
