//! The device chain: each device signs the running hash of its op lines, once per batch.

use schema::hash::{DeviceKey, Hash, Signature};
use schema::ids::LogId;
use schema::sync::SyncHeader;

/// `c_n = SHA-256(c_{n-1} ‖ log ‖ incarnation ‖ device_seq ‖ line_hash)`; `c_0` is zero.
pub fn next(before: &Hash, log: LogId, incarnation: u64, device_seq: u64, line_hash: &Hash) -> Hash {
    let _ = (before, log, incarnation, device_seq, line_hash);
    todo!()
}

/// What a batch's signature is over: a fixed prefix, then log, device, incarnation, first_seq, count, chain and the
/// clock sample, big-endian.
pub fn batch_message(header: &SyncHeader) -> Vec<u8> {
    let _ = header;
    todo!()
}

/// A device's secret key (P-256).
#[derive(Clone)]
pub struct DeviceSecret {}

/// The 32 bytes are not a P-256 secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 secret key")]
pub struct NotASecret;

impl DeviceSecret {
    /// From 32 random bytes; about one in 2^32 random values is refused: draw again.
    ///
    /// # Errors
    /// Zero, or not below the curve's order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, NotASecret> {
        let _ = bytes;
        todo!()
    }
    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        todo!()
    }
    /// The public key.
    pub fn key(&self) -> DeviceKey {
        todo!()
    }
    /// ES256 over SHA-256 of the message, deterministic (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let _ = message;
        todo!()
    }
}

/// Whether a signature is this key's over the message.
pub fn verify(key: &DeviceKey, message: &[u8], signature: &Signature) -> bool {
    let _ = (key, message, signature);
    todo!()
}
