//! What the kinds about look-backs and relapses ask for.

use serde::{Deserialize, Serialize};

use super::{PhotoClaim, Sealed};
use crate::case::By;
use crate::ids::{AreaId, EntityId, OpId, PersonId, UnitId};

/// `look_back`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LookBack {
    /// What was found.
    pub verdict: LookBackVerdict,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// What was seen: one photo at least.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// What was found by looking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LookBackVerdict {
    /// It has stayed as it was closed (保持).
    Held,
    /// It is there again (反弹).
    Relapsed,
}

/// `plan_look_back`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanLookBack {
    /// The case.
    pub case: EntityId,
    /// Where it lies.
    pub area: AreaId,
    /// The `close` that it follows.
    pub close: OpId,
    /// Which one: 1 is the first.
    pub nth: u8,
    /// Who passed the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checker: Option<PersonId>,
    /// Who fixed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixer: Option<PersonId>,
    /// The units that had to fix it, or helped.
    pub units: Vec<UnitId>,
    /// From when on one may look, in ms.
    pub opens_ms: u64,
    /// The weekday and hour of the report, in ms.
    pub best_ms: u64,
    /// By when somebody must have looked, in ms.
    pub due_ms: u64,
    /// When each next level hears that nobody has, in ms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalates_ms: Vec<u64>,
}

/// `relapse`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relapse {
    /// The task by which somebody looked.
    pub task: EntityId,
    /// The `close` that did not last.
    pub close: OpId,
    /// Who looked, by which op.
    pub found: By,
    /// What they saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}
