//! The log as outsiders read it: checkpoints, tiles and proofs in C2SP's tlog-tiles form. Nothing here is secret but
//! the entries themselves.

use schema::api::{LogStanding, Proof};
use schema::hash::Hash;
use schema::ids::LogId;
use schema::problem::ProblemCode;
use schema::record::Leaf;
use sync_core::line::sha256;
use sync_core::log::leaf;
use sync_core::log::tree::{Hashes, prove_consistency, prove_inclusion};

use super::standing;
use crate::error::{Error, Result};
use crate::store::{Db, Entry, LogHead, Store};

/// Hashes in a full tile.
const TILE: u64 = 256;
/// The highest level a tile can have: 256^7 leaves and more will never be.
const LEVEL_MAX: u8 = 7;

/// Reading the log as evidence. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    store: Store,
}

/// A tile: its level, its index in it, and how many of its 256 hashes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TileName {
    /// 0 for leaves.
    pub level: u8,
    /// Which.
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Audit {
    /// Reading from a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// How a log stands: backups and restores.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn standing(&self, log: LogId, now_ms: u64) -> Result<LogStanding> {
        self.store.read_async(move |db| standing::of(db, log, now_ms)).await
    }

    /// The newest checkpoint, a signed note.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn checkpoint(&self, log: LogId) -> Result<String> {
        self.read(log, |db, head| {
            let newest = db.newest_checkpoint(head.num, head.epoch)?;
            newest.map(|checkpoint| checkpoint.note).ok_or_else(not_found)
        })
        .await
    }

    /// The hashes of a tile.
    ///
    /// # Errors
    /// `not_found` where the log is not that long.
    pub async fn tile(&self, log: LogId, tile: TileName) -> Result<Vec<u8>> {
        self.read(log, move |db, head| {
            let first = tile.index.checked_mul(TILE).ok_or_else(not_found)?;
            let end = first.checked_add(tile.width).ok_or_else(not_found)?;
            let whole = head.rev.checked_shr(u32::from(tile.level).saturating_mul(8)).unwrap_or(0);
            if tile.level > LEVEL_MAX || end > whole {
                return Err(not_found());
            }
            let hashes = db.tree(head.num).hashes(tile.level, first..end)?;
            Ok(hashes.iter().flat_map(|hash| hash.0).collect())
        })
        .await
    }

    /// A bundle of entries: each leaf with its length before it.
    ///
    /// # Errors
    /// `not_found` where the log is not that long.
    pub async fn bundle(&self, log: LogId, index: u64, width: u64) -> Result<Vec<u8>> {
        self.read(log, move |db, head| {
            let first = index.checked_mul(TILE).ok_or_else(not_found)?;
            let end = first.checked_add(width).ok_or_else(not_found)?;
            if end > head.rev {
                return Err(not_found());
            }
            let entries = db.entries_after(head.num, first, usize::try_from(width).unwrap_or(0))?;
            let mut bundle = Vec::new();
            for entry in entries {
                let bytes = leaf::encode(&leaf_of(log, entry));
                let length = u16::try_from(bytes.len()).map_err(|_| anyhow::anyhow!("a leaf of over 64 KiB"))?;
                bundle.extend_from_slice(&length.to_be_bytes());
                bundle.extend_from_slice(&bytes);
            }
            Ok(bundle)
        })
        .await
    }

    /// Proof that the tree of `old` leaves begins the tree of `new` leaves.
    ///
    /// # Errors
    /// `invalid` where the sizes don't fit the log.
    pub async fn consistency(&self, log: LogId, old: u64, new: u64) -> Result<Proof> {
        self.read(log, move |db, head| {
            if new > head.rev {
                return Err(Error::invalid("new"));
            }
            if old > new {
                return Err(Error::invalid("old"));
            }
            let hashes: Vec<Hash> = prove_consistency(&mut db.tree(head.num), old, new)?;
            Ok(Proof { log, hashes })
        })
        .await
    }

    /// Proof that the entry with revision `rev` is in the tree of `size` leaves.
    ///
    /// # Errors
    /// `invalid` where they don't fit the log.
    pub async fn inclusion(&self, log: LogId, rev: u64, size: u64) -> Result<Proof> {
        self.read(log, move |db, head| {
            if size > head.rev {
                return Err(Error::invalid("size"));
            }
            if rev == 0 || rev > size {
                return Err(Error::invalid("rev"));
            }
            let hashes: Vec<Hash> = prove_inclusion(&mut db.tree(head.num), rev.saturating_sub(1), size)?;
            Ok(Proof { log, hashes })
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        log: LogId,
        work: impl FnOnce(&mut Db, &LogHead) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.store
            .read_async(move |db| {
                let head = db.head(log)?.ok_or_else(not_found)?;
                work(db, &head)
            })
            .await
    }
}

fn not_found() -> Error {
    Error::refused(ProblemCode::NotFound)
}

/// The leaf of an entry, from what is stored of it.
pub fn leaf_of(log: LogId, entry: Entry) -> Leaf {
    Leaf {
        log,
        epoch: entry.epoch,
        rev: entry.rev,
        op: entry.op,
        device: entry.device,
        incarnation: entry.incarnation,
        device_seq: entry.device_seq,
        actor: entry.actor,
        entity: entry.entity,
        prev_leaf: entry.prev_leaf,
        received_ms: entry.received_ms,
        first_received_ms: entry.first_received_ms,
        outcome: entry.outcome,
        state_after: entry.state_after,
        line_hash: sha256(&entry.line),
        record_hash: sha256(entry.record.as_bytes()),
        kind: entry.kind,
    }
}

impl TileName {
    /// Reads `LEVEL/INDEX[.p/WIDTH]` of tlog-tiles, where the index stands in groups of three digits (`x001/234`).
    pub fn parse(level: &str, path: &str) -> Option<Self> {
        let level = level.parse().ok()?;
        let (index, width) = parse_index(path)?;
        Some(Self { level, index, width })
    }
}

/// Reads `x001/x234/067[.p/WIDTH]`.
pub fn parse_index(path: &str) -> Option<(u64, u64)> {
    let (index, width) = match path.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok().filter(|width| (1..TILE).contains(width))?),
        None => (path, TILE),
    };
    let groups: Vec<&str> = index.split('/').collect();
    let (last, before) = groups.split_last()?;
    let mut number: u64 = 0;
    for group in before.iter().map(|group| group.strip_prefix('x')).chain([Some(*last)]) {
        let group = group.filter(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()))?;
        number = number.checked_mul(1000)?.checked_add(group.parse().ok()?)?;
    }
    // One spelling: no leading group of zeros.
    (before.is_empty() || before.first() != Some(&"x000")).then_some((number, width))
}

#[cfg(test)]
mod tests {
    use super::parse_index;

    #[test]
    fn indexes_have_one_spelling() {
        assert_eq!(parse_index("067"), Some((67, 256)));
        assert_eq!(parse_index("x001/x234/067"), Some((1_234_067, 256)));
        assert_eq!(parse_index("x001/067.p/5"), Some((1067, 5)));
        for wrong in
            ["", "67", "x067", "001/067", "x000/067", "067.p/0", "067.p/256", "067.p/", "x001/x234", "-67", "０６７"]
        {
            assert_eq!(parse_index(wrong), None, "{wrong}");
        }
    }
}
