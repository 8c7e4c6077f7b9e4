//! Photos that are good, broken, hostile and turned on their side.

use std::io::Cursor;

use image::RgbImage;
use schema::case::Position;

use super::*;
use crate::near::ALIKE_BITS_MAX;

/// A picture with a bright half, so that turning it shows.
pub(super) fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let light = if x < width / 2 { 220 } else { 20 };
        image::Rgb([light, u8::try_from(y % 200).unwrap(), 90])
    })
}

pub(super) fn jpeg_of(image: &RgbImage) -> Vec<u8> {
    jpeg(&DynamicImage::ImageRgb8(image.clone())).unwrap()
}

/// Puts an EXIF block in front of a JPEG, as a camera does.
fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    let block = exif_block(orientation);
    let length = u16::try_from(block.len() + 8).unwrap().to_be_bytes();
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xff, 0xe1], &length, b"Exif\0\0", &block, rest].concat()
}

pub(super) fn exif_block(orientation: u16) -> Vec<u8> {
    use ::exif::experimental::Writer;
    use ::exif::{Field, In, Rational, Tag, Value};
    let ascii = |tag, text: &str| Field { tag, ifd_num: In::PRIMARY, value: Value::Ascii(vec![text.into()]) };
    let angle = |tag, parts: [(u32, u32); 3]| {
        let parts = parts.map(|(num, denom)| Rational { num, denom });
        Field { tag, ifd_num: In::PRIMARY, value: Value::Rational(parts.into()) }
    };
    let fields = [
        ascii(Tag::Make, "Huawei"),
        ascii(Tag::Model, "P60"),
        ascii(Tag::DateTimeOriginal, "2026:11:20 08:30:00"),
        Field { tag: Tag::Orientation, ifd_num: In::PRIMARY, value: Value::Short(vec![orientation]) },
        ascii(Tag::GPSLatitudeRef, "N"),
        angle(Tag::GPSLatitude, [(31, 1), (13, 1), (4946, 100)]),
        ascii(Tag::GPSLongitudeRef, "E"),
        angle(Tag::GPSLongitude, [(121, 1), (28, 1), (0, 1)]),
    ];
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    block.into_inner()
}

#[test]
fn a_camera_photo_gives_pixels_time_place_device_and_two_versions() {
    let photo = with_exif(&jpeg_of(&scene(2000, 1500)), 1);
    let picture = look(Cursor::new(&photo));
    assert_eq!(picture.pixels, Some((2000, 1500)));
    assert_eq!(picture.camera.taken.as_deref(), Some("2026:11:20 08:30:00"));
    assert_eq!(picture.camera.device.as_deref(), Some("Huawei P60"));
    let position = Position::at(312_304_055, 1_214_666_666);
    assert_eq!(picture.camera.position, Some(position));
    let Versions { small, large } = picture.versions.unwrap();
    assert_eq!(image::load_from_memory(&small).unwrap().into_rgb8().dimensions(), (320, 240));
    assert_eq!(image::load_from_memory(&large).unwrap().into_rgb8().dimensions(), (1280, 960));
}

#[test]
fn a_photo_taken_on_its_side_is_shown_upright() {
    let picture = look(Cursor::new(with_exif(&jpeg_of(&scene(600, 400)), 6)));
    assert_eq!(picture.pixels, Some((400, 600)));
    let small = image::load_from_memory(&picture.versions.unwrap().small).unwrap().into_rgb8();
    assert!(small.get_pixel(100, 20).0[0] > 150 && small.get_pixel(100, 300).0[0] < 100, "the bright half is on top");
}

#[test]
fn a_small_picture_is_not_blown_up() {
    let Versions { small, large } = look(Cursor::new(jpeg_of(&scene(64, 48)))).versions.unwrap();
    for version in [small, large] {
        assert_eq!(image::load_from_memory(&version).unwrap().into_rgb8().dimensions(), (64, 48));
    }
}

#[test]
fn what_is_no_picture_has_no_pixels() {
    let mut torn = jpeg_of(&scene(64, 48));
    torn.truncate(30);
    for file in [&b""[..], b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n", &torn]
    {
        assert_eq!(look(Cursor::new(file)), Picture::default());
    }
}

/// A PNG header and one compressed row of zeros: 400 million pixels in a few hundred bytes.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut rows, &[0; 100_000]).unwrap();
    let rows = rows.finish().unwrap();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &rows), &chunk(b"IEND", &[])].concat()
}

pub(super) fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(body);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&length[..], kind, body, &crc.sum().to_be_bytes()].concat()
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    for (width, height) in [(20_000, 20_000), (12_001, 1), (12_000, 12_000), (8_000, 6_251)] {
        let refused = decode(Cursor::new(bomb(width, height))).unwrap_err().to_string();
        assert!(refused.contains("pixels") || refused.to_lowercase().contains("limit"), "{width}×{height}: {refused}");
    }
}

/// A small JPEG whose header says other sides than its picture has.
fn jpeg_bomb(width: u16, height: u16, frame: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new(&mut file).encode_image(&DynamicImage::new_rgb8(16, 16)).unwrap();
    let start = file.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    file[start + 1] = frame;
    file[start + 5..start + 7].copy_from_slice(&height.to_be_bytes());
    file[start + 7..start + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// A lossless WebP picture of 8 × 8, with other sides in its header.
fn webp_picture(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut file);
    encoder.encode(&[7; 8 * 8 * 3], 8, 8, image::ExtendedColorType::Rgb8).unwrap();
    let file = file.into_inner();
    let start = file.windows(4).position(|name| name == b"VP8L").unwrap() + 8;
    let mut picture = file[start..].to_vec();
    let rest = u32::from_le_bytes(picture[1..5].try_into().unwrap()) & 0xF000_0000;
    picture[1..5].copy_from_slice(&(rest | (width - 1) | ((height - 1) << 14)).to_le_bytes());
    picture
}

fn webp_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&name[..], &size, body, &vec![0; body.len() % 2]].concat()
}

fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    webp_chunk(b"RIFF", &[b"WEBP".to_vec(), chunks.concat()].concat())
}

fn webp_canvas(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let side = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    webp_chunk(b"VP8X", &[vec![flags, 0, 0, 0], side(width), side(height)].concat())
}

/// One frame of an animation, at its corner.
fn webp_frame(width: u32, height: u32) -> Vec<u8> {
    let side = |length: u32| (length - 1).to_le_bytes()[..3].to_vec();
    let head = [vec![0; 6], side(width), side(height), vec![0; 4]].concat();
    webp_chunk(b"ANMF", &[head, webp_chunk(b"VP8L", &webp_picture(width, height))].concat())
}

#[test]
fn a_bomb_of_any_kind_is_refused_by_its_header() {
    let animated = 2;
    let sides = [(12_001, 1), (12_000, 12_000), (8_000, 6_251)];
    let mut bombs: Vec<(String, Vec<u8>)> = Vec::new();
    for (width, height) in sides.into_iter().chain([(65_500, 65_500), (1, 65_535)]) {
        for frame in [0xC0, 0xC2] {
            bombs.push((format!("JPEG {width}×{height}"), jpeg_bomb(width, height, frame)));
        }
    }
    for (width, height) in sides.into_iter().map(|(width, height)| (u32::from(width), u32::from(height))) {
        let still = webp(&[webp_chunk(b"VP8L", &webp_picture(width, height))]);
        bombs.push((format!("WebP {width}×{height}"), still));
    }
    for (width, height) in [(16_384, 16_384), (12_000, 12_000), (1 << 24, 200)] {
        let control = webp_chunk(b"ANIM", &[0; 6]);
        let moving = webp(&[webp_canvas(animated, width, height), control, webp_frame(8, 8)]);
        bombs.push((format!("moving WebP {width}×{height}"), moving));
    }
    for (what, bomb) in bombs {
        assert!(bomb.len() < 2_000, "{what} is small");
        let refused = decode(Cursor::new(bomb)).unwrap_err().to_string();
        assert!(refused.contains("pixels") || refused.to_lowercase().contains("limit"), "{what}: {refused}");
    }
    // What is larger than the canvas that it says it lies on is no picture.
    let inner = webp_chunk(b"VP8L", &webp_picture(16_384, 16_384));
    let control = webp_chunk(b"ANIM", &[0; 6]);
    let hidden = [
        webp(&[webp_canvas(0, 8, 8), inner]),
        webp(&[webp_canvas(animated, 8, 8), control, webp_frame(16_384, 16_384)]),
    ];
    for hidden in hidden {
        assert!(decode(Cursor::new(hidden)).is_err());
    }
    // The same by an honest header is one.
    let control = webp_chunk(b"ANIM", &[0; 6]);
    let honest = [
        jpeg_bomb(16, 16, 0xC0),
        webp(&[webp_chunk(b"VP8L", &webp_picture(8, 8))]),
        webp(&[webp_canvas(animated, 8, 8), control, webp_frame(8, 8)]),
    ];
    for honest in honest {
        assert!(look(Cursor::new(honest)).pixels.is_some());
    }
}

/// Slow waves of light as in a photograph; flat faces would leave the hash to the noise of the coding.
fn waves(seed: u32) -> RgbImage {
    let wave = |at: u32, length: u32| (at % length).min(length - at % length) * 250 / length;
    RgbImage::from_fn(800, 600, |x, y| {
        let light = wave(x + 37 * seed, 530) + wave(y + 91 * seed, 410 - 60 * seed) + wave(x + 2 * y, 900 - 210 * seed);
        let light = u8::try_from(light * 2 / 3).unwrap();
        image::Rgb([light, light / 2, 255 - light])
    })
}

#[test]
fn pictures_that_look_alike_have_near_looks() {
    let looks = |image: RgbImage, quality| {
        let mut file = Vec::new();
        JpegEncoder::new_with_quality(&mut file, quality).encode_image(&DynamicImage::ImageRgb8(image)).unwrap();
        look(Cursor::new(file)).looks
    };
    let photo = looks(waves(0), 90)[0];
    let cut = image::imageops::crop_imm(&waves(0), 12, 9, 776, 582).to_image();
    for (what, same) in [("coded anew", looks(waves(0), 40)), ("cut", looks(cut, 80))] {
        assert!(photo.distance(&same[0]) <= ALIKE_BITS_MAX, "{what}: {}", photo.distance(&same[0]));
        assert!(same[0].pieces_nearby().iter().any(|piece| photo.pieces().contains(piece)), "{what} is found");
    }
    let turned = looks(image::imageops::rotate90(&waves(0)), 90);
    assert!(photo.distance(&turned[0]) > ALIKE_BITS_MAX, "turned it looks different");
    let nearest = turned.iter().min_by_key(|way| photo.distance(way)).unwrap();
    assert!(photo.distance(nearest) <= ALIKE_BITS_MAX, "but one of its ways is near");
    assert!(nearest.pieces().iter().any(|piece| photo.pieces().contains(piece)), "and found");
    assert!(photo.distance(&looks(waves(1), 90)[0]) > ALIKE_BITS_MAX, "another picture is another");
}
