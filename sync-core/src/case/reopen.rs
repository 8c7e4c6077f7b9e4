//! A case that ended goes on: because somebody above says so, or because it was found to have come back.

use schema::case::{Case, Relapsed, State};
use schema::ids::{AreaId, UnitId};
use schema::limits::PAST_MAX;
use schema::op::{Relapse, Reopen};
use schema::record::RefusalCode;

use super::evidence::{claim, has_room, keep};
use super::workflow::leave_units;
use super::{Step, stale};
use crate::ruling::Ruling;

/// `reopen`: a closed case from one level above who closed it, with a reason; a declined one goes back to reported.
pub(super) fn reopen(case: &Case, body: &Reopen, step: &Step<'_>) -> Ruling {
    let back_to = match case.state {
        State::Closed => State::Filed,
        State::Declined => State::Reported,
        _ => return stale(case),
    };
    if !is_above(case, step) {
        return Ruling::rejected(RefusalCode::NotPermitted).with("needs", "one_level_above");
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    claim(&mut after, &body.photos, step, false);
    go_on(&mut after, back_to, step);
    Ruling::accepted_case(after)
}

/// `relapse`: by the server, when somebody who looked again found it as before. Where the case was opened again
/// meanwhile, whoever has it knows.
pub(super) fn relapse(case: &Case, body: &Relapse, step: &Step<'_>) -> Ruling {
    let closed = case.end.as_ref().filter(|end| case.state == State::Closed && end.step.by.op == body.close);
    let Some(end) = closed else { return Ruling::unchanged() };
    let fixed_by = case.fix.as_ref().and_then(|fix| had_at(case, fix.by.rev));
    let closed_with = case.assignment.as_ref().map(|assignment| assignment.unit);
    let mut after = case.clone();
    after.relapses.push(Relapsed {
        found: body.found.clone(),
        rev: step.ctx.rev,
        task: body.task,
        closed_rev: end.step.by.rev,
        fixed_by,
        closed_with: closed_with.filter(|unit| Some(*unit) != fixed_by),
    });
    let surplus = after.relapses.len().saturating_sub(PAST_MAX);
    after.relapses.drain(..surplus);
    keep(&mut after.evidence, &body.photos, &body.found, false);
    after.arbitration = Some(end.area);
    go_on(&mut after, State::Filed, step);
    Ruling::accepted_case(after)
}

/// The unit that had a case at a revision, though it may have gone to another since.
fn had_at(case: &Case, rev: u64) -> Option<UnitId> {
    let before = case.predecessors.iter().find(|had| (had.from_rev..had.to_rev).contains(&rev));
    before.map(|had| had.unit).or_else(|| case.assignment.as_ref().map(|assignment| assignment.unit))
}

fn go_on(case: &mut Case, back_to: State, step: &Step<'_>) {
    leave_units(case, step);
    // What was settled on site was never filed: it starts as a report.
    case.state = if case.filed.is_some() { back_to } else { State::Reported };
    case.fix = None;
    case.check = None;
    case.end = None;
    case.needs_audit = false;
    case.reopened += 1;
}

/// One level above who ended it; at the top, somebody else at the top.
fn is_above(case: &Case, step: &Step<'_>) -> bool {
    let (Some(end), Some(acting), Some(areas)) = (&case.end, step.acting, step.ctx.areas) else { return false };
    let index = areas.document;
    let above = |area: AreaId| acting.area != area && index.covers(acting.area, area);
    let at_top = end.area == index.root() && acting.area == index.root();
    above(end.area) || (at_top && end.step.by.person != step.person())
}
