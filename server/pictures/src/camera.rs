//! What a camera wrote into a photo: time, position, device. Signals for people; nothing is decided by them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use exif::{Exif, Field, In, Rational, Reader, Tag, Value};
use schema::case::Position;
use serde::{Deserialize, Serialize};

/// The largest EXIF block that is read: more than a JPEG segment can hold is no camera's.
const EXIF_BYTES_MAX: usize = 64 * 1024;
/// The longest text that is kept of it.
const TEXT_CHARS_MAX: usize = 80;

/// What a camera wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Camera {
    /// When the shutter went, as written: local time, with its offset where the camera knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Make and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// Reads an EXIF block. A broken one, or one that breaks the parser, says nothing.
pub fn read(block: Option<Vec<u8>>) -> Camera {
    let Some(block) = block.filter(|block| block.len() <= EXIF_BYTES_MAX) else { return Camera::default() };
    let read = catch_unwind(AssertUnwindSafe(|| Reader::new().read_raw(block).map(|exif| camera(&exif))));
    match read {
        Ok(Ok(camera)) => camera,
        Ok(Err(_)) | Err(_) => Camera::default(),
    }
}

fn camera(exif: &Exif) -> Camera {
    let text = |tag| exif.get_field(tag, In::PRIMARY).and_then(ascii);
    let taken = text(Tag::DateTimeOriginal).map(|time| match text(Tag::OffsetTimeOriginal) {
        Some(offset) => format!("{time} {offset}"),
        None => time,
    });
    let device = match (text(Tag::Make), text(Tag::Model)) {
        (Some(make), Some(model)) => Some(format!("{make} {model}")),
        (make, model) => make.or(model),
    };
    Camera { taken, position: position(exif), device }
}

fn ascii(field: &Field) -> Option<String> {
    let Value::Ascii(parts) = &field.value else { return None };
    let text = String::from_utf8_lossy(parts.first()?);
    let clean: String = text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

fn position(exif: &Exif) -> Option<Position> {
    let degrees = |angle, reference, negative: &str, most: i64| {
        let Value::Rational(parts) = &exif.get_field(angle, In::PRIMARY)?.value else { return None };
        let e7 = degrees_e7(parts)?;
        let signed = match exif.get_field(reference, In::PRIMARY).and_then(ascii) {
            Some(side) if side == negative => e7.checked_neg()?,
            _ => e7,
        };
        (signed.abs() <= most).then_some(signed)
    };
    let lat_e7 = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 900_000_000)?;
    let lon_e7 = degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 1_800_000_000)?;
    Some(Position::at(i32::try_from(lat_e7).ok()?, i32::try_from(lon_e7).ok()?))
}

/// Degrees, minutes and seconds in units of 1e-7 degrees, rounded down.
fn degrees_e7(parts: &[Rational]) -> Option<i64> {
    let mut sum: i128 = 0;
    for (part, units) in parts.iter().zip([36_000_000_000_i128, 600_000_000, 10_000_000]) {
        let scaled = i128::from(part.num).checked_mul(units)?;
        sum = sum.checked_add(scaled.checked_div(i128::from(part.denom))?)?;
    }
    i64::try_from(sum / 3600).ok()
}

#[cfg(test)]
mod tests {
    use exif::Rational;

    use super::{Camera, degrees_e7, read};

    #[test]
    fn degrees_minutes_seconds_become_fixed_point() {
        let dms = |parts: [(u32, u32); 3]| parts.map(|(num, denom)| Rational { num, denom });
        assert_eq!(degrees_e7(&dms([(31, 1), (13, 1), (4946, 100)])), Some(312_304_055));
        assert_eq!(degrees_e7(&dms([(121, 1), (0, 1), (0, 1)])), Some(1_210_000_000));
        assert_eq!(degrees_e7(&dms([(31, 0), (0, 1), (0, 1)])), None, "a zero denominator");
    }

    #[test]
    fn a_broken_block_says_nothing() {
        assert_eq!(read(None), Camera::default());
        assert_eq!(read(Some(b"II*\0garbage".to_vec())), Camera::default());
        assert_eq!(read(Some(vec![0; 70_000])), Camera::default());
    }
}
