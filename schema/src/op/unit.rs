//! What units are asked, and what they say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FixResult, PhotoClaim, Sealed};
use crate::catalogue::Code;
use crate::deadline::Limit;
use crate::ids::{AccountId, UnitId};

/// `assign`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assign {
    /// The lead unit (主办).
    pub unit: UnitId,
    /// Units that help (协办).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_units: Vec<UnitId>,
    /// Limits of their own for units that help; the others have that of the catalogue's stage.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub co_limits: BTreeMap<UnitId, Limit>,
    /// A person of the lead unit, if one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<AccountId>,
    /// Instructions, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
}

/// `finish_help`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinishHelp {
    /// What was done, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// Photos of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `return_assignment`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnAssignment {
    /// A reason of the catalogue.
    pub reason: Code,
    /// More, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// Proof.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}

/// `submit_fix`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubmitFix {
    /// What the unit found and did.
    #[serde(default, skip_serializing_if = "FixResult::is_fixed")]
    pub result: FixResult,
    /// What was done, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// Photos of the fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<PhotoClaim>,
}
