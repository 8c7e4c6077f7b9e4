//! What the server said last: entity versions with the scopes they came by, and the row of each case in lists.

use schema::case::{Case, FieldName};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::sync::Scope;

use super::error::PhoneError;
use super::tables::rows::{HeldValue, InScope, Laid, Listing, OpValue, Version};
use super::tables::{self, Row, Tables, values};
use crate::sync::answer::EntityVersion;

/// An entity version as held.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Base {
    pub(crate) rev: u64,
    /// None for a kind or form that is newer than this program.
    pub(crate) entity: Option<Entity>,
}

pub(crate) fn get(db: &dyn Tables, log: i64, entity: EntityId) -> Result<Option<Base>, PhoneError> {
    let held: Option<Version> = tables::get(db, values!(log, entity))?;
    Ok(held.map(|held| Base { rev: held.rev, entity: crate::json::read(&held.document).ok() }))
}

pub(crate) fn rev(db: &dyn Tables, log: i64, entity: EntityId) -> Result<Option<u64>, PhoneError> {
    let held: Option<Version> = tables::get(db, values!(log, entity))?;
    Ok(held.map(|held| held.rev))
}

/// Takes a version unless a newer one is held: a late page never overwrites.
pub(crate) fn put(db: &dyn Tables, log: i64, version: &EntityVersion) -> Result<bool, PhoneError> {
    if rev(db, log, version.id)?.is_some_and(|held| held >= version.rev) {
        return Ok(false);
    }
    let row = Version {
        log,
        entity: version.id,
        kind: kind(version),
        rev: version.rev,
        document: version.document.clone(),
        catalogue: version.entity.as_ref().and_then(catalogue_of),
    };
    tables::put(db, &row)?;
    Ok(true)
}

fn kind(version: &EntityVersion) -> String {
    let document: Option<serde_json::Value> = crate::json::read(&version.document).ok();
    let kind = document.as_ref().and_then(|document| document.get("kind")).and_then(serde_json::Value::as_str);
    kind.unwrap_or("unknown").to_owned()
}

fn catalogue_of(entity: &Entity) -> Option<Hash> {
    match entity {
        Entity::Case(case) => case.catalogue,
        Entity::Areas(held) | Entity::Catalogue(held) | Entity::Calendar(held) | Entity::Responsibilities(held) => {
            Some(held.sha256)
        }
        Entity::LookBackTask(_) | Entity::Account(_) | Entity::Device(_) | Entity::Unit(_) | Entity::Log(_) => None,
    }
}

/// Notes that an entity is in a scope, as of a revision.
pub(crate) fn enter(db: &dyn Tables, log: i64, entity: EntityId, scope: Scope, rev: u64) -> Result<(), PhoneError> {
    let held: Option<InScope> = tables::get(db, values!(log, entity, scope))?;
    let rev = held.map_or(rev, |held| held.rev.max(rev));
    tables::put(db, &InScope { log, entity, scope, rev })
}

/// Notes that an entity left a scope; an entry into it after that stays.
pub(crate) fn leave(db: &dyn Tables, log: i64, entity: EntityId, scope: Scope, rev: u64) -> Result<(), PhoneError> {
    let held: Option<InScope> = tables::get(db, values!(log, entity, scope))?;
    if held.is_some_and(|held| held.rev < rev) {
        tables::delete::<InScope>(db, values!(log, entity, scope))?;
    }
    Ok(())
}

/// The entities of a scope.
pub(crate) fn of_scope(db: &dyn Tables, log: i64, scope: Scope) -> Result<Vec<EntityId>, PhoneError> {
    let rows: Vec<InScope> = tables::select(db, InScope::BY_SCOPE, values!(log, scope))?;
    Ok(rows.into_iter().map(|row| row.entity).collect())
}

pub(crate) fn is_in_a_scope(db: &dyn Tables, log: i64, entity: EntityId) -> Result<bool, PhoneError> {
    Ok(tables::first::<InScope>(db, InScope::KEY, values!(log, entity))?.is_some())
}

/// The values of an entity but those that own ops brought.
pub(crate) fn values_of_others(db: &dyn Tables, entity: EntityId) -> Result<Vec<Hash>, PhoneError> {
    let mut found = Vec::new();
    for value in tables::select::<HeldValue>(db, HeldValue::BY_ENTITY, values!(entity))? {
        if tables::count::<OpValue>(db, OpValue::BY_SEALED, values!(value.sealed))? == 0 {
            found.push(value.sealed);
        }
    }
    Ok(found)
}

/// Removes all that is held of an entity, its personal values with it; values of own ops stay until those are done.
pub(crate) fn remove(db: &dyn Tables, log: i64, entity: EntityId) -> Result<(), PhoneError> {
    for sealed in values_of_others(db, entity)? {
        tables::delete::<HeldValue>(db, values!(sealed))?;
    }
    forget(db, values!(log, entity))
}

/// Removes all that is shown of an entity of a log, or of all of a log.
pub(crate) fn forget(db: &dyn Tables, log_and_entity: &[tables::Value]) -> Result<(), PhoneError> {
    tables::remove::<Version>(db, Version::KEY, log_and_entity)?;
    tables::remove::<InScope>(db, InScope::KEY, log_and_entity)?;
    tables::remove::<Laid>(db, Laid::KEY, log_and_entity)?;
    tables::remove::<Listing>(db, Listing::KEY, log_and_entity)?;
    Ok(())
}

/// Writes the list row of a case as shown.
pub(crate) fn list(db: &dyn Tables, log: i64, case: &Case, waiting: usize) -> Result<(), PhoneError> {
    let evidence = || case.evidence.iter().filter(|evidence| evidence.withdrawn.is_none() && evidence.waived.is_none());
    let text = |name: &str| {
        let kind =
            case.fields.get(&FieldName::Kind).and_then(|held| held.value.get(name)).and_then(|code| code.as_str());
        kind.unwrap_or("").to_owned()
    };
    let subject = case.fields.get(&FieldName::Subject).and_then(|held| held.value.as_str());
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let row = Listing {
        log,
        entity: case.id,
        state: case.state,
        short_code: case.short_code.clone(),
        number: case.number.clone(),
        category: text("category"),
        subtype: text("subtype"),
        subject: subject.map(str::to_owned),
        area: case.area,
        unit: case.assignment.as_ref().map(|assignment| assignment.unit),
        reporter: case.reporter.account,
        changed_ms: case.changed_ms,
        photos: count(evidence().count()),
        photos_here: count(evidence().filter(|photo| photo.verified_rev.is_some()).count()),
        conflicts: count(case.conflicts.len()),
        waiting: count(waiting),
    };
    tables::put(db, &row)
}
