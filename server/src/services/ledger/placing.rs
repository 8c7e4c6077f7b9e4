//! A new area tree moves cases, and a new calendar their deadlines: each that lies elsewhere now, or under other areas,
//! gets a `place` entry, each deadline that is counted otherwise an `issue_deadline`. However many there are, each
//! transaction looks at some of them and notes how far it is, so that a stop in between loses nothing.

use std::sync::Arc;

use schema::case::{Case, FieldName, Position};
use schema::clock::{Running, Stage, Timed};
use schema::entity::Entity;
use schema::ids::{EntityId, OpId};
use schema::op::{Body, IssueDeadline, Nothing, Place};
use sync_core::area::AreaIndex;
use sync_core::case::kind_of;
use sync_core::catalogue::subtype;
use sync_core::clock::{recounted, stages};
use sync_core::context::InForce;
use sync_core::line::consequence_id;
use sync_core::permission::scopes_of;
use sync_core::time::{TimeError, WorkingCalendar};

use super::enter::Desk;
use super::facts;
use super::parsed::parse_entity;
use crate::store::{Entry, Placing, StoreError};

/// Cases looked at in one transaction.
const PAGE: usize = 200;

impl Desk<'_, '_> {
    /// An area tree or a calendar came into force: every case is to be looked at, from the first.
    pub(super) fn begin_placing(&mut self, cause: &Entry) -> Result<(), StoreError> {
        self.tx.put_placing(Placing { cause: cause.op, after: EntityId::NIL })
    }

    /// Accounts follow at once: they are few, and what they see follows the tree in force anyway.
    pub(super) fn rescope_accounts(&mut self, cause: &Entry, received_ms: u64) -> Result<(), StoreError> {
        let log = self.tx.head.num;
        let Some(areas) = self.areas()? else { return Ok(()) };
        let mut after = EntityId::NIL;
        loop {
            let page = self.tx.db.entities_of_kind(log, "account", after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for stored in &page {
                let Some(document) = stored.document.as_deref() else { continue };
                if self.tx.db.scopes_of_stored(log, stored)? != scopes_of(&parse_entity(document)?, Some(&areas)) {
                    let id = consequence_id(self.tx.head.log, cause.op, &format!("rescope {}", stored.id), 0);
                    let incoming = self.by_server(id, stored.id, &Body::Rescope(Nothing {}), received_ms)?;
                    self.enter(incoming)?;
                }
            }
        }
    }

    /// The area tree in force.
    pub(super) fn areas(&mut self) -> Result<Option<Arc<AreaIndex>>, StoreError> {
        match facts::in_force(self.tx, self.seen, "areas")? {
            Some(sha256) => self.parsed.areas(self.tx.db, self.tx.head.num, sha256),
            None => Ok(None),
        }
    }

    /// Moves the next cases, if any are left to be looked at: to the areas in force, then to whom they were handed over.
    pub(super) fn move_some(&mut self, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        if self.tx.db.placing(self.tx.head.num)?.is_some() {
            return self.place_some(received_ms);
        }
        self.hand_some(received_ms)
    }

    /// Places the next cases anew, if any are left to be looked at.
    fn place_some(&mut self, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        let log = self.tx.head.num;
        let Some(placing) = self.tx.db.placing(log)? else { return Ok(Vec::new()) };
        let areas = self.areas()?;
        let page = self.tx.db.entities_of_kind(log, "case", placing.after, PAGE)?;
        let Some(last) = page.last() else {
            self.tx.end_placing()?;
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for stored in &page {
            let Some(document) = stored.document.as_deref() else { continue };
            let entity = parse_entity(document)?;
            let Entity::Case(case) = &entity else { continue };
            if let Some(areas) = &areas {
                let area = position(case).map(|position| areas.locate(&position).area);
                let moves = area.is_some_and(|area| area != case.area);
                let area = area.unwrap_or(case.area);
                if moves || self.tx.db.scopes_of_stored(log, stored)? != scopes_of(&entity, Some(areas)) {
                    // Once for each import and case, whichever server does it.
                    let id = consequence_id(self.tx.head.log, placing.cause, &format!("place {}", stored.id), 0);
                    let incoming = self.by_server(id, stored.id, &Body::Place(Place { area }), received_ms)?;
                    entries.push(self.enter(incoming)?);
                }
            }
            entries.extend(self.recount(case, placing.cause, received_ms)?);
            entries.extend(self.excuse(stored.id, placing.cause, received_ms)?);
        }
        self.tx.put_placing(Placing { after: last.id, ..placing })?;
        Ok(entries)
    }

    /// Issues the deadlines of a case that the calendar in force counts otherwise.
    fn recount(&mut self, case: &Case, cause: OpId, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        if case.clocks.iter().all(|clock| clock.running != Running::Running) {
            return Ok(Vec::new());
        }
        let issued = self.by_stages(case, |stages, calendar| {
            recounted(case, stages, calendar.document, calendar.sha256, received_ms)
        })?;
        let mut entries = Vec::new();
        for body in issued {
            let helper = body.unit.filter(|_| body.timed == Timed::Helper);
            let of = helper.map_or_else(|| case.id.to_string(), |unit| format!("{} {unit}", case.id));
            let name = format!("recount {of} {}", body.stage);
            let id = consequence_id(self.tx.head.log, cause, &name, 0);
            let incoming = self.by_server(id, case.id, &Body::IssueDeadline(body), received_ms)?;
            entries.push(self.enter(incoming)?);
        }
        Ok(entries)
    }

    /// Counts something of a case by its stages and the calendar in force; nothing where either is missing.
    pub(super) fn by_stages(
        &mut self,
        case: &Case,
        count: impl FnOnce(&[&Stage], InForce<'_, WorkingCalendar>) -> Result<Vec<IssueDeadline>, TimeError>,
    ) -> Result<Vec<IssueDeadline>, StoreError> {
        let log = self.tx.head.num;
        let Some(sha256) = facts::in_force(self.tx, self.seen, "calendar")? else { return Ok(Vec::new()) };
        let calendar = self.parsed.calendar(self.tx.db, log, self.tx.head.log, sha256)?;
        let catalogue = match case.catalogue {
            Some(pinned) => self.parsed.catalogue(self.tx.db, log, pinned)?,
            None => None,
        };
        let (Some(calendar), Some(catalogue), Some((category, code))) = (calendar, catalogue, kind_of(case)) else {
            return Ok(Vec::new());
        };
        let Some((_, found)) = subtype(&catalogue, &category, &code) else { return Ok(Vec::new()) };
        let in_force = InForce { sha256, document: &*calendar };
        count(&stages(&catalogue, found), in_force)
            .map_err(|_| StoreError::Damaged("a deadline beyond what can be told"))
    }
}

fn position(case: &Case) -> Option<Position> {
    let held = case.fields.get(&FieldName::Position)?;
    serde_json::from_value(held.value.clone()).ok()
}
