//! Duplicates: one case ends as the same problem as another, which goes on; both know of each other.

use schema::case::{Case, State};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{DuplicateOf, LinkDuplicate};
use schema::record::RefusalCode;

use super::evidence::has_ended;
use super::workflow::{end, may_take_out};
use super::{Step, stale};
use crate::permission::may_see;
use crate::ruling::Ruling;

/// `link_duplicate`: the case ends as the same problem as another one, which goes on.
pub(super) fn link_duplicate(case: &Case, body: &LinkDuplicate, step: &Step<'_>) -> Ruling {
    if has_ended(case) {
        return stale(case);
    }
    let areas = step.ctx.areas.map(|it| it.document);
    let other = match step.ctx.other {
        Some(entity @ Entity::Case(other)) if step.ctx.actor.is_some_and(|actor| may_see(actor, entity, areas)) => {
            other
        }
        _ => return Ruling::invalid("of"),
    };
    let goes_on = !matches!(other.state, State::Duplicate | State::Declined | State::Void);
    if other.id == case.id || other.id != body.of || !goes_on {
        return Ruling::invalid("of");
    }
    if !may_take_out(case, step) {
        return Ruling::rejected(RefusalCode::NotPermitted).with("needs", "one_level_above");
    }
    let mut after = case.clone();
    after.state_before_duplicate = Some(case.state);
    after.state = State::Duplicate;
    after.duplicate_of = Some(body.of);
    after.end = Some(end(case, step, "duplicate", None));
    Ruling::accepted_case(after)
}

/// `unlink_duplicate`: back to where it stood.
pub(super) fn unlink_duplicate(case: &Case, step: &Step<'_>) -> Ruling {
    let (State::Duplicate, Some(before)) = (case.state, case.state_before_duplicate) else { return stale(case) };
    let _ = step;
    let mut after = case.clone();
    after.state = before;
    after.state_before_duplicate = None;
    after.duplicate_of = None;
    after.end = None;
    Ruling::accepted_case(after)
}

/// `absorb_duplicate`: by the server, on the case that goes on.
pub(super) fn absorb(case: &Case, body: &DuplicateOf, _step: &Step<'_>) -> Ruling {
    if case.duplicates.contains(&body.duplicate) {
        return Ruling::unchanged();
    }
    let mut after = case.clone();
    after.duplicates.push(body.duplicate);
    Ruling::accepted_case(after)
}

/// `release_duplicate`: by the server, when the link is undone.
pub(super) fn let_go(case: &Case, body: &DuplicateOf, _step: &Step<'_>) -> Ruling {
    if !case.duplicates.contains(&body.duplicate) {
        return Ruling::unchanged();
    }
    let mut after = case.clone();
    after.duplicates.retain(|id: &EntityId| *id != body.duplicate);
    Ruling::accepted_case(after)
}
