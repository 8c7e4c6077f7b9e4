//! What people ask about the time of a case: suspending it, more time, appeals, reminders; and the stages of a procedure.

use schema::case::{Case, Mark, StageEnd, State};
use schema::clock::{Appeal, Clock, Decided, Extension, Running, Suspension, Timed, Turn};
use schema::ids::AreaId;
use schema::limits::{APPROVALS, DAY_MS, EXTENSIONS_MAX, SUSPENSION_DAYS_MAX};
use schema::op::{
    AppealOverdue, DecideAppeal, DecideExtension, EndStage, EvidenceRole, Reason, RequestExtension, Resume, Role,
    Sealed, Suspend, Urge,
};
use schema::record::RefusalCode;

use super::evidence::{claim, has_ended, has_room};
use super::{Step, stale};
use crate::clock::{extensions, stages};
use crate::permission::works_for;
use crate::ruling::Ruling;

fn clock_of<'a>(case: &'a mut Case, stage: &schema::catalogue::Code) -> Option<&'a mut Clock> {
    case.clocks.iter_mut().find(|clock| clock.stage == *stage)
}

/// `suspend` (挂账): once, until a date within a year.
pub(super) fn suspend(case: &Case, body: &Suspend, step: &Step<'_>) -> Ruling {
    if has_ended(case) || case.suspended.is_some() {
        return stale(case);
    }
    if case.was_suspended {
        return Ruling::rejected(RefusalCode::Quota).with("suspensions", 1);
    }
    let latest = step.ctx.received_ms.saturating_add(SUSPENSION_DAYS_MAX.saturating_mul(DAY_MS));
    if body.until_ms <= step.ctx.received_ms || body.until_ms > latest {
        return Ruling::invalid("until_ms");
    }
    let mut after = case.clone();
    after.was_suspended = true;
    after.suspended = Some(Suspension { by: step.by(), until_ms: body.until_ms, reason: body.reason });
    Ruling::accepted_case(after)
}

/// `resume`: by a supervisor, or by the server when the date has come.
pub(super) fn resume(case: &Case, body: &Resume, step: &Step<'_>) -> Ruling {
    if body.reason.is_none() && !step.ctx.by_server {
        return Ruling::invalid("reason");
    }
    let mut after = case.clone();
    match after.suspended.take() {
        Some(_) => Ruling::accepted_case(after),
        None => stale(case),
    }
}

/// `request_extension` (延期): by the unit, while its clock runs and is not over, twice at most.
pub(super) fn request_extension(case: &Case, body: &RequestExtension, step: &Step<'_>) -> Ruling {
    let works_there = step.ctx.actor.is_some_and(|actor| works_for(actor, case));
    let found = case.clocks.iter().find(|clock| clock.stage == body.stage && clock.timed == Timed::Unit);
    let Some(clock) = found else { return Ruling::invalid("stage") };
    if !works_there || case.extension.is_some() || !in_time(clock, step) {
        return stale(case).with("due_ms", clock.due.at_ms);
    }
    if extensions(clock) >= EXTENSIONS_MAX {
        return Ruling::rejected(RefusalCode::Quota).with("extensions", EXTENSIONS_MAX);
    }
    let mut after = case.clone();
    after.extension = Some(Extension {
        by: step.by(),
        request: step.op.op,
        clock: clock.issued_rev,
        reason: body.reason,
        granted: Vec::new(),
    });
    Ruling::accepted_case(after)
}

/// Whether a clock runs and its limit has not ended.
fn in_time(clock: &Clock, step: &Step<'_>) -> bool {
    clock.running == Running::Running && clock.overdue_rev.is_none() && step.ctx.received_ms <= clock.due.at_ms
}

fn decided(step: &Step<'_>, granted: bool, reason: Option<Sealed>) -> Decided {
    Decided { by: step.by(), granted, reason }
}

/// `decide_extension`: two people must grant it, a supervisor among them, neither of them who asked; the first may be of
/// the unit. The first refusal ends it, and so does the end of the limit.
pub(super) fn decide_extension(case: &Case, body: &DecideExtension, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    let Some(mut extension) = after.extension.take().filter(|open| open.request == body.request) else {
        return stale(case);
    };
    let decides = extension.by.person == step.person();
    if decides || extension.granted.iter().any(|by| by.by.person == step.person()) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    if !body.grant {
        return Ruling::accepted_case(after);
    }
    let running = after.clocks.iter_mut().find(|clock| clock.issued_rev == extension.clock);
    let Some(clock) = running.filter(|clock| in_time(clock, step)) else { return stale(case) };
    extension.granted.push(decided(step, true, body.reason));
    let supervised = extension.granted.iter().any(|by| by.by.role == Some(Role::Supervisor));
    if extension.granted.len() < APPROVALS {
        after.extension = Some(extension);
    } else if supervised {
        clock.course.push(Turn::Extension);
    } else {
        return Ruling::rejected(RefusalCode::NotPermitted).with("needs", "supervisor");
    }
    Ruling::accepted_case(after)
}

/// `supervise` (督办): a leader watches it from now on.
pub(super) fn supervise(case: &Case, body: &Reason, step: &Step<'_>) -> Ruling {
    if has_ended(case) {
        return stale(case);
    }
    let mut after = case.clone();
    after.supervised = Some(Mark { by: step.by(), reason: body.reason });
    Ruling::accepted_case(after)
}

/// `urge` (催办): the unit is reminded; how often is counted.
pub(super) fn urge(case: &Case, _body: &Urge, _step: &Step<'_>) -> Ruling {
    if case.state != State::Assigned {
        return stale(case);
    }
    let mut after = case.clone();
    after.urged = after.urged.saturating_add(1);
    Ruling::accepted_case(after)
}

/// `appeal_overdue` (超时申诉): after the close, by the unit that was timed, once. That it was overdue stays and is shown.
pub(super) fn appeal(case: &Case, body: &AppealOverdue, step: &Step<'_>) -> Ruling {
    if case.state != State::Closed {
        return stale(case);
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    let Some(clock) = clock_of(&mut after, &body.stage) else { return Ruling::invalid("stage") };
    let is_theirs = |unit| step.ctx.actor.is_some_and(|actor| actor.units.contains(&unit));
    if !clock.unit.is_some_and(is_theirs) {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    if clock.overdue_rev.is_none() || clock.appeal.is_some() {
        return stale(case);
    }
    clock.appeal = Some(Appeal { by: step.by(), reason: body.reason, decisions: Vec::new() });
    claim(&mut after, &body.photos, step, false);
    Ruling::accepted_case(after)
}

/// `decide_appeal`: two supervisors, one after the other; the first refusal ends it.
pub(super) fn decide_appeal(case: &Case, body: &DecideAppeal, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    let Some(clock) = clock_of(&mut after, &body.stage) else { return Ruling::invalid("stage") };
    let Some(appeal) = clock.appeal.as_mut() else { return stale(case) };
    let is_over = appeal.decisions.len() >= APPROVALS || appeal.decisions.iter().any(|decision| !decision.granted);
    if is_over {
        return stale(case);
    }
    let same = |by: &schema::case::By| by.person == step.person();
    if same(&appeal.by) || appeal.decisions.iter().any(|decision| same(&decision.by)) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    appeal.decisions.push(decided(step, body.grant, body.reason));
    Ruling::accepted_case(after)
}

/// `end_stage`: a stage of a legal procedure is done, with the documents that it needs.
pub(super) fn end_stage(case: &Case, body: &EndStage, step: &Step<'_>) -> Ruling {
    let Some((_, catalogue, found)) = step.subtype_of(case) else {
        return Ruling::rejected(RefusalCode::DocumentMissing).with("document", "catalogue");
    };
    let stage = stages(catalogue, found).into_iter().find(|stage| stage.code == body.stage);
    let Some(procedure) = stage.and_then(|stage| stage.procedure) else { return Ruling::invalid("stage") };
    let runs = |clock: &Clock| clock.stage == body.stage && clock.running == Running::Running;
    if has_ended(case) || !case.clocks.iter().any(runs) {
        return stale(case);
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let documents = body.photos.iter().filter(|photo| photo.role == EvidenceRole::Document).count();
    if documents < usize::from(procedure.documents) {
        return Ruling::invalid("photos").with("documents", procedure.documents);
    }
    if procedure.by_day_only && !by_day(step) {
        return Ruling::invalid("captured").with("needs", "day_and_no_statutory_holiday");
    }
    let mut after = case.clone();
    claim(&mut after, &body.photos, step, false);
    after.stages.push(StageEnd { stage: body.stage.clone(), by: step.by(), note: body.note });
    Ruling::accepted_case(after)
}

/// Whether it was done by day and not on a statutory holiday: by when it was captured, where that is known. Without a
/// calendar nobody can say so.
fn by_day(step: &Step<'_>) -> bool {
    let (from_ms, to_ms) =
        step.ctx.captured.map_or((step.ctx.received_ms, step.ctx.received_ms), |it| (it.from_ms, it.to_ms));
    let Some(calendar) = step.ctx.calendar else { return false };
    [from_ms, to_ms].into_iter().all(|at_ms| calendar.document.is_day(at_ms).unwrap_or(false))
}

/// Whether the acting grant lies above an area; at the top, whether somebody else acts than who did before.
pub(super) fn one_level_up(step: &Step<'_>, from: AreaId, before: Option<schema::ids::PersonId>) -> bool {
    let (Some(acting), Some(areas)) = (step.acting, step.ctx.areas) else { return step.ctx.by_server };
    let index = areas.document;
    let above = acting.area != from && index.covers(acting.area, from);
    let at_top = from == index.root() && acting.area == from && before != Some(step.person());
    above || at_top
}
