//! A message that only one browser can read (RFC 8291, `aes128gcm` of RFC 8188): the push service carries it unread.

use aes_gcm::aead::Aead;
use aes_gcm::{Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

/// The size of a record; a message is one.
const RECORD: u32 = 4_096;
/// What ends the last record.
const LAST: u8 = 2;

/// What a browser's public key must be: an uncompressed point.
pub(super) const KEY_BYTES: usize = 65;
/// What it shares as a secret.
pub(super) const AUTH_BYTES: usize = 16;

/// Whether a browser can be written to with these.
pub(super) fn are_keys(client_key: &[u8], auth: &[u8]) -> bool {
    client_key.len() == KEY_BYTES && auth.len() == AUTH_BYTES && PublicKey::from_sec1_bytes(client_key).is_ok()
}

/// Seals a message for a browser, with a key and a salt that are used this once. None where the keys are none.
pub(super) fn seal(
    message: &[u8],
    client_key: &[u8],
    auth: &[u8],
    once: &SecretKey,
    salt: &[u8; 16],
) -> Option<Vec<u8>> {
    let client = PublicKey::from_sec1_bytes(client_key).ok()?;
    let own_key = once.public_key().to_sec1_point(false);
    let shared = p256::ecdh::diffie_hellman(once.to_nonzero_scalar(), client.as_affine());
    let info = [b"WebPush: info\0".as_slice(), client_key, own_key.as_bytes()].concat();
    let mut input = [0; 32];
    Hkdf::<Sha256>::new(Some(auth), shared.raw_secret_bytes()).expand(&info, &mut input).ok()?;
    let keys = Hkdf::<Sha256>::new(Some(salt), &input);
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    keys.expand(b"Content-Encoding: aes128gcm\0", &mut key).ok()?;
    keys.expand(b"Content-Encoding: nonce\0", &mut nonce).ok()?;
    let sealed = Aes128Gcm::new(&key.into()).encrypt(&nonce.into(), [message, &[LAST]].concat().as_slice()).ok()?;
    let length = u8::try_from(own_key.as_bytes().len()).ok()?;
    Some([salt.as_slice(), &RECORD.to_be_bytes(), &[length], own_key.as_bytes(), &sealed].concat())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{SecretKey, are_keys, seal};

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5.
    #[test]
    fn a_message_is_sealed_as_the_example_of_the_standard() {
        let client = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let once = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let sealed = seal(b"When I grow up, I want to be a watermelon", &client, &auth, &once, &salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), expected);
    }

    #[test]
    fn what_is_no_key_is_seen() {
        let client = bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        assert!(are_keys(&client, &[1; 16]));
        assert!(!are_keys(&client, &[1; 15]) && !are_keys(&[4; 65], &[1; 16]) && !are_keys(&client[..64], &[1; 16]));
    }
}
