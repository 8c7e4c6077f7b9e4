//! Photo files named on the command line: how they were taken is read from their EXIF data, where there is any.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use exif::{In, Reader, Tag, Value};
use schema::case::Position;
use schema::op::{EvidenceRole, Taken, TakenBy};
use sync_core::device::capture::{PhotoFile, PhotoSource};

/// EXIF data sits at the beginning; more is not looked at.
const EXIF_BYTES_MAX: u64 = 512 * 1024;

/// What photos show, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PhotoRole {
    /// 整改前 / the problem
    Before,
    /// 整改后 / the fix
    After,
    /// 核查 / what a checker saw
    Check,
    /// 回头看 / what a look-back saw
    Lookback,
    /// 文书 / a document
    Document,
}

impl From<PhotoRole> for EvidenceRole {
    fn from(role: PhotoRole) -> Self {
        match role {
            PhotoRole::Before => Self::Before,
            PhotoRole::After => Self::After,
            PhotoRole::Check => Self::Check,
            PhotoRole::Lookback => Self::Lookback,
            PhotoRole::Document => Self::Document,
        }
    }
}

/// The files as photos of a step.
pub(crate) fn files(paths: &[PathBuf], role: EvidenceRole) -> Vec<PhotoFile> {
    let taken = |path: &Path| taken(path).unwrap_or(NOT_KNOWN);
    paths.iter().map(|path| PhotoFile { source: PhotoSource::Path(path.clone()), role, taken: taken(path) }).collect()
}

const NOT_KNOWN: Taken = Taken { by: TakenBy::File, wall_ms: None, position: None, mock_position: false };

/// What the file says about itself. A file that says nothing, or nonsense, is as good as any.
fn taken(path: &Path) -> Option<Taken> {
    let file = BufReader::new(File::open(path).ok()?);
    let mut beginning = Vec::new();
    file.take(EXIF_BYTES_MAX).read_to_end(&mut beginning).ok()?;
    // The parser reads what strangers made: whatever it does, the capture goes on.
    let read = std::panic::catch_unwind(|| Reader::new().read_from_container(&mut std::io::Cursor::new(beginning)));
    let exif = read.ok()?.ok()?;
    Some(Taken { wall_ms: wall_ms(&exif), position: position(&exif), ..NOT_KNOWN })
}

/// The shutter's time. Without an offset it is taken as the system's zone, as cameras mean it.
fn wall_ms(exif: &exif::Exif) -> Option<i64> {
    let text = |tag: Tag| match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(texts) => String::from_utf8(texts.first()?.clone()).ok(),
        _ => None,
    };
    let shutter = exif::DateTime::from_ascii(text(Tag::DateTimeOriginal)?.as_bytes()).ok()?;
    let number = |part: u8| i8::try_from(part).ok();
    let time = jiff::civil::DateTime::new(
        i16::try_from(shutter.year).ok()?,
        number(shutter.month)?,
        number(shutter.day)?,
        number(shutter.hour)?,
        number(shutter.minute)?,
        number(shutter.second)?,
        0,
    )
    .ok()?;
    let offset = text(Tag::OffsetTimeOriginal).and_then(|offset| seconds_east(&offset));
    let zone = match offset.and_then(|seconds| jiff::tz::Offset::from_seconds(seconds).ok()) {
        Some(offset) => jiff::tz::TimeZone::fixed(offset),
        None => jiff::tz::TimeZone::system(),
    };
    Some(time.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

/// `+08:00`
fn seconds_east(text: &str) -> Option<i32> {
    let (sign, rest) = match text.trim().split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_mul(sign)
}

fn position(exif: &exif::Exif) -> Option<Position> {
    let is = |tag: Tag, letter: u8| match exif.get_field(tag, In::PRIMARY).map(|field| &field.value) {
        Some(Value::Ascii(texts)) => texts.first().and_then(|text| text.first()) == Some(&letter),
        _ => false,
    };
    let lat_e7 = degrees_e7(exif, Tag::GPSLatitude)?;
    let lon_e7 = degrees_e7(exif, Tag::GPSLongitude)?;
    let lat_e7 = if is(Tag::GPSLatitudeRef, b'S') { lat_e7.checked_neg()? } else { lat_e7 };
    let lon_e7 = if is(Tag::GPSLongitudeRef, b'W') { lon_e7.checked_neg()? } else { lon_e7 };
    let possible = lat_e7.unsigned_abs() <= 900_000_000 && lon_e7.unsigned_abs() <= 1_800_000_000;
    possible.then_some(Position::at(lat_e7, lon_e7))
}

/// Degrees, minutes and seconds as fractions, in whole numbers all the way.
fn degrees_e7(exif: &exif::Exif, tag: Tag) -> Option<i32> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let mut sum: i128 = 0;
    for (part, unit) in parts.iter().zip([1_i128, 60, 3600]) {
        let whole = i128::from(part.num).checked_mul(10_000_000)?;
        sum = sum.checked_add(whole.checked_div(i128::from(part.denom).checked_mul(unit)?)?)?;
    }
    i32::try_from(sum).ok()
}
