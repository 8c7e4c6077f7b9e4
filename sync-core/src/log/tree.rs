//! The RFC 6962 tree: its frontier (one hash a perfect subtree, at most 64), roots and proofs.

use std::ops::Range;

use schema::hash::Hash;
use schema::sync::TreeHead;

/// The perfect subtrees of a tree, largest first: enough to append and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {}

/// Why a stored frontier can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a frontier of {size} leaves")]
pub struct NotAFrontier {
    /// The size it should have had.
    pub size: u64,
}

impl Frontier {
    /// Reads a stored frontier: the hashes one after the other.
    ///
    /// # Errors
    /// The number of hashes is not the number of one-bits of `size`.
    pub fn decode(size: u64, bytes: &[u8]) -> Result<Self, NotAFrontier> {
        let _ = (size, bytes);
        todo!()
    }
    /// The hashes one after the other, as stored.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
    /// How many leaves.
    pub fn size(&self) -> u64 {
        todo!()
    }
    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let _ = leaf;
        todo!()
    }
    /// The root; of no leaves SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        todo!()
    }
    /// Size and root.
    pub fn head(&self) -> TreeHead {
        todo!()
    }
}

/// Where proofs read hashes from: leaf hashes, and the roots of complete runs of 256^level leaves.
pub trait Hashes {
    /// What reading may fail with.
    type Error;
    /// Level 0: leaf hashes. Level n: roots of complete subtrees of 256^n leaves. `range` counts such items.
    ///
    /// # Errors
    /// The store's.
    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error>;
}

/// The root of a run of at most 256 hashes, as one subtree.
pub fn root_of(hashes: &[Hash]) -> Hash {
    let _ = hashes;
    todo!()
}

/// Proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 6962 §2.1.2).
///
/// # Errors
/// The store's.
pub fn prove_consistency<H: Hashes>(store: &mut H, old: u64, new: u64) -> Result<Vec<Hash>, H::Error> {
    let _ = (store, old, new);
    todo!()
}

/// Proof that the leaf with `index` is in the tree of `size` leaves (RFC 6962 §2.1.1).
///
/// # Errors
/// The store's.
pub fn prove_inclusion<H: Hashes>(store: &mut H, index: u64, size: u64) -> Result<Vec<Hash>, H::Error> {
    let _ = (store, index, size);
    todo!()
}

/// Checks a consistency proof.
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> bool {
    let _ = (old, new, proof);
    todo!()
}

/// Checks an inclusion proof.
pub fn verify_inclusion(leaf: &Hash, index: u64, head: &TreeHead, proof: &[Hash]) -> bool {
    let _ = (leaf, index, head, proof);
    todo!()
}
