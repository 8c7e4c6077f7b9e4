//! Figures for those who oversee an area: of the cases there that they may see.

use schema::case::Case;
use schema::entity::{Account, Entity};
use schema::figures::{FiguresAnswer, FiguresAsked, FiguresCases, Measure};
use schema::ids::{AreaId, EntityId, LogId};
use schema::op::Role;
use schema::problem::ProblemCode;
use sync_core::area::AreaIndex;
use sync_core::permission::{may_see, reaches};

use super::{PAGE_MAX, Sight, View};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::figures::{Ground, Listed, defined};

/// Who may ask for figures, each in their areas.
pub(super) const OVERSEE: [Role; 2] = [Role::Supervisor, Role::Auditor];

/// Which cases of a count.
#[derive(Debug, Clone)]
pub struct CountedQuery {
    /// Of which figures.
    pub asked: FiguresAsked,
    /// Of which count.
    pub measure: Measure,
    /// Of one group, or of those that belong to none; of all if not said.
    pub group: Option<Option<String>>,
    /// Behind this case.
    pub after: Option<EntityId>,
}

impl Sight {
    /// The figures of a period.
    ///
    /// # Errors
    /// `forbidden`; `not_found`: the area; a period that the log does not cover.
    pub async fn figures(&self, caller: &Caller, log: LogId, asked: FiguresAsked) -> Result<FiguresAnswer> {
        let now_ms = self.clock.now_ms();
        self.in_log(caller, log, move |view| {
            let (mut ground, wants) = view.ground(asked.area)?;
            ground.figures(asked, now_ms, wants).map(defined)
        })
        .await
    }

    /// The cases of one of the figures.
    ///
    /// # Errors
    /// As [`Sight::figures`]; `invalid`: the group.
    pub async fn figures_cases(&self, caller: &Caller, log: LogId, query: CountedQuery) -> Result<FiguresCases> {
        let now_ms = self.clock.now_ms();
        self.in_log(caller, log, move |view| {
            let CountedQuery { asked, measure, group, after } = query;
            let after = after.unwrap_or(EntityId::NIL);
            let (mut ground, wants) = view.ground(asked.area)?;
            ground.cases(asked, &Listed { measure, group, after, limit: PAGE_MAX }, now_ms, wants)
        })
        .await
    }
}

impl View<'_> {
    /// Where the reader may count, and which cases: those in the area asked for that an oversight of theirs reaches.
    pub(super) fn ground(
        &mut self,
        area: Option<AreaId>,
    ) -> Result<(Ground<'_>, impl Fn(&Entity, &Case) -> bool + '_)> {
        if !self.has_role(&OVERSEE) {
            return Err(Error::refused(ProblemCode::Forbidden));
        }
        if area.is_some_and(|area| !self.oversees(area)) {
            return Err(Error::refused(ProblemCode::NotFound));
        }
        let (account, areas) = (&self.account, self.areas.as_deref());
        let wants = move |entity: &Entity, case: &Case| {
            let asked = area.is_none_or(|area| area == case.area || areas.is_some_and(|it| it.covers(area, case.area)));
            asked && oversees(account, case.area, areas) && may_see(account, entity, areas)
        };
        let ground = Ground { db: self.db, log: self.log, log_id: self.log_id, parsed: &self.parsed, areas };
        Ok((ground, wants))
    }

    /// Whether the reader oversees an area of the tree.
    pub(super) fn oversees(&self, area: AreaId) -> bool {
        let known = self.areas().is_none_or(|areas| areas.area(area).is_some());
        known && oversees(&self.account, area, self.areas())
    }
}

fn oversees(account: &Account, area: AreaId, areas: Option<&AreaIndex>) -> bool {
    account.grants.iter().any(|grant| OVERSEE.contains(&grant.role) && reaches(grant, area, areas))
}
