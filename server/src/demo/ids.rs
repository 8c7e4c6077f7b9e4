//! Ids that are the same whenever the demo is made with the same seed.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// The bytes that a seed has for the n-th thing of a kind.
pub(super) fn bytes(seed: u64, kind: &str, n: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"rectify demo\0");
    hash.update(seed.to_be_bytes());
    hash.update(kind.as_bytes());
    hash.update(n.to_be_bytes());
    hash.finalize().into()
}

/// The id of the n-th thing of a kind (UUIDv8).
pub(super) fn id(seed: u64, kind: &str, n: u64) -> Uuid {
    Builder::from_custom_bytes(leading(&bytes(seed, kind, n))).into_uuid()
}

/// An id as a device chooses it at a time (UUIDv7).
pub(super) fn id_at(seed: u64, kind: &str, n: u64, at_ms: u64) -> Uuid {
    Builder::from_unix_timestamp_millis(at_ms, &leading(&bytes(seed, kind, n))).into_uuid()
}

/// A seed of its own for the n-th thing of a kind.
pub(super) fn seed(seed: u64, kind: &str, n: u64) -> u64 {
    u64::from_be_bytes(leading(&bytes(seed, kind, n)))
}

/// The first bytes of a hash.
pub(super) fn leading<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    let mut first = [0; N];
    for (to, from) in first.iter_mut().zip(hash) {
        *to = *from;
    }
    first
}
