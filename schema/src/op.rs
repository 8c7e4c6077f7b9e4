//! The op: what a person asks for, made on a device, immutable. One JSON line; the exact bytes of the line are the op.
//! Unknown members of a line are kept (the line is stored verbatim) and ignored.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::case::Position;
use crate::hash::{Hash, Salt};
use crate::ids::{AccountId, BootId, DeviceId, EntityId, EpochId, LogId, OpId};
use crate::kinds;
use crate::tree::Tree;

mod body;
mod clock;
mod look_back;
mod people;
mod sight;
mod unit;

pub use body::*;
pub use clock::*;
pub use look_back::*;
pub use people::*;
pub use sight::{RedactValue, Restrict};
pub use unit::*;

/// The line, in the order of its members. `body` is read by kind (see [`Body`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Op {
    /// Line format, [`crate::limits::LINE_VERSION`].
    pub v: u32,
    /// The log it is for: a signed op can't be replayed into another.
    pub log: LogId,
    /// Its id, chosen by the device.
    pub op: OpId,
    /// The device that made it.
    pub device: DeviceId,
    /// Who asks.
    pub actor: AccountId,
    /// The one entity it touches.
    pub entity: EntityId,
    /// What is asked: the name of a [`Body`] variant.
    pub kind: String,
    /// Version of the kind's body.
    pub kind_version: u32,
    /// The version of the entity that its author was looking at; none for an entity not yet seen from the server.
    pub base: Option<Base>,
    /// The device's clocks at capture.
    pub captured: Captured,
    /// Blinds the line's hash.
    pub salt: Salt,
    /// What the kind needs.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub body: Map<String, Value>,
}

/// An entity version: the epoch and revision of its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Base(pub EpochId, pub u64);

/// A reading of a device's clocks. `wall_ms` is never trusted; `elapsed_ms` counts within one `boot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Captured {
    /// What the device believed the time was, in ms.
    pub wall_ms: i64,
    /// Milliseconds since the boot, by a clock that never jumps.
    pub elapsed_ms: u64,
    /// Which boot.
    pub boot: BootId,
}

/// A personal value's place in a line or a document: SHA-256 of its salt and its UTF-8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sealed {
    /// SHA-256 of the 16 salt bytes followed by the value's UTF-8 bytes.
    pub sealed: Hash,
}

/// The value itself, travelling as its own line behind the op that names it, and behind the rows that show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SealedValue {
    /// The hash under which lines and documents name it.
    pub sealed: Hash,
    /// The value's own salt: deleted with it, so that a redacted value can't be found by guessing.
    pub salt: Salt,
    /// The value.
    pub value: String,
}

/// A photo as an op names it; its bytes travel apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhotoClaim {
    /// SHA-256 of the file's bytes.
    pub sha256: Hash,
    /// Size of the file.
    pub size: u64,
    /// What it shows.
    pub role: EvidenceRole,
    /// How it was taken, as the device says.
    pub taken: Taken,
}

/// What a piece of evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvidenceRole {
    /// The problem.
    Before,
    /// The fix.
    After,
    /// What a checker saw.
    Check,
    /// What a look-back saw.
    Lookback,
    /// A document of the procedure.
    Document,
}

/// How a photo came to be, as the device says. A signal for people, never a reason to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Taken {
    /// Where the picture came from.
    pub by: TakenBy,
    /// The device's wall clock when the shutter went, in ms, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<i64>,
    /// Where the device thought it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The position came from a mock provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mock_position: bool,
}

/// Where a picture came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TakenBy {
    /// The camera, inside the app.
    Camera,
    /// The picture library of the phone.
    Library,
    /// A file named on a command line or in an import.
    File,
}

/// What the roles may be. The order is the order of power over a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads all, writes findings and look-backs only.
    Auditor,
    /// A member of a unit: reports the fix.
    Crew,
    /// Walks grids and reports.
    Inspector,
    /// Files, assigns, checks and closes in an area subtree.
    Supervisor,
    /// Accounts, catalogue, areas.
    Admin,
}

/// A change of one field: the value its author was looking at, and the one wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// The value seen; null where the field was empty.
    pub was: Value,
    /// The value wanted; null empties the field.
    pub to: Value,
}

kinds! { "Body";
/// What an op asks for, by kind. The variant's name in snake case is the line's `kind`.
/// Bodies tolerate unknown members.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Body {
    /// A problem is reported (上报).
    Report(Report),
    /// Fields are changed, each against the value seen.
    Amend(Amend),
    /// Photos are added.
    AddEvidence(AddEvidence),
    /// A photo is taken back; it stays visible as withdrawn.
    WithdrawEvidence(WithdrawEvidence),
    /// A remark.
    Comment(Comment),
    /// The report becomes a case (立案).
    File(File),
    /// The report does not become a case (不立案).
    Decline(Decline),
    /// The case is the same problem as another one.
    LinkDuplicate(LinkDuplicate),
    /// Undoes `link_duplicate`.
    UnlinkDuplicate(Reason),
    /// The case goes to a unit (派遣).
    Assign(Assign),
    /// The unit signs for it (签收).
    Accept(Nothing),
    /// The unit hands it back (退单).
    ReturnAssignment(ReturnAssignment),
    /// A unit that helps has done its part (协办完成).
    FinishHelp(FinishHelp),
    /// The unit says it is fixed.
    SubmitFix(SubmitFix),
    /// Somebody else looks whether it is (核查).
    Check(Check),
    /// The case ends (结案).
    Close(Close),
    /// Report and end in one, where the subtype allows it (现场解决).
    SettleOnSite(SettleOnSite),
    /// A photo that can't come any more is given up.
    WaiveEvidence(WaiveEvidence),
    /// A closed case is opened again, with a reason.
    Reopen(Reopen),
    /// By the server: somebody must look again later.
    PlanLookBack(PlanLookBack),
    /// Somebody looked whether what was closed has stayed so (回头看).
    LookBack(LookBack),
    /// By the server: nobody has to look any more.
    DropLookBack(Nothing),
    /// By the server: a closed case was found as before (反弹): it is open again.
    Relapse(Relapse),
    /// The case is void (作废).
    Void(Reason),
    /// A stage of the procedure is done.
    EndStage(EndStage),
    /// By the server: a check in between is due.
    AskInterimCheck(AskInterimCheck),
    /// Somebody looks whether what a stage ordered is kept (中期检查).
    InterimCheck(InterimCheck),
    /// By the server: it was not there for a while.
    NoteSilence(NoteSilence),
    /// Whether that excuses what fell due in it, for all cases at once.
    DecideSilence(DecideSilence),
    /// Nothing can be done about it for now (挂账): its clocks stand.
    Suspend(Suspend),
    /// It goes on.
    Resume(Resume),
    /// The unit asks for more time (延期).
    RequestExtension(RequestExtension),
    /// Somebody decides on that.
    DecideExtension(DecideExtension),
    /// A leader watches it (督办).
    Supervise(Reason),
    /// The unit is reminded (催办).
    Urge(Urge),
    /// The unit says that it is not to blame for being late (超时申诉).
    AppealOverdue(AppealOverdue),
    /// Somebody decides on that.
    DecideAppeal(DecideAppeal),
    /// By the server: when a clock of the case is due.
    IssueDeadline(IssueDeadline),
    /// By the server: a clock is due soon.
    MarkDueSoon(Marked),
    /// By the server: a clock is overdue.
    MarkOverdue(Marked),
    /// By the server: the next level hears that a clock is overdue.
    Escalate(Escalate),
    /// Only some roles may see the case from now on, until a date.
    Restrict(Restrict),
    /// By the server: the date of a restriction has come.
    LiftRestriction(Nothing),
    /// By the server: the case ended long ago; it leaves all scopes (归档).
    Archive(Nothing),
    /// By the server, for its operator: a sealed value is deleted by law. Lines, leaves and documents stay.
    RedactValue(RedactValue),
    /// By the server: what lies above an account's areas is new, so it lies in other scopes.
    Rescope(Nothing),
    /// By the server: a photo's bytes have arrived and their hash is right.
    PhotoVerified(PhotoVerified),
    /// By the server: the case lies in another area now.
    Place(Place),
    /// By the server: another case was linked to this one.
    AbsorbDuplicate(DuplicateOf),
    /// By the server: the link was undone.
    ReleaseDuplicate(DuplicateOf),
    /// A supervisor lets a parked op take effect.
    Release(Parked),
    /// A supervisor ends a parked op without effect.
    Discard(Parked),
    /// By the server: the first entry of a log.
    CreateLog(CreateLog),
    /// By the server: the first entry of a new epoch.
    StartEpoch(StartEpoch),
    /// An auditor or administrator has taken note of a new epoch.
    AcknowledgeEpoch(AcknowledgeEpoch),
    /// A new area tree takes effect.
    ImportAreas(ImportDocument),
    /// A new area tree will take effect at a date.
    PlanAreas(PlanAreas),
    /// It will not.
    CancelAreas(CancelAreas),
    /// A new catalogue takes effect.
    ImportCatalogue(ImportDocument),
    /// A new working calendar takes effect.
    ImportCalendar(ImportDocument),
    /// Other responsibilities (属地 × 属事) take effect.
    ImportResponsibilities(ImportDocument),
    /// A unit is made or changed.
    SetUnit(SetUnit),
    /// An account is made known to the log, or renamed.
    SetAccount(SetAccount),
    /// An account may do more.
    Grant(Grant),
    /// A grant ends.
    RevokeGrant(RevokeGrant),
    /// An account joins or leaves a unit.
    SetMembership(SetMembership),
    /// Somebody is away, and somebody else stands in (代理).
    SetAbsent(SetAbsent),
    /// Somebody is back, or by the server: the date has come.
    EndAbsence(Nothing),
    /// By the server: what an account may do in the place of one that is away.
    StandIn(StandIn),
    /// What somebody, a unit or an area has goes to another (移交).
    HandOver(HandOver),
    /// A unit ends; another one goes on in its place (并入).
    MergeUnit(MergeUnit),
    /// By the server: a case goes to whom it was handed over.
    TakeOver(TakeOver),
    /// An account can't act any more.
    DisableAccount(Reason),
    /// A device is made known to the log.
    EnrolDevice(EnrolDevice),
    /// A device is shut out.
    RevokeDevice(Reason),
    /// By the server: a line that can't be taken as an op; its bytes are kept.
    Unreadable(Unreadable),
}
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Line {
            kind: String,
            body: Tree,
        }
        let Line { kind, body } = Line::deserialize(from)?;
        Self::read(kind, body).map_err(D::Error::custom)
    }
}
