//! Look-backs: when somebody looks again at what was closed, who may, and what follows from what they find.
//! A task is an entity of its own; the case changes by consequences alone.

use schema::case::{Case, Evidence, State};
use schema::catalogue::{Catalogue, LookBackDays, LookBacks};
use schema::entity::{Entity, LookBackTask, LookedBack};
use schema::ids::{EntityId, LogId, OpId, PersonId, UnitId};
use schema::limits::DAY_MS;
use schema::op::{Body, Escalate, LookBack, LookBackVerdict, Nothing, Op, PhotoClaim, Place, PlanLookBack, Relapse};
use schema::record::RefusalCode;

use crate::case::{Step, has_room_for, keep, kind_of, subtype_in, tell_arrived};
use crate::catalogue::subtype;
use crate::consequence::Consequence;
use crate::context::{Context, RULES_WITH_CLOCKS};
use crate::line::consequence_id;
use crate::ruling::Ruling;

const WEEK_MS: u64 = 7 * DAY_MS;

/// How a catalogue has the cases of a kind looked at again.
pub(crate) fn look_backs_of<'a>(catalogue: &'a Catalogue, case: &Case) -> Option<&'a LookBacks> {
    let (category, code) = kind_of(case)?;
    let (category, found) = subtype(catalogue, &category, &code)?;
    found.look_backs.as_ref().or(category.look_backs.as_ref())
}

/// The looks behind the end of a case: sooner where it came back before.
fn plan_of<'a>(catalogue: &'a Catalogue, case: &Case) -> &'a [LookBackDays] {
    match look_backs_of(catalogue, case) {
        Some(found) if !case.relapses.is_empty() && !found.after_relapse.is_empty() => &found.after_relapse,
        Some(found) => &found.plan,
        None => &[],
    }
}

/// Days behind its end by which a closed case was looked at for the last time; 0 where nobody looks.
pub(crate) fn last_look_days(catalogue: &Catalogue, case: &Case) -> u16 {
    let looks = case.state == State::Closed && case.check.is_some();
    let last = plan_of(catalogue, case).last().filter(|_| looks);
    last.map_or(0, |last| last.days.saturating_add(last.window_days))
}

/// The task of the `nth` look behind an end.
fn task_id(log: LogId, close: OpId, nth: u8) -> EntityId {
    EntityId(consequence_id(log, close, "look_back_task", nth.into()).0)
}

/// What becomes of the look-backs of a case by what happened to it: planned at its end, dropped where it goes on, and
/// moved with it.
pub(crate) fn of_case(before: Option<&Case>, after: &Case, op: &Op, ctx: &Context<'_>) -> Vec<Consequence> {
    let Some(before) = before.filter(|_| ctx.rules >= RULES_WITH_CLOCKS) else { return Vec::new() };
    match (before.state, after.state) {
        (State::Checked, State::Closed) => planned(after, op.log, ctx),
        (State::Closed, State::Closed) if op.kind == "place" => {
            let place = Body::Place(Place { area: after.area });
            each_task(after, op.log, ctx, |_| place.clone())
        }
        (State::Closed, State::Closed) => Vec::new(),
        (State::Closed, _) => each_task(before, op.log, ctx, |_| Body::DropLookBack(Nothing {})),
        _ => Vec::new(),
    }
}

fn each_task(case: &Case, log: LogId, ctx: &Context<'_>, body: impl Fn(u8) -> Body) -> Vec<Consequence> {
    let Some(end) = case.end.as_ref().filter(|_| case.check.is_some()) else { return Vec::new() };
    let plan = subtype_in(case, ctx).map(|(_, catalogue, _)| plan_of(catalogue, case)).unwrap_or_default();
    let of = |nth: u8| Consequence { entity: task_id(log, end.step.by.op, nth), body: body(nth), n: nth.into() };
    (1..).zip(plan).map(|(nth, _)| of(nth)).collect()
}

fn planned(case: &Case, log: LogId, ctx: &Context<'_>) -> Vec<Consequence> {
    let (Some(end), Some((_, catalogue, _))) = (&case.end, subtype_in(case, ctx)) else { return Vec::new() };
    let (plan, close) = (plan_of(catalogue, case), end.step.by.op);
    let levels = look_backs_of(catalogue, case).map(|found| found.escalates_after_days.as_slice()).unwrap_or_default();
    let units = units_of(case);
    each_task(case, log, ctx, |nth| {
        let days =
            plan.get(usize::from(nth).saturating_sub(1)).copied().unwrap_or(LookBackDays { days: 0, window_days: 0 });
        let opens_ms = behind(end.step.by.received_ms, days.days);
        let due_ms = behind(opens_ms, days.window_days);
        Body::PlanLookBack(PlanLookBack {
            case: case.id,
            area: case.area,
            close,
            nth,
            checker: case.check.as_ref().map(|check| check.by.person),
            fixer: case.fix.as_ref().map(|fix| fix.by.person),
            units: units.clone(),
            opens_ms,
            best_ms: same_hour(case.reported_ms, opens_ms),
            due_ms,
            escalates_ms: levels.iter().map(|days| behind(due_ms, *days)).collect(),
        })
    })
}

fn behind(ms: u64, days: u16) -> u64 {
    ms.saturating_add(u64::from(days).saturating_mul(DAY_MS))
}

/// The first time from an instant on at the weekday and hour of another: whole weeks behind it, in every zone.
fn same_hour(of_ms: u64, from_ms: u64) -> u64 {
    let weeks = from_ms.saturating_sub(of_ms).div_ceil(WEEK_MS);
    of_ms.saturating_add(weeks.saturating_mul(WEEK_MS))
}

/// The units that had to fix a case, helped, or are those of who fixed it.
fn units_of(case: &Case) -> Vec<UnitId> {
    let assigned = case.assignment.iter().flat_map(|it| std::iter::once(&it.unit).chain(&it.co_units));
    let had = case.predecessors.iter().map(|had| &had.unit);
    let fixed = case.fix.iter().flat_map(|fix| &fix.units);
    let mut units: Vec<UnitId> = assigned.chain(had).chain(fixed).copied().collect();
    units.sort();
    units.dedup();
    units
}

/// Whether an op brings bad news: that is heard from whoever could look once, whenever it comes.
pub(crate) fn is_bad_news(body: &Body) -> bool {
    matches!(body, Body::LookBack(body) if body.verdict == LookBackVerdict::Relapsed)
}

/// `plan_look_back`: by the server.
pub(crate) fn begin(step: &Step<'_>) -> Ruling {
    let Body::PlanLookBack(body) = step.body else { return Ruling::rejected(RefusalCode::UnknownEntity) };
    task(LookBackTask {
        id: step.op.entity,
        case: body.case,
        area: body.area,
        close: body.close,
        nth: body.nth,
        checker: body.checker,
        fixer: body.fixer,
        units: body.units.clone(),
        planned_rev: step.ctx.rev,
        opens_ms: body.opens_ms,
        best_ms: body.best_ms,
        due_ms: body.due_ms,
        escalates_ms: body.escalates_ms.clone(),
        opened_rev: None,
        overdue_rev: None,
        escalated: 0,
        results: Vec::new(),
        evidence: Vec::new(),
        dropped: None,
        archived: None,
    })
}

fn task(after: LookBackTask) -> Ruling {
    Ruling::accepted(Entity::LookBackTask(Box::new(after)))
}

/// Whether somebody still has to look.
pub(crate) fn is_open(task: &LookBackTask) -> bool {
    task.results.is_empty() && task.dropped.is_none()
}

/// An op on a task that its author may know of.
pub(crate) fn rule(before: &LookBackTask, step: &Step<'_>) -> Ruling {
    let mut after = before.clone();
    let open = is_open(before);
    match step.body {
        Body::LookBack(body) => return look_back(before, body, step),
        Body::PhotoVerified(body) => {
            if !tell_arrived(&mut after.evidence, body, step.ctx.rev) {
                return Ruling::unchanged();
            }
        }
        Body::RedactValue(_) => return Ruling::unchanged(),
        Body::DropLookBack(_) if open => after.dropped = Some(step.by()),
        Body::MarkDueSoon(_) if open && before.opened_rev.is_none() => after.opened_rev = Some(step.ctx.rev),
        Body::MarkOverdue(_) if open && before.overdue_rev.is_none() => after.overdue_rev = Some(step.ctx.rev),
        Body::Escalate(Escalate { level, .. }) if open && before.escalated < *level => after.escalated = *level,
        Body::Archive(_) if !open && before.archived.is_none() => after.archived = Some(step.by()),
        Body::Place(body) => after.area = body.area,
        Body::DropLookBack(_) | Body::MarkDueSoon(_) | Body::MarkOverdue(_) | Body::Escalate(_) | Body::Archive(_) => {
            return Ruling::unchanged();
        }
        Body::PlanLookBack(_) => return Ruling::rejected(RefusalCode::EntityExists),
        _ => return Ruling::invalid("entity"),
    }
    task(after)
}

/// `look_back`: good news only within its time, once, and from somebody who is not of those who fixed it; bad news at
/// any time while the case counts as closed.
fn look_back(before: &LookBackTask, body: &LookBack, step: &Step<'_>) -> Ruling {
    let relapsed = |found: &LookedBack| found.verdict == LookBackVerdict::Relapsed;
    let bad = body.verdict == LookBackVerdict::Relapsed;
    let over = before.dropped.is_some() || before.results.iter().any(relapsed) || (!bad && !is_open(before));
    if over {
        return stale(before, &body.photos, step);
    }
    if is_of_those(before, step) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    if body.photos.is_empty() {
        return Ruling::invalid("photos");
    }
    if !has_room_for(&before.evidence, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let at_ms = step.ctx.first_received_ms;
    if !bad && at_ms < before.opens_ms {
        return Ruling::invalid("opens_ms").with("opens_ms", before.opens_ms);
    }
    let late = at_ms > before.due_ms || !is_open(before);
    let mut after = before.clone();
    after.results.push(LookedBack { by: step.by(), verdict: body.verdict, note: body.note, late });
    keep(&mut after.evidence, &body.photos, &step.by(), late);
    let mut ruling = task(after);
    ruling.flags.extend(late.then(|| "look_back_late".to_owned()));
    ruling
}

/// What was seen stays with the task all the same.
fn stale(before: &LookBackTask, photos: &[PhotoClaim], step: &Step<'_>) -> Ruling {
    let mut ruling = Ruling::rejected(RefusalCode::StaleState);
    if !photos.is_empty() && has_room_for(&before.evidence, photos) {
        let mut after = before.clone();
        keep(&mut after.evidence, photos, &step.by(), true);
        ruling.after = Some(Entity::LookBackTask(Box::new(after)));
    }
    ruling
}

/// Nobody of the units that had to fix it looks, nor who fixed it; the first look is not for who passed the check.
fn is_of_those(task: &LookBackTask, step: &Step<'_>) -> bool {
    let person: PersonId = step.person();
    let units = step.ctx.actor.map(|actor| actor.units.as_slice()).unwrap_or_default();
    let checked = task.nth == 1 && task.checker == Some(person);
    checked || task.fixer == Some(person) || task.units.iter().any(|unit| units.contains(unit))
}

/// What follows from an op on a task: photos that are here already, and the case that is open again.
pub(crate) fn of_task(before: Option<&Entity>, after: &LookBackTask, op: &Op, ctx: &Context<'_>) -> Vec<Consequence> {
    let mut found = crate::consequence::arrived(op.entity, &after.evidence, ctx);
    let known = match before {
        Some(Entity::LookBackTask(before)) => before.results.len(),
        _ => 0,
    };
    let news = after.results.iter().skip(known).find(|result| result.verdict == LookBackVerdict::Relapsed);
    found.extend(news.map(|result| {
        let photos = after.evidence.iter().filter(|item| item.by.op == result.by.op).map(claim_of).collect();
        let relapse = Relapse { task: after.id, close: after.close, found: result.by.clone(), photos };
        Consequence { entity: after.case, body: Body::Relapse(relapse), n: 0 }
    }));
    found
}

fn claim_of(item: &Evidence) -> PhotoClaim {
    PhotoClaim { sha256: item.sha256, size: item.size, role: item.role, taken: item.taken }
}
