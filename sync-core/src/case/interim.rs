//! Checks in between: while a case is worked on, somebody looks every so often whether what a stage ordered is kept.

use schema::case::{Case, Interim, State, Step as Done};
use schema::clock::Stage;
use schema::limits::DAY_MS;
use schema::op::{AskInterimCheck, CheckVerdict, InterimCheck};
use schema::record::RefusalCode;

use super::evidence::{claim, has_room};
use super::workflow::took_part;
use super::{Step, stages_of, stale};
use crate::ruling::Ruling;

fn next_ms(days: u8, step: &Step<'_>) -> u64 {
    step.ctx.first_received_ms.saturating_add(u64::from(days).saturating_mul(DAY_MS))
}

/// Whether a case is being worked on: only then does anybody look in between.
pub(crate) fn is_worked_on(case: &Case) -> bool {
    matches!(case.state, State::Filed | State::Assigned) && case.suspended.is_none()
}

/// Plans them from the end of their stage on.
pub(super) fn follow(before: &Case, after: &mut Case, stages: &[&Stage], step: &Step<'_>) {
    for done in after.stages.iter().skip(before.stages.len()) {
        let days = stages.iter().find(|stage| stage.code == done.stage).and_then(|stage| stage.interim_check_days);
        let Some(days) = days else { continue };
        after.interim.retain(|interim| interim.stage != done.stage);
        after.interim.push(Interim {
            stage: done.stage.clone(),
            next_ms: next_ms(days, step),
            since_rev: step.ctx.rev,
            asked_rev: None,
            checks: Vec::new(),
        });
    }
}

/// `ask_interim_check`: by the server, once for each.
pub(super) fn ask(case: &Case, body: &AskInterimCheck, step: &Step<'_>) -> Ruling {
    let mut after = case.clone();
    match after.interim.iter_mut().find(|interim| interim.stage == body.stage) {
        Some(interim) if interim.asked_rev.is_none() => interim.asked_rev = Some(step.ctx.rev),
        _ => return Ruling::unchanged(),
    }
    Ruling::accepted_case(after)
}

/// `interim_check`: by anybody who may check and is not of the units that must fix it, whenever they come by.
pub(super) fn check(case: &Case, body: &InterimCheck, step: &Step<'_>) -> Ruling {
    let stage = stages_of(case, step).into_iter().find(|stage| stage.code == body.stage);
    let Some(days) = stage.and_then(|stage| stage.interim_check_days) else { return Ruling::invalid("stage") };
    if !is_worked_on(case) {
        return stale(case);
    }
    if took_part(case, step) {
        return Ruling::rejected(RefusalCode::FourEyes);
    }
    if body.photos.is_empty() {
        return Ruling::invalid("photos");
    }
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    let mut after = case.clone();
    let Some(interim) = after.interim.iter_mut().find(|interim| interim.stage == body.stage) else {
        return stale(case);
    };
    let kept = body.verdict == CheckVerdict::Pass;
    let code = if kept { "pass" } else { "fail" };
    interim.checks.push(Done { by: step.by(), code: code.to_owned(), note: body.note });
    interim.next_ms = next_ms(days, step);
    interim.since_rev = step.ctx.rev;
    interim.asked_rev = None;
    claim(&mut after, &body.photos, step, false);
    let mut ruling = Ruling::accepted_case(after);
    ruling.flags.extend((!kept).then(|| "order_not_kept".to_owned()));
    ruling
}
