//! Tokens: signed ones that say who for ten minutes, and opaque ones that renew them. It knows no database; what a
//! person may do is never in a token.

use anyhow::{Context, anyhow};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use schema::auth::Claims;
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId};
use schema::limits::ACCESS_TOKEN_S;
use schema::problem::ProblemCode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The audience of every access token.
const AUDIENCE: &str = "rectify";
/// The media type that tells an access token from any other thing this key might sign (RFC 9068).
const TOKEN_TYPE: &str = "at+jwt";
/// The media type of a ticket to one page, and how long it is good, in s.
const TICKET_TYPE: &str = "ticket+jwt";
const TICKET_S: i64 = 60;
/// The longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 2048;
/// Tokens of one login that are looked through: more than it can have in its life.
const REFRESHES_MAX: u32 = 20_000;
/// How far the clocks of two servers may differ, in s.
const LEEWAY_S: i64 = 30;
/// PKCS#8 (RFC 8410) of an Ed25519 key, up to its 32 secret bytes.
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    issuer: String,
    seed: [u8; 32],
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// From the installation's name and the secret of its token signer.
    pub fn new(issuer: &str, seed: &[u8; 32]) -> Self {
        let mut pkcs8 = PKCS8_HEAD.to_vec();
        pkcs8.extend_from_slice(seed);
        let public = SigningKey::from_bytes(seed).verifying_key();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        // The library would ask the machine's clock. `exp` and `nbf` are checked in `open`, against ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            issuer: issuer.to_owned(),
            seed: *seed,
            sign: EncodingKey::from_ed_der(&pkcs8),
            check: DecodingKey::from_ed_der(public.as_bytes()),
            validation,
        }
    }

    /// An access token.
    ///
    /// # Errors
    /// Only the server's own.
    pub fn access(&self, account: AccountId, device: Option<DeviceId>, now_ms: u64) -> Result<String> {
        self.signed((TOKEN_TYPE, AUDIENCE, ACCESS_TOKEN_S), (account, device), now_ms)
    }

    /// A ticket: opens one page for one person, where a browser can show no token. It is good for nothing else.
    ///
    /// # Errors
    /// Only the server's own.
    pub fn ticket(&self, page: &str, account: AccountId, device: Option<DeviceId>, now_ms: u64) -> Result<String> {
        self.signed((TICKET_TYPE, page, TICKET_S), (account, device), now_ms)
    }

    fn signed(
        &self,
        (kind, audience, life_s): (&str, &str, i64),
        (account, device): (AccountId, Option<DeviceId>),
        now_ms: u64,
    ) -> Result<String> {
        let now_s = seconds(now_ms)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(kind.to_owned());
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: audience.to_owned(),
            sub: account,
            device,
            iat: now_s,
            nbf: now_s,
            exp: now_s.saturating_add(life_s),
            jti: hex::encode(random::<16>()?),
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.sign).context("signing a token")?)
    }

    /// Who an access token speaks of.
    ///
    /// # Errors
    /// `unauthenticated`, whatever is wrong with it.
    pub fn open(&self, token: &str, now_ms: u64) -> Result<Claims> {
        self.opened(TOKEN_TYPE, &self.validation, token, now_ms)
    }

    /// Who a ticket to a page speaks of.
    ///
    /// # Errors
    /// `unauthenticated`, whatever is wrong with it.
    pub fn open_ticket(&self, page: &str, ticket: &str, now_ms: u64) -> Result<Claims> {
        let mut validation = self.validation.clone();
        validation.set_audience(&[page]);
        self.opened(TICKET_TYPE, &validation, ticket, now_ms)
    }

    fn opened(&self, kind: &str, validation: &Validation, token: &str, now_ms: u64) -> Result<Claims> {
        let refused = || Error::refused(ProblemCode::Unauthenticated);
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused());
        }
        let opened = jsonwebtoken::decode::<Claims>(token, &self.check, validation).map_err(|_| refused())?;
        let now_s = seconds(now_ms)?;
        let Claims { exp, nbf, iat, .. } = opened.claims;
        let in_time = nbf <= now_s.saturating_add(LEEWAY_S)
            && iat <= now_s.saturating_add(LEEWAY_S)
            && now_s < exp.saturating_add(LEEWAY_S);
        let of_type = opened.header.typ.as_deref() == Some(kind);
        if in_time && of_type { Ok(opened.claims) } else { Err(refused()) }
    }

    /// The first refresh token of a login. It follows from the login, so that after a restore of the server those that
    /// were handed out since the backup are known again.
    pub fn first_refresh(&self, family: Uuid) -> RefreshToken {
        let mut hasher = Sha256::new();
        hasher.update(b"rectify refresh 0\n");
        hasher.update(self.seed);
        hasher.update(family.as_bytes());
        RefreshToken { family, secret: hasher.finalize().into() }
    }

    /// Whether a token was handed out after the one that is stored as current. Then nobody stole it: the database was
    /// set back since.
    pub fn is_later(&self, shown: &RefreshToken, current: &Hash) -> bool {
        let mut token = self.first_refresh(shown.family);
        let mut is_behind = false;
        for _ in 0..REFRESHES_MAX {
            if is_behind && token == *shown {
                return true;
            }
            is_behind |= token.stored() == *current;
            token = self.next_refresh(&token);
        }
        false
    }

    /// The refresh token that follows one: always the same, so that asking again after a lost answer gives it again.
    pub fn next_refresh(&self, token: &RefreshToken) -> RefreshToken {
        let mut hasher = Sha256::new();
        hasher.update(b"rectify refresh 1\n");
        hasher.update(self.seed);
        hasher.update(token.family.as_bytes());
        hasher.update(token.secret);
        RefreshToken { family: token.family, secret: hasher.finalize().into() }
    }
}

/// An opaque token of 256 secret bits, with the login it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The login: all tokens that followed one another.
    pub family: Uuid,
    secret: [u8; 32],
}

impl RefreshToken {
    /// Reads a token; none if it is not of this form.
    pub fn parse(text: &str) -> Option<Self> {
        let (family, secret) = text.split_once('.')?;
        let family = Uuid::try_parse(family).ok()?;
        let secret: Hash = secret.parse().ok()?;
        Some(Self { family, secret: secret.0 })
    }

    /// As it is handed to the device.
    pub fn text(&self) -> String {
        format!("{}.{}", self.family.as_hyphenated(), hex::encode(self.secret))
    }

    /// What is stored of it.
    pub fn stored(&self) -> Hash {
        Hash(Sha256::digest(self.secret).into())
    }
}

/// A login as stored: the hash of the token that is good now, and of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The token that is good now.
    pub current: Hash,
    /// The one it followed.
    pub previous: Option<Hash>,
    /// The end of its life, in ms.
    pub expires_ms: u64,
    /// It was ended by a logout or a reuse.
    pub ended: bool,
}

/// What a refresh token that was shown is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It is the current one: the next one takes its place.
    Rotate,
    /// It is the one before, and nobody used its successor: the answer was lost, so it is given again.
    Repeat,
    /// It was used up: somebody has a copy, so the login ends.
    Reused,
    /// The login has ended.
    Ended,
}

/// Decides what becomes of a login when one of its tokens is shown.
pub fn renewal(family: &Family, shown: &Hash, now_ms: u64) -> Renewal {
    if family.ended || now_ms >= family.expires_ms {
        Renewal::Ended
    } else if *shown == family.current {
        Renewal::Rotate
    } else if Some(shown) == family.previous.as_ref() {
        Renewal::Repeat
    } else {
        Renewal::Reused
    }
}

/// Random bytes from the machine.
///
/// # Errors
/// Where it has none.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

fn seconds(ms: u64) -> Result<i64> {
    Ok(i64::try_from(ms / 1000).context("the clock is out of range")?)
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
