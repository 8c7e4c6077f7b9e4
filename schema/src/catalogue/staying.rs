//! What is done so that closed stays closed: when somebody looks again, and what counts as having come back.

use serde::{Deserialize, Serialize};

/// When somebody looks whether what was closed has stayed so (回头看).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookBacks {
    /// One look each, the first first; empty where nobody looks again.
    pub plan: Vec<LookBackDays>,
    /// Instead of these, where the case has relapsed before: sooner. The same where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_relapse: Vec<LookBackDays>,
    /// Days behind the end of a window at which each next level hears that nobody has looked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalates_after_days: Vec<u16>,
}

/// A look, in days of 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookBackDays {
    /// Days from the end of the case to the beginning of the window.
    pub days: u16,
    /// Length of the window. A week or more, so that it holds the weekday and hour of the report.
    pub window_days: u16,
}

crate::tagged! { "by" "RelapseBy" deny_unknown_fields;
/// By what a new report is told to be the same problem come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum RelapseBy {
    /// The same subject (stall number, house number), in this category; the same place where the report names none.
    Subject {
        /// How near, in metres.
        radius_m: u16,
        /// Days behind the end of a case.
        days: u16,
    },
    /// The same place, in this category.
    Place {
        /// How near, in metres.
        radius_m: u16,
        /// Days behind the end of a case.
        days: u16,
    },
    /// By nothing: what is gone once does not come back as the same (a dog that was off its leash).
    None,
}
}
