//! A look-back: somebody must look whether a case that was closed has stayed so. An entity of its own, for the unit that
//! fixed the case must not see when.

use serde::{Deserialize, Serialize};

use crate::case::{By, Evidence};
use crate::ids::{AreaId, EntityId, OpId, PersonId, UnitId};
use crate::op::{LookBackVerdict, Sealed};

/// Somebody must look again at a case that was closed. It says nothing of the case but where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookBackTask {
    /// Its id.
    pub id: EntityId,
    /// The case.
    pub case: EntityId,
    /// Where the case lies.
    pub area: AreaId,
    /// The `close` that planned it.
    pub close: OpId,
    /// Which one behind that end: 1 is the first.
    pub nth: u8,
    /// Who passed the check: somebody else makes the first look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checker: Option<PersonId>,
    /// Who fixed it: never looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixer: Option<PersonId>,
    /// The units that had to fix it, or helped: nobody of them looks.
    pub units: Vec<UnitId>,
    /// The revision that planned it.
    pub planned_rev: u64,
    /// From when on one may look, in ms.
    pub opens_ms: u64,
    /// The weekday and hour of the report: when one would see it if it were there.
    pub best_ms: u64,
    /// By when somebody must have looked, in ms.
    pub due_ms: u64,
    /// When each next level hears that nobody has.
    pub escalates_ms: Vec<u64>,
    /// The revision that said that one may look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_rev: Option<u64>,
    /// The revision that said that it is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_rev: Option<u64>,
    /// How high it was escalated.
    pub escalated: u8,
    /// What was found, in order of arrival: bad news may come behind good.
    pub results: Vec<LookedBack>,
    /// The photos, in order of arrival.
    pub evidence: Vec<Evidence>,
    /// Nobody has to look any more: the case was opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<By>,
    /// It has left all scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<By>,
}

/// What somebody found who looked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookedBack {
    /// Who, when.
    pub by: By,
    /// What.
    pub verdict: LookBackVerdict,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// It came when the window was over, or behind another result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}
