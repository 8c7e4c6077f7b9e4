//! The tree against another implementation of RFC 6962, published vectors, and flipped bits.

use std::convert::Infallible;
use std::ops::Range;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

type Oracle = MemoryBackedTree<Sha256, Vec<u8>>;

fn leaves(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|leaf| leaf.to_be_bytes().to_vec()).collect()
}

fn ours(count: u64) -> MemoryHashes {
    leaves(count).iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn oracle(count: u64) -> Oracle {
    let mut tree = Oracle::new();
    leaves(count).into_iter().for_each(|leaf| tree.push(leaf));
    tree
}

fn as_bytes(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

fn parse(hash: &str) -> Hash {
    hash.parse().unwrap()
}

/// MTH as RFC 6962 §2.1 writes it, for comparison only.
fn naive(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = hashes.split_at(hashes.len().next_power_of_two() / 2);
            node_hash(&naive(left), &naive(right))
        }
    }
}

/// The leaves and roots that Certificate Transparency's own implementations are tested with.
const CT_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn ct_tree() -> MemoryHashes {
    CT_LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect()
}

#[test]
fn certificate_transparency_roots() {
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), parse(CT_ROOTS[0]));
    for (leaf, root) in CT_LEAVES.iter().zip(&CT_ROOTS[1..]) {
        frontier.push(leaf_hash(&hex::decode(leaf).unwrap()));
        assert_eq!(frontier.root(), parse(root));
    }
    assert_eq!(root_of(&[]), parse(CT_ROOTS[0]));
}

#[test]
fn certificate_transparency_proofs() {
    let inclusion = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(prove_inclusion(&mut ct_tree(), 0, 8).unwrap(), inclusion.map(parse));
    let consistency = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(prove_consistency(&mut ct_tree(), 6, 8).unwrap(), consistency.map(parse));
}

#[test]
fn a_frontier_is_stored_and_read_back() {
    for size in 0..600 {
        let frontier: Frontier = leaves(size).iter().map(|leaf| leaf_hash(leaf)).collect();
        let stored = frontier.encode();
        assert_eq!(Frontier::decode(size, &stored), Ok(frontier));
        assert_eq!(Frontier::decode(size ^ 1, &stored), Err(NotAFrontier { size: size ^ 1 }));
        assert_eq!(Frontier::decode(size, &[stored, vec![0]].concat()), Err(NotAFrontier { size }));
    }
}

#[test]
fn a_frontier_that_no_log_can_reach_is_refused() {
    assert!(Frontier::decode(u64::MAX, &[0; 64 * 32]).is_err());
    let mut last = Frontier::decode(u64::MAX >> 1, &[0; 63 * 32]).unwrap();
    last.push(Hash::ZERO);
    assert_eq!(last.size(), 1 << 63);
}

/// INV-MERKLE-APPEND: each head is the naive root, and is consistent with each earlier one.
#[test]
fn inv_merkle_append() {
    let mut tree = MemoryHashes::default();
    let mut hashes = Vec::new();
    let mut heads = vec![tree.head()];
    for leaf in leaves(300) {
        tree.push(leaf_hash(&leaf));
        hashes.push(leaf_hash(&leaf));
        let new = tree.head();
        assert_eq!(new.root, naive(&hashes));
        // All pairs of the small sizes, where every shape occurs; then those around the edge of the first tile.
        for old in heads.iter().filter(|old| new.size <= 70 || new.size >= 254 || old.size + 2 >= new.size) {
            let proof = prove_consistency(&mut tree, old.size, new.size).unwrap();
            assert!(verify_consistency(old, &new, &proof), "{} to {}", old.size, new.size);
        }
        heads.push(new);
    }
}

/// Every hash that a tile's upper level gets is the root of its 256 hashes below.
#[test]
fn completed_runs_are_the_upper_levels() {
    let hashes: Vec<_> = leaves(65_537).iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut frontier = Frontier::default();
    let runs: Vec<_> = hashes.iter().flat_map(|hash| frontier.push_completing(*hash)).collect();
    let level_1: Vec<_> = hashes.chunks_exact(256).map(root_of).collect();
    let expected = level_1.iter().zip(0..).map(|(root, index)| CompleteRun { level: 1, index, root: *root });
    let (upper, lower): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.level > 1);
    assert_eq!(lower, expected.collect::<Vec<_>>());
    assert_eq!(upper, [CompleteRun { level: 2, index: 0, root: root_of(&level_1) }]);
}

/// Counts what a proof reads, and refuses what no tile of the tree has.
struct Counting<'a> {
    inner: &'a mut MemoryHashes,
    size: u64,
    reads: usize,
}

impl Hashes for Counting<'_> {
    type Error = Infallible;
    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Infallible> {
        assert!(range.start < range.end && range.end - range.start <= 256);
        assert_eq!(range.start / 256, (range.end - 1) / 256, "within one tile");
        assert!(range.end <= self.size >> (8 * u32::from(level)), "only complete runs");
        self.reads += 1;
        self.inner.hashes(level, range)
    }
}

const EDGES: [u64; 16] = [1, 2, 3, 127, 128, 129, 255, 256, 257, 511, 512, 4095, 65_535, 65_536, 65_537, 65_537 + 300];

/// Both proofs equal the oracle's bytes on both sides of every tile's edge, from at most three tiles a level.
#[test]
fn the_oracle_agrees_at_the_edges() {
    let (mut tree, whole) = (ours(66_000), oracle(66_000));
    assert_eq!(tree.head().root.0, <[u8; 32]>::from(*whole.root().as_bytes()));
    for size in EDGES {
        let part = oracle(size);
        let head = TreeHead { size, root: Hash((*part.root().as_bytes()).into()) };
        let mut store = Counting { inner: &mut tree, size, reads: 0 };
        for index in EDGES.iter().map(|edge| edge - 1).filter(|index| *index < size) {
            store.reads = 0;
            let proof = prove_inclusion(&mut store, index, size).unwrap();
            assert_eq!(as_bytes(&proof), part.prove_inclusion(usize::try_from(index).unwrap()).as_bytes());
            assert!(verify_inclusion(&leaf_hash(&index.to_be_bytes()), index, &head, &proof));
            assert!(store.reads <= 6, "{} reads for {index} in {size}", store.reads);
        }
        for old in EDGES.into_iter().filter(|old| *old < size) {
            store.reads = 0;
            let proof = prove_consistency(&mut store, old, size).unwrap();
            let expected = part.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(as_bytes(&proof), expected.as_bytes(), "{old} to {size}");
            assert!(store.reads <= 6, "{} reads from {old} to {size}", store.reads);
        }
    }
}

#[test]
fn proofs_of_what_is_not_there_are_empty_and_fail() {
    let mut tree = ct_tree();
    let head = tree.head();
    let old = TreeHead { size: 3, root: parse(CT_ROOTS[3]) };
    assert_eq!(prove_inclusion(&mut tree, 8, 8).unwrap(), []);
    assert!(!verify_inclusion(&head.root, 8, &head, &[]));
    assert!(!verify_inclusion(&head.root, 0, &TreeHead { size: 0, root: empty_root() }, &[]));
    assert_eq!(prove_consistency(&mut tree, 8, 3).unwrap(), []);
    assert!(!verify_consistency(&head, &old, &[]));
    assert!(!verify_consistency(&old, &head, &[]));
    assert!(!verify_consistency(&TreeHead { size: 4, root: parse(CT_ROOTS[4]) }, &head, &[]));
}

#[test]
fn equal_and_empty_heads() {
    let head = ct_tree().head();
    let empty = MemoryHashes::default().head();
    let other = TreeHead { root: Hash::ZERO, ..head };
    assert!(verify_consistency(&head, &head, &[]));
    assert!(!verify_consistency(&head, &head, &[Hash::ZERO]));
    assert!(!verify_consistency(&other, &head, &[]));
    assert!(verify_consistency(&empty, &empty, &[]));
    assert!(verify_consistency(&empty, &head, &[]));
    assert!(!verify_consistency(&empty, &head, &[head.root]));
    assert!(!verify_consistency(&TreeHead { size: 0, root: head.root }, &head, &[]));
    assert!(!verify_consistency(&empty, &TreeHead { size: 0, root: head.root }, &[]));
}

/// A store that lost hashes makes proofs that fail, and no panic.
#[test]
fn a_store_with_holes_proves_nothing() {
    let head = ours(1000).head();
    let mut holes = ours(300);
    let proof = prove_inclusion(&mut holes, 7, 1000).unwrap();
    assert!(!verify_inclusion(&leaf_hash(&7_u64.to_be_bytes()), 7, &head, &proof));
    let old = ours(290).head();
    let proof = prove_consistency(&mut holes, 290, 1000).unwrap();
    assert!(!verify_consistency(&old, &head, &proof));
}

fn flip(hash: &mut Hash, bit: Index) {
    let bit = bit.index(256);
    hash.0[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_oracle_agrees(size in 1_u64..3000, leaf in any::<Index>(), before in any::<Index>()) {
        let (mut tree, oracle) = (ours(size), oracle(size));
        let length = usize::try_from(size).unwrap();
        prop_assert_eq!(tree.head().root.0, <[u8; 32]>::from(*oracle.root().as_bytes()));
        let index = leaf.index(length);
        let proof = prove_inclusion(&mut tree, u64::try_from(index).unwrap(), size).unwrap();
        let expected = oracle.prove_inclusion(index);
        prop_assert_eq!(as_bytes(&proof), expected.as_bytes());
        let added = before.index(length);
        if added > 0 {
            let old = u64::try_from(length - added).unwrap();
            let proof = prove_consistency(&mut tree, old, size).unwrap();
            let expected = oracle.prove_consistency(added);
            prop_assert_eq!(as_bytes(&proof), expected.as_bytes());
            prop_assert!(verify_consistency(&ours(old).head(), &tree.head(), &proof));
        }
    }

    #[test]
    fn a_flipped_bit_breaks_inclusion(size in 1_u64..700, leaf in any::<Index>(), part in any::<Index>(), bit: Index) {
        let mut tree = ours(size);
        let index = u64::try_from(leaf.index(usize::try_from(size).unwrap())).unwrap();
        let mut proof = prove_inclusion(&mut tree, index, size).unwrap();
        let (mut hash, mut head) = (leaf_hash(&index.to_be_bytes()), tree.head());
        prop_assert!(verify_inclusion(&hash, index, &head, &proof));
        match part.index(proof.len() + 2) {
            0 => flip(&mut hash, bit),
            1 => flip(&mut head.root, bit),
            node => flip(&mut proof[node - 2], bit),
        }
        prop_assert!(!verify_inclusion(&hash, index, &head, &proof));
    }

    #[test]
    fn a_flipped_bit_breaks_consistency(size in 2_u64..700, before in any::<Index>(), part in any::<Index>(), bit: Index) {
        let mut tree = ours(size);
        let old_size = u64::try_from(1 + before.index(usize::try_from(size - 1).unwrap())).unwrap();
        let mut proof = prove_consistency(&mut tree, old_size, size).unwrap();
        let (mut old, mut new) = (ours(old_size).head(), tree.head());
        prop_assert!(verify_consistency(&old, &new, &proof));
        match part.index(proof.len() + 2) {
            0 => flip(&mut old.root, bit),
            1 => flip(&mut new.root, bit),
            node => flip(&mut proof[node - 2], bit),
        }
        prop_assert!(!verify_consistency(&old, &new, &proof));
    }

    /// A proof is good for one index in one tree only, and neither shorter nor longer than it is.
    #[test]
    fn a_proof_of_another_shape_fails(size in 2_u64..700, leaf in any::<Index>(), other in any::<Index>()) {
        let mut tree = ours(size);
        let (index, other) = (leaf.index(usize::try_from(size).unwrap()), other.index(usize::try_from(size).unwrap()));
        let (index, other) = (u64::try_from(index).unwrap(), u64::try_from(other).unwrap());
        let (hash, head) = (leaf_hash(&index.to_be_bytes()), tree.head());
        let mut proof = prove_inclusion(&mut tree, index, size).unwrap();
        prop_assert_eq!(index == other, verify_inclusion(&hash, other, &head, &proof));
        let node = proof.pop().unwrap();
        prop_assert!(!verify_inclusion(&hash, index, &head, &proof));
        proof.extend([node, node]);
        prop_assert!(!verify_inclusion(&hash, index, &head, &proof));
    }

    /// Whatever a stranger sends, checking ends and does not panic.
    #[test]
    fn any_heads_and_proofs_are_checked(
        sizes: (u64, u64),
        index: u64,
        roots: ([u8; 32], [u8; 32]),
        proof in proptest::collection::vec(any::<[u8; 32]>(), 0..130),
    ) {
        let proof: Vec<_> = proof.into_iter().map(Hash).collect();
        let old = TreeHead { size: sizes.0, root: Hash(roots.0) };
        let new = TreeHead { size: sizes.1, root: Hash(roots.1) };
        prop_assert!(!verify_inclusion(&old.root, index, &new, &proof));
        prop_assert!(!verify_consistency(&old, &new, &proof));
        prop_assert!(prove_inclusion(&mut ours(3), index, sizes.0).is_ok());
        prop_assert!(prove_consistency(&mut ours(3), sizes.0, sizes.1).is_ok());
    }
}
