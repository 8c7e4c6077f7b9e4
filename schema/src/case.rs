//! The case document: one problem at one place, and its life, as phones and pages see it.
//! It stays bounded: what happened is in the entries.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalogue::Code;
use crate::clock::{Clock, Extension, Suspension};
use crate::hash::Hash;
use crate::ids::{AccountId, AreaId, DeviceId, EntityId, OpId, PersonId, UnitId};
use crate::op::{EvidenceRole, Role, Sealed, Taken};
pub use crate::position::{Gcj02, Position};

mod assignment;
mod field;
mod nested;
mod source;

pub use assignment::{Assignment, Fix, Helped, Predecessor, Relapsed};
pub use field::{FieldName, NotAField};
pub use source::{Channel, Source};

/// Where a case stands. The number is the leaf's `state_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// Reported, nobody decided yet.
    Reported = 1,
    /// It is a case (立案).
    Filed = 2,
    /// A unit has it.
    Assigned = 3,
    /// The unit says it is fixed.
    Fixed = 4,
    /// Somebody else saw that it is.
    Checked = 5,
    /// Ended (结案).
    Closed = 6,
    /// Not a case (不立案).
    Declined = 7,
    /// The same problem as another case.
    Duplicate = 8,
    /// Void (作废).
    Void = 9,
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Reported,
        Self::Filed,
        Self::Assigned,
        Self::Fixed,
        Self::Checked,
        Self::Closed,
        Self::Declined,
        Self::Duplicate,
        Self::Void,
    ];
}

/// A mergeable value with where it came from: the role it was set by is compared in a conflict, not today's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Held {
    /// The value; null is empty.
    pub value: Value,
    /// The revision that set it.
    pub rev: u64,
    /// The acting role that set it; none for the server.
    pub role: Option<Role>,
}

/// The case document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Case {
    /// Its id.
    pub id: EntityId,
    /// Ten Crockford characters made from the id: shown by the phone at once, no key.
    pub short_code: String,
    /// The official number, given at filing, never reissued.
    pub number: Option<String>,
    /// Where it stands.
    pub state: State,
    /// SHA-256 of the catalogue pinned at filing; before that, the one it was filled in by.
    pub catalogue: Option<Hash>,
    /// The catalogue is pinned: new rules never touch this case.
    pub pinned: bool,
    /// Where the report comes from.
    pub source: Source,
    /// The area it lies in: a grid, or the root area if it lies in none.
    pub area: AreaId,
    /// The mergeable fields.
    pub fields: BTreeMap<FieldName, Held>,
    /// What people should know.
    pub flags: Vec<String>,
    /// Who reported it.
    pub reporter: By,
    /// The evidence, in order of arrival.
    pub evidence: Vec<Evidence>,
    /// The newest remarks, oldest first.
    pub comments: Vec<Remark>,
    /// How many remarks there are in all.
    pub comment_count: u64,
    /// Undecided differences, newest last.
    pub conflicts: Vec<Conflict>,
    /// How it was filed.
    pub filed: Option<Step>,
    /// Who must fix it.
    pub assignment: Option<Assignment>,
    /// Units that had it before: what they captured then still counts as late evidence.
    pub former_units: Vec<UnitId>,
    /// How it was said to be fixed.
    pub fix: Option<Fix>,
    /// How it was checked.
    pub check: Option<Step>,
    /// How it ended: closed, declined, void.
    pub end: Option<End>,
    /// The case it is a duplicate of.
    pub duplicate_of: Option<EntityId>,
    /// The state before it became a duplicate.
    pub state_before_duplicate: Option<State>,
    /// The cases linked to this one.
    pub duplicates: Vec<EntityId>,
    /// How often it came back from a unit.
    pub returns: u32,
    /// How often a check failed.
    pub reworks: u32,
    /// How often it was reopened.
    pub reopened: u32,
    /// What came after it was closed waits for an auditor.
    pub needs_audit: bool,
    /// A deadline was issued: a location is never merged by itself any more.
    pub deadline_issued: bool,
    /// Its clocks, the newest of each stage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// The stages of a procedure that are done, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageEnd>,
    /// Checks in between that follow from stages that are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<Interim>,
    /// Nothing can be done about it for now: its clocks stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Suspension>,
    /// It was suspended, which it may be once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub was_suspended: bool,
    /// The unit asked for more time, and nobody has decided in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// A leader watches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervised: Option<Mark>,
    /// How often the unit was reminded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub urged: u32,
    /// How often each unit handed it back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub returned_by: BTreeMap<UnitId, u32>,
    /// Who had it before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predecessors: Vec<Predecessor>,
    /// Each time it was found to have come back after it was closed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relapses: Vec<Relapsed>,
    /// A unit handed it back too often, or it came back after it was closed: the level above this area says who has to
    /// fix it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbitration: Option<AreaId>,
    /// Only some roles may see it, until a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<Restriction>,
    /// It has left all scopes, and is read through the API alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<By>,
    /// The revision of its first entry.
    pub first_rev: u64,
    /// When the server first received it.
    pub reported_ms: u64,
    /// When it last changed, by the server's receipt.
    pub changed_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A stage of a procedure that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageEnd {
    /// The stage.
    pub stage: Code,
    /// Who, when.
    pub by: By,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
}

/// Checks in between (中期检查): while a case is being worked on, somebody looks every so often whether what a stage
/// ordered is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interim {
    /// The stage that is done.
    pub stage: Code,
    /// When the next one is due, in ms.
    pub next_ms: u64,
    /// The revision that it is counted from: the end of the stage, or the last of these checks.
    pub since_rev: u64,
    /// The next one was asked for, at this revision: somebody must look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_rev: Option<u64>,
    /// Those made so far: `pass` where what was ordered is kept, `fail` where it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Step>,
}

/// A case that only some roles may see. It ends by an entry, when its date has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Restriction {
    /// Who, when.
    pub by: By,
    /// The roles that may see it, beside auditors, who always may.
    pub roles: Vec<Role>,
    /// Until when, in ms of the server's time.
    pub until_ms: u64,
    /// Why, sealed.
    pub reason: Sealed,
}

/// Who did something, and when it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct By {
    /// The account.
    pub account: AccountId,
    /// The person behind it.
    pub person: PersonId,
    /// The device.
    pub device: DeviceId,
    /// The role acted in; none for the server.
    pub role: Option<Role>,
    /// The op.
    pub op: OpId,
    /// Its revision.
    pub rev: u64,
    /// Its receipt.
    pub received_ms: u64,
}

/// A step with nothing but its maker, a code of the catalogue and a sealed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Who, when.
    #[serde(flatten)]
    pub by: By,
    /// A condition or reason of the catalogue; `pass` or `fail` for a check.
    pub code: String,
    /// More, sealed.
    pub note: Option<Sealed>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct End {
    /// Who, when, why.
    #[serde(flatten)]
    pub step: Step,
    /// The area whose grant allowed it: one level above may reopen.
    pub area: AreaId,
}

/// A piece of evidence: one photo as one op named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// SHA-256 of the photo.
    pub sha256: Hash,
    /// Size of the file.
    pub size: u64,
    /// What it shows.
    pub role: EvidenceRole,
    /// How it was taken, as the device says.
    pub taken: Taken,
    /// Who named it.
    pub by: By,
    /// It came when the case stood elsewhere than its author thought.
    pub late: bool,
    /// The revision of its `photo_verified`; none while its bytes have not come.
    pub verified_rev: Option<u64>,
    /// Width and height in pixels; none if it does not decode or has not come.
    pub pixels: Option<(u32, u32)>,
    /// What people should know about it.
    pub flags: Vec<String>,
    /// It was withdrawn.
    pub withdrawn: Option<Mark>,
    /// Its bytes were given up.
    pub waived: Option<Mark>,
}

/// A mark on something: who, when, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mark {
    /// Who, when.
    pub by: By,
    /// Why, sealed.
    pub reason: Sealed,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Remark {
    /// Who, when.
    pub by: By,
    /// The text, sealed.
    pub text: Sealed,
}

/// Two people wanted different values; the loser is kept until somebody settles it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conflict {
    /// The field.
    pub field: FieldName,
    /// The value that stands.
    pub winner: Held,
    /// The value that lost.
    pub loser: Held,
    /// Who wanted the losing value; none: who made the entry of its revision.
    pub loser_by: Option<AccountId>,
    /// Why it lost.
    pub why: ConflictReason,
    /// The revision of the op that met the other value.
    pub rev: u64,
    /// The loser was made to win once already: the next swap is the supervisor's.
    pub swapped: bool,
}

/// Why a value lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConflictReason {
    /// The other one was set by a higher role.
    HigherRole,
    /// Equal roles: the later arrival stands.
    LaterArrival,
    /// The case is with a unit already: a supervisor decides.
    AfterAssignment,
    /// A location is not merged by itself once a deadline was issued.
    DeadlineIssued,
    /// A second swap is the supervisor's.
    SecondSwap,
}
