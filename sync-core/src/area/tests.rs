//! Exactness against oracles that share nothing with the code: angles summed in floats, lattice points counted,
//! lines solved as fractions.

use proptest::prelude::*;
use schema::catalogue::Text;
use uuid::Uuid;

use super::*;

type Ring = Vec<Point>;

fn id(n: u128) -> AreaId {
    AreaId(Uuid::from_u128(n))
}

fn area(n: u128, parent: Option<u128>, level: Level, boundary: Vec<Vec<Ring>>) -> Area {
    let name = Text { zh: format!("区域{n}"), en: format!("Area {n}") };
    Area { id: id(n), parent: parent.map(id), level, code: n.to_string(), name, boundary }
}

/// A district with one community of these grids, numbered from 10.
fn district(grids: Vec<Vec<Vec<Ring>>>) -> AreaTree {
    let mut areas = vec![area(1, None, Level::District, vec![]), area(2, Some(1), Level::Community, vec![])];
    areas.extend((10..).zip(grids).map(|(n, boundary)| area(n, Some(2), Level::Grid, boundary)));
    AreaTree { version: "1".to_owned(), areas }
}

fn index(grids: Vec<Vec<Vec<Ring>>>) -> AreaIndex {
    AreaIndex::new(&district(grids)).unwrap()
}

fn square(west: i32, south: i32, size: i32) -> Ring {
    vec![(west, south), (west + size, south), (west + size, south + size), (west, south + size)]
}

fn at(lon_e7: i32, lat_e7: i32) -> Position {
    Position::at(lat_e7, lon_e7)
}

fn located(n: u128, grids: usize) -> Located {
    Located { area: id(n), grids }
}

#[test]
fn a_position_is_found_inside_on_the_line_and_outside() {
    let index = index(vec![vec![vec![square(0, 0, 10)]], vec![vec![square(10, 0, 10)]]]);
    assert_eq!(index.locate(&at(5, 5)), located(10, 1));
    assert_eq!(index.locate(&at(15, 5)), located(11, 1));
    assert_eq!(index.locate(&at(10, 5)), located(10, 2), "a shared line belongs to both; the lower id is named");
    assert_eq!(index.locate(&at(20, 10)), located(11, 1), "a corner belongs to the grid");
    assert_eq!(index.locate(&at(21, 10)), located(1, 0), "in no grid: the root area");
}

#[test]
fn holes_are_out_but_their_rings_are_in() {
    let ring_road = vec![vec![square(0, 0, 30), square(10, 10, 10)]];
    let index = index(vec![ring_road, vec![vec![square(10, 10, 10)]]]);
    assert_eq!(index.locate(&at(15, 15)), located(11, 1));
    assert_eq!(index.locate(&at(10, 15)), located(10, 2));
    assert_eq!(index.locate(&at(5, 15)), located(10, 1));
    assert_eq!(index.touching(id(10)), [id(11)], "a grid in the hole shares the hole's ring");
}

#[test]
fn a_grid_of_several_polygons_and_one_that_overlaps_itself() {
    let two = vec![vec![square(0, 0, 4)], vec![square(10, 0, 4)]];
    // Goes round (4, 4)–(6, 6) twice in the same sense.
    let knot = vec![vec![vec![(100, 0), (106, 0), (106, 6), (104, 6), (104, 4), (110, 4), (110, 10), (100, 10)]]];
    let index = index(vec![two, knot]);
    assert_eq!(index.locate(&at(2, 2)), located(10, 1));
    assert_eq!(index.locate(&at(12, 2)), located(10, 1));
    assert_eq!(index.locate(&at(7, 2)), located(1, 0));
    assert_eq!(index.locate(&at(105, 5)), located(11, 1));
}

#[test]
fn the_far_corners_of_the_number_range_do_not_overflow() {
    let (west, east, south, north) = (-1_800_000_000, 1_800_000_000, -900_000_000, 900_000_000);
    let world = vec![(west, south), (east, south), (east, north), (west, north)];
    let sliver = vec![(west, south), (east, north), (east, north - 1)];
    let index = index(vec![vec![vec![world]], vec![vec![sliver]]]);
    assert_eq!(index.locate(&at(0, 0)), located(10, 2));
    assert_eq!(index.locate(&at(0, 1)), located(10, 1));
    assert_eq!(index.locate(&at(i32::MAX, i32::MIN)), located(1, 0));
    assert_eq!(index.touching(id(10)), [id(11)]);
}

#[test]
fn the_tree_is_walked_both_ways() {
    let tree = index(vec![vec![vec![square(0, 0, 10)]]]);
    assert_eq!(tree.root(), id(1));
    assert_eq!(tree.path(id(10)), [id(10), id(2), id(1)]);
    assert_eq!(tree.path(id(99)), []);
    assert!(tree.covers(id(1), id(10)) && tree.covers(id(10), id(10)) && !tree.covers(id(10), id(2)));
    assert!(!tree.covers(id(99), id(99)));
    assert_eq!(tree.area(id(2)).unwrap().level, Level::Community);
    assert_eq!(tree.areas().len(), 3);
    assert!(tree.holds(id(1), &at(5, 5)) && !tree.holds(id(1), &at(50, 5)) && !tree.holds(id(99), &at(5, 5)));
    assert_eq!(tree.touching(id(2)), [], "only grids have neighbours");
}

#[test]
fn neighbours_touch_by_a_line_a_corner_or_a_crossing() {
    let index = index(vec![
        vec![vec![square(0, 0, 10)]],
        vec![vec![square(10, 2, 3)]],
        vec![vec![square(10, 10, 5)]],
        vec![vec![square(30, 30, 5)]],
        vec![vec![square(-5, -5, 6)]],
        vec![vec![square(4, 4, 2)]],
    ]);
    assert_eq!(index.touching(id(10)), [id(11), id(12), id(14)], "not what lies inside without touching the ring");
    assert_eq!(index.touching(id(13)), []);
}

#[test]
fn each_fault_is_named_with_its_area() {
    let good = || district(vec![vec![vec![square(0, 0, 10)]]]);
    let fault = |change: &dyn Fn(&mut Vec<Area>)| {
        let mut tree = good();
        change(&mut tree.areas);
        AreaIndex::new(&tree).unwrap_err()
    };
    let code = |n: u128| n.to_string();
    assert_eq!(fault(&Vec::clear), AreaError::NoAreas);
    assert_eq!(fault(&|areas| areas[2].parent = None), AreaError::SeveralRoots { code: code(10), root: code(1) });
    let level = Level::Subdistrict;
    assert_eq!(fault(&|areas| areas[0].level = level), AreaError::RootNotDistrict { code: code(1), level });
    assert_eq!(
        fault(&|areas| areas[2].parent = Some(id(7))),
        AreaError::UnknownParent { code: code(10), parent: id(7) }
    );
    assert_eq!(fault(&|areas| areas.swap(1, 2)), AreaError::ChildBeforeParent { code: code(10), parent: code(2) });
    assert_eq!(
        fault(&|areas| areas[1].parent = Some(id(2))),
        AreaError::ChildBeforeParent { code: code(2), parent: code(2) }
    );
    assert_eq!(
        fault(&|areas| areas.push(area(11, Some(10), Level::Grid, vec![vec![square(0, 0, 1)]]))),
        AreaError::GridWithChildren { code: code(11), grid: code(10) }
    );
    assert_eq!(
        fault(&|areas| areas[2].level = Level::Community),
        AreaError::LevelNotBelow {
            code: code(10),
            level: Level::Community,
            parent: code(2),
            parent_level: Level::Community
        }
    );
    assert_eq!(
        fault(&|areas| areas[2].id = id(2)),
        AreaError::DuplicateId { code: code(10), first: code(2), id: id(2) }
    );
    assert_eq!(fault(&|areas| areas[2].code = code(2)), AreaError::DuplicateCode { code: code(2) });
    assert_eq!(fault(&|areas| areas[2].code = " ".to_owned()), AreaError::NoCode { id: id(10) });
    assert_eq!(fault(&|areas| areas[2].boundary.clear()), AreaError::NoBoundary { code: code(10) });
    assert_eq!(fault(&|areas| areas[2].boundary.push(vec![])), AreaError::RingTooShort { code: code(10), points: 0 });
    assert_eq!(
        fault(&|areas| areas[2].boundary[0].push(vec![(0, 0), (1, 1)])),
        AreaError::RingTooShort { code: code(10), points: 2 }
    );
    let shown = fault(&|areas| areas[2].boundary[0][0][1] = (374_300_000, 1_163_500_000)).to_string();
    assert!(shown.contains("\"10\"") && shown.contains("longitude comes first"), "{shown}");
}

/// Lattice points of a segment, counted off by its greatest common divisor.
fn lattice(a: Point, b: Point) -> Vec<Point> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let mut divisor = (dx.abs(), dy.abs());
    while divisor.1 != 0 {
        divisor = (divisor.1, divisor.0 % divisor.1);
    }
    let steps = divisor.0.max(1);
    (0..=steps).map(|step| (a.0 + dx / steps * step, a.1 + dy / steps * step)).collect()
}

fn sides_of(ring: &Ring) -> Vec<(Point, Point)> {
    (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()])).collect()
}

fn oracle_on(ring: &Ring, point: Point) -> bool {
    sides_of(ring).iter().any(|(a, b)| lattice(*a, *b).contains(&point))
}

/// How often a ring goes round a point: its angles as seen from there, added up.
fn oracle_inside(ring: &Ring, point: Point) -> bool {
    let seen = |p: Point| (f64::from(p.0 - point.0), f64::from(p.1 - point.1));
    let angle = |(a, b): (Point, Point)| {
        let (a, b) = (seen(a), seen(b));
        (a.0 * b.1 - a.1 * b.0).atan2(a.0 * b.0 + a.1 * b.1)
    };
    let sum: f64 = sides_of(ring).into_iter().map(angle).sum();
    (sum / std::f64::consts::TAU).round() != 0.0
}

fn oracle_holds(polygon: &[Ring], point: Point) -> bool {
    polygon.iter().any(|ring| oracle_on(ring, point))
        || oracle_inside(&polygon[0], point) && !polygon[1..].iter().any(|hole| oracle_inside(hole, point))
}

/// Do the lines' parameters at their crossing lie in 0..=1? Parallel ones meet only in lattice points of an end.
fn oracle_meet(a: Point, b: Point, c: Point, d: Point) -> bool {
    let (r, s) = ((b.0 - a.0, b.1 - a.1), (d.0 - c.0, d.1 - c.1));
    let cross = |u: Point, v: Point| i64::from(u.0) * i64::from(v.1) - i64::from(u.1) * i64::from(v.0);
    let apart = (c.0 - a.0, c.1 - a.1);
    match cross(r, s) {
        0 => lattice(a, b).iter().any(|point| lattice(c, d).contains(point)),
        turn => [cross(apart, s), cross(apart, r)].iter().all(|t| (0..=turn.abs()).contains(&(t * turn.signum()))),
    }
}

fn point() -> impl Strategy<Value = Point> {
    (-6..=6, -6..=6)
}

fn ring() -> impl Strategy<Value = Ring> {
    prop::collection::vec(point(), 3..9)
}

fn boundary() -> impl Strategy<Value = Vec<Vec<Ring>>> {
    prop::collection::vec(prop::collection::vec(ring(), 1..4), 1..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn locating_agrees_with_the_oracle(grids in prop::collection::vec(boundary(), 1..5), point in point()) {
        let holding: Vec<u128> = (10..)
            .zip(&grids)
            .filter(|(_, boundary)| boundary.iter().any(|polygon| oracle_holds(polygon, point)))
            .map(|(n, _)| n)
            .collect();
        let expected = located(holding.first().copied().unwrap_or(1), holding.len());
        prop_assert_eq!(index(grids).locate(&at(point.0, point.1)), expected);
    }

    #[test]
    fn touching_agrees_with_the_oracle_and_goes_both_ways(grids in prop::collection::vec(boundary(), 2..5)) {
        let sides: Vec<Vec<(Point, Point)>> =
            grids.iter().map(|boundary| boundary.iter().flatten().flat_map(sides_of).collect()).collect();
        let meet = |i: usize, j: usize| {
            sides[i].iter().any(|(a, b)| sides[j].iter().any(|(c, d)| oracle_meet(*a, *b, *c, *d)))
        };
        let index = index(grids);
        for (i, this) in (0..sides.len()).zip(10..) {
            let others = (0..sides.len()).zip(10..).filter(|(j, _)| *j != i && meet(i, *j));
            let expected: Vec<AreaId> = others.map(|(_, other)| id(other)).collect();
            prop_assert_eq!(index.touching(id(this)), expected);
        }
    }

    /// What is decided must not depend on where a ring starts, which way it runs or where on the earth it lies.
    #[test]
    fn turning_a_ring_and_moving_it_changes_nothing(ring in ring(), turn in 0_usize..8, point in point(), far in any::<bool>()) {
        let mut turned = ring.clone();
        turned.rotate_left(turn % ring.len());
        turned.reverse();
        let (dx, dy) = if far { (1_799_999_000, -899_999_000) } else { (0, 0) };
        let moved = turned.iter().map(|p| (p.0 + dx, p.1 + dy)).collect();
        let here = index(vec![vec![vec![ring]]]).locate(&at(point.0, point.1));
        prop_assert_eq!(index(vec![vec![vec![moved]]]).locate(&at(point.0 + dx, point.1 + dy)), here);
    }
}
