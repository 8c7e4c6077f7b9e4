//! Who must hear of an entry. It follows from the entry, the case before and after it, the area tree and the accounts at
//! that revision, so a rebuild finds the same. It knows no database, and nothing of how a notice travels.

mod directory;
mod ladder;
mod look_back;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use schema::case::{Assignment, Case, State};
use schema::clock::{Clock, Timed};
use schema::ids::{LogId, OpId};
use schema::notice::{Addressed, NOTICE_KINDS, Notice, Noticed};
use schema::op::{Body, CheckVerdict};
use sync_core::area::AreaIndex;
use sync_core::time::WorkingCalendar;

pub use directory::Directory;
use ladder::{Ladder, Start};
pub(crate) use look_back::notice_of_look_back;

/// What took effect on a case.
pub(crate) struct Happened<'a> {
    pub(crate) op: OpId,
    pub(crate) kind: &'a str,
    pub(crate) body: &'a Body,
}

/// Where and when.
pub(crate) struct At {
    pub(crate) log: LogId,
    pub(crate) rev: u64,
    pub(crate) received_ms: u64,
}

/// The case before and after, and who is there to hear of it.
pub(crate) struct Around<'a> {
    pub(crate) before: Option<&'a Case>,
    pub(crate) after: &'a Case,
    pub(crate) areas: Option<&'a AreaIndex>,
    pub(crate) directory: &'a Directory,
    pub(crate) calendar: Option<&'a WorkingCalendar>,
}

/// Whether somebody may have to hear of an op.
pub(crate) fn is_told(kind: &str, body: &Body) -> bool {
    match body {
        Body::InterimCheck(body) => body.verdict == CheckVerdict::Fail,
        Body::IssueDeadline(body) => matches!(body.timed, Timed::Unit | Timed::Helper),
        _ => NOTICE_KINDS.contains(&kind),
    }
}

/// The notice of what happened; none if nobody has to hear of it.
pub(crate) fn notice(happened: &Happened<'_>, at: &At, around: &Around<'_>) -> Option<Notice> {
    let case = around.after;
    let assignment = case.assignment.as_ref().or_else(|| around.before?.assignment.as_ref());
    let duty = around.calendar.map(|calendar| (calendar, at.received_ms));
    let ladder = Ladder::new(case, assignment, around.areas, around.directory).at(duty);
    let (to, clock, level) = addressed(happened, around, assignment, &ladder)?;
    let mut said = said(happened, at, case, to, level);
    said.data.unit = assignment.map(|assignment| assignment.unit);
    said.data.stage = clock.map(|clock| clock.stage.clone());
    said.data.due_ms = clock.map(|clock| clock.due.at_ms);
    Some(said)
}

/// What is said of a case whatever happened to it: no unit, and nothing that is due.
fn said(happened: &Happened<'_>, at: &At, case: &Case, to: Addressed, level: Option<u8>) -> Notice {
    Notice {
        kind: format!("case.{}", happened.kind),
        timestamp: rfc3339(at.received_ms),
        data: Noticed {
            log: at.log,
            rev: at.rev,
            case: case.id,
            short_code: case.short_code.clone(),
            number: case.number.clone(),
            area: case.area,
            unit: None,
            stage: None,
            due_ms: None,
            level,
            to,
        },
    }
}

type ToWhom<'a> = (Addressed, Option<&'a Clock>, Option<u8>);

fn addressed<'a>(
    happened: &Happened<'_>,
    around: &Around<'a>,
    assignment: Option<&Assignment>,
    ladder: &Ladder<'_>,
) -> Option<ToWhom<'a>> {
    let case = around.after;
    let of_clock = |rev: u64| case.clocks.iter().find(|clock| clock.issued_rev == rev);
    let plain = |to| Some((to, None, None));
    match happened.body {
        // One that came too late stands as a conflict: nobody was given the case by it.
        Body::Assign(_) if assignment.is_none_or(|assignment| assignment.by.op != happened.op) => None,
        Body::Assign(_) => plain(ladder.reached_with_helpers()),
        Body::TakeOver(_) => plain(ladder.reached_with_helpers()),
        Body::Urge(_) | Body::Supervise(_) => plain(ladder.reached(Start::Holder)),
        // The first of two has granted it: the second is one step up.
        Body::DecideExtension(_) if case.extension.is_some() => plain(ladder.reached(Start::Office(1))),
        Body::DecideExtension(_) => plain(ladder.reached(Start::Holder)),
        Body::RequestExtension(_) | Body::FinishHelp(_) | Body::AskInterimCheck(_) | Body::InterimCheck(_) => {
            plain(ladder.reached(Start::Office(0)))
        }
        Body::ReturnAssignment(_) | Body::Relapse(_) => plain(ladder.reached(match case.arbitration {
            Some(area) => Start::Above(area),
            None => Start::Office(0),
        })),
        Body::IssueDeadline(body) => {
            let helper = body.unit.filter(|_| body.timed == Timed::Helper);
            let clock = case.clocks.iter().find(|clock| clock.is_of(&body.stage, helper))?;
            Some((ladder.reached(Start::of(clock, 0)), Some(clock), None))
        }
        Body::MarkDueSoon(body) | Body::MarkOverdue(body) => {
            let clock = of_clock(body.clock)?;
            Some((ladder.reached(Start::of(clock, 0)), Some(clock), None))
        }
        Body::Escalate(body) => {
            let clock = of_clock(body.clock)?;
            Some((ladder.reached(Start::of(clock, body.level)), Some(clock), Some(body.level)))
        }
        _ => None,
    }
}

/// Who must see to a case that nobody on its own step can: its unit has nobody who is there, or its office has nobody.
/// None where it has ended, or somebody of its own step is there.
pub(crate) fn left_to(case: &Case, areas: Option<&AreaIndex>, directory: &Directory) -> Option<Addressed> {
    let ladder = Ladder::new(case, case.assignment.as_ref(), areas, directory);
    let own = match case.state {
        State::Assigned => Start::Unit,
        State::Reported | State::Filed | State::Fixed | State::Checked => Start::Office(0),
        State::Closed | State::Declined | State::Duplicate | State::Void => return None,
    };
    (!ladder.is_manned(own)).then(|| ladder.reached(own))
}

/// The name under which a notice travels. The op is in it, and not the revision: where a log is set back and a phone
/// hands the same op in again, whoever was told of it knows.
pub fn webhook_id(op: OpId) -> String {
    format!("msg_{}", op.0.simple())
}

fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(Timestamp::MAX).to_string()
}
