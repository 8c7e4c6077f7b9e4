//! The device chain and its signatures, with a published vector.

use proptest::prelude::*;
use schema::ids::{BootId, DeviceId};

use super::*;
use crate::line::sha256;
use crate::log::worked_example::{example_device as secret, example_header as example, id};

/// The P-256 key and signature of RFC 6979 §A.2.5 (SHA-256, message "sample").
const RFC_6979_SECRET: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const RFC_6979_KEY: &str = "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                            7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const RFC_6979_SIGNATURE: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                                  f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

#[test]
fn rfc_6979_vector() {
    assert_eq!(hex::encode(secret().key().0), RFC_6979_KEY);
    assert_eq!(hex::encode(secret().to_bytes()), RFC_6979_SECRET);
    let signature = secret().sign(b"sample");
    assert_eq!(hex::encode(signature.0), RFC_6979_SIGNATURE);
    assert!(verify(&secret().key(), b"sample", &signature));
    assert!(!verify(&secret().key(), b"samplf", &signature));
}

/// Secure hardware makes signatures with either `s`; both are good.
#[test]
fn low_and_high_s_verify() {
    let high = secret().sign(b"sample");
    let low = EcdsaSignature::from_slice(&high.0).unwrap().normalize_s();
    let low = Signature(low.to_bytes().into());
    assert_ne!(low, high);
    assert!(verify(&secret().key(), b"sample", &low));
}

#[test]
fn what_is_no_secret_is_refused() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: [u8; 32] = hex::decode(order).unwrap().try_into().unwrap();
    let mut below = order;
    below[31] -= 1;
    assert!(DeviceSecret::from_bytes(&[0; 32]).is_err());
    assert!(DeviceSecret::from_bytes(&order).is_err());
    assert!(DeviceSecret::from_bytes(&below).is_ok());
}

const SIGNATURE: &str = "9976df178ebb8f78b571212e7f8b261aafcfa19a45aa30a759b104ff81178a4a\
                         0793b91ae4c366407da1f641a4852d5ae9af5ec2d6fe277787d2b18afbe18259";

/// Devices in the field sign these bytes: if this test fails, the change is wrong, not the test.
#[test]
fn golden_chain_and_batch_message() {
    let fields = [
        "7265637469667920626174636820310a",
        "101112131415161718191a1b1c1d1e1f",
        "404142434445464748494a4b4c4d4e4f",
        "00000123456789ab",
        "0000000000000003",
        "00000001",
        "5edc1b26c11a2397a01da5520e46249166a369e095fa7715f1191b407d71ac0e",
        "fffffffffffffffe",
        "0000000005265c00",
        "808182838485868788898a8b8c8d8e8f",
    ];
    assert_eq!(hex::encode(batch_message(&example())), fields.concat());
    assert_eq!(hex::encode(secret().sign(&batch_message(&example())).0), SIGNATURE);
}

#[test]
fn the_chain_depends_on_all_it_names_and_on_the_order() {
    let (log, other) = (LogId(id(1)), LogId(id(2)));
    let (a, b) = (sha256(b"a"), sha256(b"b"));
    let one = next(&Hash::ZERO, log, 9, 1, &a);
    let different = [
        next(&one, log, 9, 1, &a),
        next(&Hash::ZERO, other, 9, 1, &a),
        next(&Hash::ZERO, log, 8, 1, &a),
        next(&Hash::ZERO, log, 9, 2, &a),
        next(&Hash::ZERO, log, 9, 1, &b),
    ];
    assert!(different.iter().all(|chain| *chain != one));
    let there = next(&one, log, 9, 2, &b);
    let back = next(&next(&Hash::ZERO, log, 9, 1, &b), log, 9, 2, &a);
    assert_ne!(there, back);
}

#[test]
fn every_signed_member_is_under_the_signature() {
    let signature = secret().sign(&batch_message(&example()));
    let changes: [fn(&mut SyncHeader); 9] = [
        |header| header.log = LogId(id(1)),
        |header| header.device = DeviceId(id(1)),
        |header| header.incarnation += 1,
        |header| header.first_seq += 1,
        |header| header.count += 1,
        |header| header.chain = Hash::ZERO,
        |header| header.clock.wall_ms += 1,
        |header| header.clock.elapsed_ms += 1,
        |header| header.clock.boot = BootId(id(1)),
    ];
    assert!(verify(&secret().key(), &batch_message(&example()), &signature));
    for (place, change) in changes.into_iter().enumerate() {
        let mut header = example();
        change(&mut header);
        assert!(!verify(&secret().key(), &batch_message(&header), &signature), "member {place}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_bit_breaks_the_signature(bit in 0_usize..512, message: Vec<u8>) {
        let mut signature = secret().sign(&message);
        prop_assert!(verify(&secret().key(), &message, &signature));
        signature.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify(&secret().key(), &message, &signature));
    }

    #[test]
    fn strange_keys_and_signatures_are_refused(
        key in proptest::collection::vec(any::<u8>(), 65),
        signature in proptest::collection::vec(any::<u8>(), 64),
        message: Vec<u8>,
    ) {
        let (key, signature) = (key.try_into().unwrap(), signature.try_into().unwrap());
        prop_assert!(!verify(&DeviceKey(key), &message, &Signature(signature)));
        prop_assert!(!verify(&secret().key(), &message, &Signature(signature)));
    }
}
