//! What meets, pauses and stops the clocks of a case, and what the server notes about them. When they are due is counted
//! once, in `clock`, and comes here as an entry.

use schema::case::{Assignment, Case};
use schema::clock::{Clock, Issued, Moment, Running, Stage, Timed, Turn};
use schema::ids::UnitId;
use schema::op::{Escalate, IssueDeadline, Marked};

use super::evidence::has_ended;
use super::{Step, stale};
use crate::clock::{course_of, moments};
use crate::ruling::Ruling;

/// Lets the clocks follow what happened to their case.
pub(super) fn follow(before: &Case, after: &mut Case, stages: &[&Stage], step: &Step<'_>) {
    let happened = moments(Some(before), after);
    let unlinked = has_ended(before) && !has_ended(after) && after.reopened == before.reopened;
    let (at_ms, rev) = (step.ctx.first_received_ms, step.ctx.rev);
    let begins = stages.iter().filter(|stage| others_wait(stage)).map(|stage| Moment::Begins(stage.code.clone()));
    let waits_for: Vec<Moment> = begins.filter(|begins| happened.contains(begins)).collect();
    let helpers = after.assignment.as_ref();
    for clock in &mut after.clocks {
        let stage = stages.iter().find(|stage| stage.code == clock.stage);
        let meets = stage.is_some_and(|stage| stage.meets.iter().any(|moment| happened.contains(moment)));
        let meets = meets && clock.helper().is_none_or(|unit| has_helped(helpers, unit));
        let pauses = || stage.and_then(|stage| stage.pauses.iter().find(|moment| happened.contains(moment)));
        let own = Moment::Begins(clock.stage.clone());
        match &clock.running {
            Running::Running | Running::Paused { .. } if meets => meet(clock, step),
            Running::Running | Running::Paused { .. } if happened.contains(&Moment::End) || left(helpers, clock) => {
                clock.running = Running::Stopped { at_ms, rev };
            }
            Running::Running => {
                let suspends = happened.contains(&Moment::Suspend).then_some(&Moment::Suspend);
                let waits = waits_for.iter().find(|begins| **begins != own);
                if let Some(by) = suspends.or_else(pauses).or(waits) {
                    clock.running = Running::Paused { at_ms, rev, by: by.clone() };
                }
            }
            // As if it had never been linked: the time in between was not given back to anybody.
            Running::Stopped { .. } if unlinked => clock.running = Running::Running,
            Running::Paused { .. } | Running::Met { .. } | Running::Stopped { .. } => {}
        }
    }
}

fn has_helped(assignment: Option<&Assignment>, unit: UnitId) -> bool {
    assignment.is_some_and(|assignment| assignment.helped.iter().any(|helped| helped.unit == unit))
}

/// Whether a clock is one of a unit that does not help any more.
fn left(assignment: Option<&Assignment>, clock: &Clock) -> bool {
    let helps = |unit| assignment.is_some_and(|assignment| assignment.co_units.contains(&unit));
    clock.helper().is_some_and(|unit| !helps(unit))
}

/// Whether everything else stands while a stage runs.
fn others_wait(stage: &Stage) -> bool {
    stage.procedure.is_some_and(|procedure| procedure.others_wait)
}

/// A clock is met by what the server received. If that came late, and the phone's own elapsed time shows that it was
/// made in time, both stand beside each other: people decide what that means.
fn meet(clock: &mut Clock, step: &Step<'_>) {
    let at_ms = step.ctx.first_received_ms;
    let late = clock.running == Running::Running && at_ms > clock.due.at_ms;
    let by_phone = late && step.ctx.captured.is_some_and(|captured| captured.to_ms <= clock.due.at_ms);
    if late && clock.overdue_rev.is_none() {
        clock.overdue_rev = Some(step.ctx.rev);
    }
    clock.running = Running::Met { at_ms, rev: step.ctx.rev, by_phone };
}

/// `issue_deadline`: by the server.
pub(super) fn issue(case: &Case, body: &IssueDeadline, stages: &[&Stage], step: &Step<'_>) -> Ruling {
    if has_ended(case) && body.why != Issued::Silence {
        return stale(case);
    }
    let helper = body.unit.filter(|_| body.timed == Timed::Helper);
    let same = |clock: &&Clock| clock.is_of(&body.stage, helper);
    let held = case.clocks.iter().find(same).filter(|_| body.why != Issued::Started);
    let (overdue_rev, escalated) = held.map_or((None, 0), |clock| (clock.overdue_rev, clock.escalated));
    // What a correction of the calendar moves behind the mark was never overdue.
    let by_ms = match held.map(|clock| &clock.running) {
        Some(Running::Met { at_ms, .. }) => *at_ms,
        _ => step.ctx.received_ms,
    };
    let recounts = matches!(body.why, Issued::Recounted | Issued::Silence);
    let stays = overdue_rev.filter(|_| !recounts || body.due.at_ms < by_ms);
    let mut course = held.map(|clock| course_of(clock, body.why, body.at_ms)).unwrap_or_default();
    course.extend(body.silence.map(|(from_ms, to_ms)| Turn::Pause { from_ms, to_ms }));
    let running = match held.filter(|_| body.why == Issued::Silence) {
        Some(clock) => clock.running.clone(),
        None => stands(case, body, stages),
    };
    let mut after = case.clone();
    // Whoever asked for more time asked for it on this clock.
    if let (Some(extension), Some(clock)) = (&mut after.extension, held)
        && extension.clock == clock.issued_rev
    {
        extension.clock = step.ctx.rev;
    }
    after.clocks.retain(|clock| !clock.is_of(&body.stage, helper));
    after.clocks.push(Clock {
        stage: body.stage.clone(),
        timed: body.timed,
        unit: body.unit,
        limit: body.limit,
        started_ms: body.started_ms,
        issued_rev: step.ctx.rev,
        due: body.due,
        soon_ms: body.soon_ms,
        escalates_ms: body.escalates_ms.clone(),
        calendar: body.calendar,
        course,
        running,
        soon_rev: held.and_then(|clock| clock.soon_rev).filter(|_| body.soon_ms < Some(step.ctx.received_ms)),
        overdue_rev: stays,
        escalated: if stays.is_some() { escalated } else { 0 },
        appeal: held.and_then(|clock| clock.appeal.clone()),
    });
    after.deadline_issued |= body.timed == Timed::Unit;
    Ruling::accepted_case(after)
}

/// A clock that is issued while its case is suspended, or while another body is waited for, stands from the start.
fn stands(case: &Case, body: &IssueDeadline, stages: &[&Stage]) -> Running {
    let waits = |clock: &&Clock| {
        let stage = stages.iter().find(|stage| stage.code == clock.stage);
        let waits = stage.is_some_and(|stage| others_wait(stage));
        waits && clock.stage != body.stage && clock.running == Running::Running
    };
    let paused = |rev, by| Running::Paused { at_ms: body.at_ms, rev, by };
    match (&case.suspended, case.clocks.iter().find(waits)) {
        (Some(suspension), _) => paused(suspension.by.rev, Moment::Suspend),
        (None, Some(clock)) => paused(clock.issued_rev, Moment::Begins(clock.stage.clone())),
        (None, None) => Running::Running,
    }
}

/// The running clock that the server has something to note about.
fn running(case: &mut Case, issued_rev: u64) -> Option<&mut Clock> {
    case.clocks.iter_mut().find(|clock| clock.issued_rev == issued_rev && clock.running == Running::Running)
}

/// `mark_due_soon`: by the server.
pub(super) fn mark_due_soon(case: &Case, body: &Marked, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    match running(&mut after, body.clock) {
        Some(clock) if clock.soon_rev.is_none() => clock.soon_rev = Some(step.ctx.rev),
        _ => return Ruling::unchanged(),
    }
    Ruling::accepted_case(after)
}

/// `mark_overdue`: by the server, once.
pub(super) fn mark_overdue(case: &Case, body: &Marked, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    match running(&mut after, body.clock) {
        Some(clock) if clock.overdue_rev.is_none() => clock.overdue_rev = Some(step.ctx.rev),
        _ => return Ruling::unchanged(),
    }
    // More time is asked for before the limit ends, or not at all.
    if after.extension.as_ref().is_some_and(|extension| extension.clock == body.clock) {
        after.extension = None;
    }
    Ruling::accepted_case(after)
}

/// `escalate`: by the server, one level after the other.
pub(super) fn escalate(case: &Case, body: &Escalate) -> Ruling {
    let mut after = case.clone();
    match running(&mut after, body.clock) {
        Some(clock) if clock.escalated < body.level => clock.escalated = body.level,
        _ => return Ruling::unchanged(),
    }
    Ruling::accepted_case(after)
}
