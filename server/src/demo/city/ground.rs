//! The ground: a lattice of crooked streets. Every border is drawn once and used by both sides, so areas abut exactly.

use std::collections::{BTreeMap, BTreeSet};

use pictures::drawing::Dice;

use crate::demo::ids::seed as seed_of;

/// A cell of the lattice: column from the west, row from the north.
pub(super) type Cell = (i32, i32);
/// A corner of cells.
pub(super) type Corner = (i32, i32);
/// `(lon_e7, lat_e7)`.
pub(super) type Point = (i32, i32);

/// The north-west corner.
const WEST_E7: i32 = 1_163_412_000;
const NORTH_E7: i32 = 374_655_000;
/// A metre in 1e-7 degrees, to the north and (at this latitude) to the east, in 1/100.
const NORTH_PER_METRE: i32 = 8_993;
const EAST_PER_METRE: i32 = 11_328;
/// The size of a cell before the streets are bent, in metres.
const CELL_M: (i32, i32) = (420, 380);

/// The outline of some cells that hang together, as a ring that runs counter-clockwise.
pub(super) fn outline(seed: u64, cells: &[Cell]) -> Vec<Point> {
    let mut borders: BTreeSet<(Corner, Corner)> = BTreeSet::new();
    for (column, row) in cells.iter().copied() {
        let corners = [(column, row), (column, row + 1), (column + 1, row + 1), (column + 1, row)];
        for (from, to) in corners.into_iter().zip(corners.into_iter().cycle().skip(1)) {
            // A border that another cell has walked the other way lies inside.
            if !borders.remove(&(to, from)) {
                borders.insert((from, to));
            }
        }
    }
    let mut open: BTreeMap<Corner, Corner> = borders.into_iter().collect();
    let mut ring = Vec::new();
    let mut here = open.keys().next().copied();
    while let Some(from) = here {
        here = open.remove(&from);
        if let Some(to) = here {
            ring.push(corner(seed, from));
            ring.extend(street(seed, from, to));
        }
    }
    ring
}

/// The streets from corner to corner.
pub(super) fn along(seed: u64, corners: &[Corner]) -> Vec<Point> {
    let first = corners.first().map(|first| corner(seed, *first));
    let pairs = corners.iter().zip(corners.iter().skip(1));
    let rest = pairs.flat_map(|(from, to)| street(seed, *from, *to).into_iter().chain([corner(seed, *to)]));
    first.into_iter().chain(rest).collect()
}

fn number(dice: &mut Dice, from: i64, to: i64) -> i32 {
    i32::try_from(dice.between(from, to)).unwrap_or(0)
}

fn dice(seed: u64, kind: &str, (column, row): Corner) -> Dice {
    Dice::new(seed_of(seed, kind, u64::from((column * 100 + row).unsigned_abs())))
}

/// A place in metres from the north-west corner, turned a little against north.
fn point((east_m, south_m): (i32, i32)) -> Point {
    let (east, south) = (east_m + south_m / 9, south_m - east_m / 14);
    (WEST_E7 + east * EAST_PER_METRE / 100, NORTH_E7 - south * NORTH_PER_METRE / 100)
}

fn corner_m(seed: u64, corner: Corner) -> (i32, i32) {
    let mut dice = dice(seed, "corner", corner);
    let (east, south) = (number(&mut dice, -70, 70), number(&mut dice, -70, 70));
    (corner.0 * CELL_M.0 + east, corner.1 * CELL_M.1 + south)
}

fn corner(seed: u64, corner: Corner) -> Point {
    point(corner_m(seed, corner))
}

/// The bends of the street between two corners, in walking order; the same points whichever way it is walked.
fn street(seed: u64, from: Corner, to: Corner) -> Vec<Point> {
    let (first, last) = if from < to { (from, to) } else { (to, from) };
    let kind = if first.0 == last.0 { "street south" } else { "street east" };
    let mut dice = dice(seed, kind, first);
    let (start, end) = (corner_m(seed, first), corner_m(seed, last));
    let bends = number(&mut dice, 1, 3);
    let mut points: Vec<Point> = (1..=bends)
        .map(|bend| {
            let along = |a: i32, b: i32| a + (b - a) * bend / (bends + 1);
            let (east, south) = (number(&mut dice, -25, 25), number(&mut dice, -25, 25));
            point((along(start.0, end.0) + east, along(start.1, end.1) + south))
        })
        .collect();
    if from > to {
        points.reverse();
    }
    points
}
