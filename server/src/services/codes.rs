//! One-time codes that a person reads aloud or scans: Crockford's alphabet, forgiving on the way in.

use schema::hash::Hash;
use sync_core::line::sha256;

use super::tokens::random;
use crate::error::Result;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Sixty bits: nobody guesses one in its day, and its hash at rest can't be searched in that time either.
const CHARACTERS: usize = 12;

/// A new code, in groups of four.
///
/// # Errors
/// Where the machine has no randomness.
pub fn new() -> Result<String> {
    let bytes: [u8; CHARACTERS] = random()?;
    let characters: Vec<char> = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)))
        .map(|character| char::from(*character))
        .collect();
    let groups: Vec<String> = characters.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

/// What is stored of a code, and looked up for what a person typed.
pub fn stored(typed: &str) -> Hash {
    let plain: String = typed
        .chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|character| match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    sha256(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{new, stored};

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = new().unwrap();
        assert_eq!(code.len(), 14);
        assert_eq!(stored(&code), stored(&format!(" {} ", code.to_lowercase().replace('-', " "))));
        assert_eq!(stored("0110-ABCD"), stored("OIlo abcd"));
        assert_ne!(new().unwrap(), code);
    }
}
