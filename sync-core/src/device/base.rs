//! What the server said last: entity versions with the scopes they came by, and the row of each case in lists.

use rusqlite::{Connection, OptionalExtension, params};
use schema::case::{Case, FieldName};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::sync::Scope;

use super::error::PhoneError;
use super::row::{Blob, ScopeText, int, nat};
use crate::apply::state_number;
use crate::sync::answer::EntityVersion;

/// An entity version as held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Base {
    pub(crate) rev: u64,
    pub(crate) document: String,
    /// None for a kind or form that is newer than this program.
    pub(crate) entity: Option<Entity>,
}

pub(crate) fn get(db: &Connection, log: i64, entity: EntityId) -> Result<Option<Base>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT rev, document FROM base WHERE log = ?1 AND entity = ?2")?;
    let held: Option<(i64, String)> =
        statement.query_row(params![log, Blob(entity)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(held.map(|(rev, document)| Base { rev: nat(rev), entity: serde_json::from_str(&document).ok(), document }))
}

pub(crate) fn rev(db: &Connection, log: i64, entity: EntityId) -> Result<Option<u64>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT rev FROM base WHERE log = ?1 AND entity = ?2")?;
    Ok(statement.query_row(params![log, Blob(entity)], |row| row.get(0)).optional()?.map(nat))
}

/// Takes a version unless a newer one is held: a late page never overwrites.
pub(crate) fn put(db: &Connection, log: i64, version: &EntityVersion) -> Result<bool, PhoneError> {
    let changed = db
        .prepare_cached(
            "INSERT INTO base (log, entity, kind, rev, document, catalogue) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (log, entity) DO UPDATE SET kind = excluded.kind, rev = excluded.rev,
                 document = excluded.document, catalogue = excluded.catalogue
             WHERE excluded.rev > base.rev",
        )?
        .execute(params![
            log,
            Blob(version.id),
            kind(version),
            int(version.rev),
            version.document,
            version.entity.as_ref().and_then(catalogue_of).map(Blob)
        ])?;
    Ok(changed > 0)
}

fn kind(version: &EntityVersion) -> String {
    let document: Option<serde_json::Value> = serde_json::from_str(&version.document).ok();
    let kind = document.as_ref().and_then(|document| document.get("kind")).and_then(serde_json::Value::as_str);
    kind.unwrap_or("unknown").to_owned()
}

fn catalogue_of(entity: &Entity) -> Option<Hash> {
    match entity {
        Entity::Case(case) => case.catalogue,
        Entity::Areas(held) | Entity::Catalogue(held) => Some(held.sha256),
        Entity::Account(_) | Entity::Device(_) | Entity::Unit(_) | Entity::Log(_) => None,
    }
}

/// Notes that an entity is in a scope, as of a revision.
pub(crate) fn enter(db: &Connection, log: i64, entity: EntityId, scope: Scope, rev: u64) -> Result<(), PhoneError> {
    db.prepare_cached(
        "INSERT INTO base_scope (log, entity, scope, rev) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET rev = MAX(rev, excluded.rev)",
    )?
    .execute(params![log, Blob(entity), ScopeText(scope), int(rev)])?;
    Ok(())
}

/// Notes that an entity left a scope; an entry into it after that stays.
pub(crate) fn leave(db: &Connection, log: i64, entity: EntityId, scope: Scope, rev: u64) -> Result<(), PhoneError> {
    db.prepare_cached("DELETE FROM base_scope WHERE log = ?1 AND entity = ?2 AND scope = ?3 AND rev < ?4")?
        .execute(params![log, Blob(entity), ScopeText(scope), int(rev)])?;
    Ok(())
}

/// The entities of a scope.
pub(crate) fn of_scope(db: &Connection, log: i64, scope: Scope) -> Result<Vec<EntityId>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT entity FROM base_scope WHERE log = ?1 AND scope = ?2")?;
    let rows = statement.query_map(params![log, ScopeText(scope)], |row| row.get::<_, Blob<EntityId>>(0))?;
    Ok(rows.map(|row| row.map(|entity| entity.0)).collect::<Result<_, _>>()?)
}

pub(crate) fn is_in_a_scope(db: &Connection, log: i64, entity: EntityId) -> Result<bool, PhoneError> {
    let mut statement = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM base_scope WHERE log = ?1 AND entity = ?2)")?;
    Ok(statement.query_row(params![log, Blob(entity)], |row| row.get(0))?)
}

/// Removes all that is held of an entity, its personal values with it; values of own ops stay until those are done.
pub(crate) fn remove(db: &Connection, log: i64, entity: EntityId) -> Result<(), PhoneError> {
    db.prepare_cached(
        "DELETE FROM value WHERE entity = ?1 AND NOT EXISTS
             (SELECT 1 FROM op_value WHERE op_value.sealed = value.sealed)",
    )?
    .execute(params![Blob(entity)])?;
    for table in ["base", "base_scope", "view", "listing"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE log = ?1 AND entity = ?2"))?
            .execute(params![log, Blob(entity)])?;
    }
    Ok(())
}

/// Writes the list row of a case as shown.
pub(crate) fn list(db: &Connection, log: i64, case: &Case, waiting: usize) -> Result<(), PhoneError> {
    let evidence = || case.evidence.iter().filter(|evidence| evidence.withdrawn.is_none() && evidence.waived.is_none());
    let text = |name: &str| {
        let kind =
            case.fields.get(&FieldName::Kind).and_then(|held| held.value.get(name)).and_then(|code| code.as_str());
        kind.unwrap_or("").to_owned()
    };
    let subject = case.fields.get(&FieldName::Subject).and_then(|held| held.value.as_str());
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    db.prepare_cached(
        "INSERT OR REPLACE INTO listing (log, entity, state, short_code, number, category, subtype, subject, area, unit,
             reporter, changed_ms, photos, photos_here, conflicts, waiting)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .execute(params![
        log,
        Blob(case.id),
        state_number(case.state),
        case.short_code,
        case.number,
        text("category"),
        text("subtype"),
        subject,
        Blob(case.area),
        case.assignment.as_ref().map(|assignment| Blob(assignment.unit)),
        Blob(case.reporter.account),
        int(case.changed_ms),
        count(evidence().count()),
        count(evidence().filter(|photo| photo.verified_rev.is_some()).count()),
        count(case.conflicts.len()),
        count(waiting),
    ])?;
    Ok(())
}
