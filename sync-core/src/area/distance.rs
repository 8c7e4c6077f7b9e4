//! Distance between two positions.

use schema::case::Position;

/// Mean radius of the earth (IUGG), in metres.
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance of two positions on a sphere of radius 6,371,008.8 m, in whole metres, rounded half away
/// from zero. Against the ellipsoid it is wrong by at most 0.6 %. Its sines come from crate `libm`, in software, so
/// every device computes the same number; accuracy radii play no part.
pub fn distance_m(a: &Position, b: &Position) -> u64 {
    let (a_lat, b_lat) = (radians(a.lat_e7), radians(b.lat_e7));
    let half_lat = libm::sin((b_lat - a_lat) / 2.0);
    let half_lon = libm::sin((radians(b.lon_e7) - radians(a.lon_e7)) / 2.0);
    let chord = half_lat * half_lat + libm::cos(a_lat) * libm::cos(b_lat) * half_lon * half_lon;
    let metres = libm::round(2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(chord).min(1.0)));
    #[expect(clippy::as_conversions, reason = "no other way from f64; 0 to 20,015,114, and `as` saturates")]
    let whole = metres as u64;
    whole
}

fn radians(degrees_e7: i32) -> f64 {
    f64::from(degrees_e7) * (std::f64::consts::PI / 180e7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat_e7: i32, lon_e7: i32) -> Position {
        Position::at(lat_e7, lon_e7)
    }

    #[test]
    fn known_distances() {
        let here = at(374_300_000, 1_163_500_000);
        assert_eq!(distance_m(&here, &here), 0);
        // One degree of a great circle is R·π/180.
        assert_eq!(distance_m(&at(0, 0), &at(10_000_000, 0)), 111_195);
        assert_eq!(distance_m(&at(0, 0), &at(0, 10_000_000)), 111_195);
        // At 60° a degree of longitude is half as long (along the great circle a little less).
        assert_eq!(distance_m(&at(600_000_000, 0), &at(600_000_000, 10_000_000)), 55_597);
        // 50 m to the north are 4,497 units.
        assert_eq!(distance_m(&here, &at(374_304_497, 1_163_500_000)), 50);
    }

    #[test]
    fn the_short_way_over_the_date_line_and_the_far_side() {
        assert_eq!(distance_m(&at(0, 1_799_999_000), &at(0, -1_799_999_000)), 22);
        assert_eq!(distance_m(&at(900_000_000, 0), &at(-900_000_000, 1_234_567_890)), 20_015_114);
        assert_eq!(distance_m(&at(0, 0), &at(0, 1_800_000_000)), 20_015_114);
    }
}
