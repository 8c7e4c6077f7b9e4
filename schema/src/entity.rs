//! Entities: what a log is about. Kinds are open; each is one document, changed by ops that name it.

use serde::{Deserialize, Serialize};

use crate::case::{By, Case};
use crate::catalogue::Text;
use crate::hash::{DeviceKey, Hash};
use crate::ids::{AccountId, DeviceId, EntityId, EpochId, LogId, OpId};
use crate::tagged;

mod look_back;
mod people;

pub use look_back::{LookBackTask, LookedBack};
pub use people::{Absence, Account, Granted, Joined, Merged, PastGrant, PastMember, StandingIn, Unit};

tagged! { "kind" "Entity";
/// An entity's document as stored, served and compared. `kind` says which.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entity {
    /// A problem.
    Case(Box<Case>),
    /// Somebody must look again at a case that was closed.
    LookBackTask(Box<LookBackTask>),
    /// What an account may do in this log.
    Account(Account),
    /// A phone of one person.
    Device(Device),
    /// A body that must rectify.
    Unit(Unit),
    /// The area tree in force.
    Areas(DocumentInForce),
    /// The catalogue in force.
    Catalogue(DocumentInForce),
    /// The working calendar in force.
    Calendar(DocumentInForce),
    /// Who is responsible where and for what, as in force.
    Responsibilities(DocumentInForce),
    /// The log itself.
    Log(Log),
}
}

/// A phone of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its only user.
    pub account: AccountId,
    /// Signature algorithm of its key.
    pub algorithm: String,
    /// Its public key.
    pub key: DeviceKey,
    /// What its user calls it.
    pub label: String,
    /// The revision that enrolled it.
    pub enrolled_rev: u64,
    /// It is shut out, since this revision.
    pub revoked: Option<By>,
}

/// Which document is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentInForce {
    /// The entity's id.
    pub id: EntityId,
    /// SHA-256 of the document in force.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// Its version, as it says itself.
    pub version: String,
    /// The revision since which it is in force.
    pub since_rev: u64,
    /// Those before it, newest first.
    pub earlier: Vec<Hash>,
    /// What will take its place, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
}

/// A document that takes effect at a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Planned {
    /// The op that planned it.
    pub op: OpId,
    /// SHA-256 of the document.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// Its version, as it says itself.
    pub version: String,
    /// When it takes effect, in ms.
    pub from_ms: u64,
}

/// The log itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// The district's name.
    pub name: Text,
    /// Its time zone, an IANA name.
    pub zone: String,
    /// Verifier key of the signer of its checkpoints.
    pub signer: String,
    /// The installation's server device.
    pub server_device: DeviceId,
    /// The epoch it is in.
    pub epoch: EpochId,
    /// The epochs that began by a restore or a set-back, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<Restored>,
    /// When no server was at work, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<Silence>,
}

/// A time in which nobody could hand anything in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Silence {
    /// The revision that noted it.
    pub rev: u64,
    /// From, in ms.
    pub from_ms: u64,
    /// To, in ms.
    pub to_ms: u64,
    /// What was decided about what fell due in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<SilenceDecided>,
}

/// What was decided about a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SilenceDecided {
    /// Who, when.
    pub by: By,
    /// Whoever was due in it gets its working time back.
    pub excuse: bool,
    /// Why.
    pub reason: String,
}

/// An epoch that began because the log was set back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Restored {
    /// The epoch.
    pub epoch: EpochId,
    /// Its first entry.
    pub by: By,
    /// The last revision kept of the epoch before.
    pub kept_rev: u64,
    /// How far the log was known to have gone before.
    pub last_signed_head: u64,
    /// An auditor or administrator has taken note of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<By>,
}
