//! The signed receipt of a push.

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, Signature};
use crate::ids::{DeviceId, EpochId, LogId, OpId};

/// A receipt and the log signer's signature over its exact text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedReceipt {
    /// A [`Receipt`] as JSON.
    pub text: String,
    /// Ed25519 over [`RECEIPT_CONTEXT`] and the text.
    pub signature: Signature,
}

/// What a receipt's signature is over, before its text.
pub const RECEIPT_CONTEXT: &[u8] = b"rectify receipt 1\n";

/// A promise that these ops are in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// The device.
    pub device: DeviceId,
    /// Its incarnation.
    pub incarnation: u64,
    /// `device_seq` of the first op.
    pub first_seq: u64,
    /// The device chain after the last.
    pub chain: Hash,
    /// The ops, in order.
    pub ops: Vec<ReceiptOp>,
}

/// One op in a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptOp {
    /// The op; the derived id for a line that can't be taken.
    pub op: OpId,
    /// Its revision.
    pub rev: u64,
    /// When a server first received it.
    pub first_received_ms: u64,
    /// The leaf it became.
    pub leaf: Hash,
    /// The official number it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}
