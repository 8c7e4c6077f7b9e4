//! Small versions carry nothing but the picture, whatever stood in the photo and whatever its format.

use std::io::Cursor;

use super::tests::{chunk, exif_block, jpeg_of, scene};
use super::*;

/// Stands in every kind of metadata of each photo.
const SECRET: &[u8] = b"serial number 0815, Li Wei's phone";

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker][..], &length, body].concat()
}

fn xmp() -> Vec<u8> {
    [b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", SECRET, b"</x:xmpmeta>"].concat()
}

/// An ICC profile as far as anybody looks who does not use it.
fn icc() -> Vec<u8> {
    [&[0; 36][..], b"acsp", &[0; 88], SECRET].concat()
}

fn jpeg_photo() -> Vec<u8> {
    let plain = jpeg_of(&scene(600, 400));
    let (start, rest) = plain.split_at(2);
    let exif = segment(0xe1, &[b"Exif\0\0", &exif_block(6)[..]].concat());
    let xmp = segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", &xmp()[..]].concat());
    let icc = segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", &icc()[..]].concat());
    let maker = segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat());
    [start, &exif, &xmp, &icc, &maker, &segment(0xfe, SECRET), rest].concat()
}

fn png_photo() -> Vec<u8> {
    let mut plain = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(scene(600, 400)).write_to(&mut plain, image::ImageFormat::Png).unwrap();
    let plain = plain.into_inner();
    // Signature and IHDR.
    let (start, rest) = plain.split_at(8 + 25);
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &icc()).unwrap();
    let icc = chunk(b"iCCP", &[b"p3\0\0", &packed.finish().unwrap()[..]].concat());
    let exif = chunk(b"eXIf", &exif_block(6));
    let xmp = chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", &xmp()[..]].concat());
    let text = chunk(b"tEXt", &[b"Comment\0", SECRET].concat());
    [start, &icc, &exif, &xmp, &text, rest].concat()
}

fn webp_photo() -> Vec<u8> {
    let mut plain = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(scene(600, 400)).write_to(&mut plain, image::ImageFormat::WebP).unwrap();
    let plain = plain.into_inner();
    let part = |name: &[u8; 4], body: &[u8]| {
        let padding = if body.len() % 2 == 1 { &[0][..] } else { &[] };
        [&name[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), body, padding].concat()
    };
    // ICC, EXIF and XMP are there; one less than 600 and 400.
    let header = part(b"VP8X", &[0x2c, 0, 0, 0, 0x57, 2, 0, 0x8f, 1, 0]);
    let parts = [
        &b"WEBP"[..],
        &header,
        &part(b"ICCP", &icc()),
        &plain[12..],
        &part(b"EXIF", &exif_block(6)),
        &part(b"XMP ", &xmp()),
    ]
    .concat();
    [&b"RIFF"[..], &u32::try_from(parts.len()).unwrap().to_le_bytes(), &parts].concat()
}

/// The markers of a JPEG up to its picture.
fn markers(jpeg: &[u8]) -> Vec<u8> {
    let mut markers = Vec::new();
    let mut at = 2;
    loop {
        assert_eq!(jpeg[at], 0xff, "a marker");
        let marker = jpeg[at + 1];
        markers.push(marker);
        if marker == 0xda {
            return markers;
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
}

#[test]
fn versions_carry_no_metadata() {
    for (format, photo) in [("JPEG", jpeg_photo()), ("PNG", png_photo()), ("WebP", webp_photo())] {
        // What is to be stripped must be there, and be read: otherwise nothing is shown.
        assert!(photo.windows(SECRET.len()).any(|bytes| bytes == SECRET), "{format}");
        let picture = look(Cursor::new(&photo));
        assert_eq!(picture.camera.device.as_deref(), Some("Huawei P60"), "{format}: the camera is read");
        assert_eq!(picture.pixels, Some((400, 600)), "{format}: and turned upright");
        let Versions { small, large } = picture.versions.unwrap();
        for version in [&small, &large] {
            // Beginning, quantisation, frame, Huffman tables, picture; and the JFIF header, which says nothing.
            let allowed = [0xe0, 0xdb, 0xc0, 0xc2, 0xc4, 0xda];
            assert!(
                markers(version).iter().all(|marker| allowed.contains(marker)),
                "{format}: {:x?}",
                markers(version)
            );
            for trace in [SECRET, b"Exif", b"Huawei", b"xmpmeta", b"ICC_PROFILE"] {
                assert!(!version.windows(trace.len()).any(|bytes| bytes == trace), "{format}");
            }
            let mut decoder =
                ImageReader::new(Cursor::new(version)).with_guessed_format().unwrap().into_decoder().unwrap();
            assert_eq!(decoder.exif_metadata().unwrap(), None, "{format}");
            assert_eq!(decoder.icc_profile().unwrap(), None, "{format}");
            assert_eq!(decoder.xmp_metadata().unwrap(), None, "{format}");
        }
        let shown = image::load_from_memory(&small).unwrap().into_rgb8();
        assert_eq!(shown.dimensions(), (213, 320), "{format}");
        assert!(shown.get_pixel(100, 20).0[0] > 150 && shown.get_pixel(100, 300).0[0] < 100, "{format}: upright");
    }
}

/// Sixteen bits a channel, grey, with an alpha channel: whatever a picture is made of, its versions are plain JPEGs.
#[test]
fn every_kind_of_pixel_becomes_a_jpeg() {
    let photo = DynamicImage::ImageRgb8(scene(1500, 900));
    for (kind, image) in [
        ("L8", DynamicImage::ImageLuma8(photo.to_luma8())),
        ("La8", DynamicImage::ImageLumaA8(photo.to_luma_alpha8())),
        ("Rgba8", DynamicImage::ImageRgba8(photo.to_rgba8())),
        ("L16", DynamicImage::ImageLuma16(photo.to_luma16())),
        ("Rgb16", DynamicImage::ImageRgb16(photo.to_rgb16())),
        ("Rgba16", DynamicImage::ImageRgba16(photo.to_rgba16())),
    ] {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, image::ImageFormat::Png).unwrap();
        let picture = look(Cursor::new(file.into_inner()));
        assert_eq!(picture.pixels, Some((1500, 900)), "{kind}");
        let large = image::load_from_memory(&picture.versions.unwrap().large).unwrap().into_rgb8();
        assert_eq!(large.dimensions(), (1280, 768), "{kind}");
    }
}

/// A camera that lost power while it wrote: what can be seen of it is shown, and nothing breaks.
#[test]
fn a_photo_that_is_cut_off_breaks_nothing() {
    let whole = jpeg_of(&scene(640, 480));
    for kept in [0, 1, 2, 30, 200, 700, whole.len() / 2, whole.len() - 2] {
        let picture = look(Cursor::new(&whole[..kept]));
        assert_eq!(picture.pixels.is_some(), picture.versions.is_some());
        assert!(kept > 600 || picture.pixels.is_none(), "{kept} bytes show nothing");
    }
}
