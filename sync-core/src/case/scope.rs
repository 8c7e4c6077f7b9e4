//! Who is told of a case: restricting it to some roles for a time, and archiving it long after its end.

use std::collections::BTreeSet;

use schema::case::{Case, Restriction};
use schema::limits::{DAY_MS, RESTRICTION_DAYS_MAX};
use schema::op::{Restrict, Role};
use schema::record::RefusalCode;

use super::evidence::has_ended;
use super::{Step, stale};
use crate::ruling::Ruling;

/// `restrict`: from this op on only the named roles see the case, until a date. Whoever asks for it must stay among
/// them; a restriction that stands is changed by its author's role alone, or another could end it early.
pub(super) fn restrict(case: &Case, body: &Restrict, step: &Step<'_>) -> Ruling {
    let Some(role) = step.role() else { return Ruling::rejected(RefusalCode::NotPermitted) };
    if case.archived.is_some() {
        return stale(case);
    }
    if case.restricted.as_ref().is_some_and(|now| now.by.role != Some(role)) {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    let roles: BTreeSet<Role> = body.roles.iter().copied().collect();
    let stays = role == Role::Auditor || roles.contains(&role);
    if roles.is_empty() || roles.contains(&Role::Admin) || !stays {
        return Ruling::invalid("roles");
    }
    let latest = step.ctx.received_ms.saturating_add(RESTRICTION_DAYS_MAX.saturating_mul(DAY_MS));
    if body.until_ms <= step.ctx.received_ms || body.until_ms > latest {
        return Ruling::invalid("until_ms");
    }
    let mut after = case.clone();
    after.restricted = Some(Restriction {
        by: step.by(),
        roles: roles.into_iter().collect(),
        until_ms: body.until_ms,
        reason: body.reason,
    });
    Ruling::accepted_case(after)
}

/// `lift_restriction`: by the server, when the date has come.
pub(super) fn lift(case: &Case) -> Ruling {
    let mut after = case.clone();
    match after.restricted.take() {
        Some(_) => Ruling::accepted_case(after),
        None => Ruling::unchanged(),
    }
}

/// `archive`: by the server, long after the end.
pub(super) fn archive(case: &Case, step: &Step<'_>) -> Ruling {
    if !has_ended(case) {
        return stale(case);
    }
    if case.archived.is_some() {
        return Ruling::unchanged();
    }
    let mut after = case.clone();
    after.archived = Some(step.by());
    Ruling::accepted_case(after)
}

/// A case that goes on, or that an auditor must look at, is told to the phones again.
pub(super) fn come_back(before: &Case, after: &mut Case) {
    if !has_ended(after) || (after.needs_audit && !before.needs_audit) {
        after.archived = None;
    }
}
