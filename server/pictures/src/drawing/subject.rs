//! What the picture was taken of, in the foreground; gone, or as it should be, where it was put right.

use super::canvas::{Canvas, Colour};
use super::street::{number, one_of};
use super::{Dice, Scene, Shot};

const BRIGHT: [Colour; 6] =
    [[196, 62, 52], [222, 168, 58], [72, 128, 170], [92, 150, 84], [214, 120, 60], [188, 188, 192]];

pub(crate) fn draw(canvas: &mut Canvas, shot: &Shot) {
    let mut dice = Dice::new(shot.place ^ 0x7375_626a);
    let x = number(&mut dice, -180, 180);
    let dice = &mut dice;
    match (shot.scene, shot.fixed) {
        (Scene::Site, false) => site(canvas, dice, x),
        (Scene::Shed, false) => shed(canvas, dice, x),
        (Scene::Site | Scene::Shed, true) => cleared_lot(canvas, dice, x),
        (Scene::Dog, fixed) => dog(canvas, dice, x, fixed),
        (Scene::Faeces, false) => faeces(canvas, dice, x),
        (Scene::Faeces | Scene::Stall | Scene::Barbecue, true) => swept(canvas, x),
        (Scene::Stall, false) => stall(canvas, dice, x),
        (Scene::Shop, fixed) => shop(canvas, dice, x, fixed),
        (Scene::Barbecue, false) => barbecue(canvas, dice, x),
        (Scene::Document, _) => document(canvas, shot.place),
    }
}

/// A sheet with lines of print and a red stamp.
pub(crate) fn document(canvas: &mut Canvas, place: u64) {
    let mut dice = Dice::new(place);
    canvas.fade(-480, 480, [120, 92, 68], [98, 76, 58]);
    canvas.rectangle((-330, -470), (330, 470), [238, 236, 228]);
    canvas.rectangle((-150, -400), (150, -370), [50, 48, 48]);
    for line in 0..22 {
        let y = -320 + line * 30;
        let mut x = -270;
        while x < number(&mut dice, 150, 270) {
            let word = number(&mut dice, 8, 60);
            canvas.rectangle((x, y), (x + word, y + 12), [84, 82, 82]);
            x += word + 8;
        }
    }
    canvas.ellipse((150, 360), (78, 78), [204, 54, 48]);
    canvas.ellipse((150, 360), (68, 68), [238, 228, 222]);
    canvas.ellipse((150, 360), (18, 18), [204, 54, 48]);
}

fn site(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    let (left, right, top) = (x - 260, x + 260, number(dice, -150, -20));
    canvas.rectangle((left, top), (right, 240), [172, 110, 84]);
    for row in 0..((240 - top) / 16) {
        canvas.rectangle((left, top + row * 16), (right, top + row * 16 + 2), [150, 138, 126]);
    }
    for pole in 0..7 {
        let at = left - 20 + pole * 94;
        canvas.rectangle((at, top - 90), (at + 7, 260), [126, 118, 92]);
    }
    for level in 0..4 {
        canvas.rectangle((left - 30, top - 60 + level * 90), (right + 30, top - 54 + level * 90), [140, 128, 96]);
    }
    for _ in 0..30 {
        let (bx, by) = (x + number(dice, -330, 330), number(dice, 236, 300));
        canvas.rectangle((bx, by), (bx + 30, by + 14), one_of(dice, &[[170, 100, 76], [150, 92, 72], [184, 176, 164]]));
    }
}

fn shed(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    let wall = one_of(dice, &[[186, 196, 204], [120, 150, 176], [204, 204, 198], [170, 90, 72]]);
    let (left, right, top) = (x - 250, x + 250, number(dice, -120, 0));
    canvas.rectangle((left, top), (right, 250), wall);
    for rib in 0..31 {
        let at = left + rib * 16;
        canvas.rectangle((at, top), (at + 4, 250), wall.map(|value| value - 22));
    }
    canvas.slab((left + 60, right - 60, top - 70), (left - 30, right + 30, top), one_of(dice, &BRIGHT));
    canvas.rectangle((x - 200, top + 60), (x - 90, 250), [74, 70, 66]);
    canvas.rectangle((x + 40, top + 60), (x + 190, top + 140), [66, 82, 96]);
}

fn cleared_lot(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    canvas.slab((x - 240, x + 240, 120), (x - 300, x + 300, 270), [142, 124, 102]);
    for _ in 0..24 {
        let (bx, by) = (x + number(dice, -260, 260), number(dice, 150, 260));
        canvas.ellipse((bx, by), (number(dice, 4, 12), 4), [124, 106, 90]);
    }
}

fn dog(canvas: &mut Canvas, dice: &mut Dice, x: i32, leashed: bool) {
    let fur = one_of(dice, &[[150, 108, 66], [74, 62, 54], [206, 190, 160], [110, 104, 100], [168, 132, 84]]);
    let size = number(dice, 70, 130);
    let ground = 290;
    let (long, high) = (size, size * 5 / 12);
    canvas.ellipse((x, ground + 6), (long + 30, 12), [92, 90, 88]);
    for leg in [-70, -48, 48, 70] {
        let at = x + leg * size / 100;
        canvas.rectangle((at - 7, ground - high), (at + 7, ground), fur.map(|value| value - 14));
    }
    canvas.ellipse((x, ground - high - size / 5), (long, high), fur);
    let head = (x + size, ground - high - size * 2 / 3);
    canvas.ellipse(head, (size * 2 / 5, size / 3), fur);
    canvas.ellipse((head.0 + size / 3, head.1 + size / 9), (size / 4, size / 7), fur.map(|value| value - 20));
    canvas.ellipse((head.0 - size / 6, head.1 - size / 4), (size / 9, size / 5), fur.map(|value| value - 30));
    canvas.ellipse((head.0 + size / 8, head.1 - size / 14), (6, 6), [24, 22, 22]);
    canvas.stroke((x - size, ground - high - size / 4), (x - size * 3 / 2, ground - high - size * 2 / 3), 12, fur);
    let keeper = one_of(dice, &BRIGHT);
    let person = x - 330;
    canvas.rectangle((person - 34, 40), (person + 34, 180), keeper);
    canvas.rectangle((person - 30, 180), (person - 6, 300), [58, 62, 76]);
    canvas.rectangle((person + 6, 180), (person + 30, 300), [58, 62, 76]);
    canvas.ellipse((person, 8), (26, 32), [206, 168, 140]);
    if leashed {
        canvas.stroke((person + 34, 130), (head.0 - size / 4, head.1 + size / 4), 5, [190, 44, 44]);
    }
}

fn faeces(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    for step in 0..5 {
        let wide = 70 - step * 12 + number(dice, -4, 4);
        canvas.ellipse((x + number(dice, -8, 8), 300 - step * 18), (wide, 17), [88 + step * 6, 62 + step * 4, 38]);
    }
    canvas.ellipse((x + 110, 306), (24, 10), [84, 60, 38]);
}

fn swept(canvas: &mut Canvas, x: i32) {
    canvas.ellipse((x, 280), (240, 34), [188, 182, 172]);
    canvas.ellipse((x + 30, 276), (150, 20), [196, 190, 182]);
}

fn stall(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    let cloth = one_of(dice, &BRIGHT);
    canvas.rectangle((x - 6, -120), (x + 6, 220), [120, 116, 112]);
    for stripe in 0..8 {
        let colour = if stripe % 2 == 0 { cloth } else { [226, 222, 212] };
        let (left, right) = (x - 240 + stripe * 60, x - 180 + stripe * 60);
        let narrow = |at: i32| x + (at - x) / 4;
        canvas.slab((narrow(left), narrow(right), -170), (left, right, -70), colour);
    }
    canvas.rectangle((x - 210, 150), (x + 210, 270), [134, 104, 76]);
    canvas.rectangle((x - 224, 136), (x + 224, 152), [160, 128, 94]);
    for item in 0..26 {
        let at = x - 200 + (item % 13) * 32;
        let colour = one_of(dice, &[[214, 60, 48], [236, 190, 60], [98, 160, 70], [232, 136, 52], [150, 70, 120]]);
        canvas.ellipse((at, 130 - (item / 13) * 22), (15, 15), colour);
    }
    canvas.rectangle((x + 240, 200), (x + 320, 290), [170, 140, 100]);
}

fn shop(canvas: &mut Canvas, dice: &mut Dice, x: i32, cleared: bool) {
    canvas.rectangle((x - 320, -170), (x + 320, -90), one_of(dice, &BRIGHT));
    for sign in 0..5 {
        canvas.rectangle((x - 220 + sign * 92, -152), (x - 160 + sign * 92, -108), [240, 230, 200]);
    }
    canvas.rectangle((x - 320, -90), (x + 320, 116), [84, 80, 78]);
    canvas.rectangle((x - 300, -70), (x - 20, 116), [132, 146, 152]);
    canvas.rectangle((x + 40, -70), (x + 300, 116), [190, 176, 140]);
    if cleared {
        return;
    }
    for pile in 0..16 {
        let (left, row) = (x - 320 + (pile % 8) * 82, pile / 8);
        let top = 210 - row * 60 - number(dice, 0, 16);
        canvas.rectangle((left, top), (left + 74, top + 66), one_of(dice, &BRIGHT));
        canvas.rectangle((left, top), (left + 74, top + 8), [150, 120, 86]);
    }
}

fn barbecue(canvas: &mut Canvas, dice: &mut Dice, x: i32) {
    canvas.rectangle((x - 200, 120), (x + 200, 180), [62, 60, 60]);
    for leg in [-180, 170] {
        canvas.rectangle((x + leg, 180), (x + leg + 12, 300), [70, 68, 66]);
    }
    canvas.rectangle((x - 190, 112), (x + 190, 122), [224, 96, 40]);
    for skewer in 0..18 {
        let at = x - 180 + skewer * 20;
        canvas.rectangle((at, 92), (at + 12, 118), one_of(dice, &[[150, 84, 52], [120, 66, 44], [176, 110, 60]]));
    }
    for puff in 0..26 {
        let grey = 176 + number(dice, 0, 50);
        let (drift, rise) = (number(dice, -60, 120) + puff * 4, 60 - puff * 16);
        let radius = 16 + puff * 2;
        canvas.ellipse((x + drift, rise), (radius, radius * 2 / 3), [grey, grey, grey]);
    }
}
