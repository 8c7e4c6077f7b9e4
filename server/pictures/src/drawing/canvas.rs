//! Pixels, and the few shapes that the scenes are made of. A standpoint shifts and scales all that is drawn, so that
//! two shots of one place differ as two photos do.

use super::street::number;
use super::{Dice, HEIGHT_PX, WIDTH_PX};

/// Red, green, blue.
pub(crate) type Colour = [i32; 3];

pub(crate) struct Canvas {
    pixels: Vec<u8>,
    /// Where the middle of the scene lies on the picture, and its size in 1/1000.
    shift: (i32, i32),
    scale: i32,
    /// The light of this shot, in 1/1000 by channel.
    light: Colour,
}

const WIDTH: i32 = 1280;
const HEIGHT: i32 = 960;

impl Canvas {
    /// An empty picture, seen from where and in what light this shot was taken.
    pub(crate) fn new(shot: u64) -> Self {
        let mut dice = Dice::new(shot);
        let mut roll = |from: i64, to: i64| number(&mut dice, from, to);
        let brightness = roll(780, 1080);
        let warmth = roll(-60, 60);
        Self {
            pixels: vec![0; usize::from(WIDTH_PX) * usize::from(HEIGHT_PX) * 3],
            shift: (roll(-220, 220), roll(-90, 70)),
            scale: roll(880, 1250),
            light: [brightness + warmth, brightness, brightness - warmth],
        }
    }

    pub(crate) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// From the scene's coordinates (−640 to 640, −480 to 480) to the picture's.
    fn seen(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (x * self.scale / 1000 + WIDTH / 2 + self.shift.0, y * self.scale / 1000 + HEIGHT / 2 + self.shift.1)
    }

    fn lit(&self, colour: Colour) -> [u8; 3] {
        let mut lit = [0; 3];
        for ((out, value), light) in lit.iter_mut().zip(colour).zip(self.light) {
            *out = u8::try_from((value * light / 1000).clamp(0, 255)).unwrap_or(255);
        }
        lit
    }

    /// Paints a run of one row, in the picture's coordinates.
    fn run(&mut self, y: i32, from: i32, to: i32, colour: [u8; 3]) {
        let (from, to) = (from.clamp(0, WIDTH), to.clamp(0, WIDTH));
        if !(0..HEIGHT).contains(&y) || from >= to {
            return;
        }
        let at = |x: i32| usize::try_from((y * WIDTH + x) * 3).unwrap_or(0);
        if let Some(run) = self.pixels.get_mut(at(from)..at(to)) {
            for pixel in run.chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// A band over the whole width that fades from one colour to another, reaching to the picture's edge if it is
    /// the topmost or lowest.
    pub(crate) fn fade(&mut self, top: i32, bottom: i32, from: Colour, to: Colour) {
        let reach = |y: i32, edge: i32, limit: i32| if y == edge { limit } else { self.seen((0, y)).1 };
        let (first, last) = (reach(top, -480, 0), reach(bottom, 480, HEIGHT));
        let height = (last - first).max(1);
        for y in first..last {
            let mut colour = [0; 3];
            for ((out, start), end) in colour.iter_mut().zip(from).zip(to) {
                *out = start + (end - start) * (y - first) / height;
            }
            let lit = self.lit(colour);
            self.run(y, 0, WIDTH, lit);
        }
    }

    pub(crate) fn rectangle(&mut self, left_top: (i32, i32), right_bottom: (i32, i32), colour: Colour) {
        let (left, top) = self.seen(left_top);
        let (right, bottom) = self.seen(right_bottom);
        let lit = self.lit(colour);
        for y in top.max(0)..bottom.min(HEIGHT) {
            self.run(y, left, right, lit);
        }
    }

    pub(crate) fn ellipse(&mut self, middle: (i32, i32), radii: (i32, i32), colour: Colour) {
        let (x, y) = self.seen(middle);
        let (wide, high) = ((radii.0 * self.scale / 1000).max(1), (radii.1 * self.scale / 1000).max(1));
        let lit = self.lit(colour);
        for row in -high..=high {
            let half = wide * root(high * high - row * row) / high;
            self.run(y + row, x - half, x + half, lit);
        }
    }

    /// A straight stroke of some thickness.
    pub(crate) fn stroke(&mut self, from: (i32, i32), to: (i32, i32), thickness: i32, colour: Colour) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).max(1);
        let half = (thickness / 2).max(1);
        for step in 0..=steps {
            let x = from.0 + (to.0 - from.0) * step / steps;
            let y = from.1 + (to.1 - from.1) * step / steps;
            self.rectangle((x - half, y - half), (x + half, y + half), colour);
        }
    }

    /// A side of four corners given as two level edges, such as a roof or a pavement seen in perspective.
    pub(crate) fn slab(&mut self, top: (i32, i32, i32), bottom: (i32, i32, i32), colour: Colour) {
        let (top_left, top_right) = (self.seen((top.0, top.2)), self.seen((top.1, top.2)));
        let (low_left, low_right) = (self.seen((bottom.0, bottom.2)), self.seen((bottom.1, bottom.2)));
        let height = (low_left.1 - top_left.1).max(1);
        let lit = self.lit(colour);
        for y in top_left.1..low_left.1 {
            let along = |from: i32, to: i32| from + (to - from) * (y - top_left.1) / height;
            self.run(y, along(top_left.0, low_left.0), along(top_right.0, low_right.0), lit);
        }
    }

    /// Grain, and patches of light and shade: without them a drawing compresses to nothing and all drawings are alike
    /// to a perceptual hash.
    pub(crate) fn finish(&mut self, shot: u64) {
        let mut dice = Dice::new(shot ^ 0x6772_6169_6e00);
        let patches: Vec<Vec<i32>> = (0..=HEIGHT / PATCH + 1)
            .map(|_| (0..=WIDTH / PATCH + 1).map(|_| number(&mut dice, -26, 26)).collect())
            .collect();
        let mut grain = Grain(shot | 1);
        let rows = self.pixels.chunks_exact_mut(usize::from(WIDTH_PX) * 3);
        for (y, row) in (0..).zip(rows) {
            let line = usize::try_from(y / PATCH).unwrap_or(0);
            let (Some(above), Some(below)) = (patches.get(line), patches.get(line + 1)) else { continue };
            let shades: Vec<i32> =
                above.iter().zip(below).map(|(up, low)| up * (PATCH - y % PATCH) + low * (y % PATCH)).collect();
            for (part, ends) in row.chunks_mut(PATCH_BYTES).zip(shades.windows(2)) {
                let [from, to] = ends else { continue };
                shade(part, *from, *to, &mut grain);
            }
        }
    }
}

/// Side of a patch of light in pixels; a power of two, so that the divisions below are shifts.
const PATCH: i32 = 128;
const PATCH_BYTES: usize = 128 * 3;

/// Changes one row of a patch, whose light goes from one value to another (both in 1/PATCH).
fn shade(part: &mut [u8], from: i32, to: i32, grain: &mut Grain) {
    let step = (to - from) / PATCH;
    let mut light = from;
    for pixel in part.chunks_exact_mut(3) {
        let change = light / PATCH + grain.next();
        light += step;
        for value in pixel {
            *value = u8::try_from((i32::from(*value) + change).clamp(0, 255)).unwrap_or(255);
        }
    }
}

/// Small differences from pixel to pixel (xorshift).
struct Grain(u64);

impl Grain {
    fn next(&mut self) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i32::try_from(self.0 >> 61).unwrap_or(4) - 4
    }
}

/// The whole part of a square root.
fn root(square: i32) -> i32 {
    u32::try_from(square).map_or(0, |square| i32::try_from(square.isqrt()).unwrap_or(0))
}
