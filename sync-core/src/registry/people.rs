//! Units and accounts: who is there, who may do what, since when and until when.

use schema::entity::{Account, Entity, Granted, Joined, Merged, PastGrant, PastMember, Unit};
use schema::ids::{AccountId, UnitId};
use schema::limits::{PAST_MAX, TEXT_BYTES_MAX};
use schema::op::{Grant, HandOver, MergeUnit, RevokeGrant, SetAccount, SetMembership, SetUnit};

use super::unknown;
use crate::case::Step;
use crate::context::RULES_WITH_PEOPLE;
use crate::ruling::Ruling;

fn keeps_dates(step: &Step<'_>) -> bool {
    step.ctx.rules >= RULES_WITH_PEOPLE
}

/// Whether a date that something ends at has gone by already.
fn is_over(until_ms: Option<u64>, step: &Step<'_>) -> bool {
    until_ms.is_some_and(|until_ms| until_ms <= step.ctx.received_ms)
}

pub(super) fn set_unit(before: Option<&Entity>, body: &SetUnit, step: &Step<'_>) -> Ruling {
    let names = [&body.name.zh, &body.name.en];
    if names.iter().any(|name| name.trim().is_empty() || name.len() > TEXT_BYTES_MAX) {
        return Ruling::invalid("name");
    }
    if step.ctx.areas.is_some_and(|areas| areas.document.area(body.area).is_none()) {
        return Ruling::invalid("area");
    }
    match before {
        None => {
            let unit = Unit::new(UnitId(step.op.entity.0), body.name.clone(), body.area);
            Ruling::accepted(Entity::Unit(Unit { since_rev: keeps_dates(step).then_some(step.ctx.rev), ..unit }))
        }
        Some(Entity::Unit(now)) => {
            let unit = Unit { name: body.name.clone(), area: body.area, ..now.clone() };
            if unit == *now { Ruling::unchanged() } else { Ruling::accepted(Entity::Unit(unit)) }
        }
        Some(_) => unknown(),
    }
}

/// `merge_unit`: the unit takes no more cases; another one goes on in its place.
pub(super) fn merge_unit(before: Option<&Entity>, body: &MergeUnit, step: &Step<'_>) -> Ruling {
    let Some(Entity::Unit(unit)) = before else { return unknown() };
    match &unit.merged {
        Some(merged) if merged.into == body.successor => Ruling::unchanged(),
        None if step.ctx.units.contains(&body.successor) && body.successor != unit.id => {
            let merged = Some(Merged { into: body.successor, by: step.by() });
            Ruling::accepted(Entity::Unit(Unit { merged, ..unit.clone() }))
        }
        Some(_) | None => Ruling::invalid("successor"),
    }
}

/// `hand_over`: what an account, a unit or an area has goes to another. The cases follow one by one, by entries of the
/// server.
pub(super) fn hand_over(before: Option<&Entity>, body: &HandOver, step: &Step<'_>) -> Ruling {
    let areas = step.ctx.areas.map(|areas| areas.document);
    if body.area.is_some_and(|area| areas.is_none_or(|areas| areas.area(area).is_none())) {
        return Ruling::invalid("area");
    }
    let is_unit = step.ctx.units.contains(&UnitId(body.to.0));
    let to_account = step.ctx.accounts.get(&AccountId(body.to.0));
    let fits = match before {
        Some(Entity::Account(_)) => to_account.is_some_and(|to| to.disabled_rev.is_none() && to.absent.is_none()),
        Some(Entity::Unit(_)) => is_unit,
        Some(Entity::Areas(_)) if body.area.is_none() => return Ruling::invalid("area"),
        Some(Entity::Areas(_)) => is_unit,
        _ => return unknown(),
    };
    if fits && body.to != step.op.entity { Ruling::unchanged() } else { Ruling::invalid("to") }
}

pub(super) fn set_account(before: Option<&Entity>, body: &SetAccount, step: &Step<'_>) -> Ruling {
    if body.name.trim().is_empty() || body.name.len() > TEXT_BYTES_MAX {
        return Ruling::invalid("name");
    }
    match before {
        None => {
            let id = AccountId(step.op.entity.0);
            Ruling::accepted(Entity::Account(Account::new(id, body.name.clone(), body.person)))
        }
        Some(Entity::Account(now)) => {
            Ruling::accepted(Entity::Account(Account { name: body.name.clone(), person: body.person, ..now.clone() }))
        }
        Some(_) => unknown(),
    }
}

/// `grant`: given again, it changes nothing but its end.
pub(super) fn grant(mut account: Account, body: &Grant, step: &Step<'_>) -> Ruling {
    if step.ctx.areas.is_some_and(|areas| areas.document.area(body.area).is_none()) {
        return Ruling::invalid("area");
    }
    if is_over(body.until_ms, step) {
        return Ruling::invalid("until_ms");
    }
    let known =
        |granted: &Granted| granted.grant == body.grant || (granted.role == body.role && granted.area == body.area);
    let given = Granted { until_ms: body.until_ms, ..Granted::new(body.grant, body.role, body.area, step.ctx.rev) };
    match account.grants.iter_mut().find(|granted| granted.standing_in.is_none() && known(granted)) {
        Some(held) if held.until_ms == body.until_ms => return Ruling::unchanged(),
        Some(held) => *held = Granted { grant: held.grant, role: held.role, area: held.area, ..given },
        None => account.grants.push(given),
    }
    Ruling::accepted(Entity::Account(account))
}

pub(super) fn revoke_grant(mut account: Account, body: &RevokeGrant, step: &Step<'_>) -> Ruling {
    let own = |granted: &Granted| granted.grant == body.grant && granted.standing_in.is_none();
    let Some(place) = account.grants.iter().position(own) else { return Ruling::invalid("grant") };
    let granted = account.grants.remove(place);
    if keeps_dates(step) {
        keep(&mut account.past_grants, PastGrant { granted, ended_rev: step.ctx.rev });
    }
    Ruling::accepted(Entity::Account(account))
}

pub(super) fn membership(mut account: Account, body: &SetMembership, step: &Step<'_>) -> Ruling {
    let is_member = account.own_units().any(|unit| unit == body.unit);
    let held = account.joined.get(&body.unit).and_then(|joined| joined.until_ms);
    match (body.member, is_member) {
        (false, false) => return Ruling::unchanged(),
        (true, true) if held == body.until_ms => return Ruling::unchanged(),
        (true, false) if !step.ctx.units.contains(&body.unit) => return Ruling::invalid("unit"),
        (true, _) if is_over(body.until_ms, step) => return Ruling::invalid("until_ms"),
        (true, _) => {
            if keeps_dates(step) {
                account.joined.insert(body.unit, Joined { rev: step.ctx.rev, until_ms: body.until_ms });
            }
            let own = account.own_units().filter(|unit| *unit != body.unit).chain([body.unit]).collect();
            belong(&mut account, own);
        }
        (false, true) => {
            let since_rev = account.joined.remove(&body.unit).map(|joined| joined.rev);
            if keeps_dates(step) {
                keep(&mut account.past_units, PastMember { unit: body.unit, since_rev, ended_rev: step.ctx.rev });
            }
            let own = account.own_units().filter(|unit| *unit != body.unit).collect();
            belong(&mut account, own);
        }
    }
    Ruling::accepted(Entity::Account(account))
}

/// Lets an account belong to units of its own, and to those of whom it stands in for.
pub(super) fn belong(account: &mut Account, own: Vec<UnitId>) {
    let mut as_deputy: Vec<UnitId> = account.stands_in.iter().flat_map(|it| it.units.iter().copied()).collect();
    as_deputy.sort();
    as_deputy.dedup();
    as_deputy.retain(|unit| !own.contains(unit));
    account.units = own.into_iter().chain(as_deputy.iter().copied()).collect();
    account.units_as_deputy = as_deputy;
}

/// Keeps what has ended, as much as a document holds.
fn keep<T>(past: &mut Vec<T>, ended: T) {
    past.push(ended);
    let surplus = past.len().saturating_sub(PAST_MAX);
    past.drain(..surplus);
}
