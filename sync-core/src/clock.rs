//! The limits that run on a case: what happens to it starts, pauses and ends clocks, as the catalogue says, and a due
//! instant is counted once, by the calendar in force, and recorded.

use std::collections::BTreeSet;

use schema::case::{By, Case, State};
use schema::catalogue::{Catalogue, Subtype};
use schema::clock::{Clock, Issued, Moment, Running, Stage, Timed, Turn};
use schema::deadline::{Due, Limit, TimeUnit};
use schema::entity::Silence;
use schema::hash::Hash;
use schema::ids::UnitId;
use schema::op::IssueDeadline;
use serde::Serialize;

use crate::case::has_ended;
use crate::context::{Context, InForce};
use crate::time::{TimeError, WorkingCalendar, due, shifted};

/// The stages of a subtype: its own, and those of every case that it has none of its own for.
pub fn stages<'a>(catalogue: &'a Catalogue, subtype: &'a Subtype) -> Vec<&'a Stage> {
    let own = |code| subtype.stages.iter().any(|stage| stage.code == code);
    let general = catalogue.stages.iter().filter(|stage| !own(stage.code.clone()));
    general.chain(&subtype.stages).collect()
}

/// What happened to a case between two versions of it, whichever op brought it about.
pub fn moments(before: Option<&Case>, after: &Case) -> BTreeSet<Moment> {
    let mut found = BTreeSet::new();
    let Some(before) = before else {
        // What is settled on site was never waited for.
        if after.state == State::Reported {
            found.insert(Moment::Report);
        }
        return found;
    };
    let mut note = |moment: Moment, happened: bool| {
        if happened {
            found.insert(moment);
        }
    };
    let anew = |was: Option<&By>, now: Option<&By>| now.is_some() && was.map(|by| by.rev) != now.map(|by| by.rev);
    let assigned = |case: &Case| case.assignment.as_ref().map(|it| it.by.rev);
    note(Moment::File, anew(before.filed.as_ref().map(|it| &it.by), after.filed.as_ref().map(|it| &it.by)));
    note(Moment::Assign, assigned(after).is_some() && assigned(before) != assigned(after));
    note(Moment::Accept, anew(signed(before), signed(after)));
    note(Moment::Return, after.returns > before.returns);
    let helped = |case: &Case| case.assignment.as_ref().map_or(0, |assignment| assignment.helped.len());
    note(Moment::Help, helped(after) > helped(before));
    note(Moment::Fix, anew(before.fix.as_ref().map(|it| &it.by), after.fix.as_ref().map(|it| &it.by)));
    let checked = anew(before.check.as_ref().map(|it| &it.by), after.check.as_ref().map(|it| &it.by));
    note(Moment::CheckFailed, after.reworks > before.reworks);
    note(Moment::CheckPassed, checked && after.reworks == before.reworks);
    let ends = has_ended(after) && !has_ended(before);
    note(Moment::End, ends);
    note(Moment::Close, ends && after.state == State::Closed);
    note(Moment::Reopen, after.reopened > before.reopened);
    note(Moment::Suspend, before.suspended.is_none() && after.suspended.is_some());
    note(Moment::Resume, before.suspended.is_some() && after.suspended.is_none());
    for done in after.stages.iter().skip(before.stages.len()) {
        note(Moment::Ends(done.stage.clone()), true);
    }
    for clock in &after.clocks {
        let was = before.clocks.iter().find(|it| it.is_of(&clock.stage, clock.helper())).map(|it| it.issued_rev);
        note(Moment::Begins(clock.stage.clone()), was != Some(clock.issued_rev) && clock.running == Running::Running);
    }
    found
}

fn signed(case: &Case) -> Option<&By> {
    case.assignment.as_ref()?.accepted.as_ref()
}

/// Counts a deadline from its start over all that moved it since.
///
/// # Errors
/// [`TimeError`].
pub fn reckon(from_ms: u64, limit: Limit, course: &[Turn], calendar: &WorkingCalendar) -> Result<Due, TimeError> {
    let start = due(from_ms, limit, calendar)?;
    course.iter().try_fold(start, |now, turn| match *turn {
        Turn::Pause { from_ms, to_ms } => shifted(now, limit, from_ms, to_ms, calendar),
        Turn::Extension => {
            let more = due(now.at_ms, limit, calendar)?;
            Ok(Due { at_ms: more.at_ms, confidence: more.confidence.max(now.confidence) })
        }
    })
}

/// A clock whose deadline is to be issued, with why.
struct Turned<'a> {
    stage: &'a Stage,
    /// The unit that helps, of a clock of one.
    helper: Option<UnitId>,
    held: Option<&'a Clock>,
    why: Issued,
}

/// The deadlines that follow from what happened to a case. None where no calendar is in force: nothing is guessed.
///
/// # Errors
/// [`TimeError`]: a time beyond what can be told.
pub(crate) fn deadlines(
    before: Option<&Case>,
    after: &Case,
    stages: &[&Stage],
    ctx: &Context<'_>,
) -> Result<Vec<IssueDeadline>, TimeError> {
    let Some(calendar) = ctx.calendar else { return Ok(Vec::new()) };
    let happened = moments(before, after);
    if has_ended(after) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (stage, helper) in stages.iter().flat_map(|stage| timed(stage, after).map(move |helper| (*stage, helper))) {
        let of_it = |clock: &&Clock| clock.is_of(&stage.code, helper);
        let held = after.clocks.iter().find(of_it);
        let was = before.and_then(|case| case.clocks.iter().find(of_it));
        let why = match held {
            Some(clock) if goes_on(stage, clock, after, &happened) => Issued::Resumed,
            Some(clock) if extensions(clock) > was.map_or(0, extensions) => Issued::Extended,
            _ if starts(stage, held, after, &happened) => Issued::Started,
            _ => continue,
        };
        let turned = Turned { stage, helper, held, why };
        found.push(issue(after, &turned, ctx.first_received_ms, calendar)?);
    }
    Ok(found)
}

/// Whom a stage times: each unit that helps, or one.
fn timed<'a>(stage: &Stage, case: &'a Case) -> impl Iterator<Item = Option<UnitId>> + use<'a> {
    let helps = stage.timed == Timed::Helper;
    let helping = case.assignment.iter().flat_map(|assignment| &assignment.co_units).map(|unit| Some(*unit));
    helping.filter(move |_| helps).chain((!helps).then_some(None))
}

/// How a clock stands at a time, as a list shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// It runs, with time left.
    InTime,
    /// It runs and is due soon.
    DueSoon,
    /// It runs and its limit is over.
    Overdue,
    /// It stands.
    Paused,
    /// It was met within its limit.
    Met,
    /// It was met, too late.
    MetLate,
    /// Its case ended without it.
    Stopped,
}

/// How a clock stands at a time.
pub fn light(clock: &Clock, now_ms: u64) -> Light {
    match clock.running {
        Running::Running if clock.overdue_rev.is_some() || now_ms > clock.due.at_ms => Light::Overdue,
        Running::Running if clock.soon_ms.is_some_and(|soon_ms| now_ms >= soon_ms) => Light::DueSoon,
        Running::Running => Light::InTime,
        Running::Paused { .. } => Light::Paused,
        Running::Met { .. } if clock.overdue_rev.is_some() => Light::MetLate,
        Running::Met { .. } => Light::Met,
        Running::Stopped { .. } => Light::Stopped,
    }
}

/// The running clock of a case that is due first.
pub fn next_due(case: &Case) -> Option<&Clock> {
    case.clocks.iter().filter(|clock| clock.running == Running::Running).min_by_key(|clock| clock.due.at_ms)
}

/// How often a clock was extended.
pub fn extensions(clock: &Clock) -> usize {
    clock.course.iter().filter(|turn| **turn == Turn::Extension).count()
}

fn unit_of(case: &Case) -> Option<UnitId> {
    case.assignment.as_ref().map(|assignment| assignment.unit)
}

fn goes_on(stage: &Stage, clock: &Clock, case: &Case, happened: &BTreeSet<Moment>) -> bool {
    let same_unit = clock.timed != Timed::Unit || clock.unit == unit_of(case);
    let by_stage = || same_unit && stage.resumes.iter().any(|moment| happened.contains(moment));
    match &clock.running {
        Running::Paused { by: Moment::Suspend, .. } => happened.contains(&Moment::Resume),
        Running::Paused { by: Moment::Begins(other), .. } => happened.contains(&Moment::Ends(other.clone())),
        Running::Paused { .. } => by_stage(),
        // A new assignment after it was met is a new limit; a failed check gives back no more than the check took.
        Running::Met { .. } => happened.contains(&Moment::CheckFailed) && by_stage(),
        Running::Running | Running::Stopped { .. } => false,
    }
}

fn starts(stage: &Stage, held: Option<&Clock>, case: &Case, happened: &BTreeSet<Moment>) -> bool {
    if !stage.starts.iter().any(|moment| happened.contains(moment)) {
        return false;
    }
    if stage.timed == Timed::Unit && case.assignment.is_none() {
        return false;
    }
    match held {
        None => true,
        Some(clock) if clock.timed == Timed::Unit && clock.unit != unit_of(case) => true,
        Some(clock) => matches!(clock.running, Running::Met { .. } | Running::Stopped { .. }),
    }
}

fn issue(
    case: &Case,
    turned: &Turned<'_>,
    at_ms: u64,
    calendar: InForce<'_, WorkingCalendar>,
) -> Result<IssueDeadline, TimeError> {
    let Turned { stage, helper, held, why } = *turned;
    let held = held.filter(|_| why != Issued::Started);
    let own = || case.assignment.as_ref()?.co_limits.get(&helper?).copied();
    let limit = held.map_or_else(|| own().unwrap_or(stage.limit), |clock| clock.limit);
    let started_ms = held.map_or(at_ms, |clock| clock.started_ms);
    let course = held.map(|clock| course_of(clock, why, at_ms)).unwrap_or_default();
    let unit = if stage.timed == Timed::Unit { unit_of(case) } else { helper };
    let unit = held.map_or(unit, |clock| clock.unit);
    let own_hours = unit.filter(|_| limit.unit == TimeUnit::WorkingHours).and_then(|it| calendar.document.of_unit(it));
    let counted_by = own_hours.as_ref().unwrap_or(calendar.document);
    let due = reckon(started_ms, limit, &course, counted_by)?;
    let soon_ms = match (why, stage.soon_after, held) {
        (Issued::Extended, Some(_), Some(clock)) => Some(clock.due.at_ms),
        (_, Some(soon_after), _) => Some(reckon(started_ms, soon_after, &course, counted_by)?.at_ms),
        (_, None, _) => None,
    };
    Ok(IssueDeadline {
        stage: stage.code.clone(),
        timed: stage.timed,
        unit,
        limit,
        started_ms,
        why,
        at_ms,
        was: held.map(|clock| clock.due),
        due,
        soon_ms,
        escalates_ms: escalations(stage, due, calendar.document)?,
        calendar: calendar.sha256,
        silence: None,
    })
}

fn escalations(stage: &Stage, at: Due, calendar: &WorkingCalendar) -> Result<Vec<u64>, TimeError> {
    stage.escalates_after.iter().map(|limit| due(at.at_ms, *limit, calendar).map(|found| found.at_ms)).collect()
}

/// The course of a clock with the turn that is being issued.
pub(crate) fn course_of(clock: &Clock, why: Issued, at_ms: u64) -> Vec<Turn> {
    let mut course = clock.course.clone();
    let stood = match (why, &clock.running) {
        (Issued::Resumed, Running::Paused { at_ms: from_ms, .. } | Running::Met { at_ms: from_ms, .. }) => {
            Some(*from_ms)
        }
        _ => None,
    };
    course.extend(stood.map(|from_ms| Turn::Pause { from_ms, to_ms: at_ms.max(from_ms) }));
    course
}

/// The deadlines of a case that fell due in a silence of the server, with its working time given back. Each silence counts
/// once; what was met in time, or long after, keeps its deadline.
///
/// # Errors
/// [`TimeError`].
pub fn excused(
    case: &Case,
    stages: &[&Stage],
    silences: &[Silence],
    calendar: InForce<'_, WorkingCalendar>,
    at_ms: u64,
) -> Result<Vec<IssueDeadline>, TimeError> {
    let mut found = Vec::new();
    for silence in silences.iter().filter(|silence| silence.decided.as_ref().is_some_and(|decided| decided.excuse)) {
        let (from_ms, to_ms) = (silence.from_ms, silence.to_ms);
        let gap = Turn::Pause { from_ms, to_ms };
        for clock in &case.clocks {
            let waits = match clock.running {
                Running::Running => true,
                Running::Met { .. } => clock.overdue_rev.is_some(),
                Running::Paused { .. } | Running::Stopped { .. } => false,
            };
            let fell_due = (from_ms..=to_ms).contains(&clock.due.at_ms) && !clock.course.contains(&gap);
            let Some(stage) = stages.iter().find(|stage| stage.code == clock.stage) else { continue };
            if !waits || !fell_due {
                continue;
            }
            let mut given = clock.clone();
            given.course.push(gap);
            let turned = Turned { stage, helper: clock.helper(), held: Some(&given), why: Issued::Silence };
            let issued = issue(case, &turned, at_ms, calendar)?;
            found.push(IssueDeadline { silence: Some((from_ms, to_ms)), ..issued });
        }
    }
    Ok(found)
}

/// The deadlines of a case that another calendar moves, or makes exact. What stands is counted anew when it goes on;
/// what was met or has ended stays as it was.
///
/// # Errors
/// [`TimeError`].
pub fn recounted(
    case: &Case,
    stages: &[&Stage],
    calendar: &WorkingCalendar,
    sha256: Hash,
    at_ms: u64,
) -> Result<Vec<IssueDeadline>, TimeError> {
    let mut found = Vec::new();
    for clock in case.clocks.iter().filter(|clock| clock.running == Running::Running) {
        let Some(stage) = stages.iter().find(|stage| stage.code == clock.stage) else { continue };
        let in_force = InForce { sha256, document: calendar };
        let turned = Turned { stage, helper: clock.helper(), held: Some(clock), why: Issued::Recounted };
        let issued = issue(case, &turned, at_ms, in_force)?;
        if issued.due != clock.due {
            found.push(issued);
        }
    }
    Ok(found)
}
