//! What an area tree must be before anything is looked up in it.

use std::collections::{BTreeMap, BTreeSet};

use schema::area::{Area, AreaTree, Level};
use schema::ids::AreaId;

/// The greatest longitude, in 1e-7 degrees.
const LON_E7_MAX: i32 = 1_800_000_000;
/// The greatest latitude, in 1e-7 degrees.
const LAT_E7_MAX: i32 = 900_000_000;

/// Why an area tree can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// It is empty.
    #[error("the tree holds no areas: add the district first, then what lies in it")]
    NoAreas,
    /// An area other than the first has no parent.
    #[error("area {code:?} has no parent, but {root:?} is the root already: give it a parent")]
    SeveralRoots {
        /// The area's code.
        code: String,
        /// The root's code.
        root: String,
    },
    /// The root is of another level.
    #[error("the root {code:?} is a {level:?}: the first area must be the district")]
    RootNotDistrict {
        /// The root's code.
        code: String,
        /// Its level.
        level: Level,
    },
    /// The parent is nowhere in the tree.
    #[error("area {code:?} names the parent {parent}, which is not in the tree: add it or correct the id")]
    UnknownParent {
        /// The area's code.
        code: String,
        /// The parent that it names.
        parent: AreaId,
    },
    /// The parent comes later, or is the area itself.
    #[error("area {code:?} stands before its parent {parent:?}: put parents first, and let none lie in itself")]
    ChildBeforeParent {
        /// The area's code.
        code: String,
        /// The parent's code.
        parent: String,
    },
    /// Something lies in a grid.
    #[error("area {code:?} lies in the grid {grid:?}: a grid has nothing below it, name the community as parent")]
    GridWithChildren {
        /// The area's code.
        code: String,
        /// The grid's code.
        grid: String,
    },
    /// The level is not below the parent's.
    #[error("area {code:?} is a {level:?} in the {parent_level:?} {parent:?}: its level must lie below its parent's")]
    LevelNotBelow {
        /// The area's code.
        code: String,
        /// Its level.
        level: Level,
        /// The parent's code.
        parent: String,
        /// The parent's level.
        parent_level: Level,
    },
    /// Two areas have one id.
    #[error("areas {first:?} and {code:?} have the same id {id}: give one of them a new id")]
    DuplicateId {
        /// The later area's code.
        code: String,
        /// The earlier area's code.
        first: String,
        /// The id.
        id: AreaId,
    },
    /// Two areas have one code.
    #[error("the code {code:?} is used twice: each area needs its own")]
    DuplicateCode {
        /// The code.
        code: String,
    },
    /// An area has no code.
    #[error("area {id} has no code: give it the number that the city uses")]
    NoCode {
        /// The area's id.
        id: AreaId,
    },
    /// A grid has no boundary.
    #[error("grid {code:?} has no boundary: draw at least one polygon, or nothing can be found in it")]
    NoBoundary {
        /// The grid's code.
        code: String,
    },
    /// A ring is no ring.
    #[error("a ring of area {code:?} has {points} points: a ring needs 3 or more, the first not repeated at its end")]
    RingTooShort {
        /// The area's code.
        code: String,
        /// How many it has.
        points: usize,
    },
    /// A point is not on the earth.
    #[error(
        "area {code:?} has a point at longitude {lon_e7}, latitude {lat_e7} (1e-7 degrees): longitude comes first, \
         from -180 to 180 degrees, then latitude, from -90 to 90"
    )]
    OutOfRange {
        /// The area's code.
        code: String,
        /// The longitude.
        lon_e7: i32,
        /// The latitude.
        lat_e7: i32,
    },
}

/// The root of a tree in which everything is as it must be.
pub(super) fn root_of(tree: &AreaTree) -> Result<AreaId, AreaError> {
    let root = tree.areas.first().ok_or(AreaError::NoAreas)?;
    let mut seen: BTreeMap<AreaId, &Area> = BTreeMap::new();
    let mut codes: BTreeSet<&str> = BTreeSet::new();
    for area in &tree.areas {
        let code = || area.code.clone();
        if area.code.trim().is_empty() {
            return Err(AreaError::NoCode { id: area.id });
        }
        if let Some(first) = seen.get(&area.id) {
            return Err(AreaError::DuplicateId { code: code(), first: first.code.clone(), id: area.id });
        }
        if !codes.insert(&area.code) {
            return Err(AreaError::DuplicateCode { code: code() });
        }
        match area.parent {
            Some(parent) => check_parent(tree, area, parent, seen.get(&parent).copied())?,
            None if seen.is_empty() => check_root(area)?,
            None => return Err(AreaError::SeveralRoots { code: code(), root: root.code.clone() }),
        }
        check_boundary(area)?;
        seen.insert(area.id, area);
    }
    Ok(root.id)
}

fn check_root(root: &Area) -> Result<(), AreaError> {
    match root.level {
        Level::District => Ok(()),
        level => Err(AreaError::RootNotDistrict { code: root.code.clone(), level }),
    }
}

fn check_parent(tree: &AreaTree, area: &Area, parent: AreaId, seen: Option<&Area>) -> Result<(), AreaError> {
    let code = area.code.clone();
    let Some(above) = seen else {
        return Err(match tree.areas.iter().find(|other| other.id == parent) {
            Some(later) => AreaError::ChildBeforeParent { code, parent: later.code.clone() },
            None => AreaError::UnknownParent { code, parent },
        });
    };
    if above.level == Level::Grid {
        return Err(AreaError::GridWithChildren { code, grid: above.code.clone() });
    }
    if area.level <= above.level {
        let (parent, parent_level) = (above.code.clone(), above.level);
        return Err(AreaError::LevelNotBelow { code, level: area.level, parent, parent_level });
    }
    Ok(())
}

fn check_boundary(area: &Area) -> Result<(), AreaError> {
    if area.level == Level::Grid && area.boundary.is_empty() {
        return Err(AreaError::NoBoundary { code: area.code.clone() });
    }
    for polygon in &area.boundary {
        if polygon.is_empty() {
            return Err(AreaError::RingTooShort { code: area.code.clone(), points: 0 });
        }
        for ring in polygon {
            check_ring(area, ring)?;
        }
    }
    Ok(())
}

fn check_ring(area: &Area, ring: &[(i32, i32)]) -> Result<(), AreaError> {
    if ring.len() < 3 {
        return Err(AreaError::RingTooShort { code: area.code.clone(), points: ring.len() });
    }
    let on_earth = |&&(lon_e7, lat_e7): &&(i32, i32)| {
        (-LON_E7_MAX..=LON_E7_MAX).contains(&lon_e7) && (-LAT_E7_MAX..=LAT_E7_MAX).contains(&lat_e7)
    };
    match ring.iter().find(|point| !on_earth(point)) {
        None => Ok(()),
        Some(&(lon_e7, lat_e7)) => Err(AreaError::OutOfRange { code: area.code.clone(), lon_e7, lat_e7 }),
    }
}
