//! Clocks (计时): the limits that run on a case. Which step starts, pauses and ends one is data of the catalogue; when it
//! falls due is an entry of the log, so that nobody computes a deadline twice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::case::By;
use crate::catalogue::{Code, NotACode, Text};
use crate::deadline::{Due, Limit};
use crate::hash::Hash;
use crate::ids::{OpId, UnitId};
use crate::op::Sealed;

/// A stage (环节) of the procedure with the limit that runs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its code, unique among the stages that a case has.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// Who is timed.
    pub timed: Timed,
    /// How long it may take.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub limit: Limit,
    /// The limit in the words of the standard it is from; it must say the same as `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// What starts its clock.
    pub starts: Vec<Moment>,
    /// What meets it.
    pub meets: Vec<Moment>,
    /// What pauses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Moment>,
    /// What lets it go on with what was left: of a clock of a unit, for that unit alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumes: Vec<Moment>,
    /// Counted from its start: from then on it is due soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub soon_after: Option<Limit>,
    /// Counted from the due instant: when the next level hears of it, from the unit upwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub escalates_after: Vec<Limit>,
    /// What `end_stage` of it needs. None: it has no end of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<Procedure>,
    /// Every so many days after its end somebody looks whether what it ordered is kept, while the case is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interim_check_days: Option<u8>,
}

/// A stage of a legal procedure, ended by `end_stage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Documents that must be named with it, as photos in the role `document`.
    pub documents: u8,
    /// It is refused at night and on statutory holidays (Administrative Compulsion Law of the PRC, article 43).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_day_only: bool,
    /// While it runs another body is waited for: every other clock of the case stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub others_wait: bool,
}

/// Who is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Timed {
    /// The unit that has the case.
    Unit,
    /// Each unit that helps (协办), by a clock of its own.
    Helper,
    /// The case itself, from filing to close: nothing in between starts it anew.
    Case,
    /// The office: who files, assigns, checks and closes.
    Office,
}

/// Something that happens to a case and that a clock listens to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// It was reported.
    Report,
    /// It was filed.
    File,
    /// It went to a unit.
    Assign,
    /// The unit signed for it.
    Accept,
    /// The unit handed it back.
    Return,
    /// The unit says it is fixed.
    Fix,
    /// A unit that helps has done its part.
    Help,
    /// Its check was passed.
    CheckPassed,
    /// Its check failed.
    CheckFailed,
    /// It was closed.
    Close,
    /// It ended, in whichever way.
    End,
    /// It was opened again.
    Reopen,
    /// It was suspended.
    Suspend,
    /// Its suspension ended.
    Resume,
    /// A stage began.
    Begins(Code),
    /// A stage ended.
    Ends(Code),
}

const MOMENTS: [(&str, Moment); 14] = [
    ("report", Moment::Report),
    ("file", Moment::File),
    ("assign", Moment::Assign),
    ("accept", Moment::Accept),
    ("return", Moment::Return),
    ("fix", Moment::Fix),
    ("help", Moment::Help),
    ("check_passed", Moment::CheckPassed),
    ("check_failed", Moment::CheckFailed),
    ("close", Moment::Close),
    ("end", Moment::End),
    ("reopen", Moment::Reopen),
    ("suspend", Moment::Suspend),
    ("resume", Moment::Resume),
];

/// Why a text names no moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAMoment(pub String);

impl fmt::Display for NotAMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a moment (begins:STAGE, ends:STAGE")?;
        MOMENTS.iter().try_for_each(|(name, _)| write!(f, ", {name}"))?;
        write!(f, "): {:?}", self.0)
    }
}

impl std::error::Error for NotAMoment {}

impl FromStr for Moment {
    type Err = NotAMoment;
    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let stage = |code: &str| code.parse().map_err(|NotACode(_)| NotAMoment(text.to_owned()));
        if let Some(code) = text.strip_prefix("begins:") {
            return stage(code).map(Self::Begins);
        }
        if let Some(code) = text.strip_prefix("ends:") {
            return stage(code).map(Self::Ends);
        }
        let known = MOMENTS.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, moment)| moment).ok_or_else(|| NotAMoment(text.to_owned()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begins(code) => write!(f, "begins:{code}"),
            Self::Ends(code) => write!(f, "ends:{code}"),
            named => f.write_str(MOMENTS.iter().find(|(_, moment)| moment == named).map_or("", |(name, _)| name)),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Moment {}

/// A clock on a case: the newest of its stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Clock {
    /// Its stage.
    pub stage: Code,
    /// Who is timed.
    pub timed: Timed,
    /// The unit, of a clock of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// How long it may take.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub limit: Limit,
    /// When it started, in ms.
    pub started_ms: u64,
    /// The revision that issued its deadline: it tells clocks of a case apart. 0: no entry did, a device reckons so
    /// until the server has said.
    pub issued_rev: u64,
    /// When it is due.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub due: Due,
    /// From when on it is due soon, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soon_ms: Option<u64>,
    /// When the next levels hear of it, in ms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalates_ms: Vec<u64>,
    /// The calendar it was counted by.
    pub calendar: Hash,
    /// Pauses and extensions so far, in order: with them it can be counted again by another calendar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub course: Vec<Turn>,
    /// Whether it runs.
    pub running: Running,
    /// It was marked as due soon, at this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soon_rev: Option<u64>,
    /// It was marked as overdue, at this revision: a fact that stays, whatever an appeal says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue_rev: Option<u64>,
    /// How many levels have heard of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub escalated: u8,
    /// What was said against its being overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Appeal>,
}

impl Clock {
    /// The unit that helps, of a clock of one.
    pub fn helper(&self) -> Option<UnitId> {
        self.unit.filter(|_| self.timed == Timed::Helper)
    }

    /// Whether it is the clock of a stage: of one that times units that help, of this one.
    pub fn is_of(&self, stage: &Code, helper: Option<UnitId>) -> bool {
        self.stage == *stage && self.helper() == helper
    }
}

crate::tagged! { "turn" "Turn";
/// What moved a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "turn", rename_all = "snake_case")]
pub enum Turn {
    /// The clock stood.
    Pause {
        /// From, in ms.
        from_ms: u64,
        /// To, in ms.
        to_ms: u64,
    },
    /// It got its limit once more.
    Extension,
}
}

crate::tagged! { "is" "Running";
/// Whether a clock runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Running {
    /// It runs.
    Running,
    /// It stands, since then.
    Paused {
        /// In ms.
        at_ms: u64,
        /// The revision that paused it.
        rev: u64,
        /// What paused it.
        by: Moment,
    },
    /// What it waited for was received.
    Met {
        /// In ms.
        at_ms: u64,
        /// The revision.
        rev: u64,
        /// It came late, and was captured in time by the phone's own elapsed time: a signal for people.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_phone: bool,
    },
    /// The case ended otherwise: there is nothing to wait for.
    Stopped {
        /// In ms.
        at_ms: u64,
        /// The revision.
        rev: u64,
    },
}
}

/// What was said against a clock's being overdue (超时申诉), once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Appeal {
    /// Who, when.
    pub by: By,
    /// Why, sealed.
    pub reason: Sealed,
    /// What two people decided, one after the other; the first refusal ends it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decided>,
}

/// What somebody decided on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decided {
    /// Who, when.
    pub by: By,
    /// It is granted.
    pub granted: bool,
    /// Why, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed>,
}

/// A case that nothing can be done about for now (挂账): every clock of it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Suspension {
    /// Who, when.
    pub by: By,
    /// Until when at most, in ms: it then ends by itself.
    pub until_ms: u64,
    /// Why, sealed.
    pub reason: Sealed,
}

/// A request for more time (延期), while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Extension {
    /// Who asks, when.
    pub by: By,
    /// The op.
    pub request: OpId,
    /// The clock, by the revision that issued its deadline.
    pub clock: u64,
    /// Why, sealed.
    pub reason: Sealed,
    /// Who has granted it so far: two people must.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<Decided>,
}

/// Why a deadline was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Issued {
    /// Its clock starts.
    Started,
    /// It goes on after a pause.
    Resumed,
    /// More time was granted.
    Extended,
    /// Another calendar is in force.
    Recounted,
    /// It fell due while no server was at work, and that was excused.
    Silence,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}
