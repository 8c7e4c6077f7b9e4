//! Lines, records and documents as columns hold them: packed one by one, back to the same bytes.

use std::cell::RefCell;
use std::sync::LazyLock;

use schema::dictionary::DICTIONARY_1;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::error::StoreError;

/// How a value is packed: its first byte.
const AS_IT_IS: u8 = 0;
const WITH_DICTIONARY_1: u8 = 1;

/// Level 1 packs these texts as small as level 9 does, in a fraction of the time.
const LEVEL: i32 = 1;
/// Nothing larger was ever packed.
const UNPACKED_BYTES_MAX: usize = 256 * 1024 * 1024;

static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

thread_local! {
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs a value. What does not get smaller stays as it is.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let packed = PACKER.with_borrow_mut(|packer| {
        if packer.is_none() {
            *packer = new_packer().ok();
        }
        packer.as_mut()?.compress(bytes).ok()
    });
    match packed {
        Some(packed) if packed.len() < bytes.len() => [&[WITH_DICTIONARY_1], packed.as_slice()].concat(),
        _ => [&[AS_IT_IS], bytes].concat(),
    }
}

fn new_packer() -> std::io::Result<Compressor<'static>> {
    let mut packer = Compressor::with_prepared_dictionary(&ENCODER)?;
    // The first byte says which dictionary it is.
    packer.include_dictid(false)?;
    packer.include_checksum(false)?;
    Ok(packer)
}

/// Unpacks a value.
///
/// # Errors
/// It is damaged, or packed by a newer program.
pub(super) fn unpack(stored: &[u8]) -> Result<Vec<u8>, StoreError> {
    match stored.split_first() {
        Some((&AS_IT_IS, bytes)) => Ok(bytes.to_vec()),
        Some((&WITH_DICTIONARY_1, packed)) if !packed.is_empty() => UNPACKER
            .with_borrow_mut(|unpacker| {
                if unpacker.is_none() {
                    *unpacker = Decompressor::with_prepared_dictionary(&DECODER).ok();
                }
                unpacker.as_mut()?.decompress(packed, UNPACKED_BYTES_MAX).ok()
            })
            .ok_or(StoreError::Damaged("a packed value that can't be unpacked")),
        _ => Err(StoreError::Damaged("a value packed in no known way")),
    }
}

/// Unpacks a text.
///
/// # Errors
/// As [`unpack`], or it is no text.
pub(super) fn unpack_text(stored: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(unpack(stored)?).map_err(|_| StoreError::Damaged("a packed text that is none"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_of_ours_gets_much_smaller() {
        let record = br#"{"outcome":"rejected","code":"stale_state","detail":{"current":"closed"},"rules":1}"#;
        assert!(pack(record).len() < record.len() / 2);
        assert_eq!(unpack(&pack(record)).unwrap(), record);
    }

    #[test]
    fn what_is_no_packed_value_is_damage() {
        for wrong in [b"".as_slice(), b"\x02abc", b"\x01", b"\x01abc"] {
            assert!(unpack(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_value_comes_back_as_it_was(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(unpack(&pack(&bytes)).unwrap(), bytes.clone());
            prop_assert!(pack(&bytes).len() <= bytes.len() + 1);
        }
    }
}
