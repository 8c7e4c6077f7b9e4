//! Secrets and signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Result;
use crate::services::tokens::random;

/// What a secret begins with, so that people know one when they see it.
const PREFIX: &str = "whsec_";

/// A secret that a webhook's bodies are signed with.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one, of 32 random bytes.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new() -> Result<Self> {
        Ok(Self(random::<32>()?.to_vec()))
    }

    /// Reads `whsec_…`.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// As people hand it on: `whsec_` and base64.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

/// A secret is in no log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The `webhook-signature` of a body, sent under an id at a time (in s).
pub fn sign(secret: &Secret, id: &str, at_s: u64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).ok()?;
    mac.update(format!("{id}.{at_s}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::{Secret, sign};

    #[test]
    fn signs_as_the_example_of_standard_webhooks() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_is_read_as_it_was_written_and_in_no_other_form() {
        let secret = Secret::new().unwrap();
        assert_eq!(Secret::read(&secret.text()).unwrap().text(), secret.text());
        assert!(secret.text().len() > 40 && secret.text() != Secret::new().unwrap().text());
        assert!(!format!("{secret:?}").contains(&secret.text()[6..]));
        for wrong in ["", "whsec_", "whsec_?", "WHSEC_AAAA", "AAAA"] {
            assert!(Secret::read(wrong).is_none(), "{wrong}");
        }
    }
}
