//! Somebody is away: a deputy may do what they may do, and belongs where they belong, until they are back. Whatever
//! changes about the one who is away changes for the deputy too.

use schema::entity::{Absence, Account, Entity, Granted, StandingIn};
use schema::ids::{AccountId, EntityId, UnitId};
use schema::limits::{ABSENCE_DAYS_MAX, DAY_MS};
use schema::op::{Body, Grant, Role, SetAbsent, StandIn};

use super::people::belong;
use crate::case::Step;
use crate::ruling::Ruling;

/// `set_absent`: somebody else stands in, until a date within a year. Set again, it changes the deputy or the date.
pub(super) fn set_absent(mut account: Account, body: &SetAbsent, step: &Step<'_>) -> Ruling {
    let latest = step.ctx.received_ms.saturating_add(ABSENCE_DAYS_MAX.saturating_mul(DAY_MS));
    if body.until_ms <= step.ctx.received_ms || body.until_ms > latest {
        return Ruling::invalid("until_ms");
    }
    let is_there =
        |deputy: &Account| deputy.disabled_rev.is_none() && deputy.absent.is_none() && deputy.person != account.person;
    if body.deputy == account.id || !step.ctx.accounts.get(&body.deputy).is_some_and(is_there) {
        return Ruling::invalid("deputy");
    }
    account.absent = Some(Absence { deputy: body.deputy, rev: step.ctx.rev, until_ms: body.until_ms });
    Ruling::accepted(Entity::Account(account))
}

/// `end_absence`: they are back.
pub(super) fn end_absence(mut account: Account) -> Ruling {
    match account.absent.take() {
        Some(_) => Ruling::accepted(Entity::Account(account)),
        None => Ruling::unchanged(),
    }
}

/// `stand_in`: by the server. It says all that the deputy has in that place, and replaces what it had before.
pub(super) fn stand_in(mut account: Account, body: &StandIn, step: &Step<'_>) -> Ruling {
    let own: Vec<UnitId> = account.own_units().collect();
    account.grants.retain(|granted| granted.standing_in != Some(body.absent));
    account.grants.extend(body.grants.iter().map(|grant| Granted {
        standing_in: Some(body.absent),
        ..Granted::new(grant.grant, grant.role, grant.area, step.ctx.rev)
    }));
    account.stands_in.retain(|it| it.absent != body.absent);
    if !body.grants.is_empty() || !body.units.is_empty() {
        account.stands_in.push(StandingIn { absent: body.absent, units: body.units.clone() });
    }
    belong(&mut account, own);
    Ruling::accepted(Entity::Account(account))
}

/// What is lent, and to whom.
fn lent(account: Option<&Account>) -> Option<(AccountId, StandIn)> {
    let account = account.filter(|account| account.disabled_rev.is_none())?;
    let absence = account.absent.as_ref()?;
    // Who audits and who administers is decided by two, and not by whoever goes on leave.
    let lendable = |granted: &&Granted| !matches!(granted.role, Role::Admin | Role::Auditor);
    let grants = account.own_grants().filter(lendable);
    let grants = grants.map(|it| Grant { grant: it.grant, role: it.role, area: it.area, until_ms: None });
    let body = StandIn { absent: account.id, grants: grants.collect(), units: account.own_units().collect() };
    Some((absence.deputy, body))
}

/// What follows for deputies from what happened to an account.
pub(crate) fn for_deputies(before: Option<&Account>, after: &Account) -> Vec<(EntityId, Body)> {
    let (was, now) = (lent(before), lent(Some(after)));
    if was == now {
        return Vec::new();
    }
    let changes_hands = was.as_ref().map(|(deputy, _)| deputy) != now.as_ref().map(|(deputy, _)| deputy);
    let ended = was
        .filter(|_| changes_hands)
        .map(|(deputy, _)| (deputy, StandIn { absent: after.id, grants: Vec::new(), units: Vec::new() }));
    let found = ended.into_iter().chain(now);
    found.map(|(deputy, body)| (EntityId::from(deputy), Body::StandIn(body))).collect()
}
