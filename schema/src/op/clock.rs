//! What the kinds about clocks and the course of a case ask for.

use serde::{Deserialize, Serialize};

use super::{CheckVerdict, PhotoClaim, Sealed};
use crate::catalogue::Code;
use crate::clock::{Issued, Timed};
use crate::deadline::{Due, Limit};
use crate::hash::Hash;
use crate::ids::{OpId, UnitId};

/// `issue_deadline`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssueDeadline {
    /// The stage whose clock it is.
    pub stage: Code,
    /// Who is timed.
    pub timed: Timed,
    /// The unit, of a clock of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// How long it may take.
    pub limit: Limit,
    /// When it started, in ms.
    pub started_ms: u64,
    /// Why it is issued.
    pub why: Issued,
    /// When that was, in ms.
    pub at_ms: u64,
    /// What it was before, where it moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Due>,
    /// When it is due.
    pub due: Due,
    /// From when on it is due soon, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soon_ms: Option<u64>,
    /// When the next levels hear of it, in ms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalates_ms: Vec<u64>,
    /// The calendar it was counted by.
    pub calendar: Hash,
    /// The silence that is given back, from and to in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<(u64, u64)>,
}

/// `mark_due_soon`, `mark_overdue`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    /// The clock's stage.
    pub stage: Code,
    /// The clock, by the revision that issued its deadline.
    pub clock: u64,
}

/// `escalate`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalate {
    /// The clock's stage.
    pub stage: Code,
    /// The clock, by the revision that issued its deadline.
    pub clock: u64,
    /// Which level hears of it: 1 is the unit, or the office's own level; each next one is the area above.
    pub level: u8,
}

/// `note_silence`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteSilence {
    /// When a server of the installation was last at work, in ms.
    pub from_ms: u64,
    /// Since when one is again, in ms.
    pub to_ms: u64,
}

/// `decide_silence`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecideSilence {
    /// The silence, by the revision that noted it.
    pub silence: u64,
    /// Whoever was due in it gets its working time back.
    pub excuse: bool,
    /// Why, for everybody to read.
    pub reason: String,
}

/// `suspend`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspend {
    /// Until when at most, in ms.
    pub until_ms: u64,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `resume`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// Why, sealed; none from the server, when the date has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
}

/// `request_extension`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestExtension {
    /// The stage whose clock it is about.
    pub stage: Code,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `decide_extension`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecideExtension {
    /// The op that asked.
    pub request: OpId,
    /// It is granted.
    pub grant: bool,
    /// Why, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
}

/// `urge`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Urge {
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
}

/// `appeal_overdue`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppealOverdue {
    /// The stage whose clock it is about.
    pub stage: Code,
    /// Why, sealed.
    pub reason: Sealed,
    /// Proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `decide_appeal`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecideAppeal {
    /// The stage whose clock it is about.
    pub stage: Code,
    /// It is granted.
    pub grant: bool,
    /// Why, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
}

/// `end_stage`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndStage {
    /// The stage.
    pub stage: Code,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// Its documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `ask_interim_check`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskInterimCheck {
    /// The stage that is done.
    pub stage: Code,
}

/// `interim_check`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InterimCheck {
    /// The stage whose order is looked after.
    pub stage: Code,
    /// `pass`: it is kept; `fail`: it is not.
    pub verdict: CheckVerdict,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// What was found: one at least.
    pub photos: Vec<PhotoClaim>,
}

/// What a unit found and did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FixResult {
    /// It is fixed.
    #[default]
    Fixed,
    /// It was gone when the unit came.
    GoneOnArrival,
    /// It was not found.
    NotFound,
    /// It can't be fixed here: another procedure has to take it up.
    CannotBeFixedHere,
}

impl FixResult {
    /// What a fix is if nothing is said.
    pub fn is_fixed(&self) -> bool {
        *self == Self::Fixed
    }
}
