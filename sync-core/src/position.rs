//! Positions as they are given: degrees as text, and the coordinates of Chinese maps (GCJ-02) as WGS-84.
//! It is used once, where a position enters; what came of it is recorded, so nothing here decides anything later.

use schema::case::{Gcj02, Position};

/// Degrees as people write them (`31.2304167`) in units of 1e-7, at most `most` degrees to either side. No float comes
/// near it; digits beyond the seventh are below two centimetres and left out.
pub fn read_degrees(text: &str, most: i32) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !decimal(whole) || !decimal(fraction) {
        return None;
    }
    let beyond = fraction.bytes().skip(7).any(|digit| digit != b'0');
    let fraction: String = fraction.chars().chain("0000000".chars()).take(7).collect();
    let e7 = whole.parse::<i64>().ok()?.checked_mul(10_000_000)?.checked_add(fraction.parse().ok()?)?;
    let most_e7 = i64::from(most).checked_mul(10_000_000)?;
    let within = e7 < most_e7 || (e7 == most_e7 && !beyond);
    within.then(|| i32::try_from(e7 * sign).ok()).flatten()
}

/// Whether a place lies in the box around China in which GCJ-02 differs from WGS-84.
pub fn in_china(lat_e7: i32, lon_e7: i32) -> bool {
    (8_293_000..=558_271_000).contains(&lat_e7) && (720_040_000..=1_378_347_000).contains(&lon_e7)
}

/// The WGS-84 position of what a Chinese map shows, to 1e-7 degrees; none outside China, where no map uses GCJ-02.
///
/// GCJ-02 is given by a formula from WGS-84 only, so its inverse is searched: each round takes away what the formula
/// adds there. The formula's slope is below 1e-4, so a few rounds reach the last digit. Its sines come from crate
/// `libm`, in software: the same on every machine.
pub fn from_gcj02(given: Gcj02) -> Option<Position> {
    if !in_china(given.lat_e7, given.lon_e7) {
        return None;
    }
    let (lat, lon) = (degrees(given.lat_e7), degrees(given.lon_e7));
    let (mut found_lat, mut found_lon) = (lat, lon);
    for _ in 0..8 {
        let (add_lat, add_lon) = shift(found_lat, found_lon);
        (found_lat, found_lon) = (lat - add_lat, lon - add_lon);
    }
    Some(Position { gcj02: Some(given), ..Position::at(units(found_lat), units(found_lon)) })
}

/// What a Chinese map shows for a WGS-84 position; none outside China.
pub fn to_gcj02(position: &Position) -> Option<Gcj02> {
    if !in_china(position.lat_e7, position.lon_e7) {
        return None;
    }
    let (lat, lon) = (degrees(position.lat_e7), degrees(position.lon_e7));
    let (add_lat, add_lon) = shift(lat, lon);
    Some(Gcj02 { lat_e7: units(lat + add_lat), lon_e7: units(lon + add_lon) })
}

/// Half the longer axis of the Krasovsky 1940 ellipsoid, in metres, and its eccentricity squared.
const AXIS_M: f64 = 6_378_245.0;
const ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;

/// What GCJ-02 adds to latitude and longitude at a WGS-84 place, in degrees.
fn shift(lat: f64, lon: f64) -> (f64, f64) {
    use std::f64::consts::PI;
    let (x, y) = (lon - 105.0, lat - 35.0);
    let waves = |at: f64, parts: [(f64, f64); 2]| -> f64 {
        parts.iter().map(|(height, length)| height * libm::sin(at * PI / length)).sum::<f64>() * 2.0 / 3.0
    };
    let both = waves(x, [(20.0, 1.0 / 6.0), (20.0, 0.5)]);
    let root = libm::sqrt(libm::fabs(x));
    let north_m = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + both
        + waves(y, [(20.0, 1.0), (40.0, 3.0)])
        + waves(y, [(160.0, 12.0), (320.0, 30.0)]);
    let east_m = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + both
        + waves(x, [(20.0, 1.0), (40.0, 3.0)])
        + waves(x, [(150.0, 12.0), (300.0, 30.0)]);
    let radians = lat * PI / 180.0;
    let sine = libm::sin(radians);
    let bulge = 1.0 - ECCENTRICITY_SQUARED * sine * sine;
    let meridian_m = AXIS_M * (1.0 - ECCENTRICITY_SQUARED) / (bulge * libm::sqrt(bulge));
    let parallel_m = AXIS_M / libm::sqrt(bulge) * libm::cos(radians);
    (north_m * 180.0 / (meridian_m * PI), east_m * 180.0 / (parallel_m * PI))
}

fn degrees(e7: i32) -> f64 {
    f64::from(e7) / 1e7
}

fn units(degrees: f64) -> i32 {
    #[expect(clippy::as_conversions, reason = "no other way from f64; a place in China fits, and `as` saturates")]
    let whole = libm::round(degrees * 1e7) as i32;
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Published pairs of the formula (WGS-84 latitude and longitude, GCJ-02 latitude and longitude).
    const KNOWN: [[i32; 4]; 3] = [
        [311_774_276, 1_215_272_106, 311_753_040, 1_215_315_419],
        [225_438_470, 1_139_123_160, 225_407_961, 1_139_171_765],
        [399_119_540, 1_163_778_170, 399_133_455, 1_163_840_472],
    ];

    #[test]
    fn known_pairs_are_converted_both_ways() {
        for [lat, lon, map_lat, map_lon] in KNOWN {
            let map = Gcj02 { lat_e7: map_lat, lon_e7: map_lon };
            assert_eq!(to_gcj02(&Position::at(lat, lon)), Some(map));
            let found = from_gcj02(map).unwrap();
            assert!((found.lat_e7 - lat).abs() <= 1 && (found.lon_e7 - lon).abs() <= 1, "{found:?}");
            assert_eq!(found.gcj02, Some(map), "what was given is kept");
        }
    }

    #[test]
    fn outside_china_there_is_nothing_to_convert() {
        for (lat_e7, lon_e7) in [(488_566_000, 23_522_000), (-335_000_000, 1_210_000_000), (1_214_737_000, 312_304_000)]
        {
            assert_eq!(from_gcj02(Gcj02 { lat_e7, lon_e7 }), None);
            assert_eq!(to_gcj02(&Position::at(lat_e7, lon_e7)), None);
        }
    }

    #[test]
    fn degrees_are_read_exactly_or_not_at_all() {
        assert_eq!(read_degrees(" 31.23041679 ", 90), Some(312_304_167));
        assert_eq!(read_degrees("-180", 180), Some(-1_800_000_000));
        for wrong in ["", ".5", "1e3", "NaN", "inf", "--1", "+1", "90.00000001", "１", "1,2", "99999999999999999999"] {
            assert_eq!(read_degrees(wrong, 90), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(lat_e7 in 30_000_000..540_000_000, lon_e7 in 735_000_000..1_350_000_000) {
            let here = Position::at(lat_e7, lon_e7);
            let back = from_gcj02(to_gcj02(&here).unwrap()).unwrap();
            prop_assert!((back.lat_e7 - lat_e7).abs() <= 1 && (back.lon_e7 - lon_e7).abs() <= 1);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            if let Some(e7) = read_degrees(&text, 90) {
                prop_assert!((-900_000_000..=900_000_000).contains(&e7));
            }
        }
    }
}
