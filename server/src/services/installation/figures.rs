//! Figures as the operator asks for them: of every case of a district, or of an area of it.

use schema::calendar::Day;
use schema::figures::{FiguresAnswer, FiguresAsked, GroupBy};

use super::Installation;
use crate::error::{Error, Result};
use crate::services::figures::{Ground, defined};

impl Installation {
    /// The figures of a period, as they stand now.
    ///
    /// # Errors
    /// `not_found`, `invalid`: the area; a period that the log does not cover.
    pub async fn figures(&self, from: Day, until: Day, by: GroupBy, area: Option<&str>) -> Result<FiguresAnswer> {
        let head = self.only_log().await?;
        let area = match area {
            Some(code) => Some(self.area(&head, Some(code)).await?),
            None => None,
        };
        let (num, log, parsed, now_ms) = (head.num, head.log, self.ledger.parsed().clone(), self.clock.now_ms());
        let asked = FiguresAsked { from, until, by, area };
        self.store
            .read_async(move |db| -> Result<_> {
                let areas = parsed.areas_in_force(db, num, log)?;
                let areas = areas.as_deref();
                let mut ground = Ground { db, log: num, log_id: log, parsed: &parsed, areas };
                let covers = |of, lies| of == lies || areas.is_some_and(|areas| areas.covers(of, lies));
                let counted = ground.figures(asked, now_ms, |_, case| area.is_none_or(|area| covers(area, case.area)));
                Ok::<_, Error>(defined(counted?))
            })
            .await
    }
}
