//! Streets, roads and rivers: whether something lies along one. Lengths are integers of a scaled 1e-7 degree, so the
//! answer is the same everywhere.

use schema::case::Position;
use schema::responsibility::Line;

use crate::area::geometry::{Point, segments_meet};

/// Parts of a unit of 1e-7 degrees.
const SCALE: i128 = 1 << 20;
/// Units of 1e-7 degrees to the north in 1000 km, on the sphere of `area::distance_m`.
const NORTH_PER_1000_KM: i128 = 89_932_036;

/// Whether a line reaches a position: it lies at most the line's width from it, to either side and beyond its ends.
pub(super) fn reaches(line: &Line, position: &Position) -> bool {
    let width = i128::from(line.width_m);
    segments(line).any(|(a, b)| is_near((position.lon_e7, position.lat_e7), a, b, width))
}

/// Whether two lines reach a common place.
pub(super) fn meet(one: &Line, other: &Line) -> bool {
    let width = i128::from(one.width_m) + i128::from(other.width_m);
    segments(one).any(|(a, b)| {
        segments(other).any(|(c, d)| {
            segments_meet(a, b, c, d)
                || [a, b].into_iter().any(|end| is_near(end, c, d, width))
                || [c, d].into_iter().any(|end| is_near(end, a, b, width))
        })
    })
}

fn segments(line: &Line) -> impl Iterator<Item = (Point, Point)> {
    line.points.iter().copied().zip(line.points.iter().copied().skip(1))
}

/// Whether a point lies at most so many metres from a segment. A degree to the east is as long as at the point's own
/// latitude. Differences have 53 bits, so their products fit.
fn is_near(point: Point, a: Point, b: Point, width_m: i128) -> bool {
    let east = east_scale(point.1);
    let from_to = |from: Point, to: Point| {
        let difference = |from: i32, to: i32| i128::from(to) - i128::from(from);
        (difference(from.0, to.0) * east, difference(from.1, to.1) * SCALE)
    };
    let dot = |one: (i128, i128), other: (i128, i128)| one.0 * other.0 + one.1 * other.1;
    let reach = width_m * NORTH_PER_1000_KM * SCALE / 1_000_000;
    let (along, to_point, past_end) = (from_to(a, b), from_to(a, point), from_to(b, point));
    let within = |vector: (i128, i128)| dot(vector, vector) <= reach * reach;
    if dot(to_point, along) <= 0 {
        return within(to_point);
    }
    if dot(past_end, along) >= 0 {
        return within(past_end);
    }
    let cross = along.0 * to_point.1 - along.1 * to_point.0;
    cross.abs() <= reach * dot(along, along).isqrt()
}

/// How long a unit to the east is at a latitude, in parts of [`SCALE`]. The cosine comes from crate `libm`, in
/// software, and is rounded before anything is compared.
fn east_scale(lat_e7: i32) -> i128 {
    let cosine = libm::cos(f64::from(lat_e7) * (std::f64::consts::PI / 180e7));
    #[expect(clippy::as_conversions, reason = "no other way from f64; 0 to 2^20")]
    let scaled = libm::round(cosine * 1_048_576.0) as i128;
    scaled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use schema::catalogue::Text;
    use schema::responsibility::LineKind;

    use super::*;
    use crate::area::distance_m;

    fn street(points: Vec<(i32, i32)>, width_m: u32) -> Line {
        let name = Text { zh: "南市街".to_owned(), en: "Nanshi Street".to_owned() };
        Line { kind: LineKind::Street, name, points, width_m }
    }

    const WEST: Point = (1_163_500_000, 374_300_000);
    const EAST: Point = (1_163_600_000, 374_300_000);

    fn at((lon_e7, lat_e7): Point) -> Position {
        Position::at(lat_e7, lon_e7)
    }

    /// 100 m are 8993 units to the north, and 11325 to the east at this latitude.
    #[test]
    fn the_width_is_told_in_metres_to_the_side_and_beyond_the_ends() {
        let street = street(vec![WEST, EAST], 100);
        let middle = i32::midpoint(WEST.0, EAST.0);
        for (place, reached) in [
            ((middle, WEST.1), true),
            ((middle, WEST.1 + 8_990), true),
            ((middle, WEST.1 - 8_990), true),
            ((middle, WEST.1 + 9_000), false),
            ((WEST.0 - 11_320, WEST.1), true),
            ((WEST.0 - 11_335, WEST.1), false),
            ((EAST.0 + 11_320, WEST.1), true),
            ((EAST.0 + 11_335, WEST.1), false),
            ((EAST.0 + 11_000, WEST.1 + 8_000), false),
        ] {
            assert_eq!(reaches(&street, &at(place)), reached, "{place:?}");
        }
    }

    #[test]
    fn lines_meet_where_they_cross_or_come_close() {
        let north = |lon: i32, from: i32, width| street(vec![(lon, WEST.1 + from), (lon, WEST.1 + 50_000)], width);
        let along = street(vec![WEST, EAST], 50);
        assert!(meet(&along, &north(1_163_550_000, -50_000, 1)), "they cross");
        assert!(meet(&along, &north(1_163_550_000, 8_900, 50)), "99 m apart, 50 m each");
        assert!(!meet(&along, &north(1_163_550_000, 9_100, 50)), "101 m apart");
        assert!(meet(&north(1_163_550_000, 8_900, 50), &along), "the other way round");
    }

    proptest! {
        /// Against the distance on the sphere, which shares nothing with it: from the end of a segment of no length.
        #[test]
        fn a_point_is_as_near_as_it_is_far(lat in -850_000_000..850_000_000, lon in -1_700_000_000..1_700_000_000,
            north in -40_000_i32..40_000, east in -40_000_i32..40_000, width_m in 1_u32..600) {
            let (here, there) = ((lon, lat), (lon + east, lat + north));
            let metres = distance_m(&at(here), &at(there));
            let near = reaches(&street(vec![here, here], width_m), &at(there));
            prop_assume!(metres.abs_diff(u64::from(width_m)) > 2);
            prop_assert_eq!(near, metres < u64::from(width_m));
        }

        #[test]
        fn a_line_reads_the_same_from_either_end(lat in 374_200_000..374_400_000, lon in 1_163_400_000..1_163_700_000,
            bend in 374_200_000..374_400_000, width_m in 1_u32..900) {
            let points = vec![WEST, (1_163_550_000, bend), EAST];
            let back: Vec<_> = points.iter().rev().copied().collect();
            let place = at((lon, lat));
            prop_assert_eq!(reaches(&street(points, width_m), &place), reaches(&street(back, width_m), &place));
        }

        #[test]
        fn nothing_overflows(points in proptest::collection::vec((any::<i32>(), any::<i32>()), 2..5),
            lat: i32, lon: i32, width_m: u32) {
            reaches(&street(points, width_m), &at((lon, lat)));
        }
    }
}
