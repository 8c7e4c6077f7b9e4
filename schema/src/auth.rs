//! Logging in, enrolling a phone, keeping it logged in. Bodies of this module refuse unknown members.

use serde::{Deserialize, Serialize};

use crate::catalogue::Text;
use crate::hash::{DeviceKey, ExportKey};
use crate::ids::{AccountId, DeviceId, EpochId, LogId};

/// `POST /v1/login`: a person at a desk.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The account's login name.
    pub login: String,
    /// Its password.
    pub password: String,
}

/// `POST /v1/enrol`: a phone becomes a device of one person.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The one-time code.
    pub code: String,
    /// The id the phone chose.
    pub device: DeviceId,
    /// Its public key.
    pub key: DeviceKey,
    /// What its user calls it.
    pub label: String,
}

/// The answer to `POST /v1/enrol`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// Who the phone belongs to.
    pub account: AccountId,
    /// The name others see.
    pub name: String,
    /// The logs the account may use.
    pub logs: Vec<LogAccess>,
    /// The first tokens.
    pub tokens: Tokens,
}

/// A log that an account may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogAccess {
    /// The log.
    pub log: LogId,
    /// Its epoch now.
    pub epoch: EpochId,
    /// The district's name.
    pub name: Text,
    /// Its time zone.
    pub zone: String,
    /// Verifier key of its checkpoints.
    pub signer: String,
}

/// `POST /v1/token`: new tokens for an old refresh token.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token.
    pub refresh: String,
}

/// A pair of tokens.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Bearer token: who, for ten minutes.
    pub access: String,
    /// Seconds until it ends.
    pub access_expires_in_s: i64,
    /// Opaque, bound to the device, good for one rotation.
    pub refresh: String,
    /// To which a phone seals files of unsent work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export_key: Option<ExportKey>,
}

/// A page that a browser may open without a token, within a minute.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// Its path, with the ticket in it.
    pub path: String,
}

/// Claims of the access token (EdDSA JWT, `typ` `at+jwt`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer: the installation.
    pub iss: String,
    /// Audience: `rectify`.
    pub aud: String,
    /// The account.
    pub sub: AccountId,
    /// The device; none for a login by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// Issued at, in s.
    pub iat: i64,
    /// Not before, in s.
    pub nbf: i64,
    /// Expires, in s.
    pub exp: i64,
    /// Unique.
    pub jti: String,
}
