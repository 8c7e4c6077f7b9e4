//! Points, segments and polygons on integers. A cross product of two differences of 1e-7 degrees needs 65 bits,
//! so every product is taken in i128 and no test is ever rounded.

/// `(lon_e7, lat_e7)`.
pub(crate) type Point = (i32, i32);

/// The box around something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    west: i32,
    south: i32,
    east: i32,
    north: i32,
}

impl Bounds {
    /// The box around a boundary; none if it has no points.
    pub(super) fn of_boundary(boundary: &[Vec<Vec<Point>>]) -> Option<Self> {
        boundary
            .iter()
            .flatten()
            .flatten()
            .map(|point| Self::of_segment(*point, *point))
            .reduce(|one, other| one.around(&other))
    }

    /// The box around a segment.
    pub(super) fn of_segment(a: Point, b: Point) -> Self {
        Self { west: a.0.min(b.0), south: a.1.min(b.1), east: a.0.max(b.0), north: a.1.max(b.1) }
    }

    /// Whether a point lies in it or on its edge.
    pub(super) fn hold(&self, point: Point) -> bool {
        (self.west..=self.east).contains(&point.0) && (self.south..=self.north).contains(&point.1)
    }

    /// Whether two boxes share at least a point.
    pub(super) fn meet(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    fn around(&self, other: &Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }
}

/// The segments of all rings of a boundary, each ring closed.
pub(super) fn segments(boundary: &[Vec<Vec<Point>>]) -> impl Iterator<Item = (Point, Point)> {
    boundary.iter().flatten().flat_map(|ring| ring_segments(ring))
}

fn ring_segments(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Which side of the line from `a` to `b` a point lies on: positive is left, 0 is on it.
fn side(a: Point, b: Point, point: Point) -> i128 {
    let difference = |to: i32, from: i32| i128::from(to) - i128::from(from);
    difference(b.0, a.0) * difference(point.1, a.1) - difference(b.1, a.1) * difference(point.0, a.0)
}

fn on_segment(a: Point, b: Point, point: Point) -> bool {
    Bounds::of_segment(a, b).hold(point) && side(a, b, point) == 0
}

/// Whether two segments share at least a point: they cross, touch or overlap.
pub(crate) fn segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool {
    if !Bounds::of_segment(a, b).meet(&Bounds::of_segment(c, d)) {
        return false;
    }
    let (c_side, d_side) = (side(a, b, c).signum(), side(a, b, d).signum());
    let (a_side, b_side) = (side(c, d, a).signum(), side(c, d, b).signum());
    let crossing = c_side * d_side < 0 && a_side * b_side < 0;
    crossing || on_segment(a, b, c) || on_segment(a, b, d) || on_segment(c, d, a) || on_segment(c, d, b)
}

/// Whether two segments cross: each ends on both sides of the other.
pub(super) fn segments_cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    side(a, b, c).signum() * side(a, b, d).signum() < 0 && side(c, d, a).signum() * side(c, d, b).signum() < 0
}

/// Whether the way from `a` over `b` to `c` lies on itself.
pub(super) fn turns_back(a: Point, b: Point, c: Point) -> bool {
    on_segment(a, b, c) || on_segment(b, c, a)
}

/// Whether a point lies in a ring or on it.
pub(super) fn inside(ring: &[Point], point: Point) -> bool {
    ring_side(ring, point) != Side::Outside
}

/// Whether a point lies in a ring and not on it.
pub(super) fn strictly_inside(ring: &[Point], point: Point) -> bool {
    ring_side(ring, point) == Side::Inside
}

/// Where a point lies against a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    On,
    Outside,
}

/// By winding number, so that a ring that overlaps itself holds what it goes round twice.
fn ring_side(ring: &[Point], point: Point) -> Side {
    let mut turns = 0_i64;
    for (a, b) in ring_segments(ring) {
        if on_segment(a, b, point) {
            return Side::On;
        }
        let upwards = a.1 <= point.1 && point.1 < b.1;
        let downwards = b.1 <= point.1 && point.1 < a.1;
        if upwards && side(a, b, point) > 0 {
            turns += 1;
        } else if downwards && side(a, b, point) < 0 {
            turns -= 1;
        }
    }
    if turns == 0 { Side::Outside } else { Side::Inside }
}

/// Whether a polygon (an outer ring and its holes) holds a point. The points of its rings, holes' too, belong to it:
/// otherwise a case reported on the line between two grids would belong to nobody.
pub(super) fn polygon_holds(polygon: &[Vec<Point>], point: Point) -> bool {
    let mut sides = polygon.iter().map(|ring| ring_side(ring, point));
    match sides.next() {
        None => false,
        Some(Side::On) => true,
        Some(Side::Outside) => sides.any(|hole| hole == Side::On),
        Some(Side::Inside) => {
            let holes: Vec<Side> = sides.collect();
            holes.contains(&Side::On) || !holes.contains(&Side::Inside)
        }
    }
}
