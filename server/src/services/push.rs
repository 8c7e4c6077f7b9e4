//! Telling people in their browsers (Web Push: RFC 8030, 8291, 8292). What is said is a case's code and what happened: the
//! push service can't read it, and whoever sees the screen learns no more.

mod sealing;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use schema::entity::{Device, Entity};
use schema::ids::WebhookId;
use schema::notice::{Notice, Push, PushStanding, Subscribe};
use schema::problem::ProblemCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use ureq::http::Uri;
use uuid::Builder;

use super::accounts::Caller;
use super::ledger::read_entity;
use super::tokens::random;
use super::webhooks::{fit, stays_here};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{Db, LogNum, Store, StoreError, Subscription};

/// How long a push service keeps what a browser does not fetch, in s.
pub(super) const KEPT_S: u64 = 86_400;
/// How long a signature says who pushes, in s: at most a day.
const SIGNED_FOR_S: u64 = 43_200;

/// The key by which browsers know this installation.
#[derive(Clone)]
pub struct PushKey {
    signing: SigningKey,
    host: Arc<str>,
}

impl PushKey {
    /// From a secret. One in 2^32 is no key: then the hash of it is, or of that.
    pub fn new(secret: [u8; 32], host: &str) -> Self {
        let mut bytes = secret;
        loop {
            if let Ok(secret) = SecretKey::from_slice(&bytes) {
                return Self { signing: secret.into(), host: host.into() };
            }
            bytes = Sha256::digest(bytes).into();
        }
    }

    /// The public key, as browsers take it.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.signing.verifying_key().to_sec1_point(false).as_bytes())
    }

    /// The `Authorization` of a push to a push service (RFC 8292).
    pub fn authorization(&self, service: &Uri, now_ms: u64) -> Option<String> {
        let origin = format!("{}://{}", service.scheme_str()?, service.authority()?);
        let until_s = (now_ms / 1_000).saturating_add(SIGNED_FOR_S);
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "aud": origin, "exp": until_s, "sub": format!("https://{}", self.host) });
        let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "ES256" })), part(&claims));
        let signature: Signature = self.signing.sign(signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        Some(format!("vapid t={token}, k={}", self.public()))
    }
}

/// What is pushed of a notice, sealed for one browser. None where its keys are none.
pub(super) fn sealed(notice: &str, to: &Subscription) -> Result<Option<Vec<u8>>> {
    let notice: Notice =
        serde_json::from_str(notice).map_err(|_| StoreError::Damaged("a notice that can't be read"))?;
    let Notice { kind, data, .. } = notice;
    let said = Push { kind, code: data.short_code, log: data.log, case: data.case };
    let said = serde_json::to_vec(&said).map_err(|_| StoreError::Damaged("a push that is no JSON"))?;
    let once = loop {
        if let Ok(key) = SecretKey::from_slice(&random::<32>()?) {
            break key;
        }
    };
    Ok(sealing::seal(&said, &to.client_key, &to.auth, &once, &random()?))
}

/// Whether a subscription's person may still be told of a log: neither the account nor its device was shut out of it.
pub(super) fn is_welcome(db: &mut Db, log: LogNum, of: &Subscription) -> Result<bool> {
    let account = read_entity(db, log, of.account.into())?;
    let device = read_entity(db, log, of.device.into())?;
    let stands = matches!(account, Some(Entity::Account(account)) if account.disabled_rev.is_none());
    let is_theirs = |device: &Device| device.revoked.is_none() && device.account == of.account;
    Ok(stands && matches!(&device, Some(Entity::Device(device)) if is_theirs(device)))
}

/// Where a browser's push service may be: https, and not this machine. A name is looked at again when it is sent to.
pub(super) fn fit_for_a_browser(endpoint: &str) -> Option<Uri> {
    let uri = fit(endpoint, false, false).ok()?;
    let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
    let here = host.ends_with(".localhost") || stays_here(&host);
    (uri.scheme_str() == Some("https") && !here).then_some(uri)
}

/// Who wants to be told in which browser. Cheap to clone.
#[derive(Clone)]
pub struct Subscriptions {
    store: Store,
    clock: Clock,
    key: PushKey,
}

impl Subscriptions {
    /// The subscriptions of a store.
    pub fn new(store: Store, clock: Clock, key: PushKey) -> Self {
        Self { store, clock, key }
    }

    /// The key to subscribe with, and whether the caller's device is subscribed.
    ///
    /// # Errors
    /// `forbidden` without a device.
    pub async fn standing(&self, caller: &Caller) -> Result<PushStanding> {
        let device = caller.device.ok_or_else(|| Error::refused(ProblemCode::Forbidden))?;
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.subscription_of(device)?) }).await?;
        Ok(PushStanding { key: self.key.public(), subscribed: found.is_some() })
    }

    /// The caller's browser is told from now on, and nobody else in it.
    ///
    /// # Errors
    /// `forbidden` without a device; `invalid`: `endpoint`, `keys`.
    pub async fn subscribe(&self, caller: &Caller, asked: &Subscribe) -> Result<()> {
        let device = caller.device.ok_or_else(|| Error::refused(ProblemCode::Forbidden))?;
        fit_for_a_browser(&asked.endpoint).ok_or_else(|| Error::invalid("endpoint"))?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        let (Ok(client_key), Ok(auth)) = (bytes(&asked.keys.p256dh), bytes(&asked.keys.auth)) else {
            return Err(Error::invalid("keys"));
        };
        if !sealing::are_keys(&client_key, &auth) {
            return Err(Error::invalid("keys"));
        }
        let id = WebhookId(Builder::from_random_bytes(random()?).into_uuid());
        let endpoint = asked.endpoint.clone();
        let new = Subscription { id, account: caller.account, device, endpoint, client_key, auth };
        let now_ms = self.clock.now_ms();
        self.store.write_async(move |db| -> Result<()> { Ok(db.subscribe(&new, now_ms)?) }).await
    }

    /// The caller's browser is told no more.
    ///
    /// # Errors
    /// `forbidden` without a device.
    pub async fn unsubscribe(&self, caller: &Caller) -> Result<()> {
        let device = caller.device.ok_or_else(|| Error::refused(ProblemCode::Forbidden))?;
        let now_ms = self.clock.now_ms();
        self.store.write_async(move |db| -> Result<()> { Ok(db.unsubscribe(device, "asked", now_ms)?) }).await
    }
}

#[cfg(test)]
mod tests;
