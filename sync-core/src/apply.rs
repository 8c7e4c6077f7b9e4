//! An op against a state: the whole policy. Pure and total: every (state, op) pair has a defined outcome.
//!
//! Order of the gates: custody first (a revoked actor, an op behind a parked one), then what the actor may see, then
//! what the actor may do, then the rules of the entity.

use schema::case::{Case, State};
use schema::entity::{Account, Entity};
use schema::ids::EntityId;
use schema::op::{Body, Op, Role};
use schema::record::{Acting, Outcome, Record, RefusalCode};

use crate::area::AreaIndex;
use crate::case::{Step, begin, rule};
use crate::context::{Context, RULES_WITH_CLOCKS};
use crate::line::{ReadBody, body};
use crate::permission::{acting, acting_on_person, acting_on_task, had_task, may_see, over_all, roles_for};
use crate::ruling::Ruling;
use crate::{look_back, personal, registry, release};

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The outcome with all that it rested on.
    pub record: Record,
    /// The entity afterwards, where its row moves; none where it stays as it was.
    pub after: Option<Entity>,
    /// The case state afterwards as a number; 0 for anything but a case.
    pub state_after: u8,
    /// The entity that the leaf names: the device where the actor may not know of the entity.
    pub leaf_entity: EntityId,
}

/// Decides an op. `before` is the entity that the op names, if it exists.
pub fn apply(before: Option<&Entity>, op: &Op, ctx: &Context<'_>) -> Decision {
    let read = match body(op) {
        // To the program of those rules the kind was too new.
        ReadBody::Known(body) if ctx.rules < RULES_WITH_CLOCKS && is_of_third_rules(&body) => ReadBody::TooNew,
        read => read,
    };
    let known = match &read {
        ReadBody::Known(body) => Some(body.as_ref()),
        ReadBody::TooNew | ReadBody::Misfit(_) => None,
    };
    let acting = known.and_then(|body| acting_now(before, body, ctx));
    let visible = before.is_some_and(|entity| sees(entity, known, ctx));
    let ruling = match (custody(ctx, known), &read) {
        (Some(code), _) => Ruling::parked(code),
        (None, ReadBody::Known(_)) if before.is_some() && !visible => Ruling::rejected(RefusalCode::UnknownEntity),
        (None, ReadBody::Known(body)) => {
            let step = Step { op, body, ctx, acting };
            match personal::in_plain(before, &step) {
                Some(field) => Ruling::parked(RefusalCode::PlainPersonal).with("field", field.to_string()),
                None => decide(before, &step),
            }
        }
        (None, ReadBody::TooNew) => Ruling::parked(RefusalCode::KindTooNew).with("kind_version", op.kind_version),
        (None, ReadBody::Misfit(why)) if ctx.rules < 2 => misfit(op, why),
        (None, ReadBody::Misfit(why)) => misfit(op, &personal::without_values(why)),
    };
    // What is not there and what may not be seen are told alike, to the last byte.
    let told = acting.filter(|_| ctx.rules < 2 || ruling.code != Some(RefusalCode::UnknownEntity));
    let record = record_of(&ruling, told, ctx.actor, ctx);
    let after = match ruling.outcome {
        // An accepted op moves its entity's row even where it changes nothing: its device waits for that version.
        Outcome::Accepted | Outcome::AcceptedWithConflict => ruling.after.or_else(|| before.cloned()),
        Outcome::Rejected | Outcome::Parked => ruling.after,
    };
    let leaf_entity = if visible || after.is_some() { op.entity } else { EntityId::from(op.device) };
    let state_after = match (after.as_ref().or(before), leaf_entity == op.entity) {
        (Some(Entity::Case(case)), true) => state_number(case.state),
        _ => 0,
    };
    Decision { record, after, state_after, leaf_entity }
}

/// The kinds that came with clocks, and with people that change.
fn is_of_third_rules(body: &Body) -> bool {
    matches!(
        body,
        Body::EndStage(_)
            | Body::NoteSilence(_)
            | Body::DecideSilence(_)
            | Body::FinishHelp(_)
            | Body::AskInterimCheck(_)
            | Body::InterimCheck(_)
            | Body::PlanLookBack(_)
            | Body::LookBack(_)
            | Body::DropLookBack(_)
            | Body::Relapse(_)
            | Body::Suspend(_)
            | Body::Resume(_)
            | Body::RequestExtension(_)
            | Body::DecideExtension(_)
            | Body::Supervise(_)
            | Body::Urge(_)
            | Body::AppealOverdue(_)
            | Body::DecideAppeal(_)
            | Body::IssueDeadline(_)
            | Body::MarkDueSoon(_)
            | Body::MarkOverdue(_)
            | Body::Escalate(_)
            | Body::ImportCalendar(_)
            | Body::SetAbsent(_)
            | Body::EndAbsence(_)
            | Body::StandIn(_)
            | Body::HandOver(_)
            | Body::MergeUnit(_)
            | Body::TakeOver(_)
    )
}

/// An op that is taken into custody before anybody looks at what it asks for.
fn custody(ctx: &Context<'_>, known: Option<&Body>) -> Option<RefusalCode> {
    if ctx.by_server {
        return None;
    }
    let revoked = ctx.device_revoked || ctx.actor.is_none_or(|actor| actor.disabled_rev.is_some());
    if revoked {
        return Some(RefusalCode::ActorRevoked);
    }
    let ends_custody = known.is_some_and(release::is_about_parked);
    (ctx.behind_parked && !ends_custody).then_some(RefusalCode::BehindParked)
}

/// A report is never rejected for its content: one that can't even be read waits for a person.
fn misfit(op: &Op, why: &str) -> Ruling {
    let reports = op.kind == "report" || op.kind == "settle_on_site";
    let ruling =
        if reports { Ruling::parked(RefusalCode::Validation) } else { Ruling::rejected(RefusalCode::Validation) };
    ruling.with("field", "body").with("why", why)
}

/// What an actor may know of: what it may see now, and for its late evidence what its unit had before.
fn sees(entity: &Entity, body: Option<&Body>, ctx: &Context<'_>) -> bool {
    if ctx.by_server {
        return true;
    }
    let Some(actor) = ctx.actor else { return false };
    let areas = ctx.areas.map(|it| it.document);
    may_see(actor, entity, areas) || had_it(actor, entity, body, areas) || lets_go(actor, entity, body, areas)
}

/// A line that can't be taken names its device: who supervises the whole log may let it go without knowing the phone.
fn lets_go(actor: &Account, entity: &Entity, body: Option<&Body>, areas: Option<&AreaIndex>) -> bool {
    matches!((entity, body), (Entity::Device(_), Some(Body::Discard(_))))
        && actor.disabled_rev.is_none()
        && actor.grants.iter().any(|grant| grant.role == Role::Supervisor && over_all(grant, areas))
}

fn had_it(actor: &Account, entity: &Entity, body: Option<&Body>, areas: Option<&AreaIndex>) -> bool {
    match (entity, body) {
        (Entity::LookBackTask(task), Some(body)) => look_back::is_bad_news(body) && had_task(actor, task, areas),
        (Entity::Case(case), Some(body)) => case.restricted.is_none() && delivers(body) && had_case(actor, case),
        _ => false,
    }
}

/// What a member of a unit that had the case may still hand in: the rules make it late evidence, or refuse the step.
fn delivers(body: &Body) -> bool {
    matches!(
        body,
        Body::SubmitFix(_) | Body::AddEvidence(_) | Body::ReturnAssignment(_) | Body::Accept(_) | Body::Comment(_)
    )
}

fn acting_now(before: Option<&Entity>, body: &Body, ctx: &Context<'_>) -> Option<Acting> {
    let account = ctx.actor?;
    let case = match before {
        Some(Entity::Case(case)) => Some(case.as_ref()),
        _ => None,
    };
    let areas = ctx.areas.map(|it| it.document);
    if let Some(Entity::LookBackTask(task)) = before {
        return acting_on_task(account, body, task, areas);
    }
    if let Body::SetAbsent(_) | Body::EndAbsence(_) = body {
        return before.and_then(|entity| acting_on_person(account, entity, areas));
    }
    let place = match body {
        Body::Report(report) => Some(&report.position),
        Body::SettleOnSite(settled) => Some(&settled.report.position),
        _ => None,
    };
    let found = place.and_then(|position| areas.map(|index| index.locate(position).area));
    acting(account, body, case, found, areas)
}

/// What the rules say, given who acts. Also used for parked ops, with roles frozen at parking.
pub(crate) fn decide(before: Option<&Entity>, step: &Step<'_>) -> Ruling {
    let Step { body, ctx, acting, .. } = *step;
    if roles_for(body).is_empty() && !ctx.by_server {
        return Ruling::rejected(RefusalCode::NotPermitted);
    }
    if let Body::Unreadable(unreadable) = body {
        return Ruling::parked(unreadable.why);
    }
    if release::is_about_parked(body) {
        return if may_end_custody(before, step) { custody_ends(before, step) } else { no_permission(before) };
    }
    if registry::rules_for(body) {
        return if ctx.by_server || acting.is_some() { registry::rule(before, step) } else { no_permission(before) };
    }
    match before {
        None if ctx.by_server && matches!(body, Body::PlanLookBack(_)) => look_back::begin(step),
        None if matches!(body, Body::Report(_) | Body::SettleOnSite(_)) => match acting {
            None if !ctx.by_server => Ruling::parked(RefusalCode::NeedsSupervisor),
            _ => begin(step),
        },
        None => Ruling::rejected(RefusalCode::UnknownEntity),
        Some(Entity::Case(case)) => {
            let former = acting.is_none() && delivers(body) && ctx.actor.is_some_and(|actor| had_case(actor, case));
            if ctx.by_server || acting.is_some() || former { rule(case, step) } else { no_permission(before) }
        }
        Some(Entity::LookBackTask(task)) => {
            let areas = ctx.areas.map(|it| it.document);
            let former = ctx.actor.is_some_and(|actor| look_back::is_bad_news(body) && had_task(actor, task, areas));
            if ctx.by_server || acting.is_some() || former {
                look_back::rule(task, step)
            } else {
                no_permission(before)
            }
        }
        Some(_) => Ruling::invalid("entity"),
    }
}

fn had_case(actor: &Account, case: &Case) -> bool {
    case.former_units.iter().any(|unit| actor.units.contains(unit))
}

fn no_permission(before: Option<&Entity>) -> Ruling {
    Ruling::rejected(if before.is_some() { RefusalCode::NotPermitted } else { RefusalCode::UnknownEntity })
}

/// A supervisor of the case's area; for a case that does not exist yet, any supervisor: the report has no area.
fn may_end_custody(before: Option<&Entity>, step: &Step<'_>) -> bool {
    step.ctx.by_server || step.acting.is_some_and(|_| !matches!(before, Some(Entity::Account(_))))
}

fn custody_ends(before: Option<&Entity>, step: &Step<'_>) -> Ruling {
    match step.body {
        Body::Release(_) => release::release(before, step),
        _ => release::discard(step),
    }
}

/// The record: the ruling, with everything from the context that it rested on.
pub(crate) fn record_of(ruling: &Ruling, acting: Option<Acting>, actor: Option<&Account>, ctx: &Context<'_>) -> Record {
    Record {
        outcome: ruling.outcome,
        code: ruling.code,
        detail: ruling.detail.clone(),
        rules: ctx.rules,
        acting,
        person: actor.map(|account| account.person),
        units: actor.map(|account| account.units.clone()).unwrap_or_default(),
        catalogue: ruling.catalogue,
        areas: ruling.area.and(ctx.areas).map(|it| it.sha256),
        area: ruling.area,
        captured: ctx.captured,
        verified: ctx.verified.keys().copied().collect(),
        flags: ruling.flags.clone(),
        conflicts: ruling.conflicts.clone(),
        number: ruling.number.clone(),
        released: ruling.released.clone(),
    }
}

/// The number of a case state, as leaves and tables hold it.
pub fn state_number(state: State) -> u8 {
    match state {
        State::Reported => 1,
        State::Filed => 2,
        State::Assigned => 3,
        State::Fixed => 4,
        State::Checked => 5,
        State::Closed => 6,
        State::Declined => 7,
        State::Duplicate => 8,
        State::Void => 9,
    }
}
