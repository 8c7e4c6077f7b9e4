//! Cases that go from one unit or person to another without being assigned anew: no clock starts again, and who had them
//! before stays named.

use schema::case::{Assignment, Case, Predecessor};
use schema::clock::Running;
use schema::ids::{AccountId, EntityId, OpId, UnitId};
use schema::limits::PAST_MAX;
use schema::op::TakeOver;

use super::evidence::has_ended;
use super::{Step, stale};
use crate::context::RULES_WITH_PEOPLE;
use crate::ruling::Ruling;

/// Whose cases are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those that somebody holds.
    Account(AccountId),
    /// Those that a unit leads or helps with.
    Unit(UnitId),
    /// Whoever has them.
    Anybody,
}

/// Who has a case after it was handed over; none if it is not concerned. Somebody who does not work for the unit that has
/// it then holds it no longer: it is the whole unit's.
pub fn taken_over(
    case: &Case,
    (hand_over, from, to): (OpId, Whose, EntityId),
    works_for: impl Fn(AccountId, UnitId) -> bool,
) -> Option<TakeOver> {
    let now = case.assignment.as_ref().filter(|_| !has_ended(case))?;
    let to_unit = UnitId(to.0);
    let (unit, co_units, holder) = match from {
        Whose::Account(_) => (now.unit, now.co_units.clone(), Some(AccountId(to.0))),
        Whose::Unit(from) => {
            let goes = |unit: UnitId| if unit == from { to_unit } else { unit };
            (goes(now.unit), now.co_units.iter().map(|unit| goes(*unit)).collect(), now.holder)
        }
        Whose::Anybody => (to_unit, now.co_units.clone(), now.holder),
    };
    if matches!(from, Whose::Account(from) if now.holder != Some(from)) {
        return None;
    }
    let mut helping: Vec<UnitId> = Vec::new();
    for helps in co_units {
        if helps != unit && !helping.contains(&helps) {
            helping.push(helps);
        }
    }
    let holder = holder.filter(|holder| works_for(*holder, unit));
    let moves = (unit, &helping, holder) != (now.unit, &now.co_units, now.holder);
    let concerned = !matches!(from, Whose::Unit(from) if now.unit != from && !now.co_units.contains(&from));
    (moves && concerned).then_some(TakeOver { hand_over, unit, co_units: helping, holder })
}

/// `take_over`: by the server. Whoever has it now signs for it anew.
pub(super) fn take_over(case: &Case, body: &TakeOver, step: &Step<'_>) -> Ruling {
    let Some(was) = case.assignment.as_ref().filter(|_| !has_ended(case)) else { return stale(case) };
    let mut after = case.clone();
    let changes_hands = (was.unit, was.holder) != (body.unit, body.holder);
    if changes_hands {
        precede(&mut after, was, Some(body.hand_over), step);
        for clock in after.clocks.iter_mut().filter(|clock| clock.unit == Some(was.unit)) {
            if matches!(clock.running, Running::Running | Running::Paused { .. }) {
                clock.unit = Some(body.unit);
            }
        }
    }
    for unit in std::iter::once(&was.unit).chain(&was.co_units) {
        let stays = *unit == body.unit || body.co_units.contains(unit);
        if !stays && !after.former_units.contains(unit) {
            after.former_units.push(*unit);
        }
    }
    after.assignment = Some(Assignment {
        unit: body.unit,
        co_units: body.co_units.clone(),
        holder: body.holder,
        accepted: was.accepted.clone().filter(|_| !changes_hands),
        ..was.clone()
    });
    help_instead(&mut after, was, &body.co_units);
    Ruling::accepted_case(after)
}

/// A unit that helps instead of another goes on with its clock, its limit and what was done.
fn help_instead(case: &mut Case, was: &Assignment, now: &[UnitId]) {
    let gone = was.co_units.iter().find(|unit| !now.contains(unit));
    let come = now.iter().find(|unit| !was.co_units.contains(unit));
    let (Some(gone), Some(come)) = (gone, come) else { return };
    for clock in case.clocks.iter_mut().filter(|clock| clock.helper() == Some(*gone)) {
        clock.unit = Some(*come);
    }
    let Some(assignment) = &mut case.assignment else { return };
    for helped in assignment.helped.iter_mut().filter(|helped| helped.unit == *gone) {
        helped.unit = *come;
    }
    if let Some(limit) = assignment.co_limits.remove(gone) {
        assignment.co_limits.insert(*come, limit);
    }
}

/// Names who had a case until now.
pub(super) fn precede(case: &mut Case, was: &Assignment, hand_over: Option<OpId>, step: &Step<'_>) {
    if step.ctx.rules < RULES_WITH_PEOPLE {
        return;
    }
    let before = case.predecessors.last().map_or(0, |before| before.to_rev);
    let (from_rev, to_rev) = (was.by.rev.max(before), step.ctx.rev);
    case.predecessors.push(Predecessor { unit: was.unit, holder: was.holder, from_rev, to_rev, hand_over });
    let surplus = case.predecessors.len().saturating_sub(PAST_MAX);
    case.predecessors.drain(..surplus);
}
