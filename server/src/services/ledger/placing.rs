//! A new area tree moves cases and people: each case that lies elsewhere now, or under other areas, gets a `place` entry,
//! each account whose areas lie under others a `rescope` entry.

use schema::case::{Case, FieldName, Position};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Body, Nothing, Place};
use sync_core::area::AreaIndex;
use sync_core::permission::scopes_of;

use super::enter::Desk;
use super::facts;
use super::parsed::parse_entity;
use crate::store::{Entry, StoreError, StoredEntity};

/// Entities looked at together.
const PAGE: usize = 500;

impl Desk<'_, '_> {
    /// Places every case and every account anew after an import of areas.
    pub(super) fn place_all(&mut self, cause: &Entry, received_ms: u64, depth: u32) -> Result<(), StoreError> {
        let log = self.tx.head.num;
        let areas = match facts::in_force(self.tx, self.seen, "areas")? {
            Some(sha256) => self.parsed.areas(self.tx.db, log, sha256)?,
            None => None,
        };
        let Some(areas) = areas else { return Ok(()) };
        let mut n = 0;
        for kind in ["case", "account"] {
            let mut after = EntityId::NIL;
            loop {
                let page = self.tx.db.entities_of_kind(log, kind, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for stored in &page {
                    if let Some(body) = self.moved(stored, &areas)? {
                        self.enter_consequence(cause, n, stored.id, &body, received_ms, depth)?;
                        n += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// What has to be entered about an entity under another tree; nothing where it lies as it did.
    fn moved(&mut self, stored: &StoredEntity, areas: &AreaIndex) -> Result<Option<Body>, StoreError> {
        let Some(document) = stored.document.as_deref() else { return Ok(None) };
        let entity = parse_entity(document)?;
        let (area, was) = match &entity {
            Entity::Case(case) => match position(case) {
                Some(position) => (Some(areas.locate(&position).area), Some(case.area)),
                None => return Ok(None),
            },
            _ => (None, None),
        };
        let scopes = self.tx.db.scopes_of_stored(self.tx.head.num, stored)?;
        if area == was && scopes == scopes_of(&entity, Some(areas)) {
            return Ok(None);
        }
        Ok(Some(area.map_or(Body::Rescope(Nothing {}), |area| Body::Place(Place { area }))))
    }
}

fn position(case: &Case) -> Option<Position> {
    let held = case.fields.get(&FieldName::Position)?;
    serde_json::from_value(held.value.clone()).ok()
}
