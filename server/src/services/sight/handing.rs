//! Hand-overs, for those who may ask for one.

use schema::api::{HandOverPreview, HandOverReceipt};
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AreaId, EntityId, LogId, OpId};
use schema::op::{Body, HandOver, Sealed};
use schema::problem::ProblemCode;
use schema::record::Acting;
use sync_core::area::AreaIndex;
use sync_core::case::Whose;
use sync_core::permission::{acting, may_see};

use super::Sight;
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::handing::{preview, receipt};
use crate::services::ledger::HandedOver;

impl Sight {
    /// What a hand-over by the caller would move.
    ///
    /// # Errors
    /// `forbidden`; `not_found`: whose cases.
    pub async fn hand_over_preview(
        &self,
        caller: &Caller,
        log: LogId,
        from: EntityId,
        (to, area): (EntityId, Option<AreaId>),
    ) -> Result<HandOverPreview> {
        self.in_log(caller, log, move |view| {
            let acting = by(&view.account, to, view.areas())?;
            let whose = match super::super::ledger::read_entity(view.db, view.log, from)? {
                Some(entity) if !may_see(&view.account, &entity, view.areas()) => None,
                Some(Entity::Account(account)) => Some(Whose::Account(account.id)),
                Some(Entity::Unit(unit)) => Some(Whose::Unit(unit.id)),
                Some(Entity::Areas(_)) => Some(Whose::Anybody),
                _ => None,
            };
            let whose = whose.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
            let areas = area.into_iter().chain([acting.area]).collect();
            let index = view.areas.clone();
            Ok(preview(view.db, view.log, &HandedOver { whose, to, areas }, index.as_deref())?)
        })
        .await
    }

    /// What a hand-over has moved. Cases that the caller may not see are counted, and not named.
    ///
    /// # Errors
    /// `forbidden`; `not_found`.
    pub async fn hand_over_receipt(&self, caller: &Caller, log: LogId, op: OpId) -> Result<HandOverReceipt> {
        self.in_log(caller, log, move |view| {
            by(&view.account, EntityId::NIL, view.areas())?;
            let (account, index) = (view.account.clone(), view.areas.clone());
            let sees = |entity: &Entity| may_see(&account, entity, index.as_deref());
            let found = receipt(view.db, view.log, op, index.as_deref(), sees)?;
            found.ok_or_else(|| Error::refused(ProblemCode::NotFound))
        })
        .await
    }
}

/// The grant by which an account hands over.
fn by(account: &Account, to: EntityId, areas: Option<&AreaIndex>) -> Result<Acting> {
    let body = Body::HandOver(HandOver { to, area: None, reason: Sealed { sealed: Hash::ZERO } });
    acting(account, &body, None, None, areas).ok_or_else(|| Error::refused(ProblemCode::Forbidden))
}
