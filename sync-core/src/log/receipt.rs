//! Receipts: the server's signed promise that ops are in the log.

use schema::sync::{Receipt, SignedReceipt};

use super::checkpoint::{Signer, Verifier};

/// Why a receipt is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not signed by this signer.
    #[error("the receipt is not signed by the log's signer")]
    NotSigned,
    /// Not a receipt.
    #[error("not a receipt")]
    Malformed,
}

/// Signs a receipt.
///
/// # Errors
/// None in practice: receipts are all writable as JSON.
pub fn sign(signer: &Signer, receipt: &Receipt) -> Result<SignedReceipt, serde_json::Error> {
    let _ = (signer, receipt);
    todo!()
}

/// Checks a receipt's signature and reads it.
///
/// # Errors
/// See [`ReceiptError`].
pub fn open(verifier: &Verifier, receipt: &SignedReceipt) -> Result<Receipt, ReceiptError> {
    let _ = (verifier, receipt);
    todo!()
}
