//! `release` and `discard`: a supervisor ends the custody of a parked op and of all parked behind it.

use schema::entity::{Account, Entity, Granted};
use schema::op::Body;
use schema::record::{Acting, Outcome, RefusalCode, Released};

use crate::apply::{decide, record_of};
use crate::case::Step;
use crate::context::{Context, ParkedOp};
use crate::line::{ReadBody, body};
use crate::permission::for_makers;
use crate::personal;
use crate::ruling::Ruling;

/// `discard`: the parked ops end without effect.
pub(crate) fn discard(step: &Step<'_>) -> Ruling {
    if let Some(refused) = out_of_order(step) {
        return refused;
    }
    let mut ruling = Ruling::unchanged();
    ruling.released = step
        .ctx
        .parked
        .iter()
        .map(|parked| {
            let mut record = parked.record.clone();
            record.outcome = Outcome::Rejected;
            Released { op: parked.op.op, rev: parked.rev, record: Box::new(record) }
        })
        .collect();
    ruling
}

/// Custody ends from its first op on: one behind it was made by somebody who had seen the first take effect.
fn out_of_order(step: &Step<'_>) -> Option<Ruling> {
    let (Body::Release(about) | Body::Discard(about)) = step.body else { return Some(Ruling::invalid("parked")) };
    match step.ctx.parked.first() {
        None => Some(Ruling::invalid("parked")),
        Some(first) if first.op.op != about.parked => {
            Some(Ruling::invalid("parked").with("first", first.op.op.to_string()))
        }
        Some(_) => None,
    }
}

/// `release`: the parked ops are decided one after the other as they stand, with the roles frozen when they were
/// parked; a report of somebody who might not report, with the releaser's.
pub(crate) fn release(before: Option<&Entity>, step: &Step<'_>) -> Ruling {
    if let Some(refused) = out_of_order(step) {
        return refused;
    }
    let mut current = before.cloned();
    let mut moved = false;
    let mut released = Vec::new();
    let mut number = None;
    for parked in step.ctx.parked {
        let acting = parked.record.acting.or(step.acting.filter(|_| is_lent(current.as_ref(), parked)));
        let author = author(parked, acting);
        let ruling = match body(&parked.op) {
            ReadBody::Known(known) => {
                let ctx = frozen(step.ctx, &author, parked);
                let step = Step { op: &parked.op, body: &known, ctx: &ctx, acting };
                match personal::in_plain(current.as_ref(), &step) {
                    Some(field) => Ruling::rejected(RefusalCode::PlainPersonal).with("field", field.to_string()),
                    None => decide(current.as_ref(), &step),
                }
            }
            ReadBody::TooNew => Ruling::rejected(RefusalCode::KindTooNew),
            ReadBody::Misfit(why) if step.ctx.rules < 2 => Ruling::rejected(RefusalCode::Validation).with("why", why),
            ReadBody::Misfit(why) => {
                Ruling::rejected(RefusalCode::Validation).with("why", personal::without_values(&why))
            }
        };
        let mut record = record_of(&ruling, acting, Some(&author), step.ctx);
        record.captured = parked.record.captured;
        number = ruling.number.clone().or(number);
        if let Some(after) = ruling.after {
            current = Some(after);
            moved = true;
        }
        released.push(Released { op: parked.op.op, rev: parked.rev, record: Box::new(record) });
    }
    let mut ruling = match current {
        Some(after) if moved => Ruling::accepted(after),
        _ => Ruling::unchanged(),
    };
    ruling.released = released;
    ruling.number = number;
    ruling
}

/// Whether the releaser's role may stand in for one that was not there: for a report, and for what its maker says
/// about it. Any other step needs a right of its author's own; the releaser can take it in person.
fn is_lent(current: Option<&Entity>, parked: &ParkedOp) -> bool {
    let ReadBody::Known(known) = body(&parked.op) else { return false };
    let makes = matches!(current, Some(Entity::Case(case)) if case.reporter.account == parked.op.actor);
    matches!(*known, Body::Report(_) | Body::SettleOnSite(_)) || (makes && for_makers(&known))
}

/// The author as frozen at parking.
fn author(parked: &ParkedOp, acting: Option<Acting>) -> Account {
    let person = parked.record.person.unwrap_or(schema::ids::PersonId::NIL);
    Account {
        grants: acting.map(|it| Granted::new(it.grant, it.role, it.area, it.rev)).into_iter().collect(),
        units: parked.record.units.clone(),
        ..Account::new(parked.op.actor, String::new(), person)
    }
}

/// The release's context, with the author and the times of the parked op: it was received long before.
fn frozen<'a>(ctx: &Context<'a>, author: &'a Account, parked: &ParkedOp) -> Context<'a> {
    Context {
        actor: Some(author),
        first_received_ms: parked.received_ms.1,
        captured: parked.record.captured,
        by_server: false,
        device_revoked: false,
        behind_parked: false,
        parked: &[],
        ..ctx.clone()
    }
}

/// Whether an op is about parked ones.
pub(crate) fn is_about_parked(body: &Body) -> bool {
    matches!(body, Body::Release(_) | Body::Discard(_))
}
