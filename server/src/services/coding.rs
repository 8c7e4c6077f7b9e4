//! Content codings of the sync route. What is unpacked is bounded in size and in ratio: a few bytes can't become many.

use std::io::{self, Read, Write};

use anyhow::Context;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use schema::limits::BATCH_DECOMPRESSED_BYTES_MAX;
use schema::problem::ProblemCode;

use crate::error::{Error, Result};

/// How many bytes one compressed byte may become. Op lines become about ten.
const RATIO_MAX: usize = 200;
/// Small bodies may exceed the ratio: a hundred bytes of padding harm nobody.
const RATIO_FREE_BYTES: usize = 256 * 1024;
/// The largest zstd window, as a power of two: bounds the decoder's memory.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
const ZSTD_LEVEL: i32 = 3;

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Every client speaks it.
    Gzip,
    /// Smaller and faster, by negotiation.
    Zstd,
}

impl Coding {
    /// From `Content-Encoding`; none if it is not spoken, or more than one layer.
    pub fn of_content(header: Option<&str>) -> Option<Self> {
        match header.map(|header| header.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Some(Self::Identity),
            Some("gzip" | "x-gzip") => Some(Self::Gzip),
            Some("zstd") => Some(Self::Zstd),
            Some(_) => None,
        }
    }

    /// The best that `Accept-Encoding` allows.
    pub fn accepted(header: Option<&str>) -> Self {
        let accepts = |name: &str| {
            header.unwrap_or_default().split(',').any(|choice| {
                let (coding, quality) = choice.split_once(';').unwrap_or((choice, ""));
                let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
                coding.trim().eq_ignore_ascii_case(name) && !refused
            })
        };
        if accepts("zstd") {
            Self::Zstd
        } else if accepts("gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    /// Its name; none for identity.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Unpacks a whole body.
///
/// # Errors
/// `too_large` beyond the limits, `malformed` where it is not of its coding.
pub fn unpack(coding: Coding, sent: Vec<u8>) -> Result<Vec<u8>> {
    let most = match coding {
        Coding::Identity => return Ok(sent),
        Coding::Gzip | Coding::Zstd => {
            sent.len().saturating_mul(RATIO_MAX).clamp(RATIO_FREE_BYTES, BATCH_DECOMPRESSED_BYTES_MAX)
        }
    };
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut unpacked = Vec::new();
    let read = match coding {
        Coding::Identity => return Ok(sent),
        Coding::Gzip => MultiGzDecoder::new(sent.as_slice()).take(limit).read_to_end(&mut unpacked),
        Coding::Zstd => zstd_reader(&sent).and_then(|reader| reader.take(limit).read_to_end(&mut unpacked)),
    };
    read.map_err(|_| Error::refused(ProblemCode::Malformed))?;
    if unpacked.len() > most { Err(Error::refused(ProblemCode::TooLarge)) } else { Ok(unpacked) }
}

fn zstd_reader(sent: &[u8]) -> io::Result<impl Read + '_> {
    let mut reader = zstd::stream::read::Decoder::with_buffer(sent)?;
    reader.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(reader)
}

/// Packs an answer.
///
/// # Errors
/// Only the server's own.
pub fn pack(coding: Coding, answer: Vec<u8>) -> Result<Vec<u8>> {
    match coding {
        Coding::Identity => Ok(answer),
        Coding::Gzip => {
            let mut writer = GzEncoder::new(Vec::with_capacity(answer.len() / 4), Compression::fast());
            writer.write_all(&answer).context("packing an answer")?;
            Ok(writer.finish().context("packing an answer")?)
        }
        Coding::Zstd => Ok(zstd::stream::encode_all(answer.as_slice(), ZSTD_LEVEL).context("packing an answer")?),
    }
}

#[cfg(test)]
mod tests {
    use schema::limits::BATCH_DECOMPRESSED_BYTES_MAX;
    use schema::problem::ProblemCode;

    use super::{Coding, pack, unpack};

    #[test]
    fn what_is_packed_is_unpacked() {
        let lines: Vec<u8> = (0..5000_u32).flat_map(|n| format!("{{\"op\":{}}}\n", n * 7919).into_bytes()).collect();
        for coding in [Coding::Identity, Coding::Gzip, Coding::Zstd] {
            let packed = pack(coding, lines.clone()).unwrap();
            assert_eq!(unpack(coding, packed).unwrap(), lines, "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_is_too_large_before_it_is_unpacked() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let bomb = pack(coding, vec![0; 64 * 1024 * 1024]).unwrap();
            assert!(bomb.len() < 512 * 1024, "{}", bomb.len());
            assert_eq!(unpack(coding, bomb).unwrap_err().code(), ProblemCode::TooLarge);
            let by_ratio = pack(coding, vec![0; BATCH_DECOMPRESSED_BYTES_MAX]).unwrap();
            assert_eq!(unpack(coding, by_ratio).unwrap_err().code(), ProblemCode::TooLarge);
        }
    }

    #[test]
    fn what_is_not_of_its_coding_is_malformed() {
        for coding in [Coding::Gzip, Coding::Zstd] {
            let whole = pack(coding, b"a line\n".repeat(50)).unwrap();
            let torn = whole.split_at(whole.len() / 2).0.to_vec();
            for sent in [b"plain text".to_vec(), torn] {
                assert_eq!(unpack(coding, sent).unwrap_err().code(), ProblemCode::Malformed, "{coding:?}");
            }
        }
    }

    #[test]
    fn codings_are_negotiated() {
        assert_eq!(Coding::accepted(None), Coding::Identity);
        assert_eq!(Coding::accepted(Some("gzip, deflate, br, zstd")), Coding::Zstd);
        assert_eq!(Coding::accepted(Some("gzip, zstd;q=0")), Coding::Gzip);
        assert_eq!(Coding::accepted(Some("br")), Coding::Identity);
        assert_eq!(Coding::of_content(Some("GZIP")), Some(Coding::Gzip));
        assert_eq!(Coding::of_content(Some("gzip, zstd")), None, "one layer only");
        assert_eq!(Coding::of_content(Some("br")), None);
    }
}
