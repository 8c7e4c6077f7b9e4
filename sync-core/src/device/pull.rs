//! The rows of an answer: versions, values, exits, dropped scopes, cursors. A late page never overwrites anything
//! newer and never moves a cursor back.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::sync::{Scope, SyncHeader};

use super::capture::put_value;
use super::error::PhoneError;
use super::phone::LogState;
use super::row::{Blob, ScopeText, int, nat};
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
pub(crate) fn take(db: &Connection, log: &LogState, header: &SyncHeader, answer: &Answer) -> Result<Rows, PhoneError> {
    let held = cursors(db, log.id)?;
    let mut rows = Rows::default();
    for version in &answer.entities {
        if is_news(&held, header, version.scope, version.rev) && take_version(db, log.id, version, &mut rows)? {
            forget_values(db, version.id, answer)?;
        }
    }
    for value in &answer.values {
        // A value whose hash does not fit proves nothing and is not kept.
        let line = serde_json::to_vec(&value.value)?;
        if read_value(&line).is_ok() {
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
        let new = db
            .prepare_cached("INSERT OR IGNORE INTO cursor (log, scope, rev) VALUES (?1, ?2, 0)")?
            .execute(params![log.id, ScopeText(*scope)])?;
        rows.new_scopes |= new > 0;
    }
    // Every scope was asked for and the server has no more: what is shown is not half of it.
    if !answer.end.more && !rows.new_scopes && room::had_room(header, answer) {
        db.execute("UPDATE log SET pulled = 1 WHERE id = ?1", params![log.id])?;
    }
    Ok(rows)
}

fn cursors(db: &Connection, log: i64) -> Result<BTreeMap<Scope, u64>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT scope, rev FROM cursor WHERE log = ?1")?;
    let rows = statement
        .query_map(params![log], |row| Ok((row.get::<_, ScopeText>(0)?.0, nat(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Whether a row of a scope was not covered before: its scope was asked for, is still held, and the row lies above its
/// cursor. What lies below was seen in this form or is coming in a newer one.
fn is_news(held: &BTreeMap<Scope, u64>, header: &SyncHeader, scope: Scope, rev: u64) -> bool {
    header.scopes.contains_key(&scope) && held.get(&scope).is_some_and(|cursor| rev > *cursor)
}

fn take_version(db: &Connection, log: i64, version: &EntityVersion, rows: &mut Rows) -> Result<bool, PhoneError> {
    base::enter(db, log, version.id, version.scope, version.rev)?;
    let newer = base::put(db, log, version)?;
    if newer {
        rows.taken = rows.taken.saturating_add(1);
        rows.touched.insert(version.id);
        match &version.entity {
            Some(Entity::Case(case)) => photos::note_verified(db, log, case)?,
            Some(
                Entity::Account(_)
                | Entity::Unit(_)
                | Entity::Areas(_)
                | Entity::Catalogue(_)
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
fn forget_values(db: &Connection, entity: EntityId, answer: &Answer) -> Result<(), PhoneError> {
    let come: BTreeSet<Hash> =
        answer.values.iter().filter(|value| value.entity == entity).map(|value| value.value.sealed).collect();
    let held: Vec<Blob<Hash>> = db
        .prepare_cached(
            "SELECT sealed FROM value WHERE entity = ?1 AND NOT EXISTS
                 (SELECT 1 FROM op_value WHERE op_value.sealed = value.sealed)",
        )?
        .query_map(params![Blob(entity)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for Blob(sealed) in held.into_iter().filter(|sealed| !come.contains(&sealed.0)) {
        db.prepare_cached("DELETE FROM value WHERE sealed = ?1")?.execute(params![Blob(sealed)])?;
    }
    Ok(())
}

fn drop_scope(db: &Connection, log: i64, scope: Scope, rows: &mut Rows) -> Result<(), PhoneError> {
    rows.touched.extend(base::of_scope(db, log, scope)?);
    for table in ["base_scope", "cursor"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE log = ?1 AND scope = ?2"))?
            .execute(params![log, ScopeText(scope)])?;
    }
    Ok(())
}

/// A cursor moves only if the page began at or below where it stands: a page of an earlier subscription that began
/// above would skip what lies between.
fn move_cursors(
    db: &Connection,
    log: &LogState,
    header: &SyncHeader,
    answer: &Answer,
    held: &BTreeMap<Scope, u64>,
) -> Result<(), PhoneError> {
    for (scope, to) in &answer.end.scopes {
        let fits = header.scopes.get(scope).zip(held.get(scope)).is_some_and(|(from, cursor)| from <= cursor);
        if fits {
            db.prepare_cached("UPDATE cursor SET rev = MAX(rev, ?3) WHERE log = ?1 AND scope = ?2")?
                .execute(params![log.id, ScopeText(*scope), int(*to)])?;
        }
    }
    if header.own <= log.own {
        db.prepare_cached("UPDATE log SET own = MAX(own, ?2) WHERE id = ?1")?
            .execute(params![log.id, int(answer.end.own)])?;
    }
    Ok(())
}

/// Drops entities that are in no scope any more, unless something of this phone's own lies over them.
pub(crate) fn sweep(db: &Connection, log: i64, entities: &BTreeSet<EntityId>) -> Result<(), PhoneError> {
    for entity in entities {
        let pending = outbox::on_entity(db, log, *entity)?.iter().any(|own| own.state != "kept");
        if !pending && !base::is_in_a_scope(db, log, *entity)? {
            base::remove(db, log, *entity)?;
        }
    }
    Ok(())
}
