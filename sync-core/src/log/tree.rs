//! The RFC 6962 tree: its frontier (one hash a perfect subtree, at most 64), roots and proofs.
//! It knows hashes only, not what the leaves say nor who signed a root.

use schema::hash::Hash;
use schema::sync::TreeHead;
use sha2::{Digest, Sha256};

mod memory;
mod proof;

pub use memory::MemoryHashes;
pub use proof::{Hashes, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};

/// Hashes in a full tile, and so the leaves under one hash of the next level (C2SP tlog-tiles, "Merkle Tree").
pub const TILE_WIDTH: u64 = 256;

/// The hash of a leaf's bytes: SHA-256(0x00 ‖ bytes) (RFC 6962 §2.1).
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.0);
    hasher.update(right.0);
    Hash(hasher.finalize().into())
}

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// The root of a run of at most 256 hashes, as one subtree (a level-n hash from the level n − 1 tile under it; the
/// root of a small tree from its leaf hashes). Longer runs work too; of none it is [`empty_root`].
pub fn root_of(hashes: &[Hash]) -> Hash {
    hashes.iter().copied().collect::<Frontier>().root()
}

/// The perfect subtrees of a tree, largest first: enough to append and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Hash>,
}

/// Why a stored frontier can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a frontier of {size} leaves")]
pub struct NotAFrontier {
    /// The size it should have had.
    pub size: u64,
}

/// A run of 256^level leaves that an append has just completed: one hash of that level's tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteRun {
    /// The level of the hash, 1 or higher.
    pub level: u8,
    /// Its index in that level.
    pub index: u64,
    /// The root of the run.
    pub root: Hash,
}

impl Frontier {
    /// Reads a stored frontier: the hashes one after the other.
    ///
    /// # Errors
    /// The number of hashes is not the number of one-bits of `size`, or there are 2^63 leaves or more.
    pub fn decode(size: u64, bytes: &[u8]) -> Result<Self, NotAFrontier> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let fits = u32::try_from(hashes.len()).is_ok_and(|count| count == size.count_ones());
        if !fits || !rest.is_empty() || i64::try_from(size).is_err() {
            return Err(NotAFrontier { size });
        }
        Ok(Self { size, subtrees: hashes.iter().map(|hash| Hash(*hash)).collect() })
    }

    /// The hashes one after the other, as stored.
    pub fn encode(&self) -> Vec<u8> {
        self.subtrees.iter().flat_map(|hash| hash.0).collect()
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.append(leaf, |_| {});
    }

    /// Appends a leaf hash and names the runs of 256, 256², … leaves that are complete with it, lowest level first:
    /// what a store of tiles adds to its upper levels in the same transaction.
    pub fn push_completing(&mut self, leaf: Hash) -> Vec<CompleteRun> {
        let mut complete = Vec::new();
        self.append(leaf, |run| complete.push(run));
        complete
    }

    fn append(&mut self, leaf: Hash, mut completed: impl FnMut(CompleteRun)) {
        let mut hash = leaf;
        // Adding one to a number carries through its trailing ones: as many subtrees become one.
        for height in 1..=self.size.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            hash = node_hash(&left, &hash);
            if let (0, Ok(level)) = (height % 8, u8::try_from(height / 8)) {
                completed(CompleteRun { level, index: self.size.checked_shr(height).unwrap_or(0), root: hash });
            }
        }
        self.subtrees.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root; of no leaves SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        self.joined_to(None).unwrap_or_else(empty_root)
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root() }
    }

    /// The root of these subtrees with a smaller one to their right.
    fn joined_to(&self, right: Option<Hash>) -> Option<Hash> {
        self.subtrees.iter().rev().fold(right, |right, left| match right {
            Some(right) => Some(node_hash(left, &right)),
            None => Some(*left),
        })
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::default();
        for leaf in leaves {
            frontier.push(leaf);
        }
        frontier
    }
}

#[cfg(test)]
mod tests;
