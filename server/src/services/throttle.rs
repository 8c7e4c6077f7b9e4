//! Slowing down whoever guesses: what is counted, and how long the next guess waits. Counters are in the database and
//! are written before anything is looked at, so that no crash, no race and no second server makes a free guess. There
//! is no lock-out: anybody could lock anybody out.

use std::net::{IpAddr, Ipv6Addr};

use schema::hash::Hash;
use sync_core::line::sha256;

use crate::store::{Db, Guesses, StoreError};

/// The first wait, doubled by each failure after it.
const FIRST_WAIT_MS: u64 = 1000;
/// The longest wait.
const LONGEST_WAIT_MS: u64 = 15 * 60 * 1000;
const HOUR_MS: u64 = 3600 * 1000;
/// What was counted longer ago is forgotten, whatever it was.
const FORGOTTEN_MS: u64 = 24 * HOUR_MS;

/// What guesses are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// Passwords of a login name, whether anybody has it or not; by its hash, for people type passwords there, too.
    Name(Hash),
    /// Passwords and one-time codes from an address. A whole office may share one: its first failures cost nothing.
    Address(Hash),
}

impl Guess {
    /// A password of a login name.
    pub fn name(login: &str) -> Self {
        Self::Name(sha256(format!("login {login}").as_bytes()))
    }

    /// Something from an address. One household has a whole /64 of IPv6.
    pub fn address(from: IpAddr) -> Self {
        let counted = match from.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        };
        Self::Address(sha256(format!("address {counted}").as_bytes()))
    }

    fn subject(&self) -> &Hash {
        match self {
            Self::Name(hash) | Self::Address(hash) => hash,
        }
    }

    /// Failures that cost nothing, and after how long without one all are forgotten.
    fn rule(self) -> (u64, u64) {
        match self {
            Self::Name(_) => (0, FORGOTTEN_MS),
            Self::Address(_) => (20, HOUR_MS),
        }
    }
}

/// Counts a guess before it is looked at, under all its heads, or says for how many seconds it has to wait. Names come
/// before addresses, always, so that no two servers wait for each other.
///
/// # Errors
/// The database's.
pub fn count(db: &mut Db, guesses: &[Guess], now_ms: u64) -> Result<Option<u64>, StoreError> {
    let mut counted = Vec::with_capacity(guesses.len());
    let mut wait_ms = 0;
    for guess in guesses {
        let known = db.lock_guesses(guess.subject())?;
        wait_ms = wait_ms.max(left_ms(&known, now_ms));
        counted.push((guess.subject(), after(&known, guess.rule(), now_ms)));
    }
    if wait_ms > 0 {
        return Ok(Some(wait_ms.div_ceil(1000)));
    }
    for (subject, after) in counted {
        db.set_guesses(subject, &after)?;
    }
    Ok(None)
}

/// The guess was right. A name starts anew; an address gets back what this one cost, and no more, or whoever has one
/// good login could guess at all others.
///
/// # Errors
/// The database's.
pub fn was_right(db: &mut Db, guesses: &[Guess]) -> Result<(), StoreError> {
    for guess in guesses {
        let known = db.lock_guesses(guess.subject())?;
        let failures = match guess {
            Guess::Name(_) => 0,
            Guess::Address(_) => known.failures.saturating_sub(1),
        };
        db.set_guesses(guess.subject(), &Guesses { failures, retry_ms: 0, ..known })?;
    }
    Ok(())
}

/// Forgets what is old.
///
/// # Errors
/// The database's.
pub fn forget(db: &mut Db, now_ms: u64) -> Result<(), StoreError> {
    db.forget_guesses(now_ms.saturating_sub(FORGOTTEN_MS))
}

/// How long a subject has to wait still. A wait that is longer than any comes from a clock that was set back.
fn left_ms(known: &Guesses, now_ms: u64) -> u64 {
    let left = known.retry_ms.saturating_sub(now_ms);
    if left > LONGEST_WAIT_MS { 0 } else { left }
}

fn after(known: &Guesses, (free, forgotten_ms): (u64, u64), now_ms: u64) -> Guesses {
    let forgotten = now_ms.saturating_sub(known.at_ms) >= forgotten_ms;
    let failures = if forgotten { 1 } else { known.failures.saturating_add(1) };
    Guesses { failures, retry_ms: now_ms.saturating_add(wait_ms(failures.saturating_sub(free))), at_ms: now_ms }
}

/// How long after so many failures that count the next guess is looked at.
fn wait_ms(failures: u64) -> u64 {
    let Some(doublings) = failures.checked_sub(1) else { return 0 };
    let doublings = u32::try_from(doublings).unwrap_or(u32::MAX).min(20);
    FIRST_WAIT_MS.saturating_mul(1 << doublings).min(LONGEST_WAIT_MS)
}

#[cfg(test)]
mod tests {
    use super::{Guess, Guesses, after, left_ms, wait_ms};

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        assert_eq!([0, 1, 2, 3, 10, 11, u64::MAX].map(wait_ms), [0, 1000, 2000, 4000, 512_000, 900_000, 900_000]);
    }

    #[test]
    fn an_office_may_mistype_and_a_guesser_may_not() {
        let address = Guess::address("10.1.2.3".parse().unwrap());
        let mut known = Guesses::default();
        for second in 0..20 {
            known = after(&known, address.rule(), 100_000_000 + second);
            assert_eq!(left_ms(&known, 100_000_000 + second), 0, "failure {second}");
        }
        known = after(&known, address.rule(), 100_000_100);
        assert_eq!(left_ms(&known, 100_000_100), 1000);
        let later = after(&known, address.rule(), 100_000_100 + 3_600_000);
        assert_eq!(later.failures, 1, "an hour without one");
        assert_eq!(left_ms(&known, 1000), 0, "the clock was set back");
    }

    #[test]
    fn one_household_is_one_address() {
        let of = |text: &str| Guess::address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
