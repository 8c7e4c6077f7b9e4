//! The demo's photos: a drawn street scene with the EXIF data that a phone's camera writes, time and position first.

mod metadata;

use pictures::drawing::Shot;
use schema::case::Position;

/// A photo that can be made again: the same recipe gives the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// What it shows.
    pub shot: Shot,
    /// When the shutter went, in ms.
    pub taken_ms: u64,
    /// Where.
    pub position: Position,
}

impl Picture {
    /// The file; none only if the picture can't be encoded.
    pub fn jpeg(&self) -> Option<Vec<u8>> {
        let drawn = pictures::drawing::jpeg(&self.shot)?;
        let (start, rest) = drawn.split_at_checked(2)?;
        Some([start, &metadata::segment(self.taken_ms, &self.position)?, rest].concat())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use exif::{In, Reader, Tag, Value};
    use pictures::drawing::Scene;

    use super::*;

    fn taken_at(lat_e7: i32, lon_e7: i32) -> Vec<u8> {
        let shot = Shot { scene: Scene::Stall, fixed: false, place: 1, shot: 1 };
        // 2026-11-20 16:42:07.900 in UTC is past midnight in China.
        let picture = Picture { shot, taken_ms: 1_795_192_927_900, position: Position::at(lat_e7, lon_e7) };
        picture.jpeg().unwrap()
    }

    fn degrees(fields: &exif::Exif, tag: Tag) -> f64 {
        match &fields.get_field(tag, In::PRIMARY).unwrap().value {
            Value::Rational(parts) => parts[0].to_f64() + parts[1].to_f64() / 60.0 + parts[2].to_f64() / 3600.0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn others_read_time_place_and_camera_back() {
        let file = taken_at(374_612_345, 1_163_498_761);
        let fields = Reader::new().read_from_container(&mut Cursor::new(&file)).unwrap();
        let text = |tag| fields.get_field(tag, In::PRIMARY).unwrap().display_value().to_string();
        assert_eq!(text(Tag::DateTimeOriginal), "2026-11-21 00:42:07");
        assert_eq!(text(Tag::OffsetTimeOriginal), "\"+08:00\"");
        assert_eq!(text(Tag::GPSDateStamp), "2026-11-20");
        assert_eq!(text(Tag::GPSTimeStamp), "16:42:07");
        assert_eq!((text(Tag::Make), text(Tag::Model)), ("\"Rectify\"".to_owned(), "\"Rectify demo\"".to_owned()));
        assert_eq!((text(Tag::GPSLatitudeRef), text(Tag::GPSLongitudeRef)), ("N".to_owned(), "E".to_owned()));
        assert!((degrees(&fields, Tag::GPSLatitude) - 37.461_234_5).abs() < 1e-9);
        assert!((degrees(&fields, Tag::GPSLongitude) - 116.349_876_1).abs() < 1e-9);
        assert_eq!(image::load_from_memory(&file).unwrap().width(), 1280);
    }

    #[test]
    fn the_other_hemispheres_have_their_letters() {
        let file = taken_at(-374_612_345, -5);
        let fields = Reader::new().read_from_container(&mut Cursor::new(&file)).unwrap();
        let text = |tag| fields.get_field(tag, In::PRIMARY).unwrap().display_value().to_string();
        assert_eq!((text(Tag::GPSLatitudeRef), text(Tag::GPSLongitudeRef)), ("S".to_owned(), "W".to_owned()));
        assert!((degrees(&fields, Tag::GPSLongitude) - 0.000_000_5).abs() < 1e-12);
    }
}
