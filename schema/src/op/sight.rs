//! What the ops ask for that decide who sees what.

use serde::{Deserialize, Serialize};

use super::{Role, Sealed};
use crate::hash::Hash;

/// `restrict`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restrict {
    /// The roles that may see the case from now on, beside auditors; the author's own must be one of them.
    pub roles: Vec<Role>,
    /// Until when, in ms of the server's time.
    pub until_ms: u64,
    /// Why, sealed.
    pub reason: Sealed,
}

/// `redact_value`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RedactValue {
    /// The hash under which lines and documents name the value.
    pub value: Hash,
    /// By which law, in words that name nobody.
    pub reason: String,
}
