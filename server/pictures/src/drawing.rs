//! Draws street scenes that look, differ and compress a little like photos. Deterministic from its arguments.
//! It knows nothing of cases: what stands in the street and whether it was put right is all it is told.

mod canvas;
mod street;
mod subject;

use canvas::Canvas;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

/// Width of a picture in pixels.
pub const WIDTH_PX: u16 = 1280;
/// Height of a picture in pixels.
pub const HEIGHT_PX: u16 = 960;
/// With the grain that is drawn this gives files of about 60 to 200 KB.
const QUALITY: u8 = 72;

/// What stands in the street.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scene {
    /// A structure being built.
    Site,
    /// A structure that stands.
    Shed,
    /// A dog; put right, it is on a leash.
    Dog,
    /// What a dog left.
    Faeces,
    /// A stall.
    Stall,
    /// A shop with its goods on the pavement.
    Shop,
    /// A grill.
    Barbecue,
    /// A sheet of paper.
    Document,
}

/// One picture of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shot {
    /// What stands there.
    pub scene: Scene,
    /// It was put right.
    pub fixed: bool,
    /// Which place: pictures of one place show the same street.
    pub place: u64,
    /// Which shot: light, standpoint and grain.
    pub shot: u64,
}

/// Draws a picture as a JPEG without metadata; none only if the encoder fails.
pub fn jpeg(shot: &Shot) -> Option<Vec<u8>> {
    let mut canvas = Canvas::new(shot.shot);
    if shot.scene == Scene::Document {
        subject::document(&mut canvas, shot.place);
    } else {
        street::draw(&mut canvas, shot.place);
        subject::draw(&mut canvas, shot);
    }
    canvas.finish(shot.shot);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode(canvas.pixels(), u32::from(WIDTH_PX), u32::from(HEIGHT_PX), ExtendedColorType::Rgb8)
        .ok()?;
    Some(file)
}

/// A sequence of numbers from a seed (SplitMix64): small, and the same on every machine.
pub struct Dice(u64);

impl Dice {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of a range, both ends included; `from` if the range is empty.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = to.abs_diff(from).saturating_add(1);
        let step = i64::try_from(self.roll() % width).unwrap_or(0);
        if from <= to { from.saturating_add(step) } else { from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENES: [Scene; 8] = [
        Scene::Site,
        Scene::Shed,
        Scene::Dog,
        Scene::Faeces,
        Scene::Stall,
        Scene::Shop,
        Scene::Barbecue,
        Scene::Document,
    ];

    #[test]
    fn every_picture_decodes_and_has_the_size_of_a_photo() {
        for scene in SCENES {
            for (shot, fixed) in [(1, false), (2, true)] {
                let file = jpeg(&Shot { scene, fixed, place: 7, shot }).unwrap();
                assert!((60_000..200_000).contains(&file.len()), "{scene:?}: {} bytes", file.len());
                let picture = image::load_from_memory(&file).unwrap();
                assert_eq!((picture.width(), picture.height()), (u32::from(WIDTH_PX), u32::from(HEIGHT_PX)));
            }
        }
    }

    #[test]
    fn one_shot_is_always_the_same_and_two_never_are() {
        let shot = Shot { scene: Scene::Stall, fixed: false, place: 1, shot: 1 };
        assert_eq!(jpeg(&shot), jpeg(&shot));
        assert_ne!(jpeg(&shot), jpeg(&Shot { shot: 2, ..shot }));
        assert_ne!(jpeg(&shot), jpeg(&Shot { place: 2, ..shot }));
        assert_ne!(jpeg(&shot), jpeg(&Shot { fixed: true, ..shot }));
    }

    #[test]
    fn dice_stay_in_their_range() {
        let mut dice = Dice::new(5);
        let rolled: Vec<i64> = (0..200).map(|_| dice.between(-2, 2)).collect();
        assert!((-2..=2).all(|side| rolled.contains(&side)) && rolled.iter().all(|side| (-2..=2).contains(side)));
        assert_eq!(dice.between(3, 1), 3);
        let _ = dice.between(i64::MIN, i64::MAX);
    }
}
