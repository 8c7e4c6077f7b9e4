//! The shape of the city: counted, measured, and tried with random places.

use std::collections::BTreeSet;

use pictures::drawing::Dice;
use schema::case::Position;
use sync_core::area::AreaIndex;

use super::*;

/// Twice the area that a ring goes round: exact.
fn doubled_area(ring: &[(i32, i32)]) -> i128 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| i128::from(a.0) * i128::from(b.1) - i128::from(b.0) * i128::from(a.1)).sum()
}

fn doubled_area_of(city: &City, level: Level) -> i128 {
    city.areas.areas.iter().filter(|area| area.level == level).map(|area| doubled_area(&area.boundary[0][0])).sum()
}

#[test]
fn the_city_has_what_it_should() {
    let city = city(1);
    let count = |level| city.areas.areas.iter().filter(|area| area.level == level).count();
    assert_eq!(
        [Level::District, Level::Subdistrict, Level::Community, Level::Grid].map(count),
        [1, 4, 8, 28],
        "the levels"
    );
    assert_eq!((city.units.len(), city.accounts.len()), (9, 30));
    let roles: BTreeSet<Role> =
        city.accounts.iter().flat_map(|account| &account.grants).map(|grant| grant.role).collect();
    assert_eq!(roles.len(), 5, "all roles");
    let logins: BTreeSet<&str> = city.accounts.iter().map(|account| account.login.as_str()).collect();
    assert_eq!(logins.len(), 30);
    assert!(logins.contains("inspector01") && logins.contains("crew09"));
    for grid in city.areas.areas.iter().filter(|area| area.level == Level::Grid) {
        assert_eq!(city.with_grant(Role::Inspector, grid.id).count(), 1, "{} has one inspector", grid.code);
        assert_eq!(grid.code.len(), 15);
    }
    assert!(city.units.iter().all(|unit| city.members(unit.id).count() == 1));
}

#[test]
fn ids_and_borders_hang_on_the_seed_alone() {
    assert_eq!(city(1).areas, city(1).areas);
    let (one, other) = (city(1), city(2));
    assert!(one.areas.areas.iter().zip(&other.areas.areas).all(|(a, b)| a.id != b.id && a.boundary != b.boundary));
    let ids = |city: &City| city.accounts.iter().map(|account| account.id).collect::<BTreeSet<_>>();
    assert!(ids(&one).is_disjoint(&ids(&other)));
}

#[test]
fn grids_cover_the_district_without_gap_or_overlap() {
    for seed in 0..20 {
        let city = city(seed);
        let index = AreaIndex::new(&city.areas).unwrap();
        let district = doubled_area_of(&city, Level::District);
        assert!(district > 0, "rings run counter-clockwise");
        for level in [Level::Subdistrict, Level::Community, Level::Grid] {
            assert_eq!(doubled_area_of(&city, level), district, "seed {seed}: the {level:?}s fill the district");
        }
        let mut dice = Dice::new(seed);
        for _ in 0..400 {
            let mut number = |from, to| i32::try_from(dice.between(from, to)).unwrap();
            let (lon_e7, lat_e7) = (number(1_163_300_000, 1_163_800_000), number(374_480_000, 374_700_000));
            let position = Position::at(lat_e7, lon_e7);
            let located = index.locate(&position);
            assert_eq!(located.grids, usize::from(index.holds(index.root(), &position)), "seed {seed}: {position:?}");
            let path = index.path(located.area);
            assert!(path.iter().all(|area| located.grids == 0 || index.holds(*area, &position)));
        }
    }
}

#[test]
fn neighbours_share_their_borders_and_the_district_has_a_few_square_kilometres() {
    let city = city(1);
    let index = AreaIndex::new(&city.areas).unwrap();
    let grids = city.areas.areas.iter().filter(|area| area.level == Level::Grid);
    let touching: Vec<usize> = grids.map(|grid| index.touching(grid.id).len()).collect();
    assert_eq!(touching.iter().filter(|count| **count == 3).count(), 4, "the corners of the district: {touching:?}");
    assert_eq!(touching.iter().filter(|count| **count == 8).count(), 10, "inside: {touching:?}");
    // 1e-7 degrees are 1.112 cm to the north and 0.883 cm to the east.
    let square_metres = doubled_area_of(&city, Level::District) / 2 * 1_112 * 883 / 10_000_000_000;
    assert!((3_000_000..6_000_000).contains(&square_metres), "{square_metres}");
}

/// What an import would be refused for, and what nobody or several would have to do.
#[test]
fn its_responsibilities_have_no_fault_no_gap_and_no_overlap() {
    use schema::catalogue::{CITY_CATALOGUE, Catalogue};
    use sync_core::responsibility::{Directory, Gone, faults, review};

    let catalogue: Catalogue = serde_json::from_str(CITY_CATALOGUE).unwrap();
    for seed in [1, 2, 3] {
        let city = city(seed);
        let (areas, document) = (AreaIndex::new(&city.areas).unwrap(), city.responsibilities(&catalogue));
        let people = Directory {
            units: city.units.iter().map(|unit| unit.id).collect(),
            accounts: city.accounts.iter().map(|account| account.id).collect(),
            gone: Gone::default(),
        };
        assert_eq!(faults(&document, &areas, &catalogue, &people), []);
        let on = "2026-11-23".parse().unwrap();
        let found = review(&document, &areas, &catalogue, on, &people.gone);
        assert_eq!((found.gaps().count(), found.overlaps().count(), found.crossings.len()), (0, 0, 0));
        assert_eq!(document.rules.iter().filter(|rule| rule.person.is_some()).count(), 2, "two chiefs");
    }
}
