//! What the server must do to an entity when a time has come. It follows from the entity and its catalogue alone, so
//! the table of what is due is a view; what is done about it is an entry.

use schema::case::Case;
use schema::catalogue::{Catalogue, Code};
use schema::clock::{Clock, Running};
use schema::entity::{Account, Entity, LookBackTask};
use schema::limits::{DAY_MS, RELAPSE_WINDOW_DAYS};
use schema::op::{AskInterimCheck, Body, Escalate, Marked, Nothing, Resume, RevokeGrant, SetMembership};

use crate::case::{has_ended, is_worked_on};
use crate::look_back::{is_open, last_look_days};

/// What stands in the place of a stage where a look-back is due.
pub const LOOK_BACK: &str = "look_back";

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueKind {
    /// A restriction ends.
    LiftRestriction,
    /// A case leaves the phones.
    Archive,
    /// Of a clock: it is due soon, overdue, or the next level must hear of it.
    Clock,
    /// A suspension ends.
    Resume,
    /// Somebody must look in between.
    InterimCheck,
    /// A grant ends.
    Grant,
    /// A membership ends.
    Membership,
    /// An absence ends.
    Absence,
    /// Of a look-back: one may look, somebody should have, or the next level must hear that nobody has.
    LookBack,
}

impl DueKind {
    const ALL: [Self; 9] = [
        Self::LiftRestriction,
        Self::Archive,
        Self::Clock,
        Self::Resume,
        Self::InterimCheck,
        Self::Grant,
        Self::Membership,
        Self::Absence,
        Self::LookBack,
    ];

    /// Its number in the table of what is due.
    pub fn number(self) -> u8 {
        match self {
            Self::LiftRestriction => 1,
            Self::Archive => 2,
            Self::Clock => 3,
            Self::Resume => 4,
            Self::InterimCheck => 5,
            Self::Grant => 10,
            Self::Membership => 11,
            Self::Absence => 12,
            Self::LookBack => 13,
        }
    }

    /// The kind of a number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// One thing that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// What.
    pub kind: DueKind,
    /// When, in ms of the server's time.
    pub due_ms: u64,
    /// Tells it from the same thing due another time: the revision that gave cause to it.
    pub occurrence: u64,
}

/// What the server asks for when something is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Which clock and step of it; empty of what is no clock's. With kind and occurrence it makes the op's id.
    pub clock: String,
    /// The op.
    pub body: Body,
}

/// All that is due for an entity. `archive_days` is what its catalogue says of that (see [`kept_days`]), asked for only
/// where it matters.
///
/// # Errors
/// Those of `archive_days`.
pub fn dues<E>(entity: &Entity, archive_days: impl FnOnce() -> Result<Option<u16>, E>) -> Result<Vec<Due>, E> {
    let case = match entity {
        Entity::Case(case) => case,
        Entity::Account(account) => return Ok(of_account(account)),
        Entity::LookBackTask(task) => return Ok(of_task(task).into_iter().collect()),
        _ => return Ok(Vec::new()),
    };
    let mut found = Vec::new();
    if let Some(restriction) = &case.restricted {
        let (due_ms, occurrence) = (restriction.until_ms, restriction.by.rev);
        found.push(Due { kind: DueKind::LiftRestriction, due_ms, occurrence });
    }
    if let Some(suspension) = &case.suspended {
        let (due_ms, occurrence) = (suspension.until_ms, suspension.by.rev);
        found.push(Due { kind: DueKind::Resume, due_ms, occurrence });
    }
    for interim in case.interim.iter().filter(|interim| interim.asked_rev.is_none() && is_worked_on(case)) {
        let (due_ms, occurrence) = (interim.next_ms, interim.since_rev);
        found.push(Due { kind: DueKind::InterimCheck, due_ms, occurrence });
    }
    let next = |clock: &Clock| {
        let (due_ms, _) = next_of(clock)?;
        Some(Due { kind: DueKind::Clock, due_ms, occurrence: clock.issued_rev })
    };
    found.extend(case.clocks.iter().filter_map(next));
    if has_ended(case) && case.archived.is_none() && !case.needs_audit {
        let (ended_ms, occurrence) =
            case.end.as_ref().map_or((case.changed_ms, 0), |end| (end.step.by.received_ms, end.step.by.rev));
        let days = archive_days()?.unwrap_or(RELAPSE_WINDOW_DAYS).max(RELAPSE_WINDOW_DAYS);
        let due_ms = ended_ms.saturating_add(u64::from(days).saturating_mul(DAY_MS));
        found.push(Due { kind: DueKind::Archive, due_ms, occurrence });
    }
    Ok(found)
}

/// Days behind its end for which a case stays on the phones, as its catalogue says: counted from the last look-back.
pub fn kept_days(catalogue: &Catalogue, case: &Case) -> u16 {
    let days = catalogue.archive_days.unwrap_or(RELAPSE_WINDOW_DAYS).max(RELAPSE_WINDOW_DAYS);
    days.saturating_add(last_look_days(catalogue, case))
}

/// The next thing about a look-back. One that is done leaves the phones as its case does.
fn of_task(task: &LookBackTask) -> Option<Due> {
    let (kind, due_ms) = if is_open(task) {
        (DueKind::LookBack, next_of_task(task)?.0)
    } else {
        let done_ms = task.results.last().map(|result| &result.by).or(task.dropped.as_ref())?.received_ms;
        let kept = u64::from(RELAPSE_WINDOW_DAYS).saturating_mul(DAY_MS);
        (DueKind::Archive, done_ms.saturating_add(kept))
    };
    (task.archived.is_none()).then_some(Due { kind, due_ms, occurrence: task.planned_rev })
}

fn next_of_task(task: &LookBackTask) -> Option<(u64, Asked)> {
    let stage: Code = LOOK_BACK.parse().ok()?;
    let clock = task.planned_rev;
    let asked = |step: &str, body| Asked { clock: format!("{LOOK_BACK}/{step}"), body };
    Some(match (task.opened_rev, task.overdue_rev) {
        (None, None) => (task.opens_ms, asked("opens", Body::MarkDueSoon(Marked { stage, clock }))),
        (Some(_), None) => (task.due_ms, asked("overdue", Body::MarkOverdue(Marked { stage, clock }))),
        (_, Some(_)) => {
            let at_ms = *task.escalates_ms.get(usize::from(task.escalated))?;
            let level = task.escalated.checked_add(1)?;
            (at_ms, asked(&level.to_string(), Body::Escalate(Escalate { stage, clock, level })))
        }
    })
}

fn asked_of_task(task: &LookBackTask, due: Due) -> Option<Asked> {
    match due.kind {
        DueKind::LookBack if is_open(task) => next_of_task(task).map(|(_, asked)| asked),
        DueKind::Archive => Some(Asked { clock: String::new(), body: Body::Archive(Nothing {}) }),
        _ => None,
    }
}

/// What ends by itself of what an account may do, and its absence.
fn of_account(account: &Account) -> Vec<Due> {
    let due = |kind, occurrence, until_ms: Option<u64>| Some(Due { kind, due_ms: until_ms?, occurrence });
    let grants = account.own_grants().filter_map(|it| due(DueKind::Grant, it.rev, it.until_ms));
    let joined = account.joined.values().filter_map(|it| due(DueKind::Membership, it.rev, it.until_ms));
    let absent = account.absent.iter().filter_map(|it| due(DueKind::Absence, it.rev, Some(it.until_ms)));
    grants.chain(joined).chain(absent).collect()
}

fn asked_of(account: &Account, due: Due) -> Option<Body> {
    match due.kind {
        DueKind::Grant => {
            let ends = account.own_grants().find(|it| it.rev == due.occurrence)?;
            Some(Body::RevokeGrant(RevokeGrant { grant: ends.grant }))
        }
        DueKind::Membership => {
            let (unit, _) = account.joined.iter().find(|(_, it)| it.rev == due.occurrence)?;
            Some(Body::SetMembership(SetMembership { unit: *unit, member: false, until_ms: None }))
        }
        DueKind::Absence => account.absent.filter(|it| it.rev == due.occurrence).map(|_| Body::EndAbsence(Nothing {})),
        _ => None,
    }
}

/// The next thing that a running clock asks for, and when: due soon, overdue, then each level in turn.
fn next_of(clock: &Clock) -> Option<(u64, Asked)> {
    if clock.running != Running::Running {
        return None;
    }
    let marked = || Marked { stage: clock.stage.clone(), clock: clock.issued_rev };
    let asked = |step: &str, body| Asked { clock: format!("{}/{step}", clock.stage), body };
    match (clock.overdue_rev, clock.soon_ms, clock.soon_rev) {
        (None, Some(soon_ms), None) if soon_ms < clock.due.at_ms => {
            Some((soon_ms, asked("soon", Body::MarkDueSoon(marked()))))
        }
        (None, _, _) => Some((clock.due.at_ms, asked("overdue", Body::MarkOverdue(marked())))),
        (Some(_), _, _) => {
            let at_ms = *clock.escalates_ms.get(usize::from(clock.escalated))?;
            let level = clock.escalated.checked_add(1)?;
            let body = Escalate { stage: clock.stage.clone(), clock: clock.issued_rev, level };
            Some((at_ms, asked(&level.to_string(), Body::Escalate(body))))
        }
    }
}

/// What the server asks for now that something of an entity is due; none if it is no longer.
pub fn asked(entity: &Entity, due: Due) -> Option<Asked> {
    let plain = |body| Some(Asked { clock: String::new(), body });
    let case = match entity {
        Entity::Case(case) => case,
        Entity::Account(account) => return asked_of(account, due).and_then(plain),
        Entity::LookBackTask(task) => return asked_of_task(task, due),
        _ => return None,
    };
    match due.kind {
        DueKind::LiftRestriction => plain(Body::LiftRestriction(Nothing {})),
        DueKind::Archive => plain(Body::Archive(Nothing {})),
        DueKind::Resume => plain(Body::Resume(Resume { reason: None })),
        DueKind::InterimCheck => {
            let interim = case.interim.iter().find(|interim| interim.since_rev == due.occurrence)?;
            plain(Body::AskInterimCheck(AskInterimCheck { stage: interim.stage.clone() }))
        }
        DueKind::Clock => next_of(clock(case, due)?).map(|(_, asked)| asked),
        DueKind::Grant | DueKind::Membership | DueKind::Absence | DueKind::LookBack => None,
    }
}

fn clock(case: &Case, due: Due) -> Option<&Clock> {
    case.clocks.iter().find(|clock| clock.issued_rev == due.occurrence)
}
