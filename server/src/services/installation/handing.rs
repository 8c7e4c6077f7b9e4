//! Absences, hand-overs and mergers as the operator asks for them: a hand-over is shown first, then the cases follow.

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schema::api::{HandOverPreview, HandOverReceipt};
use schema::entity::Entity;
use schema::hash::Salt;
use schema::ids::{AccountId, AreaId, EntityId, OpId, UnitId};
use schema::op::{Body, HandOver, MergeUnit, Nothing, Sealed, SealedValue, SetAbsent};
use schema::problem::ProblemCode;
use sync_core::case::Whose;
use sync_core::line::{seal, singleton_id};

use super::{Installation, must_be_accepted};
use crate::error::{Error, Result};
use crate::services::handing;
use crate::services::ledger::{Append, HandedOver, ServerOp, read_entity, zone_of};
use crate::services::tokens::random;
use crate::store::LogHead;

/// What is handed over, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandingOver {
    /// The cases that somebody holds, to somebody else.
    Account(AccountId, AccountId),
    /// The cases of a unit, to another.
    Unit(UnitId, UnitId),
    /// The cases of the area that is named, whoever has them, to a unit.
    Area(UnitId),
}

impl HandingOver {
    fn whose(self) -> Whose {
        match self {
            Self::Account(from, _) => Whose::Account(from),
            Self::Unit(from, _) => Whose::Unit(from),
            Self::Area(_) => Whose::Anybody,
        }
    }

    fn to(self) -> EntityId {
        match self {
            Self::Account(_, to) => to.into(),
            Self::Unit(_, to) | Self::Area(to) => to.into(),
        }
    }

    fn entity(self, head: &LogHead) -> EntityId {
        match self {
            Self::Account(from, _) => from.into(),
            Self::Unit(from, _) => from.into(),
            Self::Area(_) => singleton_id(head.log, "areas"),
        }
    }
}

impl Installation {
    /// Somebody is away through a day, and somebody else stands in.
    ///
    /// # Errors
    /// `not_found`; who stands in, or the day, is refused.
    pub async fn set_absent(&self, account: AccountId, deputy: AccountId, last_day: Date) -> Result<()> {
        let head = self.only_log().await?;
        let until_ms = self.ends(&head, last_day).await?;
        let (of, by) = (self.rights(&head, account).await?, self.rights(&head, deputy).await?);
        if of.person == by.person || by.absent.is_some() {
            return Err(Error::fault(
                format!("{} 不能代理 {}：须为另一人，且本人不在请假期间", by.name, of.name),
                format!("{} can't stand in for {}: it must be another person who is not away", by.name, of.name),
            ));
        }
        let body = Body::SetAbsent(SetAbsent { deputy, until_ms });
        self.append(head.log, account.into(), vec![body]).await
    }

    /// Somebody is back.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn end_absence(&self, account: AccountId) -> Result<()> {
        let head = self.only_log().await?;
        self.rights(&head, account).await?;
        self.append(head.log, account.into(), vec![Body::EndAbsence(Nothing {})]).await
    }

    /// What a hand-over would move.
    ///
    /// # Errors
    /// `invalid`: the area; `not_found`: whose cases, or who would have them.
    pub async fn hand_over_preview(&self, what: HandingOver, area: Option<&str>) -> Result<HandOverPreview> {
        let head = self.only_log().await?;
        let (num, log, parsed) = (head.num, head.log, self.ledger.parsed().clone());
        let areas = self.area_named(&head, area).await?.into_iter().collect();
        let (from, to) = (what.entity(&head), what.to());
        self.store
            .read_async(move |db| -> Result<_> {
                for id in [from, to] {
                    let there = match read_entity(db, num, id)? {
                        Some(Entity::Account(_)) => matches!(what, HandingOver::Account(..)),
                        Some(Entity::Unit(unit)) => id == from || unit.merged.is_none(),
                        Some(Entity::Areas(_)) => true,
                        _ => false,
                    };
                    if !there {
                        return Err(Error::refused(ProblemCode::NotFound));
                    }
                }
                let index = parsed.areas_in_force(db, num, log)?;
                let about = HandedOver { whose: what.whose(), to, areas };
                Ok(handing::preview(db, num, &about, index.as_deref())?)
            })
            .await
    }

    /// Hands over, and lets the cases follow.
    ///
    /// # Errors
    /// As [`Installation::hand_over_preview`]; who would have them is refused.
    pub async fn hand_over(&self, what: HandingOver, area: Option<&str>, reason: &str) -> Result<HandOverReceipt> {
        let head = self.only_log().await?;
        let area = self.area_named(&head, area).await?;
        let body = |reason| Body::HandOver(HandOver { to: what.to(), area, reason });
        self.handed(&head, what.entity(&head), body, reason).await
    }

    /// Lets a unit go into another one: its members and its cases follow.
    ///
    /// # Errors
    /// The other one is no unit that takes cases; or the unit went into another one already.
    pub async fn merge_unit(&self, unit: UnitId, successor: UnitId, reason: &str) -> Result<HandOverReceipt> {
        let head = self.only_log().await?;
        self.handed(&head, unit.into(), |reason| Body::MergeUnit(MergeUnit { successor, reason }), reason).await
    }

    /// What a hand-over or a merger has moved.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn hand_over_receipt(&self, op: OpId) -> Result<HandOverReceipt> {
        let head = self.only_log().await?;
        let (num, log, parsed) = (head.num, head.log, self.ledger.parsed().clone());
        self.store
            .read_async(move |db| -> Result<_> {
                let index = parsed.areas_in_force(db, num, log)?;
                let found = handing::receipt(db, num, op, index.as_deref(), |_| true)?;
                found.ok_or_else(|| Error::refused(ProblemCode::NotFound))
            })
            .await
    }

    async fn handed(
        &self,
        head: &LogHead,
        entity: EntityId,
        body: impl FnOnce(Sealed) -> Body,
        reason: &str,
    ) -> Result<HandOverReceipt> {
        let salt = Salt(random()?);
        let sealed = seal(&salt, reason);
        let values = vec![SealedValue { sealed: sealed.sealed, salt, value: reason.to_owned() }];
        let id = OpId(self.new_id()?);
        let ops = vec![ServerOp { id, entity, body: body(sealed), values }];
        must_be_accepted(&self.ledger.append(head.log, Append { ops, ..Append::default() }).await?)?;
        self.ledger.place_cases(head.log).await?;
        self.hand_over_receipt(id).await
    }

    async fn area_named(&self, head: &LogHead, code: Option<&str>) -> Result<Option<AreaId>> {
        match code {
            None => Ok(None),
            Some(code) => self.area(head, Some(code)).await.map(Some),
        }
    }

    /// The district's time zone.
    pub(super) async fn zone(&self, head: &LogHead) -> Result<TimeZone> {
        let (num, id) = (head.num, head.log);
        self.store.read_async(move |db| Ok(zone_of(db, num, id)?)).await
    }

    /// When a day begins in the district's time zone, in ms.
    pub(super) async fn begins(&self, head: &LogHead, day: Date) -> Result<u64> {
        let begins = day.to_zoned(self.zone(head).await?).context("the day has no beginning")?;
        Ok(u64::try_from(begins.timestamp().as_millisecond()).unwrap_or(0))
    }

    /// When a day ends in the district's time zone, in ms.
    ///
    /// # Errors
    /// It has ended already.
    pub(super) async fn ends(&self, head: &LogHead, day: Date) -> Result<u64> {
        let next = day.tomorrow().context("no day after it")?;
        let until_ms = self.begins(head, next).await?;
        if until_ms <= self.clock.now_ms() {
            return Err(Error::fault(
                format!("{day} 已经过去：请给出今天或以后的日期"),
                format!("{day} has gone by: name today or a later day"),
            ));
        }
        Ok(until_ms)
    }
}

#[cfg(test)]
pub(super) mod tests;
