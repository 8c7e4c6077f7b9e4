//! The hashes of a whole tree in memory: for case maps, auditors and tests.
//! Not for a server's log, which keeps them in its store.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Range;

use schema::hash::Hash;
use schema::sync::TreeHead;

use super::{Frontier, Hashes};

/// All hashes of a tree that proofs may read.
#[derive(Debug, Clone, Default)]
pub struct MemoryHashes {
    levels: BTreeMap<u8, Vec<Hash>>,
    frontier: Frontier,
}

impl MemoryHashes {
    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.levels.entry(0).or_default().push(leaf);
        for run in self.frontier.push_completing(leaf) {
            self.levels.entry(run.level).or_default().push(run.root);
        }
    }

    /// Size and root.
    pub fn head(&self) -> TreeHead {
        self.frontier.head()
    }
}

impl FromIterator<Hash> for MemoryHashes {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut hashes = Self::default();
        for leaf in leaves {
            hashes.push(leaf);
        }
        hashes
    }
}

impl Hashes for MemoryHashes {
    type Error = Infallible;

    fn hashes(&mut self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Infallible> {
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
            return Ok(Vec::new());
        };
        let found = self.levels.get(&level).and_then(|hashes| hashes.get(start..end));
        Ok(found.unwrap_or_default().to_vec())
    }
}
