//! Hand-overs as people see them: what one would move before it is asked for, and what it has moved.

use std::collections::BTreeMap;

use schema::api::{HandOverPreview, HandOverReceipt, HandedCase};
use schema::case::Case;
use schema::entity::Entity;
use schema::ids::{EntityId, OpId};
use schema::op::Body;
use sync_core::area::AreaIndex;
use sync_core::line::{self, ReadBody};

use super::ledger::{HandedOver, parse_entity, read_entity};
use crate::store::{Db, Entry, LogNum, StoreError};

/// Rows read at a time.
const PAGE: usize = 500;

/// What a hand-over would move by now.
///
/// # Errors
/// The database's.
pub(super) fn preview(
    db: &mut Db,
    log: LogNum,
    about: &HandedOver,
    areas: Option<&AreaIndex>,
) -> Result<HandOverPreview, StoreError> {
    let mut states = BTreeMap::new();
    let (mut cases, mut after) = (0_u64, EntityId::NIL);
    loop {
        let page = db.held_cases(log, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(HandOverPreview { cases, states }) };
        after = last.id;
        for document in page.into_iter().filter_map(|stored| stored.document) {
            let Entity::Case(case) = parse_entity(&document)? else { continue };
            if about.covers(case.area, areas) && is_concerned(db, log, about, &case)? {
                cases += 1;
                *states.entry(case.state).or_default() += 1;
            }
        }
    }
}

fn is_concerned(db: &mut Db, log: LogNum, about: &HandedOver, case: &Case) -> Result<bool, StoreError> {
    let holder = match about.holder(case) {
        Some(id) => read_entity(db, log, id.into())?,
        None => None,
    };
    let holder = match &holder {
        Some(Entity::Account(account)) => Some(account),
        _ => None,
    };
    Ok(about.taken_over(case, OpId::NIL, holder).is_some())
}

/// What a hand-over or a merger has moved, case by case as far as `sees` says; none if the op is none.
///
/// # Errors
/// The database's.
pub(super) fn receipt(
    db: &mut Db,
    log: LogNum,
    op: OpId,
    areas: Option<&AreaIndex>,
    sees: impl Fn(&Entity) -> bool,
) -> Result<Option<HandOverReceipt>, StoreError> {
    let Some(cause) = db.entries_of_ops(log, &[op])?.pop() else { return Ok(None) };
    let of = read_entity(db, log, cause.entity)?;
    let Some(about) = HandedOver::of(&cause, of.as_ref())? else { return Ok(None) };
    let done_rev = db.handing_of(log, cause.rev)?.and_then(|handing| handing.done_rev);
    let mut found = HandOverReceipt {
        op,
        rev: cause.rev,
        by: cause.actor,
        received_ms: cause.received_ms,
        from: cause.entity,
        to: about.to,
        moved: 0,
        left: if done_rev.is_some() { 0 } else { preview(db, log, &about, areas)?.cases },
        done: done_rev.is_some(),
        cases: Vec::new(),
    };
    let mut after = cause.rev;
    loop {
        let page = db.entries_of_kind_in(log, "take_over", (after, done_rev.unwrap_or(u64::MAX)), PAGE)?;
        let Some(last) = page.last() else { return Ok(Some(found)) };
        after = last.rev;
        for entry in page.iter().filter(|entry| follows(entry, op)) {
            found.moved += 1;
            match read_entity(db, log, entry.entity)? {
                Some(entity) if sees(&entity) => {
                    let Entity::Case(case) = entity else { continue };
                    let (rev, received_ms) = (entry.rev, entry.received_ms);
                    let accepted_ms = case.assignment.and_then(|it| it.accepted).map(|by| by.received_ms);
                    found.cases.push(HandedCase {
                        case: case.id,
                        short_code: case.short_code,
                        rev,
                        received_ms,
                        accepted_ms,
                    });
                }
                _ => {}
            }
        }
    }
}

fn follows(entry: &Entry, op: OpId) -> bool {
    let body = line::read(&entry.line).ok().map(|op| line::body(&op));
    matches!(body, Some(ReadBody::Known(body)) if matches!(*body, Body::TakeOver(ref body) if body.hand_over == op))
}
