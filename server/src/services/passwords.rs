//! Passwords: what is good enough to be one, and Argon2id with bounded memory. It knows no account and no database.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::anyhow;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use schema::limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use schema::problem::ProblemCode;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over it.
const PASSES: u32 = 3;
/// Hashes made at once: with their memory this bounds what a burst of logins can take.
const AT_ONCE: usize = 2;
/// How long a login waits for its turn before it is told to come back.
const TURN: Duration = Duration::from_secs(5);

/// Passwords of twelve characters and more that head the published lists of stolen ones.
const STOLEN: [&str; 24] = [
    "123456789012",
    "1234567890123",
    "123123123123",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "1qazxsw23edc",
    "abc123456789",
    "abcd12345678",
    "administrator",
    "admin1234567",
    "adminadminadmin",
    "a1234567890a",
    "changemechangeme",
    "iloveyou1234",
    "letmeinletmein",
    "password1234",
    "password12345",
    "passwordpassword",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwerty123456",
    "woaini1314520",
    "woaini5201314",
    "zxcvbnm12345",
];

/// Hashes and checks passwords, a few at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    hashed: Arc<AtomicU64>,
}

impl Passwords {
    /// With all turns free.
    pub fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)), hashed: Arc::default() }
    }

    /// How often a password was hashed or checked so far.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// The stored form of a password.
    ///
    /// # Errors
    /// `unavailable` where too many wait already.
    pub async fn hash(&self, password: String) -> Result<String> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| anyhow!("no randomness for a salt: {error}"))?;
        self.in_turn(move || hash(&password, &salt)).await?
    }

    /// Whether a password is the one stored. Without a stored one it takes as long and says no.
    ///
    /// # Errors
    /// `unavailable` where too many wait already.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool> {
        self.in_turn(move || {
            let known = stored.is_some();
            let stored = stored.map_or_else(|| nobody().cloned(), Ok)?;
            let fits = hasher()?.verify_password(password.as_bytes(), stored.as_str()).is_ok();
            Ok(known && fits)
        })
        .await?
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Error::later(ProblemCode::Unavailable, 5)) };
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|error| Error::Internal(anyhow!(error).context("a password hash did not end")))
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// What is checked where there is no account: the same work, so that time tells nothing.
fn nobody() -> Result<&'static String> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    if let Some(stored) = NOBODY.get() {
        return Ok(stored);
    }
    let stored = hash("nobody has this password", &[7; 16])?;
    Ok(NOBODY.get_or_init(|| stored))
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| anyhow!("Argon2 parameters: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, salt: &[u8]) -> Result<String> {
    let hash = hasher()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| anyhow!("hashing a password: {error}"))?;
    Ok(hash.to_string())
}

/// Whether a stored hash was made as one would be made today.
pub fn is_current(stored: &str) -> bool {
    stored.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$"))
}

/// Why a text may not become a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Fewer than [`PASSWORD_CHARS_MIN`] characters.
    #[error("shorter than {PASSWORD_CHARS_MIN} characters")]
    Short,
    /// More than [`PASSWORD_CHARS_MAX`] characters.
    #[error("longer than {PASSWORD_CHARS_MAX} characters")]
    Long,
    /// Among those that are tried first, or too plain.
    #[error("too easy to guess")]
    Guessable,
}

/// Whether a text may become the password of an account. Length counts, composition does not.
///
/// # Errors
/// Why not.
pub fn fit(password: &str, login: &str) -> std::result::Result<(), Unfit> {
    let characters = password.chars().count();
    if characters < PASSWORD_CHARS_MIN {
        return Err(Unfit::Short);
    }
    if characters > PASSWORD_CHARS_MAX {
        return Err(Unfit::Long);
    }
    let plain = password.to_lowercase();
    let different: BTreeSet<char> = plain.chars().collect();
    let names_login = !login.is_empty() && plain.contains(&login.to_lowercase());
    let runs_on =
        plain.chars().zip(plain.chars().skip(1)).all(|(one, next)| u32::from(one).abs_diff(u32::from(next)) <= 1);
    if different.len() < 5 || names_login || runs_on || STOLEN.contains(&plain.as_str()) {
        return Err(Unfit::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Passwords, Unfit, fit, is_current, nobody};

    #[test]
    fn what_may_become_a_password() {
        for (password, expected) in [
            ("correct horse battery", Ok(())),
            ("城市整治永不反弹之回头看吧", Ok(())),
            ("elevenchars", Err(Unfit::Short)),
            ("twelvechars!", Ok(())),
            ("aaaabbbbccccdddd", Err(Unfit::Guessable)),
            ("abcdefghijklmn", Err(Unfit::Guessable)),
            ("Password1234", Err(Unfit::Guessable)),
            ("it is Zhang.Wei here", Err(Unfit::Guessable)),
        ] {
            assert_eq!(fit(password, "zhang.wei"), expected, "{password}");
        }
        assert_eq!(fit(&"ab cd ef".repeat(16), "x"), Ok(()), "128 characters");
        assert_eq!(fit(&format!("{}x", "ab cd ef".repeat(16)), "y"), Err(Unfit::Long), "129 characters");
    }

    #[actix_web::test]
    async fn only_the_right_password_fits_and_nobody_has_one() {
        let passwords = Passwords::new();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batter".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("nobody has this password".into(), None).await.unwrap());
        assert!(is_current(nobody().unwrap()), "it costs what any other does");
    }
}
