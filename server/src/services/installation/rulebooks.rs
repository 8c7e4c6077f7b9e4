//! The catalogue and the working calendar as the operator changes them: shown first, then put in force.

use schema::entity::Entity;
use sync_core::line::{sha256, singleton_id};
use sync_core::time::WorkingCalendar;

use super::{Installation, must_be_accepted};
use crate::error::Result;
use crate::services::changes::{CalendarChange, CatalogueChange, calendar_change, catalogue_change};
use crate::services::documents;
use crate::services::ledger::{read_entity, zone_of};

impl Installation {
    /// Puts a catalogue in force.
    ///
    /// # Errors
    /// Its faults, for the operator to read.
    pub async fn import_catalogue(&self, bytes: Vec<u8>) -> Result<()> {
        let head = self.only_log().await?;
        let entry = documents::import_catalogue(&self.ledger, head.log, bytes).await?;
        must_be_accepted(&[entry])
    }

    /// Puts a working calendar in force.
    ///
    /// # Errors
    /// Its faults, for the operator to read.
    pub async fn import_calendar(&self, bytes: Vec<u8>) -> Result<()> {
        let head = self.only_log().await?;
        let entry = documents::import_calendar(&self.ledger, head.log, bytes).await?;
        must_be_accepted(&[entry])
    }

    /// What a working calendar would change.
    ///
    /// # Errors
    /// Its faults.
    pub async fn calendar_change(&self, bytes: &[u8]) -> Result<CalendarChange> {
        let (next, sha256) = (documents::read_calendar(bytes)?, sha256(bytes));
        let (head, parsed) = (self.only_log().await?, self.ledger.parsed().clone());
        self.store
            .read_async(move |db| {
                let zone = zone_of(db, head.num, head.log)?;
                let ready = WorkingCalendar::new(&next, zone).map_err(anyhow::Error::new)?;
                Ok(calendar_change(db, &parsed, &head, sha256, &next, &ready)?)
            })
            .await
    }

    /// What a catalogue would change.
    ///
    /// # Errors
    /// Its faults.
    pub async fn catalogue_change(&self, bytes: &[u8]) -> Result<CatalogueChange> {
        let next = documents::read_catalogue(bytes)?;
        let head = self.only_log().await?;
        let (num, id, parsed) = (head.num, singleton_id(head.log, "catalogue"), self.ledger.parsed().clone());
        self.store
            .read_async(move |db| {
                let now = match read_entity(db, num, id)? {
                    Some(Entity::Catalogue(now)) => parsed.catalogue(db, num, now.sha256)?,
                    _ => None,
                };
                catalogue_change(db, num, now.as_deref(), &next)
            })
            .await
    }
}

#[cfg(test)]
mod tests;
