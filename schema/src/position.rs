//! Positions, in whole units of 1e-7 degrees.

use serde::{Deserialize, Serialize};

/// A WGS-84 position in units of 1e-7 degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Position {
    /// Latitude, −900000000 to 900000000.
    pub lat_e7: i32,
    /// Longitude, −1800000000 to 1800000000.
    pub lon_e7: i32,
    /// Radius of the 68 % circle in metres, where the device knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<u32>,
    /// What was given, where that was GCJ-02: it was converted once, at the edge, and nobody converts it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gcj02: Option<Gcj02>,
}

/// A position as Chinese maps draw it (GCJ-02, 国测局坐标), in units of 1e-7 degrees. Nothing is measured with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gcj02 {
    /// Latitude.
    pub lat_e7: i32,
    /// Longitude.
    pub lon_e7: i32,
}

impl Position {
    /// A position of which nothing more is known.
    pub fn at(lat_e7: i32, lon_e7: i32) -> Self {
        Self { lat_e7, lon_e7, accuracy_m: None, gcj02: None }
    }
}
