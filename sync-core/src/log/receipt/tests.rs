//! Receipts, good and forged.

use proptest::prelude::*;
use schema::hash::Signature;

use super::*;
use crate::log::worked_example::{example_receipt, example_signer};

#[test]
fn a_receipt_is_opened() {
    let signed = sign(&example_signer(), &example_receipt()).unwrap();
    assert_eq!(open(example_signer().verifier(), &signed), Ok(example_receipt()));
}

#[test]
fn another_signer_s_receipt_is_refused() {
    let signed = sign(&Signer::new("rectify.example", &[1; 32]), &example_receipt()).unwrap();
    assert_eq!(open(example_signer().verifier(), &signed), Err(ReceiptError::NotSigned));
}

/// The text counts as it was signed: a re-ordered or re-spaced one with the same meaning is not the receipt.
#[test]
fn the_exact_text_is_signed() {
    let mut signed = sign(&example_signer(), &example_receipt()).unwrap();
    signed.text.push(' ');
    assert_eq!(open(example_signer().verifier(), &signed), Err(ReceiptError::NotSigned));
}

/// The signer signs no such thing; if it did, that would not be a receipt.
#[test]
fn a_signed_text_that_is_no_receipt_is_refused() {
    for text in ["", "{}", "null", "{\"log\":1}"] {
        let signature = example_signer().sign(&message(text));
        let signed = SignedReceipt { text: text.into(), signature };
        assert_eq!(open(example_signer().verifier(), &signed), Err(ReceiptError::Malformed), "{text}");
    }
}

/// A signature of one thing is never good for another that the same key signs.
#[test]
fn contexts_keep_apart() {
    let receipt = sign(&example_signer(), &example_receipt()).unwrap();
    let without_context = example_signer().sign(receipt.text.as_bytes());
    let moved = SignedReceipt { text: receipt.text, signature: without_context };
    assert_eq!(open(example_signer().verifier(), &moved), Err(ReceiptError::NotSigned));
}

proptest! {
    #[test]
    fn a_flipped_bit_is_refused(bit in 0_usize..512, place in any::<prop::sample::Index>()) {
        let signed = sign(&example_signer(), &example_receipt()).unwrap();
        let mut other = signed.clone();
        other.signature.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(open(example_signer().verifier(), &other), Err(ReceiptError::NotSigned));
        let mut text = signed.text.into_bytes();
        let place = place.index(text.len());
        text[place] ^= 1;
        let other = SignedReceipt { text: String::from_utf8(text).unwrap(), ..signed };
        prop_assert_eq!(open(example_signer().verifier(), &other), Err(ReceiptError::NotSigned));
    }

    #[test]
    fn texts_of_strangers(text: String, signature in proptest::collection::vec(any::<u8>(), 64)) {
        let signed = SignedReceipt { text, signature: Signature(signature.try_into().unwrap()) };
        prop_assert_eq!(open(example_signer().verifier(), &signed), Err(ReceiptError::NotSigned));
    }
}
