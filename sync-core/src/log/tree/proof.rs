//! Proofs over the tree: making them from stored tiles, checking them from nothing but heads.
//! It does not know where the hashes are kept.

use std::ops::Range;

use schema::hash::Hash;
use schema::sync::TreeHead;

use super::{Frontier, TILE_WIDTH, empty_root, node_hash};

/// Where proofs read hashes from: leaf hashes, and the roots of complete runs of 256^level leaves
/// (C2SP tlog-tiles, "Merkle Tree").
pub trait Hashes {
    /// What reading may fail with.
    type Error;
    /// Level 0: leaf hashes. Level n: roots of complete subtrees of 256^n leaves. `range` counts such items; it never
    /// crosses a multiple of 256 and never reaches beyond what the tree of the proof has. Too few hashes in the answer
    /// make a proof that does not verify, nothing worse.
    ///
    /// # Errors
    /// The store's.
    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error>;
}

/// Proof that the tree of `old` leaves is the beginning of the tree of `new` leaves (RFC 6962 §2.1.2).
/// Empty where there is nothing to prove: `old` is 0 or equals `new`; empty, too, where it is larger.
///
/// # Errors
/// The store's.
pub fn prove_consistency<H: Hashes>(store: &mut H, old: u64, new: u64) -> Result<Vec<Hash>, H::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let mut tiles = Tiles::new(store, new);
    let (mut low, mut high) = (0, new);
    while high != old {
        let middle = low + largest_power_below(high - low);
        if old <= middle {
            proof.push(tiles.subtree(middle..high)?);
            high = middle;
        } else {
            proof.push(tiles.subtree(low..middle)?);
            low = middle;
        }
    }
    // The old tree itself is known to who checks; a part of it (`low` > 0) is not.
    if low > 0 {
        proof.push(tiles.subtree(low..high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Proof that the leaf with `index` is in the tree of `size` leaves (RFC 6962 §2.1.1).
/// Empty where there is no such leaf.
///
/// # Errors
/// The store's.
pub fn prove_inclusion<H: Hashes>(store: &mut H, index: u64, size: u64) -> Result<Vec<Hash>, H::Error> {
    let mut proof = Vec::new();
    if index >= size {
        return Ok(proof);
    }
    let mut tiles = Tiles::new(store, size);
    let (mut low, mut high) = (0, size);
    while high - low > 1 {
        let middle = low + largest_power_below(high - low);
        if index < middle {
            proof.push(tiles.subtree(middle..high)?);
            high = middle;
        } else {
            proof.push(tiles.subtree(low..middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Where RFC 6962 §2.1 splits a run of `count` leaves, for `count` > 1.
fn largest_power_below(count: u64) -> u64 {
    1 << count.saturating_sub(1).max(1).ilog2()
}

/// The tiles that one proof has read: neighbouring nodes of a proof lie in the same tile, so each is read once.
struct Tiles<'a, H> {
    store: &'a mut H,
    size: u64,
    read: Vec<(u8, u64, Vec<Hash>)>,
}

impl<'a, H: Hashes> Tiles<'a, H> {
    fn new(store: &'a mut H, size: u64) -> Self {
        Self { store, size, read: Vec::new() }
    }

    /// The root of a run of leaves that RFC 6962 makes a subtree: its start is a multiple of a power of two that is
    /// not below its length. Reads at most one tile a level.
    fn subtree(&mut self, leaves: Range<u64>) -> Result<Hash, H::Error> {
        let mut root = None;
        for level in 0..8 {
            let shift = u32::from(level) * 8;
            let (first, end) = (leaves.start >> shift, leaves.end >> shift);
            let last_tile = end - end % TILE_WIDTH;
            // The tiles before the last are complete, so the level above says them in fewer hashes; but a run that
            // begins inside a tile also ends there.
            let within_a_tile = first >= last_tile || !first.is_multiple_of(TILE_WIDTH);
            let start = if within_a_tile { first } else { last_tile };
            root = self.hashes(level, start..end)?.joined_to(root);
            if within_a_tile {
                break;
            }
        }
        Ok(root.unwrap_or_else(empty_root))
    }

    /// Some hashes of one tile, joined to subtrees.
    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Frontier, H::Error> {
        if range.is_empty() {
            return Ok(Frontier::default());
        }
        let tile = range.start / TILE_WIDTH;
        let start = tile * TILE_WIDTH;
        let known = self.read.iter().position(|(a_level, a_tile, _)| (*a_level, *a_tile) == (level, tile));
        let place = match known {
            Some(place) => place,
            None => {
                let end = start.saturating_add(TILE_WIDTH).min(self.size >> (u32::from(level) * 8));
                let hashes = self.store.hashes(level, start..end)?;
                self.read.push((level, tile, hashes));
                self.read.len() - 1
            }
        };
        let skip = usize::try_from(range.start - start).unwrap_or(usize::MAX);
        let take = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let hashes = self.read.get(place).into_iter().flat_map(|(_, _, hashes)| hashes);
        Ok(hashes.skip(skip).take(take).copied().collect())
    }
}

/// Checks an inclusion proof (the algorithm of RFC 9162 §2.1.3.2; the trees are the same).
pub fn verify_inclusion(leaf: &Hash, index: u64, head: &TreeHead, proof: &[Hash]) -> bool {
    if index >= head.size {
        return false;
    }
    let mut path = Path { node: index, last: head.size - 1 };
    let mut root = *leaf;
    for sibling in proof {
        match path.step() {
            Some(Side::Left) => root = node_hash(sibling, &root),
            Some(Side::Right) => root = node_hash(&root, sibling),
            None => return false,
        }
    }
    path.last == 0 && root == head.root
}

/// Checks a consistency proof (the algorithm of RFC 9162 §2.1.4.2; the trees are the same).
/// The empty tree is the beginning of every tree, by the empty proof (C2SP tlog-witness).
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> bool {
    if old.size == 0 {
        let is_empty_tree = old.root == empty_root();
        return is_empty_tree && proof.is_empty() && (new.size > 0 || new.root == old.root);
    }
    if old.size >= new.size {
        return old == new && proof.is_empty();
    }
    let mut path = Path { node: old.size - 1, last: new.size - 1 };
    while path.node % 2 == 1 {
        path.up();
    }
    // An old tree that is one perfect subtree is the proof's first node; it is not sent.
    let (first, rest) = match proof.split_first() {
        None => return false,
        Some(_) if old.size.is_power_of_two() => (&old.root, proof),
        Some((first, rest)) => (first, rest),
    };
    let (mut old_root, mut new_root) = (*first, *first);
    for sibling in rest {
        match path.step() {
            Some(Side::Left) => {
                old_root = node_hash(sibling, &old_root);
                new_root = node_hash(sibling, &new_root);
            }
            Some(Side::Right) => new_root = node_hash(&new_root, sibling),
            None => return false,
        }
    }
    path.last == 0 && old_root == old.root && new_root == new.root
}

/// A walk from a node up to the root, beside the walk from the last node: `fn` and `sn` of RFC 9162.
struct Path {
    node: u64,
    last: u64,
}

/// On which side of the path the next sibling stands.
enum Side {
    Left,
    Right,
}

impl Path {
    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    /// Goes to the next node that has a sibling, and above it. None at the root: the proof is too long.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node % 2 == 1 || self.node == self.last { Side::Left } else { Side::Right };
        // The last node of a level that is alone there has its sibling further up.
        while matches!(side, Side::Left) && self.node.is_multiple_of(2) && self.node != 0 {
            self.up();
        }
        self.up();
        Some(side)
    }
}
