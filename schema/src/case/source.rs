//! Where reports come from.

use serde::{Deserialize, Serialize};

/// Where a report comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// Which channel.
    pub channel: Channel,
    /// The number it has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
}

/// The channels that reports come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// An inspector's round (巡查).
    Patrol,
    /// A citizen's call (热线).
    Hotline,
    /// A leader's order (领导交办).
    Leader,
    /// An inspection team (督导).
    Inspection,
    /// A survey of what stands (摸底).
    Survey,
}
