//! What ops ask for when people and units change: absences, hand-overs, mergers.

use serde::{Deserialize, Serialize};

use super::{Grant, Sealed};
use crate::ids::{AccountId, AreaId, EntityId, OpId, UnitId};

/// `set_absent`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAbsent {
    /// Who stands in.
    pub deputy: AccountId,
    /// Until when, in ms of the server's time: it then ends by itself.
    pub until_ms: u64,
}

/// `stand_in`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandIn {
    /// Whom this account stands in for.
    pub absent: AccountId,
    /// What that account may do by itself; nothing ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// The units that it belongs to by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitId>,
}

/// `hand_over`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandOver {
    /// An account after an account; a unit after a unit, or after an area.
    pub to: EntityId,
    /// Only the cases of this area subtree. An area that is handed over is named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `merge_unit`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeUnit {
    /// The unit that goes on.
    pub successor: UnitId,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `take_over`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOver {
    /// The `hand_over` or `merge_unit` that it follows from.
    pub hand_over: OpId,
    /// The lead unit from now on.
    pub unit: UnitId,
    /// The units that help from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_units: Vec<UnitId>,
    /// The person from now on, if one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<AccountId>,
}
