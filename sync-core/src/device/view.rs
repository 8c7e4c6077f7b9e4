//! Computes again what is shown of the entities that something touched, from their base and own ops.

use std::collections::BTreeSet;

use schema::entity::Entity;
use schema::ids::EntityId;
use schema::record::OutcomeLine;

use super::base;
use super::error::PhoneError;
use super::outbox;
use super::tables::rows::{Laid, StoredOp};
use super::tables::{self, Tables, values};
use crate::line;
use crate::sync::overlay::{self, Entered, Known, OwnOp};

/// Recomputes some entities of a log.
pub(crate) fn recompute(
    db: &dyn Tables,
    log: i64,
    entities: &BTreeSet<EntityId>,
    known: &Known,
) -> Result<(), PhoneError> {
    for entity in entities {
        recompute_one(db, log, *entity, known)?;
    }
    Ok(())
}

fn recompute_one(db: &dyn Tables, log: i64, entity: EntityId, known: &Known) -> Result<(), PhoneError> {
    let held = base::get(db, log, entity)?;
    let rev = held.as_ref().map_or(0, |base| base.rev);
    let mut overlaid: Vec<StoredOp> =
        outbox::on_entity(db, log, entity)?.into_iter().filter(|op| is_laid(op, rev)).collect();
    // A document newer than this program is kept and can't be overlaid: own ops on it are still sent.
    let unread = held.as_ref().is_some_and(|base| base.entity.is_none());
    if overlaid.is_empty() || unread {
        tables::delete::<Laid>(db, values!(log, entity))?;
        return match held {
            Some(base::Base { entity: Some(Entity::Case(case)), .. }) => base::list(db, log, &case, 0),
            Some(_) => Ok(()),
            None => base::remove(db, log, entity),
        };
    }
    let mut ops = Vec::with_capacity(overlaid.len());
    for stored in &overlaid {
        ops.push(own_op(db, log, stored)?);
    }
    let base = held.as_ref().and_then(|base| base.entity.as_ref().map(|entity| (entity, base.rev)));
    let shown = overlay::view(base, &ops, known);
    for (stored, estimate) in overlaid.iter_mut().zip(&shown.estimates) {
        if stored.state == "undecided" {
            stored.estimate = Some(crate::json::write(estimate)?);
            tables::put(db, stored)?;
        }
    }
    let Some(shown_entity) = &shown.entity else { return Ok(()) };
    let document = crate::json::write(shown_entity)?;
    tables::put(db, &Laid { log, entity, document, provisional: shown.provisional })?;
    if let Entity::Case(case) = shown_entity {
        base::list(db, log, case, overlaid.len())?;
    }
    Ok(())
}

/// Whether an op lies over a base: undecided, or accepted at a revision that the base has not reached.
pub(crate) fn is_laid(op: &StoredOp, base_rev: u64) -> bool {
    let accepted_at = |outcome: Option<&str>, rev: Option<u64>| match (outcome, rev) {
        (Some("accepted" | "accepted_with_conflict"), Some(rev)) => rev > base_rev,
        _ => false,
    };
    match op.state.as_str() {
        "undecided" => true,
        "decided" => accepted_at(op.outcome.as_deref(), op.rev) || accepted_at(op.second.as_deref(), op.second_rev),
        _ => false,
    }
}

fn own_op(db: &dyn Tables, log: i64, stored: &StoredOp) -> Result<OwnOp, PhoneError> {
    let op = line::read(&stored.line).map_err(|code| PhoneError::internal(format!("an own line is {code:?}")))?;
    let answer: Option<OutcomeLine> = stored.answer.as_deref().map(crate::json::read).transpose()?;
    let accepted = answer.map(|answer| Entered {
        rev: stored.second_rev.unwrap_or(answer.rev),
        received_ms: answer.received_ms,
        first_received_ms: answer.first_received_ms,
    });
    let other = match overlay::other_entity(&op) {
        Some(other) => shown(db, log, other)?,
        None => None,
    };
    Ok(OwnOp { op, accepted, other })
}

/// An entity as shown: the overlay where there is one, else the base.
pub(crate) fn shown(db: &dyn Tables, log: i64, entity: EntityId) -> Result<Option<Entity>, PhoneError> {
    match tables::get::<Laid>(db, values!(log, entity))? {
        Some(laid) => Ok(crate::json::read(&laid.document).ok()),
        None => Ok(base::get(db, log, entity)?.and_then(|base| base.entity)),
    }
}

/// The entities that own ops may lie over.
pub(crate) fn touched_by_own_ops(db: &dyn Tables, log: i64) -> Result<BTreeSet<EntityId>, PhoneError> {
    let mut touched = BTreeSet::new();
    for state in ["undecided", "decided"] {
        let ops: Vec<StoredOp> = tables::select(db, StoredOp::BY_LOG_STATE, values!(log, state))?;
        touched.extend(ops.into_iter().map(|op| op.entity));
    }
    Ok(touched)
}
