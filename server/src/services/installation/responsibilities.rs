//! Who is responsible where and for what, as the operator changes it: shown first, then put in force.

use anyhow::Context;
use schema::calendar::Day;
use sync_core::line::sha256;
use sync_core::responsibility;
use sync_core::time::day_at;

use super::{Installation, must_be_accepted};
use crate::error::{Error, Result};
use crate::services::changes::{
    ResponsibilityChange, ResponsibilityReport, responsibility_change, responsibility_report,
};
use crate::services::documents;
use crate::store::LogHead;

impl Installation {
    /// Puts responsibilities in force. Gaps are the caller's to refuse.
    ///
    /// # Errors
    /// Its faults, for the operator to read.
    pub async fn import_responsibilities(&self, bytes: Vec<u8>) -> Result<()> {
        let change = self.responsibility_change(&bytes).await?;
        if !change.errors.is_empty() {
            return Err(Error::Faults(change.errors));
        }
        let head = self.only_log().await?;
        let entry = documents::import_responsibilities(&self.ledger, head.log, bytes).await?;
        must_be_accepted(&[entry])
    }

    /// What responsibilities would change, and whether they can take effect.
    ///
    /// # Errors
    /// They can't be read; there are neither areas nor a catalogue to read them against.
    pub async fn responsibility_change(&self, bytes: &[u8]) -> Result<ResponsibilityChange> {
        let next = responsibility::read(bytes).map_err(|fault| Error::Faults(vec![fault]))?;
        let (head, parsed, sha256) = (self.only_log().await?, self.ledger.parsed().clone(), sha256(bytes));
        let on = self.today(&head).await?;
        let found = self.store.read_async(move |db| responsibility_change(db, &parsed, &head, (sha256, &next), on));
        found.await.map_err(Error::from)?.ok_or_else(|| {
            Error::fault("还没有区域或案件目录，请先导入", "there are no areas or no catalogue yet: import them first")
        })
    }

    /// What the responsibilities in force say, from a day on, else from today.
    ///
    /// # Errors
    /// There are none.
    pub async fn responsibility_report(&self, on: Option<Day>) -> Result<ResponsibilityReport> {
        let (head, parsed) = (self.only_log().await?, self.ledger.parsed().clone());
        let on = match on {
            Some(on) => on,
            None => self.today(&head).await?,
        };
        let found = self.store.read_async(move |db| responsibility_report(db, &parsed, &head, on));
        found.await.map_err(Error::from)?.ok_or_else(|| {
            Error::fault(
                "还没有责任清单，请先用 rectify responsibilities import 导入",
                "there are no responsibilities: import them with `rectify responsibilities import`",
            )
        })
    }

    async fn today(&self, head: &LogHead) -> Result<Day> {
        let zone = self.zone(head).await?;
        Ok(day_at(self.clock.now_ms(), &zone).context("the server's clock shows no time")?)
    }
}
