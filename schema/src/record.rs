//! What the server decided: the outcome of an op with everything from its context that the decision rested on,
//! and the leaf that commits to it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::case::FieldName;
use crate::hash::Hash;
use crate::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, GrantId, LogId, OpId, PersonId, UnitId};
use crate::op::Role;

/// What became of an op. The number is the leaf's `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Outcome {
    /// It took effect.
    Accepted = 1,
    /// It took effect in part; the fields in `conflicts` kept or lost a value.
    AcceptedWithConflict = 2,
    /// It took no effect.
    Rejected = 3,
    /// The server has custody; a person must release it.
    Parked = 4,
}

/// Why an op was rejected or parked. Stable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Rejected: the case stands elsewhere than this step needs.
    StaleState,
    /// Rejected: evidence came that the closer had not seen.
    EvidenceSinceBase,
    /// Rejected: photos that the step needs are missing or have not come.
    EvidenceIncomplete,
    /// Rejected: the actor may not do this.
    NotPermitted,
    /// Rejected: nobody who took part in the fix may pass its check.
    FourEyes,
    /// Rejected: a value does not fit.
    Validation,
    /// Rejected: there is no such entity, or the actor may not see it.
    UnknownEntity,
    /// Rejected: the entity exists already.
    EntityExists,
    /// Rejected: a limit of the case is reached.
    Quota,
    /// Rejected: a document that the op needs is not here yet.
    DocumentMissing,
    /// Parked: the kind or its version is newer than this server.
    KindTooNew,
    /// Parked: the actor or the device was revoked.
    ActorRevoked,
    /// Parked: the actor may not report here; a supervisor decides.
    NeedsSupervisor,
    /// Parked: an earlier op of the same device on the same entity is parked.
    BehindParked,
    /// Parked: a personal value stands in the line in plain text, where it could never be redacted.
    PlainPersonal,
    /// Parked: the server failed on it; nothing is lost.
    Internal,
    /// Parked (`unreadable`): not a JSON object in the form of an op.
    NotAnOp,
    /// Parked (`unreadable`): longer than a line may be.
    TooLong,
    /// Parked (`unreadable`): another device, actor or log than the batch's.
    NotYours,
    /// Parked (`unreadable`): a known op id with other bytes.
    OpIdReused,
}

/// The stored outcome text of an entry, as JSON in this order of members. The leaf hashes its exact bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    /// What became of the op.
    pub outcome: Outcome,
    /// Why it was rejected or parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<RefusalCode>,
    /// What a program needs to explain the code (`current`, `field`, `missing`, …).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub detail: Map<String, Value>,
    /// Version of the rules that decided.
    pub rules: u32,
    /// The grant that allowed it; none for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<Acting>,
    /// The person behind the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// The actor's units then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitId>,
    /// The catalogue document that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Hash>,
    /// The area tree document that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Hash>,
    /// The area found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// When it was captured, in server time, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Interval>,
    /// The photos it names whose bytes were here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified: Vec<Hash>,
    /// What people should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The fields in conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<FieldName>,
    /// The official number it gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// For `release` and `discard`: what became of the parked op and of all parked behind it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<Released>,
}

/// The grant that allowed an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acting {
    /// The role acted in.
    pub role: Role,
    /// The grant.
    pub grant: GrantId,
    /// The revision that gave it.
    pub rev: u64,
    /// The area it is for.
    pub area: AreaId,
    /// Whose it is, where its holder stands in for somebody who is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_in: Option<AccountId>,
}

/// A span of server time that surely holds an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interval {
    /// Not before, in ms.
    pub from_ms: u64,
    /// Not after, in ms.
    pub to_ms: u64,
}

/// The second outcome of a parked op.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Released {
    /// The parked op.
    pub op: OpId,
    /// Its revision.
    pub rev: u64,
    /// What became of it.
    pub record: Box<Record>,
}

/// The leaf: what one entry commits to. Its bytes are laid out by `sync_core::log::leaf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The log.
    pub log: LogId,
    /// The epoch.
    pub epoch: EpochId,
    /// The revision.
    pub rev: u64,
    /// The op.
    pub op: OpId,
    /// The device.
    pub device: DeviceId,
    /// The device's incarnation; 0 for the server.
    pub incarnation: u64,
    /// The op's number in that incarnation; 0 for the server.
    pub device_seq: u64,
    /// Who asked; nil for the server.
    pub actor: AccountId,
    /// The entity.
    pub entity: EntityId,
    /// The entity's leaf before this one, or zero.
    pub prev_leaf: Hash,
    /// When the server received it.
    pub received_ms: u64,
    /// When a server first received it (before a restore).
    pub first_received_ms: u64,
    /// [`Outcome`] as a number.
    pub outcome: u8,
    /// The case state after it as a number; 0 for anything but a case.
    pub state_after: u8,
    /// SHA-256 of the line.
    pub line_hash: Hash,
    /// SHA-256 of the record text.
    pub record_hash: Hash,
    /// The op's kind.
    pub kind: String,
}

/// The answer to an op: all that is needed to recompute its leaf, beside what the device knows itself.
/// The same bytes for ever, whoever asks and however often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutcomeLine {
    /// The op.
    pub op: OpId,
    /// Its revision.
    pub rev: u64,
    /// The epoch it was entered in.
    pub epoch: EpochId,
    /// The incarnation it was entered under.
    pub incarnation: u64,
    /// Its number there.
    pub device_seq: u64,
    /// The entity of its leaf: the device where the entity is unknown to the actor.
    pub entity: EntityId,
    /// The kind of its leaf.
    pub kind: String,
    /// The entity's leaf before.
    pub prev_leaf: Hash,
    /// Receipt.
    pub received_ms: u64,
    /// First receipt.
    pub first_received_ms: u64,
    /// The case state after it.
    pub state_after: u8,
    /// The [`Record`] as stored.
    pub record: String,
}
