//! The area tree (区 → 街道/镇 → 社区/村 → 网格) as a document with exact boundaries.

use serde::{Deserialize, Serialize};

use crate::catalogue::Text;
use crate::ids::AreaId;

/// An area tree document. It is made from GeoJSON at import; its own form holds no floats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AreaTree {
    /// Its version; each import needs a new one.
    pub version: String,
    /// The areas, parents before children, the root first.
    pub areas: Vec<Area>,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its id.
    pub id: AreaId,
    /// The area above; none for the root.
    pub parent: Option<AreaId>,
    /// Its level.
    pub level: Level,
    /// Its code in the city's own numbering.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Its polygons, each an outer ring and its holes; each ring `[lon_e7, lat_e7]` points, not closed.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Vec<Vec<i32>>>>))]
    pub boundary: Vec<Vec<Vec<(i32, i32)>>>,
}

/// The four levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 区
    District,
    /// 街道, 镇
    Subdistrict,
    /// 社区, 村
    Community,
    /// 网格
    Grid,
}
