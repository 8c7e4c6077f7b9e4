//! A new area tree moves cases: each that lies elsewhere now, or under other areas, gets a `place` entry. However many
//! there are, each transaction looks at some of them and notes how far it is, so that a stop in between loses nothing.

use schema::case::{Case, FieldName, Position};
use schema::entity::Entity;
use schema::ids::EntityId;
use schema::op::{Body, Place};
use sync_core::line::consequence_id;
use sync_core::permission::scopes_of;

use super::enter::Desk;
use super::facts;
use super::parsed::parse_entity;
use crate::store::{Entry, Placing, StoreError};

/// Cases looked at in one transaction.
const PAGE: usize = 200;

impl Desk<'_, '_> {
    /// An area tree came into force: every case is to be looked at, from the first.
    pub(super) fn begin_placing(&mut self, cause: &Entry) -> Result<(), StoreError> {
        self.tx.put_placing(Placing { cause: cause.op, after: EntityId::NIL })
    }

    /// Places the next cases anew, if any are left to be looked at.
    pub(super) fn place_some(&mut self, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        let log = self.tx.head.num;
        let Some(placing) = self.tx.db.placing(log)? else { return Ok(Vec::new()) };
        let areas = match facts::in_force(self.tx, self.seen, "areas")? {
            Some(sha256) => self.parsed.areas(self.tx.db, log, sha256)?,
            None => None,
        };
        let page = self.tx.db.entities_of_kind(log, "case", placing.after, PAGE)?;
        let (Some(areas), Some(last)) = (areas, page.last()) else {
            self.tx.end_placing()?;
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for stored in &page {
            let Some(document) = stored.document.as_deref() else { continue };
            let entity = parse_entity(document)?;
            let Entity::Case(case) = &entity else { continue };
            let Some(area) = position(case).map(|position| areas.locate(&position).area) else { continue };
            let moves = area != case.area;
            if moves || self.tx.db.scopes_of_stored(log, stored)? != scopes_of(&entity, Some(&areas)) {
                // Once for each import and case, whichever server does it.
                let id = consequence_id(self.tx.head.log, placing.cause, &format!("place {}", stored.id), 0);
                let incoming = self.by_server(id, stored.id, &Body::Place(Place { area }), received_ms)?;
                entries.push(self.enter(incoming)?);
            }
        }
        self.tx.put_placing(Placing { after: last.id, ..placing })?;
        Ok(entries)
    }
}

fn position(case: &Case) -> Option<Position> {
    let held = case.fields.get(&FieldName::Position)?;
    serde_json::from_value(held.value.clone()).ok()
}
