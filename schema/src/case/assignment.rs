//! Who must fix a case, who had it before, and what they say they did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::By;
use crate::deadline::Limit;
use crate::ids::{AccountId, AreaId, EntityId, OpId, UnitId};
use crate::op::{FixResult, Sealed};

/// Who must fix it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignment {
    /// Who assigned, when.
    pub by: By,
    /// The lead unit.
    pub unit: UnitId,
    /// Units that help.
    pub co_units: Vec<UnitId>,
    /// Limits of their own for some of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub co_limits: BTreeMap<UnitId, Limit>,
    /// Units that have done their part of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub helped: Vec<Helped>,
    /// A person of the lead unit, if one is named.
    pub holder: Option<AccountId>,
    /// Instructions, sealed.
    pub note: Option<Sealed>,
    /// Who signed for it.
    pub accepted: Option<By>,
    /// The area whose grant allowed it: one level above settles what units hand back again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
}

/// A unit that helped and has done its part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Helped {
    /// The unit.
    pub unit: UnitId,
    /// Who said so, when.
    pub by: By,
    /// What was done, sealed.
    pub note: Option<Sealed>,
}

/// A unit that had a case, and the person if one was named, from one revision to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Predecessor {
    /// The lead unit.
    pub unit: UnitId,
    /// A person of it, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<AccountId>,
    /// The revision that gave it the case.
    pub from_rev: u64,
    /// The revision that took it away.
    pub to_rev: u64,
    /// The `hand_over` or `merge_unit` by which it went; none where it was assigned anew, handed back or reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hand_over: Option<OpId>,
}

/// It was closed, and somebody who looked again found it as before (反弹).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relapsed {
    /// Who found it, by which look-back.
    pub found: By,
    /// The revision that opened the case again.
    pub rev: u64,
    /// The task by which they looked.
    pub task: EntityId,
    /// The revision that had closed the case.
    pub closed_rev: u64,
    /// The unit that fixed it: it counts for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_by: Option<UnitId>,
    /// The unit that it had gone to before it was closed, if another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_with: Option<UnitId>,
}

/// How it was said to be fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fix {
    /// What was found and done.
    #[serde(default, skip_serializing_if = "FixResult::is_fixed")]
    pub result: FixResult,
    /// Who, when.
    pub by: By,
    /// The units of that person then: none of them may pass the check.
    pub units: Vec<UnitId>,
    /// What was done, sealed.
    pub note: Option<Sealed>,
}
