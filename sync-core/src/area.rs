//! The area tree with its boundaries: which grid a position lies in, what lies above and beside an area.
//! Exact: polygon tests are integer arithmetic in i128. It knows nothing of who may act where.

use std::collections::BTreeMap;

use schema::area::{Area, AreaTree, Level};
use schema::case::Position;
use schema::ids::AreaId;

mod check;
mod distance;
mod drawn;
pub(crate) mod geometry;
#[cfg(test)]
mod tests;

pub use check::AreaError;
pub use distance::distance_m;
pub use drawn::drawn_faults;
use geometry::{Bounds, Point, polygon_holds, segments, segments_meet};

/// An area tree, checked and indexed.
#[derive(Debug, Clone)]
pub struct AreaIndex {
    areas: Vec<Area>,
    /// Where each area stands in `areas`.
    places: BTreeMap<AreaId, usize>,
    root: AreaId,
    /// By id, so that the first grid found is the one with the lowest id.
    grids: BTreeMap<AreaId, Grid>,
}

/// A grid's place in `areas` and the box around it: most grids are ruled out without reading their boundary.
#[derive(Debug, Clone)]
struct Grid {
    place: usize,
    bounds: Bounds,
}

/// Where a position lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The grid; the root area if it lies in none; the lower id if it lies in several.
    pub area: AreaId,
    /// It lies in this many grids.
    pub grids: usize,
}

impl AreaIndex {
    /// Checks and indexes a tree: one root first, parents before children, levels descending, rings of ≥ 3 points.
    ///
    /// # Errors
    /// The first thing that is wrong, with the area's code and what to do.
    pub fn new(tree: &AreaTree) -> Result<Self, AreaError> {
        let root = check::root_of(tree)?;
        let areas = tree.areas.clone();
        let places = areas.iter().enumerate().map(|(place, area)| (area.id, place)).collect();
        let grids = areas
            .iter()
            .enumerate()
            .filter(|(_, area)| area.level == Level::Grid)
            .filter_map(|(place, area)| Some((area.id, Grid { place, bounds: Bounds::of_boundary(&area.boundary)? })))
            .collect();
        Ok(Self { areas, places, root, grids })
    }

    /// The root area.
    pub fn root(&self) -> AreaId {
        self.root
    }

    /// An area by id.
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.get(*self.places.get(&id)?)
    }

    /// The area itself and everything above it, nearest first; empty for an unknown id.
    pub fn path(&self, id: AreaId) -> Vec<AreaId> {
        self.upwards(id).map(|area| area.id).collect()
    }

    /// Whether `inner` is `outer` or lies below it in the tree.
    pub fn covers(&self, outer: AreaId, inner: AreaId) -> bool {
        self.upwards(inner).any(|area| area.id == outer)
    }

    /// The grid of a position. A point on a boundary belongs to every grid that it bounds.
    pub fn locate(&self, position: &Position) -> Located {
        let point: Point = (position.lon_e7, position.lat_e7);
        let mut holding = self.grids.iter().filter(|(_, grid)| self.grid_holds(grid, point)).map(|(id, _)| *id);
        match holding.next() {
            Some(lowest) => Located { area: lowest, grids: holding.count().saturating_add(1) },
            None => Located { area: self.root, grids: 0 },
        }
    }

    /// Whether an area holds a position: by its own boundary, or by its grids' where it has none of its own.
    pub fn holds(&self, id: AreaId, position: &Position) -> bool {
        let point: Point = (position.lon_e7, position.lat_e7);
        match self.area(id) {
            None => false,
            Some(area) if area.boundary.is_empty() => {
                self.grids.iter().any(|(grid_id, grid)| self.covers(id, *grid_id) && self.grid_holds(grid, point))
            }
            Some(area) => area.boundary.iter().any(|polygon| polygon_holds(polygon, point)),
        }
    }

    /// Grids whose boundary touches that of a grid, itself excluded, by id; empty for anything but a grid.
    /// A common corner is enough. A grid that lies wholly inside another, apart from its rings, touches it not.
    pub fn touching(&self, grid: AreaId) -> Vec<AreaId> {
        let Some(this) = self.grids.get(&grid) else { return Vec::new() };
        self.grids
            .iter()
            .filter(|(id, other)| **id != grid && self.boundaries_meet(this, other))
            .map(|(id, _)| *id)
            .collect()
    }

    /// All areas, root first.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// An area and those above it. It ends, because a checked tree has each parent before its children.
    fn upwards(&self, id: AreaId) -> impl Iterator<Item = &Area> {
        std::iter::successors(self.area(id), |area| self.area(area.parent?))
    }

    fn boundary(&self, grid: &Grid) -> &[Vec<Vec<Point>>] {
        self.areas.get(grid.place).map_or(&[], |area| area.boundary.as_slice())
    }

    fn grid_holds(&self, grid: &Grid, point: Point) -> bool {
        grid.bounds.hold(point) && self.boundary(grid).iter().any(|polygon| polygon_holds(polygon, point))
    }

    /// Only segments that reach into the other grid's box are compared: neighbours share a small part of long rings.
    fn boundaries_meet(&self, this: &Grid, other: &Grid) -> bool {
        if !this.bounds.meet(&other.bounds) {
            return false;
        }
        let near = |grid: &Grid, bounds: &Bounds| -> Vec<(Point, Point)> {
            segments(self.boundary(grid)).filter(|(a, b)| bounds.meet(&Bounds::of_segment(*a, *b))).collect()
        };
        let theirs = near(other, &this.bounds);
        near(this, &other.bounds).iter().any(|(a, b)| theirs.iter().any(|(c, d)| segments_meet(*a, *b, *c, *d)))
    }
}
