//! What this phone holds that an estimate rests on: its account, the catalogue, the area tree, units and people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::area::AreaTree;
use schema::entity::{Account, Entity, Granted};
use schema::hash::Hash;
use schema::ids::{AreaId, EntityId, EpochId, GrantId, PersonId, UnitId};
use schema::op::{Captured, Role};

use super::base;
use super::error::PhoneError;
use super::store::{LogState, ReadDocuments, identity, server_time_ms};
use super::tables::rows::{Document, Version};
use super::tables::{self, Column, Row, Tables, values};
use crate::area::AreaIndex;
use crate::json;
use crate::line::singleton_id;
use crate::sync::overlay::Known;
use crate::time::{self, WorkingCalendar};

/// Reads it all for a log.
pub(crate) fn known(
    db: &dyn Tables,
    read: &mut ReadDocuments,
    log: &LogState,
    now: Captured,
) -> Result<Known, PhoneError> {
    read_catalogues(db, read)?;
    let areas = areas(db, read, log)?;
    let calendar = calendar(db, read, log)?;
    let catalogue = in_force(db, log, "catalogue")?
        .and_then(|sha256| read.catalogues.get(&sha256).map(|catalogue| (sha256, Arc::new(catalogue.clone()))));
    let mut units = BTreeSet::new();
    let mut accounts = BTreeMap::new();
    for entity in people_and_units(db, log.id)? {
        match entity {
            Entity::Unit(unit) if unit.merged.is_some() => {}
            Entity::Unit(unit) => {
                units.insert(UnitId(unit.id.0));
            }
            Entity::Account(account) => {
                accounts.insert(account.id, account);
            }
            Entity::Case(_)
            | Entity::LookBackTask(_)
            | Entity::Device(_)
            | Entity::Areas(_)
            | Entity::Catalogue(_)
            | Entity::Calendar(_)
            | Entity::Responsibilities(_)
            | Entity::Log(_) => {}
        }
    }
    let me = identity(db)?;
    let root = areas.as_ref().map_or(AreaId::NIL, |(_, areas)| areas.root());
    let account = accounts.get(&me.account).cloned().unwrap_or_else(|| assumed(&me, root));
    Ok(Known {
        epoch: log.epoch.unwrap_or(EpochId::NIL),
        account: Some(account),
        catalogue,
        catalogues: Arc::clone(&read.catalogues),
        calendar,
        areas,
        units,
        accounts,
        now_ms: server_time_ms(db, now)?,
    })
}

/// Before the first sync the phone does not know what its user may do. It assumes an inspector: own ops then show as
/// made, which is what a person expects of a report just written.
fn assumed(me: &super::store::Identity, root: AreaId) -> Account {
    Account {
        grants: vec![Granted::new(GrantId::NIL, Role::Inspector, root, 0)],
        ..Account::new(me.account, me.account_name.clone(), PersonId::NIL)
    }
}

fn people_and_units(db: &dyn Tables, log: i64) -> Result<Vec<Entity>, PhoneError> {
    let mut entities = of_kind(db, log, "account")?;
    entities.extend(of_kind(db, log, "unit")?);
    Ok(entities)
}

/// The entities of a kind, by id.
pub(crate) fn of_kind(db: &dyn Tables, log: i64, kind: &str) -> Result<Vec<Entity>, PhoneError> {
    let versions: Vec<Version> = tables::select(db, Version::BY_KIND, values!(log, kind))?;
    Ok(versions.iter().filter_map(|version| json::read(&version.document).ok()).collect())
}

/// The hash of the document that is in force.
pub(crate) fn in_force(db: &dyn Tables, log: &LogState, name: &str) -> Result<Option<Hash>, PhoneError> {
    let id: EntityId = singleton_id(log.log, name);
    Ok(match base::get(db, log.id, id)?.and_then(|base| base.entity) {
        Some(
            Entity::Areas(held) | Entity::Catalogue(held) | Entity::Calendar(held) | Entity::Responsibilities(held),
        ) => Some(held.sha256),
        _ => None,
    })
}

fn areas(
    db: &dyn Tables,
    read: &mut ReadDocuments,
    log: &LogState,
) -> Result<Option<(Hash, Arc<AreaIndex>)>, PhoneError> {
    let Some(sha256) = in_force(db, log, "areas")? else { return Ok(None) };
    if let Some(held) = read.areas.get(&sha256) {
        return Ok(Some((sha256, Arc::clone(held))));
    }
    let Some(bytes) = document(db, sha256)? else { return Ok(None) };
    let index = json::read::<AreaTree>(&bytes).ok().and_then(|tree| AreaIndex::new(&tree).ok());
    let Some(index) = index.map(Arc::new) else { return Ok(None) };
    read.areas.insert(sha256, Arc::clone(&index));
    Ok(Some((sha256, index)))
}

/// None in a browser for a zone that its rules don't carry: then only the server says when something is due.
fn calendar(
    db: &dyn Tables,
    read: &mut ReadDocuments,
    log: &LogState,
) -> Result<Option<(Hash, Arc<WorkingCalendar>)>, PhoneError> {
    let Some(sha256) = in_force(db, log, "calendar")? else { return Ok(None) };
    let name = (sha256, log.zone.clone());
    if let Some(held) = read.calendars.get(&name) {
        return Ok(Some((sha256, Arc::clone(held))));
    }
    let (Some(bytes), Some(zone)) = (document(db, sha256)?, time::zone(&log.zone)) else { return Ok(None) };
    let ready = time::read(&bytes).ok().and_then(|calendar| WorkingCalendar::new(&calendar, zone).ok());
    let Some(ready) = ready.map(Arc::new) else { return Ok(None) };
    read.calendars.insert(name, Arc::clone(&ready));
    Ok(Some((sha256, ready)))
}

/// Reads the catalogues that came since the last time.
fn read_catalogues(db: &dyn Tables, read: &mut ReadDocuments) -> Result<(), PhoneError> {
    for key in db.distinct(Document::TABLE, Document::KEY)? {
        let Some(sha256) = key.into_iter().next().and_then(Column::of) else { continue };
        if read.catalogues.contains_key(&sha256) || read.no_catalogues.contains(&sha256) {
            continue;
        }
        let Some(bytes) = document(db, sha256)? else { continue };
        match json::read(&bytes) {
            Ok(catalogue) => {
                Arc::make_mut(&mut read.catalogues).insert(sha256, catalogue);
            }
            Err(_) => {
                read.no_catalogues.insert(sha256);
            }
        }
    }
    Ok(())
}

pub(crate) fn document(db: &dyn Tables, sha256: Hash) -> Result<Option<Vec<u8>>, PhoneError> {
    Ok(tables::get::<Document>(db, values!(sha256))?.map(|document| document.bytes))
}
