//! What is drawn wrong in a tree that can be read: told before it takes effect. A tree that took effect once is never
//! looked at again, so that every log stays readable.

use schema::area::{Area, AreaTree};
use schema::catalogue::Text;
use schema::ids::AreaId;

use super::geometry::{Bounds, Point, inside, segments, segments_cross, segments_meet, strictly_inside, turns_back};
use super::{AreaIndex, Grid};
use crate::position::in_china;

/// Half way round the earth, in 1e-7 degrees: nobody draws a line that long.
const HALF_WAY_E7: i64 = 1_800_000_000;

/// Boundaries by which nobody could say what lies inside: rings that cross or touch themselves, holes outside their
/// polygon, lines across the 180th meridian, latitude and longitude swapped. Each with its area's code.
pub fn drawn_faults(tree: &AreaTree) -> Vec<Text> {
    tree.areas.iter().flat_map(|area| fault_of(area).map(|(zh, en)| in_area(area, zh, en))).collect()
}

fn in_area(area: &Area, zh: &str, en: &str) -> Text {
    Text { zh: format!("区域 {}：{zh}", area.code), en: format!("area {:?}: {en}", area.code) }
}

fn fault_of(area: &Area) -> Option<(&'static str, &'static str)> {
    let rings = || area.boundary.iter().flatten();
    let mut points = rings().flatten();
    if points.clone().any(|(lon, lat)| !in_china(*lat, *lon)) && points.all(|(lon, lat)| in_china(*lon, *lat)) {
        return Some((
            "经度和纬度填反了，请在导出时对调",
            "longitude and latitude are swapped: swap them in the export",
        ));
    }
    if segments(&area.boundary).any(|(a, b)| (i64::from(a.0) - i64::from(b.0)).abs() > HALF_WAY_E7) {
        return Some((
            "边界跨越 180° 经线：请在该处切成两个多边形",
            "its boundary runs across the 180th meridian: cut it in two there",
        ));
    }
    if rings().any(|ring| crosses_itself(ring)) {
        return Some((
            "边界与自身相交或相接，分不清里外：请重画，或拆成多个多边形",
            "its boundary crosses or touches itself, so inside and outside can't be told: draw it again, or as several polygons",
        ));
    }
    let hole_outside = |polygon: &Vec<Vec<Point>>| match polygon.split_first() {
        Some((outer, holes)) => holes.iter().flatten().any(|point| !inside(outer, *point)),
        None => false,
    };
    area.boundary.iter().any(hole_outside).then_some((
        "有一个洞不在多边形之内：请把它画成独立的多边形，或移到里面",
        "a hole lies outside its polygon: draw it as a polygon of its own, or inside",
    ))
}

/// Segments are compared with those that begin before they end, from west to east: a ring of thousands of points has
/// few of them side by side.
fn crosses_itself(ring: &[Point]) -> bool {
    let count = ring.len();
    let boundary = vec![vec![ring.to_vec()]];
    let mut all: Vec<(usize, Point, Point)> = segments(&boundary).enumerate().map(|(n, (a, b))| (n, a, b)).collect();
    all.sort_by_key(|(_, a, b)| a.0.min(b.0));
    all.iter().enumerate().any(|(place, (n, a, b))| {
        let east = a.0.max(b.0);
        let near = all.iter().skip(place + 1).take_while(|(_, c, d)| c.0.min(d.0) <= east);
        near.into_iter().any(|(m, c, d)| {
            if (n + 1) % count == *m {
                turns_back(*a, *b, *d)
            } else if (m + 1) % count == *n {
                turns_back(*c, *d, *b)
            } else {
                segments_meet(*a, *b, *c, *d)
            }
        })
    })
}

impl AreaIndex {
    /// Pairs of grids that lie over each other, lower id first. Ground that two grids share belongs to the lower id,
    /// and its cases are flagged; a shared line is no overlap.
    pub fn overlapping(&self) -> Vec<(AreaId, AreaId)> {
        let mut found = Vec::new();
        for (id, grid) in &self.grids {
            for (other_id, other) in self.grids.range(*id..).skip(1) {
                if self.overlap(grid, other) {
                    found.push((*id, *other_id));
                }
            }
        }
        found
    }

    fn overlap(&self, one: &Grid, other: &Grid) -> bool {
        if !one.bounds.meet(&other.bounds) {
            return false;
        }
        let (here, there) = (self.boundary(one), self.boundary(other));
        let near: Vec<(Point, Point)> =
            segments(there).filter(|(a, b)| one.bounds.meet(&Bounds::of_segment(*a, *b))).collect();
        let crossing = segments(here).any(|(a, b)| near.iter().any(|(c, d)| segments_cross(a, b, *c, *d)));
        let within = |lines: &[Vec<Vec<Point>>], ground: &[Vec<Vec<Point>>]| {
            lines.iter().flatten().flatten().any(|point| ground.iter().any(|polygon| holds_inside(polygon, *point)))
        };
        crossing || within(here, there) || within(there, here) || here == there
    }
}

/// Inside, not on a line: neither the outer ring's nor a hole's.
fn holds_inside(polygon: &[Vec<Point>], point: Point) -> bool {
    match polygon.split_first() {
        Some((outer, holes)) => strictly_inside(outer, point) && holes.iter().all(|hole| !inside(hole, point)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use schema::area::Level;
    use uuid::Uuid;

    use super::*;

    fn tree(boundaries: Vec<Vec<Vec<Vec<Point>>>>) -> AreaTree {
        let name = Text { zh: "区".to_owned(), en: "area".to_owned() };
        let mut areas = vec![Area {
            id: AreaId(Uuid::from_u128(1)),
            parent: None,
            level: Level::District,
            code: "root".to_owned(),
            name: name.clone(),
            boundary: vec![],
        }];
        areas.extend((2_u128..).zip(boundaries).map(|(n, boundary)| Area {
            id: AreaId(Uuid::from_u128(n)),
            parent: Some(AreaId(Uuid::from_u128(1))),
            level: Level::Grid,
            code: n.to_string(),
            name: name.clone(),
            boundary,
        }));
        AreaTree { version: "1".to_owned(), areas }
    }

    /// A ring around Shanghai, in hundredths of a degree from 121°, 31°.
    fn ring(points: &[(i32, i32)]) -> Vec<Point> {
        points.iter().map(|(x, y)| (1_210_000_000 + x * 100_000, 310_000_000 + y * 100_000)).collect()
    }

    fn square(x: i32, y: i32, size: i32) -> Vec<Point> {
        ring(&[(x, y), (x + size, y), (x + size, y + size), (x, y + size)])
    }

    fn fault(boundary: Vec<Vec<Vec<Point>>>) -> String {
        drawn_faults(&tree(vec![boundary])).pop().map(|text| text.en).unwrap_or_default()
    }

    #[test]
    fn good_boundaries_have_no_fault() {
        assert_eq!(fault(vec![vec![square(0, 0, 10), square(2, 2, 2)], vec![square(20, 0, 5)]]), "");
        assert_eq!(fault(vec![vec![ring(&[(0, 0), (10, 0), (10, 10), (5, 3), (0, 10)])]]), "");
    }

    #[test]
    fn what_is_drawn_wrong_is_named_with_its_area() {
        let swapped: Vec<Point> = square(0, 0, 10).into_iter().map(|(lon, lat)| (lat, lon)).collect();
        for (boundary, expected) in [
            (vec![vec![ring(&[(0, 0), (10, 10), (10, 0), (0, 10)])]], "crosses or touches itself"),
            (vec![vec![ring(&[(0, 0), (10, 0), (5, 5), (10, 10), (0, 10), (5, 5)])]], "crosses or touches itself"),
            (vec![vec![ring(&[(0, 0), (10, 0), (10, 10), (10, 5), (0, 10), (0, 5)])]], "crosses or touches itself"),
            (vec![vec![ring(&[(0, 0), (10, 0), (5, 0)])]], "crosses or touches itself"),
            (vec![vec![square(0, 0, 10), square(20, 20, 2)]], "a hole lies outside"),
            (vec![vec![vec![(1_799_000_000, 1), (-1_799_000_000, 1), (-1_799_000_000, 9)]]], "180th meridian"),
            (vec![vec![swapped]], "swapped"),
        ] {
            let found = fault(boundary);
            assert!(found.contains(expected) && found.contains("\"2\""), "{expected}: {found}");
        }
    }

    #[test]
    fn grids_that_lie_over_each_other_are_told_and_neighbours_are_not() {
        let pairs = |one: Vec<Vec<Point>>, other: Vec<Vec<Point>>| {
            AreaIndex::new(&tree(vec![vec![one], vec![other]])).unwrap().overlapping().len()
        };
        assert_eq!(pairs(vec![square(0, 0, 10)], vec![square(10, 0, 10)]), 0, "a shared line");
        assert_eq!(pairs(vec![square(0, 0, 10)], vec![square(10, 10, 10)]), 0, "a shared corner");
        assert_eq!(pairs(vec![square(0, 0, 10), square(2, 2, 4)], vec![square(2, 2, 4)]), 0, "in the hole");
        assert_eq!(pairs(vec![square(0, 0, 10)], vec![square(5, 5, 10)]), 1);
        assert_eq!(pairs(vec![square(0, 0, 10)], vec![square(2, 2, 4)]), 1, "one in the other");
        assert_eq!(pairs(vec![square(0, 0, 10)], vec![square(0, 0, 10)]), 1, "the same twice");
    }
}
