//! What counts of a case, from its document. A document holds the newest clock of each stage: where there can have been
//! others before, the entries tell of them.

use std::collections::BTreeSet;

use schema::case::{Case, State};
use schema::catalogue::Code;
use schema::clock::{Clock, Moment, Running, Timed};
use schema::figures::Measure;
use schema::ids::UnitId;
use schema::limits::APPROVALS;

use crate::case::kind_of;
use crate::clock::extensions;

/// What counts of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its category.
    pub category: Option<Code>,
    /// The unit that has it, or had it last.
    pub unit: Option<UnitId>,
    /// When it was received.
    pub reported_ms: u64,
    /// It was reported and settled in one.
    pub settled_on_site: bool,
    /// When it was filed.
    pub filed_ms: Option<u64>,
    /// It ended without being closed.
    pub left: Option<Left>,
    /// A check of it failed.
    pub reworked: bool,
    /// Whether its first check was passed; none if it was never checked.
    pub first_check: Option<bool>,
    /// The units that had it.
    pub received: BTreeSet<UnitId>,
    /// The units that handed it back.
    pub returned: BTreeSet<UnitId>,
    /// Its limits, in the order in which they began.
    pub clocks: Vec<Timing>,
}

/// How a case ended without being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Not filed.
    Declined,
    /// Void.
    Void,
    /// The same problem as another case.
    Duplicate,
}

impl Left {
    pub(super) fn measure(self) -> Measure {
        match self {
            Self::Declined => Measure::LeftDeclined,
            Self::Void => Measure::LeftVoid,
            Self::Duplicate => Measure::LeftDuplicate,
        }
    }
}

/// A limit that ran on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Who was timed.
    pub timed: Timed,
    /// The unit, of a limit of one.
    pub unit: Option<UnitId>,
    /// When it was due in the end.
    pub due_ms: u64,
    /// When it was due before, and what moved it.
    pub moved: Vec<(u64, Moved)>,
    /// It got more time.
    pub extended: bool,
    /// It was over before what it waited for was received.
    pub late: bool,
    /// An appeal against that was upheld by all who decide.
    pub excused: bool,
    /// The phone's own elapsed time says that it was kept.
    pub by_phone: bool,
    /// What became of it.
    pub ending: Ending,
}

/// What moved a due instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// More time was granted.
    Extended,
    /// The case was suspended.
    Suspended,
}

impl Moved {
    pub(super) fn measure(self) -> Measure {
        match self {
            Self::Extended => Measure::LeftExtended,
            Self::Suspended => Measure::LeftSuspended,
        }
    }
}

/// What became of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It runs.
    Open,
    /// What it waited for was received.
    Met,
    /// Its case is suspended.
    Suspended,
    /// It stands for another reason: handed back, or another body is waited for.
    Stands,
    /// Its case ended without it.
    Stopped,
}

/// Whether a document alone does not tell everything: clocks began anew, or were moved.
pub fn needs_entries(case: &Case) -> bool {
    let moved = |clock: &Clock| !clock.course.is_empty();
    case.returns > 0
        || case.reworks > 0
        || case.reopened > 0
        || !case.predecessors.is_empty()
        || case.clocks.iter().any(moved)
}

/// What counts of a case, as far as its document tells.
pub fn facts(case: &Case) -> Facts {
    let had: BTreeSet<UnitId> = case.predecessors.iter().map(|before| before.unit).collect();
    let has = case.assignment.as_ref().map(|now| now.unit);
    let returned: BTreeSet<UnitId> = case.returned_by.keys().copied().collect();
    Facts {
        category: kind_of(case).map(|(category, _)| category),
        unit: has.or_else(|| case.predecessors.last().map(|before| before.unit)),
        reported_ms: case.reported_ms,
        settled_on_site: case.filed.is_none() && case.state == State::Closed,
        filed_ms: case.filed.as_ref().map(|filed| filed.by.received_ms),
        left: match case.state {
            State::Declined => Some(Left::Declined),
            State::Void => Some(Left::Void),
            State::Duplicate => Some(Left::Duplicate),
            _ => None,
        },
        reworked: case.reworks > 0,
        first_check: case.check.as_ref().map(|check| check.code == "pass"),
        received: had.into_iter().chain(has).chain(returned.iter().copied()).collect(),
        returned,
        clocks: case.clocks.iter().map(timing).collect(),
    }
}

pub(super) fn timing(clock: &Clock) -> Timing {
    let granted = |appeal: &schema::clock::Appeal| appeal.decisions.iter().filter(|it| it.granted).count();
    Timing {
        timed: clock.timed,
        unit: clock.unit,
        due_ms: clock.due.at_ms,
        moved: Vec::new(),
        extended: extensions(clock) > 0,
        late: clock.overdue_rev.is_some(),
        excused: clock.appeal.as_ref().is_some_and(|appeal| granted(appeal) >= APPROVALS),
        by_phone: matches!(clock.running, Running::Met { by_phone: true, .. }),
        ending: match clock.running {
            Running::Running => Ending::Open,
            Running::Paused { by: Moment::Suspend, .. } => Ending::Suspended,
            Running::Paused { .. } => Ending::Stands,
            Running::Met { .. } => Ending::Met,
            Running::Stopped { .. } => Ending::Stopped,
        },
    }
}
