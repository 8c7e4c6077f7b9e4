//! The device chain: each device signs the running hash of its op lines, once per batch.
//! It does not know where a secret is kept, nor whether a key is enrolled.

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature as EcdsaSignature, SigningKey, VerifyingKey};
use schema::hash::{DeviceKey, Hash, Signature};
use schema::ids::{DeviceId, LogId};
use schema::sync::SyncHeader;
use sha2::{Digest, Sha256};

/// What a batch's signature is over begins so: no other signed text does.
pub const BATCH_CONTEXT: &[u8] = b"rectify batch 1\n";
/// Begins what is signed over a photo.
pub const PHOTO_CONTEXT: &[u8] = b"rectify photo 1\n";

/// `c_n = SHA-256(c_{n-1} ‖ log ‖ incarnation ‖ device_seq ‖ line_hash)`; `c_0` is zero.
/// Numbers are u64, big-endian. A chain belongs to one incarnation of a device in a log: a new one begins at `c_0`.
pub fn next(before: &Hash, log: LogId, incarnation: u64, device_seq: u64, line_hash: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before.0);
    hasher.update(log.bytes());
    hasher.update(incarnation.to_be_bytes());
    hasher.update(device_seq.to_be_bytes());
    hasher.update(line_hash.0);
    Hash(hasher.finalize().into())
}

/// What a batch's signature is over: [`BATCH_CONTEXT`] ‖ log 16 ‖ device 16 ‖ incarnation u64 ‖ first_seq u64 ‖
/// count u32 ‖ chain 32 ‖ wall_ms i64 ‖ elapsed_ms u64 ‖ boot 16, big-endian. The clock sample is in it, because
/// what a device's clock said at a sync decides how its capture times are read.
pub fn batch_message(header: &SyncHeader) -> Vec<u8> {
    let mut message = BATCH_CONTEXT.to_vec();
    message.extend(header.log.bytes());
    message.extend(header.device.bytes());
    message.extend(header.incarnation.to_be_bytes());
    message.extend(header.first_seq.to_be_bytes());
    message.extend(header.count.to_be_bytes());
    message.extend(header.chain.0);
    message.extend(header.clock.wall_ms.to_be_bytes());
    message.extend(header.clock.elapsed_ms.to_be_bytes());
    message.extend(header.clock.boot.bytes());
    message
}

/// What a device signs to hand in a photo without a token: [`PHOTO_CONTEXT`] ‖ device 16 ‖ SHA-256 of the photo 32.
/// It allows nothing but these bytes, so it may be shown as often as need be.
pub fn photo_message(device: DeviceId, photo: &Hash) -> Vec<u8> {
    let mut message = PHOTO_CONTEXT.to_vec();
    message.extend(device.bytes());
    message.extend(photo.0);
    message
}

/// A device's secret key (P-256).
#[derive(Clone)]
pub struct DeviceSecret {
    secret: SigningKey,
    key: DeviceKey,
}

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
        let secret = SigningKey::from_slice(bytes).map_err(|_| NotASecret)?;
        let point = secret.verifying_key().to_sec1_point(false);
        let key = point.as_bytes().try_into().map_err(|_| NotASecret)?;
        Ok(Self { secret, key: DeviceKey(key) })
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.secret.to_bytes().into()
    }

    /// The public key: an uncompressed SEC1 point (SEC 1 §2.3.3), 65 bytes that begin with 0x04.
    pub fn key(&self) -> DeviceKey {
        self.key
    }

    /// ES256 over SHA-256 of the message, deterministic (RFC 6979), as r‖s. `s` is not normalised (it may be low or
    /// high), as RFC 6979 has it.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature: EcdsaSignature = self.secret.sign(message);
        Signature(signature.to_bytes().into())
    }
}

/// Whether a signature is this key's over the message. Takes both the low and the high `s`: secure hardware and
/// browsers make either, and nothing here names a signature by its bytes.
pub fn verify(key: &DeviceKey, message: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(&key.0) else { return false };
    let Ok(signature) = EcdsaSignature::from_slice(&signature.0) else { return false };
    key.verify(message, &signature).is_ok()
}

#[cfg(test)]
mod tests;
