//! What an import makes up, it makes up the same each time: ids, salts and the device all follow from the
//! installation's import secret and from what the row is. Nobody without the secret can tell them, so a redacted value
//! can't be found by guessing either.

use schema::hash::Salt;
use schema::ids::{AccountId, DeviceId, EntityId, LogId, OpId};
use sha2::{Digest, Sha256};
use sync_core::log::chain::DeviceSecret;
use uuid::Uuid;

/// What everything follows from.
#[derive(Clone)]
pub(super) struct Derived {
    secret: [u8; 32],
    log: LogId,
}

/// What a row is: its source and number there, or all that it says.
pub(super) type Identity = [u8; 32];

impl Derived {
    pub(super) fn new(secret: [u8; 32], log: LogId) -> Self {
        Self { secret, log }
    }

    fn bytes(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.secret);
        for part in [purpose.as_bytes(), self.log.bytes().as_slice()].iter().chain(parts) {
            // Each with its length: no two lists of parts are the same bytes.
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    fn id(&self, purpose: &str, parts: &[&[u8]]) -> Uuid {
        Uuid::new_v8(first(&self.bytes(purpose, parts)))
    }

    pub(super) fn identity(&self, parts: &[&[u8]]) -> Identity {
        self.bytes("row", parts)
    }

    pub(super) fn op(&self, row: &Identity) -> OpId {
        OpId(self.id("op", &[row]))
    }

    pub(super) fn case(&self, row: &Identity) -> EntityId {
        EntityId(self.id("case", &[row]))
    }

    /// The salt of a value of a row, by the column it stands in.
    pub(super) fn salt(&self, row: &Identity, column: &str) -> Salt {
        Salt(first(&self.bytes("salt", &[row, column.as_bytes()])))
    }

    /// The device that an account imports by.
    pub(super) fn device(&self, account: AccountId) -> DeviceId {
        DeviceId(self.id("device", &[account.bytes()]))
    }

    /// Its key. One value in 2^32 is no key: the next is taken.
    pub(super) fn key(&self, account: AccountId) -> Option<DeviceSecret> {
        (0_u8..8).find_map(|n| DeviceSecret::from_bytes(&self.bytes("key", &[account.bytes(), &[n]])).ok())
    }
}

fn first(bytes: &[u8; 32]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(bytes.split_at(16).0);
    first
}
