//! Dictionaries by which stored texts are packed. One that was ever used stays for ever, byte for byte.

/// Dictionary 1 (zstd), for lines, records and documents: see `schema/dictionaries/README.md`.
pub const DICTIONARY_1: &[u8] = include_bytes!("../dictionaries/1.zdict");
