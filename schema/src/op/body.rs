//! What each kind of op asks for. The name of each kind stands above its body.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Change, EvidenceRole, PhotoClaim, Role, Sealed};
use crate::case::{FieldName, Position, Source};
use crate::catalogue::Code;
use crate::hash::{DeviceKey, Hash};
use crate::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, GrantId, OpId, PersonId, UnitId};
use crate::tree::flat;

/// `report`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Category code of the catalogue.
    pub category: Code,
    /// Subtype code of the category.
    pub subtype: Code,
    /// SHA-256 of the catalogue document it was filled in by; none if the phone had none yet.
    pub catalogue: Option<Hash>,
    /// Where.
    pub position: Position,
    /// Stall number, shop, house number, dog tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Free text, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// The subtype's fields by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Code, Value>,
    /// Where the report comes from.
    pub source: Source,
    /// Its photos.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `amend`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amend {
    /// The changes by field.
    pub changes: BTreeMap<FieldName, Change>,
}

/// `add_evidence`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddEvidence {
    /// The photos.
    pub photos: Vec<PhotoClaim>,
}

/// `withdraw_evidence`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WithdrawEvidence {
    /// The photo.
    pub photo: Hash,
    /// The op that named it.
    pub of: OpId,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `comment`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// The text, sealed.
    pub text: Sealed,
}

/// `file`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// The filing condition (立案条件) of the subtype that is met.
    pub condition: Code,
}

/// `decline`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decline {
    /// A reason of the catalogue.
    pub reason: Code,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
}

/// `link_duplicate`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkDuplicate {
    /// The case that goes on.
    pub of: EntityId,
}

/// The body of kinds that need nothing but a sealed reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Why, sealed.
    pub reason: Sealed,
}

/// The body of kinds that need nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nothing {}

/// `check`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What the checker found.
    pub verdict: CheckVerdict,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// Photos of what was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// What a checker found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// It is fixed.
    Pass,
    /// It is not: back to the unit (返工).
    Fail,
}

/// `close`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Close {
    /// The closing condition (结案条件) of the subtype that is met.
    pub condition: Code,
}

/// `settle_on_site`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettleOnSite {
    /// What was found.
    #[serde(flatten)]
    pub report: Report,
    /// How it was settled: an outcome of the subtype.
    pub outcome: Code,
}

flat!(SettleOnSite: report, outcome: Code);

/// `waive_evidence`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaiveEvidence {
    /// The photo that can't come.
    pub photo: Hash,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `reopen`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reopen {
    /// Why, sealed.
    pub reason: Sealed,
    /// What was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `photo_verified`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhotoVerified {
    /// The photo.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// Width and height in pixels as shown; none if it does not decode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<(u32, u32)>,
    /// What people should know about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// What people should know about single claims of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimFlags>,
}

/// What people should know about a photo as one op named it in one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimFlags {
    /// The op.
    pub op: OpId,
    /// The role.
    pub role: EvidenceRole,
    /// What people should know.
    pub flags: Vec<String>,
}

/// `place`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The area it lies in now.
    pub area: AreaId,
}

/// `absorb_duplicate`, `release_duplicate`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DuplicateOf {
    /// The other case.
    pub duplicate: EntityId,
}

/// `release`, `discard`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// The parked op.
    pub parked: OpId,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `create_log`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateLog {
    /// The district's name.
    pub name: crate::catalogue::Text,
    /// Its time zone, an IANA name.
    pub zone: String,
    /// Verifier key of the signer of checkpoints (C2SP signed-note).
    pub signer: String,
    /// The installation's server device.
    pub server_device: DeviceId,
}

/// `start_epoch`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartEpoch {
    /// The epoch that ended.
    pub old_epoch: EpochId,
    /// The last revision kept.
    pub kept_rev: u64,
    /// The tree's root at `kept_rev`.
    pub kept_root: Hash,
    /// The signer's last head.
    pub last_signed_head: u64,
}

/// `acknowledge_epoch`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AcknowledgeEpoch {
    /// The epoch that its author knows of.
    pub epoch: EpochId,
}

/// `import_areas`, `import_catalogue`, `import_calendar`, `import_responsibilities`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportDocument {
    /// SHA-256 of the document.
    pub sha256: Hash,
    /// Its size.
    pub size: u64,
    /// Its version, as the document itself says.
    pub version: String,
}

/// `plan_areas`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanAreas {
    /// The area tree.
    #[serde(flatten)]
    pub document: ImportDocument,
    /// When it takes effect, in ms.
    pub from_ms: u64,
}

flat!(PlanAreas: document, from_ms: u64);

/// `cancel_areas`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelAreas {
    /// SHA-256 of the area tree that was planned.
    pub sha256: Hash,
}

/// `set_unit`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetUnit {
    /// The unit's name.
    pub name: crate::catalogue::Text,
    /// The area it belongs to.
    pub area: AreaId,
}

/// `set_account`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAccount {
    /// The name others see.
    pub name: String,
    /// The person behind it.
    pub person: PersonId,
}

/// `grant`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The grant's id.
    pub grant: GrantId,
    /// The role.
    pub role: Role,
    /// The area subtree it holds for.
    pub area: AreaId,
    /// When it ends by itself, in ms of the server's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// `revoke_grant`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevokeGrant {
    /// The grant.
    pub grant: GrantId,
}

/// `set_membership`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetMembership {
    /// The unit.
    pub unit: UnitId,
    /// Joins (true) or leaves (false).
    pub member: bool,
    /// When it leaves by itself, in ms of the server's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// `enrol_device`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolDevice {
    /// Its only user.
    pub account: AccountId,
    /// Signature algorithm of its key; `ES256`.
    pub algorithm: String,
    /// Its public key.
    pub key: DeviceKey,
    /// What its user calls it.
    pub label: String,
}

/// `unreadable`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Why it can't be taken.
    pub why: crate::record::RefusalCode,
}
