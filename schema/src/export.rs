//! The file of unsent work (docs/protocol-phone.md): JSON lines. A head; batches, each as a push has it; photos; an end
//! with the device's signature over all before it.

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, Signature};
use crate::ids::{AccountId, DeviceId};
use crate::op::Captured;

/// The version of the format that is written.
pub const EXPORT_VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHead {
    /// [`EXPORT_VERSION`].
    pub rectify_export: u32,
    /// Whose work it is.
    pub device: DeviceId,
    /// Its user.
    pub account: AccountId,
    /// Its user's name, for whoever holds the file.
    pub name: String,
    /// The program that wrote it.
    pub app: String,
    /// The device's clocks then.
    pub clock: Captured,
}

/// A line with a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPhoto {
    /// Its hash.
    pub photo: Hash,
    /// Its bytes, counted.
    pub size: u64,
    /// Its bytes.
    pub base64: String,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportEnd {
    /// What was written.
    pub end: ExportTotals,
}

/// What was written, and that it was this device that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTotals {
    /// Op lines.
    pub ops: usize,
    /// Photos.
    pub photos: usize,
    /// Of every byte before this line.
    pub sha256: Hash,
    /// The device's, over [`message`].
    pub signature: Signature,
}

/// What the signature of the end is over: the context, the device, the hash.
pub fn message(device: DeviceId, sha256: &Hash) -> Vec<u8> {
    let mut message = b"rectify export 1\n".to_vec();
    message.extend(device.bytes());
    message.extend(sha256.0);
    message
}

/// What became of a file that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakenIn {
    /// The phone whose work it was.
    pub device: DeviceId,
    /// Its user.
    pub account: AccountId,
    /// The user's name, as the phone wrote it.
    pub name: String,
    /// Ops that stand as they were meant, conflicts among them.
    pub accepted: u64,
    /// Ops that were rejected: they are kept, and their author is told why.
    pub rejected: u64,
    /// Ops that wait for a person.
    pub parked: u64,
    /// Ops that could not be taken, because the phone knows that they have another place now. It brings them itself.
    pub refused: u64,
    /// Photos that are here now.
    pub photos: u64,
}
