//! Tile paths as others write them, and nonsense.

use proptest::prelude::*;

use super::*;
use crate::log::worked_example::example_leaf;

fn hashes(level: u8, index: u64, width: u16) -> Tile {
    Tile::new(Content::Hashes { level }, index, width).unwrap()
}

#[test]
fn paths_of_the_specification() {
    let entries = |index, width| Tile::new(Content::Entries, index, width).unwrap();
    for (path, tile) in [
        ("tile/0/x001/x234/067", hashes(0, 1_234_067, 256)),
        ("tile/0/000", hashes(0, 0, 256)),
        ("tile/1/999", hashes(1, 999, 256)),
        ("tile/63/x001/000", hashes(63, 1000, 256)),
        ("tile/0/273.p/112", hashes(0, 273, 112)),
        ("tile/2/x001/x000/000.p/1", hashes(2, 1_000_000, 1)),
        ("tile/entries/x001/x234/067", entries(1_234_067, 256)),
        ("tile/entries/000.p/255", entries(0, 255)),
    ] {
        assert_eq!(path.parse(), Ok(tile), "{path}");
        assert_eq!(tile.to_string(), path);
    }
}

#[test]
fn other_spellings_are_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x001/02",
        "tile/00/000",
        "tile/+1/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/entry/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/x/000",
        "tile/0/xx01/000",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x018/x446/x744/x073/x709/x551/615",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(NotATile), "{path}");
    }
}

/// The tiles that C2SP tlog-tiles names for a tree of 70,000 leaves, and those just beyond.
#[test]
fn a_tree_of_70000_leaves() {
    for (path, there) in [
        ("tile/0/272", true),
        ("tile/0/273.p/112", true),
        ("tile/0/273.p/113", false),
        ("tile/0/273", false),
        ("tile/1/000", true),
        ("tile/1/001.p/17", true),
        ("tile/1/001.p/18", false),
        ("tile/2/000.p/1", true),
        ("tile/2/000.p/2", false),
        ("tile/3/000.p/1", false),
        ("tile/8/000.p/1", false),
        ("tile/63/000.p/1", false),
        ("tile/entries/273.p/112", true),
        ("tile/entries/273", false),
    ] {
        assert_eq!(path.parse::<Tile>().unwrap().is_in(70_000), there, "{path}");
    }
    assert!("tile/1/000.p/1".parse::<Tile>().unwrap().is_in(256));
    assert!(!"tile/1/000.p/1".parse::<Tile>().unwrap().is_in(255));
}

#[test]
fn a_range_counts_the_items_of_its_level() {
    assert_eq!(hashes(1, 3, 17).range(), 768..785);
    assert_eq!((hashes(1, 3, 17).level(), hashes(1, 3, 17).index(), hashes(1, 3, 17).width()), (1, 3, 17));
}

#[test]
fn a_bundle_is_leaves_behind_their_lengths() {
    let bytes = leaf::encode(&example_leaf());
    let expected = [&[0, 242], bytes.as_slice(), &[0, 242], bytes.as_slice()].concat();
    assert_eq!(bundle([&example_leaf(), &example_leaf()]), expected);
    assert!(bundle([]).is_empty());
}

proptest! {
    #[test]
    fn a_path_is_read_back(level in 0_u8..64, index in 0..u64::MAX / 256, width in 1_u16..=256) {
        let tile = hashes(level, index, width);
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
        prop_assert_eq!(tile.range().end - tile.range().start, u64::from(width));
    }

    /// Whatever a stranger asks for, reading ends, and what is read has one spelling.
    #[test]
    fn paths_of_strangers(any in any::<String>(), near in "tile/(entries|[0-9]{1,3})/(x[0-9]{3}/){0,8}[0-9]{3}(.p/[0-9]{1,3})?") {
        prop_assert!(any.parse::<Tile>().is_err());
        if let Ok(tile) = near.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), near);
        }
    }
}
