//! The paths under which a tree is served, as C2SP tlog-tiles lays them out.
//! It does not know who may read a tile, nor where its hashes are kept.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use schema::record::Leaf;

use super::leaf;
use super::tree::TILE_WIDTH;

/// The highest level that a path may name (C2SP tlog-tiles, "Merkle Tree"). No tree of 2^64 leaves has more than 8.
const LEVEL_MAX: u8 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Hashes: of leaves at level 0, of full tiles of the level below at the others.
    Hashes {
        /// The level.
        level: u8,
    },
    /// The leaves' bytes: an entry bundle.
    Entries,
}

/// A tile or an entry bundle, by its path: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
/// `FromStr` and `Display` read and write the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    content: Content,
    index: u64,
    width: u16,
}

/// Not the path of a tile, or not its one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tile (tile/<L>/<N>[.p/<W>])")]
pub struct NotATile;

impl Tile {
    /// A tile of some width, 1 to 256.
    ///
    /// # Errors
    /// A level, index or width that no tree has.
    pub fn new(content: Content, index: u64, width: u16) -> Result<Self, NotATile> {
        let tile = Self { content, index, width };
        let good = tile.level() <= LEVEL_MAX && index < u64::MAX / TILE_WIDTH && (1..=256).contains(&width);
        good.then_some(tile).ok_or(NotATile)
    }

    /// What it holds.
    pub fn content(&self) -> Content {
        self.content
    }

    /// The level: 0 for leaf hashes and for entries.
    pub fn level(&self) -> u8 {
        match self.content {
            Content::Hashes { level } => level,
            Content::Entries => 0,
        }
    }

    /// Its index within the level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many items it holds: 256, or fewer in a partial tile.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Its items, counted within the level: what [`super::tree::Hashes`] reads.
    pub fn range(&self) -> Range<u64> {
        let start = self.index.saturating_mul(TILE_WIDTH);
        start..start.saturating_add(u64::from(self.width))
    }

    /// Whether a tree of this size has all its items (C2SP tlog-tiles, "Partial Tiles"). Those of a partial tile stay
    /// true when the tile has become full, so it may be served, and cached, for ever.
    pub fn is_in(&self, size: u64) -> bool {
        let items = size.checked_shr(u32::from(self.level()) * 8).unwrap_or(0);
        self.range().end <= items
    }
}

impl FromStr for Tile {
    type Err = NotATile;

    fn from_str(path: &str) -> Result<Self, NotATile> {
        let (content, rest) = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(NotATile)?;
        let content = match content {
            "entries" => Content::Entries,
            level => Content::Hashes { level: level.parse().map_err(|_| NotATile)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, 256),
            Some((index, width)) => (index, width.parse().map_err(|_| NotATile)?),
        };
        let tile = Self::new(content, read_index(index).ok_or(NotATile)?, width)?;
        // Also refuses leading zeroes, plus signs, x000 in front and .p/256.
        (tile.to_string() == path).then_some(tile).ok_or(NotATile)
    }
}

/// `x001/x234/067` is 1234067.
fn read_index(text: &str) -> Option<u64> {
    let mut digits = String::new();
    for element in text.split('/') {
        digits.push_str(element.strip_prefix('x').unwrap_or(element));
    }
    digits.parse().ok()
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        let mut above = self.index / 1000;
        let mut elements = Vec::new();
        while above > 0 {
            elements.push(above % 1000);
            above /= 1000;
        }
        for element in elements.iter().rev() {
            write!(f, "x{element:03}/")?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if u64::from(self.width) < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Entry bundle: each leaf's bytes behind their length as u16, big-endian (C2SP tlog-tiles, "Log entries").
pub fn bundle<'a>(leaves: impl IntoIterator<Item = &'a Leaf>) -> Vec<u8> {
    let mut bundle = Vec::new();
    for leaf in leaves {
        let bytes = leaf::encode(leaf);
        // A leaf has 237 bytes and its kind; a kind that does not fit was refused at the door.
        bundle.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
        bundle.extend(bytes);
    }
    bundle
}

#[cfg(test)]
mod tests;
