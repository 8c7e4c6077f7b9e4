//! The area tree with its boundaries: which grid a position lies in, what lies above and beside an area.
//! Exact: polygon tests are integer arithmetic in i128.

use schema::area::{Area, AreaTree};
use schema::case::Position;
use schema::ids::AreaId;

/// An area tree, checked and indexed.
#[derive(Debug, Clone)]
pub struct AreaIndex {}

/// Why an area tree can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {}

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
        let _ = tree;
        todo!()
    }

    /// The root area.
    pub fn root(&self) -> AreaId {
        todo!()
    }

    /// An area by id.
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        let _ = id;
        todo!()
    }

    /// The area itself and everything above it, nearest first; empty for an unknown id.
    pub fn path(&self, id: AreaId) -> Vec<AreaId> {
        let _ = id;
        todo!()
    }

    /// Whether `inner` is `outer` or lies below it in the tree.
    pub fn covers(&self, outer: AreaId, inner: AreaId) -> bool {
        self.path(inner).contains(&outer)
    }

    /// The grid of a position. A point on a boundary belongs to every grid that it bounds.
    pub fn locate(&self, position: &Position) -> Located {
        let _ = position;
        todo!()
    }

    /// Grids whose boundary touches that of a grid, itself excluded, by id.
    pub fn touching(&self, grid: AreaId) -> Vec<AreaId> {
        let _ = grid;
        todo!()
    }

    /// All areas, root first.
    pub fn areas(&self) -> &[Area] {
        todo!()
    }
}
