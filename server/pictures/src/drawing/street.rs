//! The street behind the subject: sky, houses, trees, pavement and road. One place always shows the same street.

use super::Dice;
use super::canvas::{Canvas, Colour};

const WALLS: [Colour; 6] =
    [[196, 178, 150], [172, 160, 152], [205, 196, 180], [168, 120, 96], [150, 158, 168], [214, 188, 140]];

pub(crate) fn draw(canvas: &mut Canvas, place: u64) {
    let mut dice = Dice::new(place);
    let haze = number(&mut dice, 0, 70);
    canvas.fade(-480, 112, [96 + haze, 150 + haze / 2, 208], [206, 214, 218]);
    houses(canvas, &mut dice);
    canvas.fade(112, 480, [150, 148, 144], [112, 112, 114]);
    pavement(canvas, &mut dice);
    trees(canvas, &mut dice);
}

pub(crate) fn number(dice: &mut Dice, from: i64, to: i64) -> i32 {
    i32::try_from(dice.between(from, to)).unwrap_or(0)
}

pub(crate) fn one_of(dice: &mut Dice, colours: &[Colour]) -> Colour {
    let last = i64::try_from(colours.len()).unwrap_or(1).saturating_sub(1);
    let index = usize::try_from(dice.between(0, last)).unwrap_or(0);
    colours.get(index).copied().unwrap_or([128, 128, 128])
}

fn houses(canvas: &mut Canvas, dice: &mut Dice) {
    let mut left = -1000;
    while left < 1000 {
        let width = number(dice, 150, 340);
        let top = number(dice, -420, -90);
        let wall = one_of(dice, &WALLS);
        canvas.rectangle((left, top), (left + width, 112), wall);
        canvas.rectangle((left, top), (left + width, top + 10), wall.map(|value| value - 40));
        windows(canvas, dice, (left, top), width);
        left += width + number(dice, 0, 40);
    }
}

fn windows(canvas: &mut Canvas, dice: &mut Dice, (left, top): (i32, i32), width: i32) {
    let glass = one_of(dice, &[[70, 84, 98], [92, 104, 110], [58, 66, 78]]);
    let (across, down) = (number(dice, 44, 64), number(dice, 56, 78));
    let mut y = top + 30;
    while y < 60 {
        let mut x = left + 18;
        while x + 26 < left + width {
            let open = number(dice, 0, 5) == 0;
            canvas.rectangle((x, y), (x + 26, y + 34), if open { [196, 190, 160] } else { glass });
            x += across;
        }
        y += down;
    }
}

fn pavement(canvas: &mut Canvas, dice: &mut Dice) {
    let stone = one_of(dice, &[[176, 168, 158], [160, 160, 158], [184, 164, 146]]);
    canvas.slab((-1000, 1000, 112), (-1400, 1400, 330), stone);
    for row in 0..7 {
        let y = 124 + row * row * 4 + row * 6;
        canvas.rectangle((-1400, y), (1400, y + 2), stone.map(|value| value - 24));
    }
    for column in -12..=12 {
        canvas.stroke((column * 80, 112), (column * 118, 330), 2, stone.map(|value| value - 20));
    }
    // The tactile paving, yellow.
    canvas.slab((-1000, 1000, 196), (-1000, 1000, 214), [206, 172, 60]);
    canvas.rectangle((-1400, 330), (1400, 346), [122, 120, 116]);
    let dash = number(dice, 0, 160);
    for mark in -6..7 {
        canvas.slab(
            (mark * 220 + dash, mark * 220 + dash + 110, 420),
            (mark * 220 + dash - 10, mark * 220 + dash + 114, 432),
            [216, 216, 210],
        );
    }
}

fn trees(canvas: &mut Canvas, dice: &mut Dice) {
    for _ in 0..number(dice, 1, 4) {
        let x = number(dice, -620, 620);
        let crown = number(dice, 60, 120);
        canvas.rectangle((x - 9, -60), (x + 9, 150), [92, 74, 58]);
        for _ in 0..14 {
            let green = one_of(dice, &[[70, 108, 58], [84, 124, 66], [58, 92, 52], [104, 128, 70]]);
            let middle = (x + number(dice, -90, 90), -120 + number(dice, -90, 70));
            let radius = number(dice, 24, i64::from(crown) / 2);
            canvas.ellipse(middle, (radius, radius), green);
        }
    }
}
