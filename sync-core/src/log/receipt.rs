//! Receipts: the server's signed promise that ops are in the log.
//! It does not know whether the promise was kept: that is seen from a later checkpoint and an inclusion proof.

use schema::sync::{RECEIPT_CONTEXT, Receipt, SignedReceipt};

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

/// Signs a receipt: its JSON, whose exact bytes then are the receipt.
///
/// # Errors
/// None in practice: receipts are all writable as JSON.
pub fn sign(signer: &Signer, receipt: &Receipt) -> Result<SignedReceipt, serde_json::Error> {
    let text = crate::json::write(receipt)?;
    let signature = signer.sign(&message(&text));
    Ok(SignedReceipt { text, signature })
}

/// Checks a receipt's signature and reads it.
///
/// # Errors
/// See [`ReceiptError`].
pub fn open(verifier: &Verifier, receipt: &SignedReceipt) -> Result<Receipt, ReceiptError> {
    if !verifier.verify(&message(&receipt.text), &receipt.signature) {
        return Err(ReceiptError::NotSigned);
    }
    crate::json::read(&receipt.text).map_err(|_| ReceiptError::Malformed)
}

/// The context keeps receipts and checkpoints apart, which the same key signs: the second line of a receipt's message
/// is JSON, that of a checkpoint a number.
fn message(text: &str) -> Vec<u8> {
    [RECEIPT_CONTEXT, text.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
