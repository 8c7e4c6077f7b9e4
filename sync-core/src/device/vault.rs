//! What a PIN protects: the device's key and its tokens, so that nobody acts as somebody else on a shared phone. They
//! are sealed (XChaCha20-Poly1305) with a random key of the person, and that key with the PIN (Argon2id), in a file of
//! its own. A PIN is short: it stops whoever holds the phone, not whoever copies its files and has days.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::open::sync_folder;

/// The fewest characters of a PIN.
pub const PIN_CHARS_MIN: usize = 6;
/// The most.
pub const PIN_CHARS_MAX: usize = 64;
/// Memory of one try, in KiB, and passes over it: about a fifth of a second.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// Wrong PINs that cost nothing.
const FREE: u32 = 4;
/// The wait after the next one, doubled by each after it.
const FIRST_WAIT_MS: i64 = 30_000;
/// The longest wait.
const LONGEST_WAIT_MS: i64 = 3_600_000;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// How a sealed text column begins.
const SEALED: &str = "sealed:";

/// A person's key, once the PIN was right.
#[derive(Clone)]
pub struct Vault([u8; 32]);

/// The file beside the store.
#[derive(Serialize, Deserialize)]
struct PinFile {
    version: u32,
    salt: String,
    memory_kib: u32,
    passes: u32,
    /// The person's key under the PIN.
    sealed: String,
    failures: u32,
    retry_ms: i64,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("pin.json")
}

/// Whether a store has a PIN.
pub fn has_pin(folder: &Path) -> bool {
    path(folder).exists()
}

/// Sets the PIN of a store, and changes it: `vault` is the key that it has already.
///
/// # Errors
/// [`PhoneError::UnfitPin`]; the store's.
pub fn set_pin(folder: &Path, pin: &str, vault: Option<Vault>, entropy: &mut dyn Entropy) -> Result<Vault, PhoneError> {
    let characters: Vec<char> = pin.chars().collect();
    let same = characters.iter().all(|character| Some(character) == characters.first());
    if !(PIN_CHARS_MIN..=PIN_CHARS_MAX).contains(&characters.len()) || same {
        return Err(PhoneError::UnfitPin);
    }
    let vault = match vault {
        Some(known) => known,
        None => Vault(draw(entropy)?),
    };
    let salt: [u8; 16] = draw(entropy)?;
    let under = Vault(stretch(pin, &salt, MEMORY_KIB, PASSES)?);
    let sealed = under.close("pin", &vault.0, entropy)?;
    let file = PinFile {
        version: 1,
        salt: hex::encode(salt),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        sealed: hex::encode(sealed),
        failures: 0,
        retry_ms: 0,
    };
    write(folder, &file)?;
    Ok(vault)
}

/// Opens the vault of a store: the try is counted, durably, before the PIN is looked at.
///
/// # Errors
/// [`PhoneError::WrongPin`], [`PhoneError::PinLater`]; the store's.
pub fn unlock(folder: &Path, pin: &str, now_ms: i64) -> Result<Vault, PhoneError> {
    let damaged = |why: &str| PhoneError::Damaged(format!("{}: {why}", path(folder).display()));
    let text = fs::read_to_string(path(folder)).map_err(PhoneError::file(path(folder)))?;
    let mut file: PinFile = serde_json::from_str(&text).map_err(|error| damaged(&error.to_string()))?;
    let left_ms = file.retry_ms.saturating_sub(now_ms);
    // A wait that is longer than any comes from a clock that was set back.
    if left_ms > 0 && left_ms <= LONGEST_WAIT_MS {
        return Err(PhoneError::PinLater { seconds: left_ms.div_euclid(1000).saturating_add(1) });
    }
    file.failures = file.failures.saturating_add(1);
    file.retry_ms = now_ms.saturating_add(wait_ms(file.failures));
    write(folder, &file)?;
    let salt = hex::decode(&file.salt).map_err(|_| damaged("salt"))?;
    let sealed = hex::decode(&file.sealed).map_err(|_| damaged("key"))?;
    let under = Vault(stretch(pin, &salt, file.memory_kib, file.passes)?);
    let key = under.open("pin", &sealed).ok_or(PhoneError::WrongPin)?;
    let key: [u8; 32] = key.try_into().map_err(|_| damaged("key"))?;
    (file.failures, file.retry_ms) = (0, 0);
    write(folder, &file)?;
    Ok(Vault(key))
}

fn wait_ms(failures: u32) -> i64 {
    let Some(doublings) = failures.checked_sub(FREE.saturating_add(1)) else { return 0 };
    FIRST_WAIT_MS.saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT_MS)
}

fn stretch(pin: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Result<[u8; 32], PhoneError> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(PhoneError::internal)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, &mut key)
        .map_err(PhoneError::internal)?;
    Ok(key)
}

/// Whole or as it was: written beside its place, synced, renamed.
fn write(folder: &Path, file: &PinFile) -> Result<(), PhoneError> {
    let (path, beside) = (path(folder), folder.join("pin.new"));
    let failed = |error| PhoneError::file(&path)(error);
    let mut to = fs::File::create(&beside).map_err(failed)?;
    to.write_all(&serde_json::to_vec(file)?).map_err(failed)?;
    to.sync_all().map_err(failed)?;
    fs::rename(&beside, &path).map_err(failed)?;
    sync_folder(folder)
}

impl Vault {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    /// Seals the value of a column.
    pub(crate) fn close(&self, column: &str, plain: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>, PhoneError> {
        let nonce: [u8; NONCE_BYTES] = draw(entropy)?;
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: column.as_bytes() })
            .map_err(PhoneError::internal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens it; none where it is another's.
    pub(crate) fn open(&self, column: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: column.as_bytes() }).ok()
    }
}

/// The device's secret as it is stored: 32 bytes, or these sealed.
pub(crate) fn close_secret(
    vault: Option<&Vault>,
    secret: &[u8; 32],
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, PhoneError> {
    vault.map_or_else(|| Ok(secret.to_vec()), |vault| vault.close("secret", secret, entropy))
}

/// The other way.
pub(crate) fn open_secret(vault: Option<&Vault>, stored: &[u8]) -> Result<[u8; 32], PhoneError> {
    if let Ok(plain) = stored.try_into() {
        return Ok(plain);
    }
    if stored.len() != NONCE_BYTES + 32 + TAG_BYTES {
        return Err(PhoneError::internal("a device key of no known length"));
    }
    let vault = vault.ok_or(PhoneError::PinNeeded)?;
    let opened = vault.open("secret", stored).and_then(|plain| plain.try_into().ok());
    opened.ok_or_else(|| PhoneError::Damaged("the device key was sealed by another PIN file".to_owned()))
}

/// A token as it is stored.
pub(crate) fn close_text(
    vault: Option<&Vault>,
    column: &str,
    text: &str,
    entropy: &mut dyn Entropy,
) -> Result<String, PhoneError> {
    match vault {
        None => Ok(text.to_owned()),
        Some(vault) => Ok(format!("{SEALED}{}", hex::encode(vault.close(column, text.as_bytes(), entropy)?))),
    }
}

/// The other way.
pub(crate) fn open_text(vault: Option<&Vault>, column: &str, stored: &str) -> Result<String, PhoneError> {
    let Some(sealed) = stored.strip_prefix(SEALED) else { return Ok(stored.to_owned()) };
    let vault = vault.ok_or(PhoneError::PinNeeded)?;
    let opened = hex::decode(sealed).ok().and_then(|sealed| vault.open(column, &sealed));
    let text = opened.and_then(|plain| String::from_utf8(plain).ok());
    text.ok_or_else(|| PhoneError::Damaged("a token was sealed by another PIN file".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::entropy::SeededEntropy;
    use super::super::error::PhoneError;
    use super::{close_secret, close_text, open_secret, open_text, set_pin, unlock, wait_ms};

    #[test]
    fn a_wrong_pin_is_counted_and_waits_and_the_right_one_opens() {
        let folder = tempfile::tempdir().unwrap();
        let mut entropy = SeededEntropy::new(1);
        for unfit in ["12345", "", "111111", &"ab".repeat(33)] {
            assert!(matches!(set_pin(folder.path(), unfit, None, &mut entropy), Err(PhoneError::UnfitPin)));
        }
        let vault = set_pin(folder.path(), "482913", None, &mut entropy).unwrap();
        let sealed = close_secret(Some(&vault), &[5; 32], &mut entropy).unwrap();
        let token = close_text(Some(&vault), "access", "a token", &mut entropy).unwrap();
        assert!(!sealed.windows(8).any(|window| window == [5; 8]) && !token.contains("a token"));
        assert!(matches!(open_secret(None, &sealed), Err(PhoneError::PinNeeded)));
        assert!(matches!(open_text(None, "access", &token), Err(PhoneError::PinNeeded)));
        for _ in 0..5 {
            assert!(matches!(unlock(folder.path(), "000001", 1_000), Err(PhoneError::WrongPin)));
        }
        let waiting = unlock(folder.path(), "482913", 1_000);
        assert!(matches!(waiting, Err(PhoneError::PinLater { seconds: 31 })), "even the right one");
        let opened = unlock(folder.path(), "482913", 31_000).unwrap();
        assert_eq!(open_secret(Some(&opened), &sealed).unwrap(), [5; 32]);
        assert_eq!(open_text(Some(&opened), "access", &token).unwrap(), "a token");
        assert!(open_text(Some(&opened), "refresh", &token).is_err(), "of another column");
        assert_eq!(open_text(Some(&opened), "access", "from before the PIN").unwrap(), "from before the PIN");

        set_pin(folder.path(), "another pin", Some(opened), &mut entropy).unwrap();
        assert!(matches!(unlock(folder.path(), "482913", 40_000), Err(PhoneError::WrongPin)));
        let changed = unlock(folder.path(), "another pin", 40_000).unwrap();
        assert_eq!(open_secret(Some(&changed), &sealed).unwrap(), [5; 32], "the person's key stays");
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        assert_eq!([1, 4, 5, 6, 20, u32::MAX].map(wait_ms), [0, 0, 30_000, 60_000, 3_600_000, 3_600_000]);
    }
}
