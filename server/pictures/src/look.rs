//! Looking at a photo: decoding under hard limits, what the camera wrote, small versions without metadata, and a
//! hash of what it shows. It knows files and no database; a file that does not decode is flagged, never refused.

use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};
use image_hasher::{HashAlg, HasherConfig};
use schema::limits::{PHOTO_PIXELS_MAX, PHOTO_SIDE_PX_MAX};

use crate::camera::{self, Camera};

/// The longer side of a list's picture.
pub const SMALL_PX: u32 = 320;
/// The longer side of a page's picture.
pub const LARGE_PX: u32 = 1280;
/// Memory that decoding one photo may take.
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const JPEG_QUALITY: u8 = 82;

/// The flag of a file that does not decode, or only beyond the limits.
pub const UNDECODABLE: &str = "undecodable";

/// What was found in a photo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Width and height as shown; none if it does not decode.
    pub pixels: Option<(u32, u32)>,
    /// What the camera wrote.
    pub camera: Camera,
    /// The small versions; none if it does not decode.
    pub versions: Option<Versions>,
    /// A hash of what it shows: near for pictures that look alike.
    pub perceptual: Option<Vec<u8>>,
}

/// Small versions as JPEG files, without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// At most [`SMALL_PX`] a side.
    pub small: Vec<u8>,
    /// At most [`LARGE_PX`] a side.
    pub large: Vec<u8>,
}

/// Looks at a photo. What does not decode, or breaks a decoder, has no pixels.
pub fn look(file: impl BufRead + Seek) -> Picture {
    match catch_unwind(AssertUnwindSafe(|| decode(file))) {
        Ok(Ok((image, camera))) => match shrink(image) {
            Ok(shrunk) => Picture { camera, ..shrunk },
            Err(error) => {
                tracing::warn!(%error, "a decoded photo could not be made smaller");
                Picture { camera, ..Picture::default() }
            }
        },
        Ok(Err(error)) => {
            tracing::info!(%error, "a photo does not decode");
            Picture::default()
        }
        Err(_) => {
            tracing::warn!("a photo broke the decoder");
            Picture::default()
        }
    }
}

/// Header first: a picture beyond the limits is refused before memory for it is taken.
fn decode(file: impl BufRead + Seek) -> anyhow::Result<(RgbImage, Camera)> {
    let mut reader = ImageReader::new(file).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PHOTO_SIDE_PX_MAX);
    limits.max_image_height = Some(PHOTO_SIDE_PX_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    anyhow::ensure!(pixels > 0 && pixels <= PHOTO_PIXELS_MAX, "{width} × {height} pixels");
    anyhow::ensure!(decoder.total_bytes() <= DECODE_BYTES_MAX, "{} bytes decoded", decoder.total_bytes());
    let camera = camera::read(decoder.exif_metadata().unwrap_or_default());
    let orientation = decoder.orientation().ok();
    let mut image = DynamicImage::from_decoder(decoder)?;
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok((image.into_rgb8(), camera))
}

/// The small versions, the larger one first because the smaller one is made from it.
fn shrink(image: RgbImage) -> anyhow::Result<Picture> {
    let pixels = (image.width(), image.height());
    let large = fit(DynamicImage::ImageRgb8(image), LARGE_PX)?;
    let large_jpeg = jpeg(&large)?;
    let small = fit(large, SMALL_PX)?;
    let hasher = HasherConfig::new().hash_alg(HashAlg::DoubleGradient).preproc_dct().to_hasher();
    let perceptual = hasher.hash_image(&small).as_bytes().to_vec();
    Ok(Picture {
        pixels: Some(pixels),
        camera: Camera::default(),
        versions: Some(Versions { small: jpeg(&small)?, large: large_jpeg }),
        perceptual: Some(perceptual),
    })
}

/// Makes the longer side at most `side`; a smaller picture stays as it is.
fn fit(image: DynamicImage, side: u32) -> anyhow::Result<DynamicImage> {
    let (width, height) = (image.width(), image.height());
    let longer = width.max(height);
    if longer <= side {
        return Ok(image);
    }
    let scaled = |length: u32| -> anyhow::Result<u32> {
        let exact = u64::from(length).saturating_mul(u64::from(side)) / u64::from(longer).max(1);
        Ok(u32::try_from(exact)?.max(1))
    };
    let mut smaller = DynamicImage::ImageRgb8(RgbImage::new(scaled(width)?, scaled(height)?));
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&image, &mut smaller, &options)?;
    Ok(smaller)
}

fn jpeg(image: &DynamicImage) -> anyhow::Result<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).encode_image(image)?;
    Ok(file)
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
