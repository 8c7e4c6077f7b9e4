//! Writes the few EXIF fields that a photo of an inspection needs, as an APP1 segment.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use schema::case::Position;

/// Where the fields begin: behind the TIFF header.
const FIRST_DIRECTORY: u32 = 8;
/// The clock of a phone in China.
const ZONE: Offset = Offset::constant(8);

/// What a field holds.
enum Held {
    Bytes(Vec<u8>),
    Text(String),
    Opaque(&'static [u8]),
    Offset(u32),
    Ratios(Vec<(u32, u32)>),
}

impl Held {
    /// Type, number of values, bytes (little-endian).
    fn encoded(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Self::Bytes(bytes) => (1, bytes.len(), bytes.clone()),
            Self::Text(text) => (2, text.len() + 1, [text.as_bytes(), &[0]].concat()),
            Self::Opaque(bytes) => (7, bytes.len(), bytes.to_vec()),
            Self::Offset(offset) => (4, 1, offset.to_le_bytes().to_vec()),
            Self::Ratios(ratios) => {
                let bytes = ratios.iter().flat_map(|(above, below)| [above.to_le_bytes(), below.to_le_bytes()]);
                (5, ratios.len(), bytes.flatten().collect())
            }
        }
    }
}

/// The segment with its marker; none for a time beyond the calendar.
pub(super) fn segment(taken_ms: u64, position: &Position) -> Option<Vec<u8>> {
    let taken = Timestamp::from_millisecond(i64::try_from(taken_ms).ok()?).ok()?;
    let local = taken.to_zoned(TimeZone::fixed(ZONE));
    let utc = taken.to_zoned(TimeZone::UTC);
    let camera = [
        (0x9000, Held::Opaque(b"0232")),
        (0x9003, Held::Text(local.strftime("%Y:%m:%d %H:%M:%S").to_string())),
        (0x9011, Held::Text("+08:00".to_owned())),
    ];
    let part = |value: i8| (u32::from(value.unsigned_abs()), 1);
    let place = [
        (0x0000, Held::Bytes(vec![2, 3, 0, 0])),
        (0x0001, Held::Text(if position.lat_e7 < 0 { "S" } else { "N" }.to_owned())),
        (0x0002, Held::Ratios(degrees(position.lat_e7))),
        (0x0003, Held::Text(if position.lon_e7 < 0 { "W" } else { "E" }.to_owned())),
        (0x0004, Held::Ratios(degrees(position.lon_e7))),
        (0x0007, Held::Ratios(vec![part(utc.hour()), part(utc.minute()), part(utc.second())])),
        (0x001d, Held::Text(utc.strftime("%Y:%m:%d").to_string())),
    ];
    // The first directory's length does not hang on the offsets in it, so it is written twice.
    let first = |camera_at, place_at| {
        let fields = [
            (0x010f, Held::Text("Rectify".to_owned())),
            (0x0110, Held::Text("Rectify demo".to_owned())),
            (0x8769, Held::Offset(camera_at)),
            (0x8825, Held::Offset(place_at)),
        ];
        directory(&fields, FIRST_DIRECTORY)
    };
    let camera_at = FIRST_DIRECTORY + u32::try_from(first(0, 0)?.len()).ok()?;
    let camera = directory(&camera, camera_at)?;
    let place_at = camera_at + u32::try_from(camera.len()).ok()?;
    let place = directory(&place, place_at)?;
    let header = [b"II".as_slice(), &42_u16.to_le_bytes(), &FIRST_DIRECTORY.to_le_bytes()].concat();
    let tiff = [header, first(camera_at, place_at)?, camera, place].concat();
    let length = u16::try_from(tiff.len() + 8).ok()?;
    Some([&[0xff, 0xe1], length.to_be_bytes().as_slice(), b"Exif\0\0", &tiff].concat())
}

/// A directory that stands at an offset: fields of up to four bytes in their place, longer ones behind it.
fn directory(fields: &[(u16, Held)], at: u32) -> Option<Vec<u8>> {
    let mut table = u16::try_from(fields.len()).ok()?.to_le_bytes().to_vec();
    let mut behind: Vec<u8> = Vec::new();
    let behind_at = at + u32::try_from(2 + fields.len() * 12 + 4).ok()?;
    for (tag, held) in fields {
        let (kind, count, mut bytes) = held.encoded();
        table.extend(tag.to_le_bytes());
        table.extend(kind.to_le_bytes());
        table.extend(u32::try_from(count).ok()?.to_le_bytes());
        if bytes.len() > 4 {
            table.extend((behind_at + u32::try_from(behind.len()).ok()?).to_le_bytes());
            // Values stand at even offsets.
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            behind.extend(bytes);
        } else {
            bytes.resize(4, 0);
            table.extend(bytes);
        }
    }
    table.extend([0; 4]);
    table.extend(behind);
    Some(table)
}

/// Degrees, minutes and seconds as ratios, without rounding.
fn degrees(e7: i32) -> Vec<(u32, u32)> {
    const UNITS: u64 = 10_000_000;
    let units = u64::from(e7.unsigned_abs());
    let minutes = units % UNITS * 60;
    let seconds = minutes % UNITS * 60;
    let whole = |value: u64| u32::try_from(value).unwrap_or(0);
    vec![(whole(units / UNITS), 1), (whole(minutes / UNITS), 1), (whole(seconds), whole(UNITS))]
}
