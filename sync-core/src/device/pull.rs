//! The rows of an answer: versions, values, exits, dropped scopes, cursors. A late page never overwrites anything
//! newer and never moves a cursor back.

use std::collections::{BTreeMap, BTreeSet};

use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::sync::{Scope, SyncHeader};

use super::capture::put_value;
use super::error::PhoneError;
use super::store::{LogState, log_by_row};
use super::tables::rows::{Cursor, HeldValue, InScope};
use super::tables::{self, Row, Tables, values};
use super::{base, outbox, photos, room};
use crate::line::read_value;
use crate::sync::answer::{Answer, EntityVersion};

/// What the rows brought.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) touched: BTreeSet<EntityId>,
    pub(crate) taken: u64,
    /// Catalogue, areas, units or people changed: estimates may be others now.
    pub(crate) context_changed: bool,
    pub(crate) new_scopes: bool,
}

/// Takes the rows.
pub(crate) fn take(db: &dyn Tables, log: &LogState, header: &SyncHeader, answer: &Answer) -> Result<Rows, PhoneError> {
    let held = cursors(db, log.id)?;
    let mut rows = Rows::default();
    for version in &answer.entities {
        if is_news(&held, header, version.scope, version.rev) && take_version(db, log.id, version, &mut rows)? {
            forget_values(db, version.id, answer)?;
        }
    }
    for value in &answer.values {
        // A value whose hash does not fit proves nothing and is not kept.
        let line = crate::json::write(&value.value)?;
        if read_value(line.as_bytes()).is_ok() {
            put_value(db, &value.value, value.entity)?;
        }
    }
    for exit in answer.exits.iter().filter(|exit| is_news(&held, header, exit.scope, exit.rev)) {
        base::leave(db, log.id, exit.entity, exit.scope, exit.rev)?;
        rows.touched.insert(exit.entity);
    }
    for scope in &answer.drops {
        drop_scope(db, log.id, *scope, &mut rows)?;
    }
    move_cursors(db, log, header, answer, &held)?;
    for scope in answer.head.default_scopes.iter().filter(|scope| !answer.drops.contains(scope)) {
        rows.new_scopes |= begin_scope(db, log.id, *scope)?;
    }
    // Every scope was asked for and the server has no more: what is shown is not half of it.
    if !answer.end.more && !rows.new_scopes && room::had_room(header, answer) {
        let log = log_by_row(db, log.id)?;
        tables::put(db, &LogState { pulled: true, ..log })?;
    }
    Ok(rows)
}

fn cursors(db: &dyn Tables, log: i64) -> Result<BTreeMap<Scope, u64>, PhoneError> {
    let cursors: Vec<Cursor> = tables::select(db, Cursor::KEY, values!(log))?;
    Ok(cursors.into_iter().map(|cursor| (cursor.scope, cursor.rev)).collect())
}

/// A scope that is to be pulled from its beginning, if it is not held yet. Says whether it is new.
pub(crate) fn begin_scope(db: &dyn Tables, log: i64, scope: Scope) -> Result<bool, PhoneError> {
    let new = tables::get::<Cursor>(db, values!(log, scope))?.is_none();
    if new {
        tables::put(db, &Cursor { log, scope, rev: 0 })?;
    }
    Ok(new)
}

/// Whether a row of a scope was not covered before: its scope was asked for, is still held, and the row lies above its
/// cursor. What lies below was seen in this form or is coming in a newer one.
fn is_news(held: &BTreeMap<Scope, u64>, header: &SyncHeader, scope: Scope, rev: u64) -> bool {
    header.scopes.contains_key(&scope) && held.get(&scope).is_some_and(|cursor| rev > *cursor)
}

fn take_version(db: &dyn Tables, log: i64, version: &EntityVersion, rows: &mut Rows) -> Result<bool, PhoneError> {
    base::enter(db, log, version.id, version.scope, version.rev)?;
    let newer = base::put(db, log, version)?;
    if newer {
        rows.taken = rows.taken.saturating_add(1);
        rows.touched.insert(version.id);
        match &version.entity {
            Some(Entity::Case(case)) => photos::note_verified(db, log, &case.evidence)?,
            Some(Entity::LookBackTask(task)) => photos::note_verified(db, log, &task.evidence)?,
            Some(
                Entity::Account(_)
                | Entity::Unit(_)
                | Entity::Areas(_)
                | Entity::Catalogue(_)
                | Entity::Calendar(_)
                | Entity::Responsibilities(_)
                | Entity::Device(_)
                | Entity::Log(_),
            )
            | None => rows.context_changed = true,
        }
    }
    Ok(newer)
}

/// With each version come all values that this person may read of it: one that does not come was redacted, or is for
/// others now. What own ops brought stays until they are done.
fn forget_values(db: &dyn Tables, entity: EntityId, answer: &Answer) -> Result<(), PhoneError> {
    let come: BTreeSet<Hash> =
        answer.values.iter().filter(|value| value.entity == entity).map(|value| value.value.sealed).collect();
    for sealed in base::values_of_others(db, entity)?.into_iter().filter(|sealed| !come.contains(sealed)) {
        tables::delete::<HeldValue>(db, values!(sealed))?;
    }
    Ok(())
}

fn drop_scope(db: &dyn Tables, log: i64, scope: Scope, rows: &mut Rows) -> Result<(), PhoneError> {
    rows.touched.extend(base::of_scope(db, log, scope)?);
    tables::remove::<InScope>(db, InScope::BY_SCOPE, values!(log, scope))?;
    tables::delete::<Cursor>(db, values!(log, scope))?;
    Ok(())
}

/// A cursor moves only if the page began at or below where it stands: a page of an earlier subscription that began
/// above would skip what lies between.
fn move_cursors(
    db: &dyn Tables,
    log: &LogState,
    header: &SyncHeader,
    answer: &Answer,
    held: &BTreeMap<Scope, u64>,
) -> Result<(), PhoneError> {
    for (scope, to) in &answer.end.scopes {
        let fits = header.scopes.get(scope).zip(held.get(scope)).is_some_and(|(from, cursor)| from <= cursor);
        let cursor = if fits { tables::get::<Cursor>(db, values!(log.id, *scope))? } else { None };
        if let Some(cursor) = cursor {
            tables::put(db, &Cursor { rev: cursor.rev.max(*to), ..cursor })?;
        }
    }
    if header.own <= log.own {
        let log = log_by_row(db, log.id)?;
        tables::put(db, &LogState { own: log.own.max(answer.end.own), ..log })?;
    }
    Ok(())
}

/// Drops entities that are in no scope any more, unless something of this phone's own lies over them.
pub(crate) fn sweep(db: &dyn Tables, log: i64, entities: &BTreeSet<EntityId>) -> Result<(), PhoneError> {
    for entity in entities {
        let pending = outbox::on_entity(db, log, *entity)?.iter().any(|own| own.state != "kept");
        if !pending && !base::is_in_a_scope(db, log, *entity)? {
            base::remove(db, log, *entity)?;
        }
    }
    Ok(())
}
