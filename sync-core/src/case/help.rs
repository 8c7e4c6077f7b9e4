//! What units that help say.

use schema::case::{Case, Helped, State};
use schema::ids::UnitId;
use schema::op::FinishHelp;
use schema::record::RefusalCode;

use super::evidence::{claim, has_room};
use super::{Step, stale};
use crate::ruling::Ruling;

/// `finish_help` (协办完成): a unit that helps has done its part, once.
pub(super) fn finish_help(case: &Case, body: &FinishHelp, step: &Step<'_>) -> Ruling {
    if !matches!(case.state, State::Assigned | State::Fixed) {
        return stale(case);
    }
    let mut after = case.clone();
    let (Some(assignment), Some(actor)) = (&mut after.assignment, step.ctx.actor) else { return stale(case) };
    let helps = |unit: &&UnitId| actor.units.contains(unit);
    let has_not = |unit: &&UnitId| assignment.helped.iter().all(|helped| helped.unit != **unit);
    let Some(unit) = assignment.co_units.iter().filter(helps).find(has_not).copied() else {
        return stale(case);
    };
    if !has_room(case, &body.photos) {
        return Ruling::rejected(RefusalCode::Quota);
    }
    assignment.helped.push(Helped { unit, by: step.by(), note: body.note });
    claim(&mut after, &body.photos, step, false);
    Ruling::accepted_case(after)
}
