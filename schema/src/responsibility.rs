//! Who is responsible where and for what (属地 × 属事), as data: rules with dates. It is advice for whoever assigns.

use serde::{Deserialize, Serialize};

use crate::calendar::Day;
use crate::catalogue::{Code, Text};
use crate::ids::{AccountId, AreaId, UnitId};

/// A document of responsibilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Responsibilities {
    /// Its version; each import needs a new one.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// The rules. Their order decides nothing.
    pub rules: Vec<Rule>,
}

/// A unit, a person or both, for a matter at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The unit that has to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// The named chief (街长, 路长, 河长), shown beside the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<AccountId>,
    /// Whether it leads or helps.
    pub role: Part,
    /// Where.
    pub place: Place,
    /// For what.
    pub matter: Matter,
    /// The first day, in the district's civil time.
    pub from: Day,
    /// The last day; none while no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// What a responsible unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// 主办
    Lead,
    /// 协办
    Help,
}

/// Where a rule holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the whole district, and where a position lies in no grid.
    Everywhere,
    /// In an area and all that lies in it.
    Area(AreaId),
    /// Along a street, a road or a river.
    Line(Line),
}

/// A street, a road or a river.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Its name.
    pub name: Text,
    /// `[lon_e7, lat_e7]` points, two or more.
    pub points: Vec<(i32, i32)>,
    /// How far to each side it reaches.
    pub width_m: u32,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// 街
    Street,
    /// 路
    Road,
    /// 河
    River,
}

/// What a rule is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Whatever there is.
    All,
    /// Some categories or subtypes.
    Kinds(Vec<MatterKind>),
}

/// A category, or one subtype of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatterKind {
    /// The category.
    pub category: Code,
    /// The subtype; none for all of the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<Code>,
}
