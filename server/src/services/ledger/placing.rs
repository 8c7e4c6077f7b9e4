//! A new area tree moves cases: each that lies elsewhere now, or under other areas, gets a `place` entry.

use schema::case::{Case, FieldName, Position};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Body, Place};
use sync_core::permission::scopes_of;

use super::enter::Desk;
use super::facts;
use super::parsed::parse_entity;
use crate::store::{Entry, StoreError};

/// Cases looked at together.
const PAGE: usize = 500;

impl Desk<'_, '_> {
    /// Places every case anew after an import of areas.
    pub(super) fn place_cases(&mut self, cause: &Entry, received_ms: u64, depth: u32) -> Result<(), StoreError> {
        let log = self.tx.head.num;
        let areas = match facts::in_force(self.tx, self.seen, "areas")? {
            Some(sha256) => self.parsed.areas(self.tx.db, log, sha256)?,
            None => None,
        };
        let Some(areas) = areas else { return Ok(()) };
        let mut after = EntityId::NIL;
        let mut n = 0;
        loop {
            let page = self.tx.db.entities_of_kind(log, "case", after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for stored in &page {
                let Some(document) = stored.document.as_deref() else { continue };
                let entity = parse_entity(document)?;
                let Entity::Case(case) = &entity else { continue };
                let Some(area) = position(case).map(|position| areas.locate(&position).area) else { continue };
                let moves = area != case.area;
                if moves || self.tx.db.scopes_of_stored(log, stored)? != scopes_of(&entity, Some(&areas)) {
                    self.enter_consequence(cause, n, stored.id, &Body::Place(Place { area }), received_ms, depth)?;
                    n += 1;
                }
            }
        }
    }
}

fn position(case: &Case) -> Option<Position> {
    let held = case.fields.get(&FieldName::Position)?;
    serde_json::from_value(held.value.clone()).ok()
}
