//! Figures (统计): what is counted of cases in a period, by stable names, and the rates that are made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::Day;
use crate::catalogue::Text;
use crate::hash::Hash;
use crate::ids::{AccountId, AreaId, EntityId, EpochId, PublicationId};

/// What is counted. Each count can list its cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// 上报数
    Reported,
    /// 立案数
    Filed,
    /// 现场解决数（劝导等）
    SettledOnSite,
    /// 应结案数
    Due,
    /// 结案数
    Closed,
    /// 按期结案数
    ClosedOnTime,
    /// 返工案件数
    Reworked,
    /// 延期案件数
    Extended,
    /// 单位接收数
    Received,
    /// 单位退单数
    Returned,
    /// 核查案件数
    Checked,
    /// 一次核查合格数
    PassedFirst,
    /// 责任单位到期时限数
    UnitDue,
    /// 责任单位按期数
    UnitOnTime,
    /// 受理派遣核查岗位到期时限数
    OfficeDue,
    /// 受理派遣核查岗位按期数
    OfficeOnTime,
    /// 不立案，未进入分母
    LeftDeclined,
    /// 作废，移出分母
    LeftVoid,
    /// 并入重复案件，移出分母
    LeftDuplicate,
    /// 挂账，移出分母
    LeftSuspended,
    /// 延期，移出本期
    LeftExtended,
    /// 没有时限的立案
    WithoutDeadline,
    /// 申诉成立的超时
    Excused,
    /// 迟到、而按手机自身计时在时限内
    ByPhone,
}

impl Measure {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 24] = [
        Self::Reported,
        Self::Filed,
        Self::SettledOnSite,
        Self::Due,
        Self::Closed,
        Self::ClosedOnTime,
        Self::Reworked,
        Self::Extended,
        Self::Received,
        Self::Returned,
        Self::Checked,
        Self::PassedFirst,
        Self::UnitDue,
        Self::UnitOnTime,
        Self::OfficeDue,
        Self::OfficeOnTime,
        Self::LeftDeclined,
        Self::LeftVoid,
        Self::LeftDuplicate,
        Self::LeftSuspended,
        Self::LeftExtended,
        Self::WithoutDeadline,
        Self::Excused,
        Self::ByPhone,
    ];
}

/// A rate: one count over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// 立案率
    Filing,
    /// 结案率
    Closing,
    /// 按期结案率：案件的按期率
    OnTimeClosing,
    /// 责任单位按期率
    OnTimeUnit,
    /// 受理派遣核查岗位按期率
    OnTimeOffice,
    /// 返工率
    Rework,
    /// 延期率
    Extension,
    /// 退单率
    Return,
    /// 一次核查合格率
    FirstPass,
}

impl Rate {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Filing,
        Self::Closing,
        Self::OnTimeClosing,
        Self::OnTimeUnit,
        Self::OnTimeOffice,
        Self::Rework,
        Self::Extension,
        Self::Return,
        Self::FirstPass,
    ];
}

/// What figures are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// 责任单位
    Unit,
    /// 区域：the areas directly below the one asked for
    Area,
    /// 类别
    Category,
}

/// Which figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FiguresAsked {
    /// The first day of the period, in the district's time zone.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub from: Day,
    /// The day behind its last one.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub until: Day,
    /// What they are told apart by.
    pub by: GroupBy,
    /// Only this area and below; all that the reader may ask about if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
}

/// A rate, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateValue {
    /// How many.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// Per cent to two decimals, half up; none of nothing.
    pub percent: Option<String>,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiguresRow {
    /// The id of the unit or area, or the code of the category; none of what belongs to no group, and of the total.
    pub group: Option<String>,
    /// Its name.
    pub name: Option<Text>,
    /// The counts.
    pub counts: BTreeMap<Measure, u64>,
    /// The rates.
    pub rates: BTreeMap<Rate, RateValue>,
}

/// Figures of a period, as they stood at the cut-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    /// What was asked for.
    pub asked: FiguresAsked,
    /// The cut-off: what was received later is not in it.
    pub cutoff_ms: u64,
    /// The newest revision that is in it.
    pub cutoff_rev: u64,
    /// The epoch of that revision.
    pub epoch: EpochId,
    /// Everything.
    pub total: FiguresRow,
    /// By group.
    pub rows: Vec<FiguresRow>,
}

/// Figures with what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiguresAnswer {
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// What each count counts.
    pub measures: Vec<MeasureDefinition>,
    /// What each rate is made of.
    pub rates: Vec<RateDefinition>,
}

/// What a count counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeasureDefinition {
    /// Its stable name.
    pub measure: Measure,
    /// Its name.
    pub name: Text,
    /// What it counts.
    pub definition: Text,
}

/// What a rate is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RateDefinition {
    /// Its stable name.
    pub rate: Rate,
    /// Its name.
    pub name: Text,
    /// What stands above the line.
    pub numerator: Measure,
    /// What stands below it.
    pub denominator: Measure,
}

/// The cases of a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiguresCases {
    /// The cases, by id.
    pub cases: Vec<FiguresCase>,
    /// Ask with `after` this for the next page; none on the last page.
    pub next: Option<EntityId>,
}

/// A case of a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiguresCase {
    /// The case.
    pub case: EntityId,
    /// Its short code.
    pub short_code: String,
    /// Its official number.
    pub number: Option<String>,
    /// How often it counts: once, but for limits of which a case can have several.
    pub times: u64,
}

/// Publishing figures. A later one of the same period, group and area is a correction, and says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishFigures {
    /// The first day of the period, in the district's time zone.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub from: Day,
    /// The day behind its last one.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub until: Day,
    /// What they are told apart by.
    pub by: GroupBy,
    /// The area that they are of, with all below it.
    pub area: AreaId,
    /// Why what was published before is corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Published figures: a row that is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// Its number in the log, from 1 on.
    pub nth: u64,
    /// Who published it.
    pub by_account: AccountId,
    /// The figures.
    pub figures: Figures,
    /// The publication that it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<PublicationId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is other than in the one it corrects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FiguresChange>,
    /// SHA-256 of the publication before it in the log, as it is stored; zeros for the first.
    pub previous: Hash,
}

/// A count that a correction changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FiguresChange {
    /// It is of the total; else of the group.
    pub total: bool,
    /// The group.
    pub group: Option<String>,
    /// The count.
    pub measure: Measure,
    /// What was published.
    pub was: u64,
    /// What it is now.
    pub now: u64,
}

/// A list of publications, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Publications {
    /// The publications that the reader may see.
    pub publications: Vec<PublicationRow>,
    /// Ask with `before` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// A publication in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicationRow {
    /// Its id.
    pub id: PublicationId,
    /// Its number in the log.
    pub nth: u64,
    /// Who published it.
    pub by_account: AccountId,
    /// What was asked for.
    pub asked: FiguresAsked,
    /// The cut-off.
    pub cutoff_ms: u64,
    /// The publication that it corrects.
    pub corrects: Option<PublicationId>,
}

/// A publication with what came too late for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicationView {
    /// The publication, as it was made.
    pub publication: Publication,
    /// SHA-256 of it as it is stored: the next one names it.
    pub sha256: Hash,
    /// Reports captured before the end of its period and received after its cut-off, as far as the reader may see them.
    pub late: Vec<LateReport>,
    /// There are more of these.
    pub more: bool,
}

/// A report that came after the cut-off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LateReport {
    /// The case.
    pub case: EntityId,
    /// Its short code.
    pub short_code: String,
    /// The latest that it can have been captured, in server time.
    pub captured_ms: u64,
    /// When it was received.
    pub received_ms: u64,
}
