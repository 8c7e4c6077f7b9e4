//! Looking at a photo: decoding under hard limits, what the camera wrote, small versions without metadata, and a
//! hash of what it shows. It knows files and no database; a file that does not decode is flagged, never refused.

use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use schema::limits::{PHOTO_PIXELS_MAX, PHOTO_SIDE_PX_MAX};

use crate::camera::{self, Camera};
use crate::near::{HASHED_PX, Look};

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
    /// What it looks like, upright first, then turned and mirrored; empty if it does not decode.
    pub looks: Vec<Look>,
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
        Ok(Ok(decoded)) => {
            let camera = decoded.camera.clone();
            match catch_unwind(AssertUnwindSafe(|| shrink(decoded))) {
                Ok(Ok(shrunk)) => Picture { camera, ..shrunk },
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a decoded photo could not be made smaller");
                    Picture { camera, ..Picture::default() }
                }
                Err(_) => {
                    tracing::warn!("a decoded photo broke what makes it smaller");
                    Picture { camera, ..Picture::default() }
                }
            }
        }
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

/// A photo in memory, as it lies in its file.
#[derive(Debug)]
struct Decoded {
    image: DynamicImage,
    /// How it must be turned to stand upright.
    orientation: Orientation,
    camera: Camera,
}

/// Header first: a picture beyond the limits is refused before memory for it is taken.
fn decode(file: impl BufRead + Seek) -> anyhow::Result<Decoded> {
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
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok(Decoded { image: DynamicImage::from_decoder(decoder)?, orientation, camera })
}

/// The small versions, the larger one first because the smaller one is made from it. A large picture is made small
/// before anything else is done to it: no second one of its size is in memory.
fn shrink(Decoded { image, orientation, .. }: Decoded) -> anyhow::Result<Picture> {
    let (width, height) = (image.width(), image.height());
    let mut large = fit(image, LARGE_PX)?;
    large.apply_orientation(orientation);
    let large = DynamicImage::ImageRgb8(large.into_rgb8());
    let on_its_side = (large.width() < large.height()) != (width < height) && width != height;
    let large_jpeg = jpeg(&large)?;
    let small = fit(large, SMALL_PX)?;
    let small_jpeg = jpeg(&small)?;
    Ok(Picture {
        pixels: Some(if on_its_side { (height, width) } else { (width, height) }),
        camera: Camera::default(),
        versions: Some(Versions { small: small_jpeg, large: large_jpeg }),
        looks: Look::all(&fit(small, HASHED_PX)?),
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
    let mut smaller = DynamicImage::new(scaled(width)?, scaled(height)?, image.color());
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
#[path = "metadata_tests.rs"]
mod metadata_tests;
#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
