//! What was handed over goes to its new holder case by case: each gets a `take_over` entry. However many there are, each
//! transaction looks at some of them and notes how far it is, so that a stop in between loses nothing.

use schema::case::Case;
use schema::entity::{Account, Entity};
use schema::ids::{AccountId, AreaId, EntityId, OpId, UnitId};
use schema::op::{Body, SetMembership, TakeOver};
use schema::record::Record;
use sync_core::area::AreaIndex;
use sync_core::case::{Whose, taken_over};
use sync_core::line::{self, ReadBody, consequence_id};

use super::enter::Desk;
use super::parsed::parse_entity;
use crate::store::{Entry, Handing, StoreError};

/// Cases looked at in one transaction.
const PAGE: usize = 200;

/// What a hand-over is about.
#[derive(Debug, Clone)]
pub struct HandedOver {
    /// Whose cases.
    pub whose: Whose,
    /// Who has them afterwards.
    pub to: EntityId,
    /// Only those in these area subtrees: what was asked for, and what its author may do.
    pub areas: Vec<AreaId>,
}

impl HandedOver {
    /// What an entry hands over; none if it is about nothing of the kind, or took no effect.
    ///
    /// # Errors
    /// It can't be read.
    pub fn of(entry: &Entry, of: Option<&Entity>) -> Result<Option<Self>, StoreError> {
        let op = line::read(&entry.line).map_err(|_| StoreError::Damaged("a line that can't be read"))?;
        let record: Record =
            serde_json::from_str(&entry.record).map_err(|_| StoreError::Damaged("a record that can't be read"))?;
        let ReadBody::Known(body) = line::body(&op) else { return Ok(None) };
        if record.code.is_some() {
            return Ok(None);
        }
        Ok(match *body {
            Body::HandOver(body) => {
                let whose = match of {
                    Some(Entity::Account(account)) => Whose::Account(account.id),
                    Some(Entity::Unit(unit)) => Whose::Unit(unit.id),
                    _ => Whose::Anybody,
                };
                let areas = body.area.into_iter().chain(record.acting.map(|acting| acting.area)).collect();
                Some(Self { whose, to: body.to, areas })
            }
            Body::MergeUnit(body) => {
                let whose = Whose::Unit(UnitId(op.entity.0));
                Some(Self { whose, to: body.successor.into(), areas: Vec::new() })
            }
            _ => None,
        })
    }

    /// Who would hold a case, if they work for its unit.
    pub fn holder(&self, case: &Case) -> Option<AccountId> {
        match self.whose {
            Whose::Account(_) => Some(AccountId(self.to.0)),
            Whose::Unit(_) | Whose::Anybody => case.assignment.as_ref().and_then(|it| it.holder),
        }
    }

    /// How a case changes hands by it, with the account of its [`HandedOver::holder`]; none if it does not.
    pub fn taken_over(&self, case: &Case, cause: OpId, holder: Option<&Account>) -> Option<TakeOver> {
        let works = |id, unit| holder.is_some_and(|it| it.id == id && it.units.contains(&unit));
        taken_over(case, (cause, self.whose, self.to), works)
    }

    /// Whether it is about a place.
    pub fn covers(&self, area: AreaId, index: Option<&AreaIndex>) -> bool {
        self.areas.iter().all(|over| *over == area || index.is_some_and(|index| index.covers(*over, area)))
    }
}

impl Desk<'_, '_> {
    /// A hand-over or a merger was entered: every case is to be looked at, from the first.
    pub(super) fn begin_handing(&mut self, cause: &Entry, received_ms: u64) -> Result<(), StoreError> {
        if cause.kind == "merge_unit" {
            self.move_members(cause, received_ms)?;
        }
        self.tx.begin_handing(cause)
    }

    /// Who belonged to a unit belongs to its successor at once: they are few.
    fn move_members(&mut self, cause: &Entry, received_ms: u64) -> Result<(), StoreError> {
        let unit = UnitId(cause.entity.0);
        let Some(HandedOver { to, .. }) = HandedOver::of(cause, None)? else { return Ok(()) };
        let mut after = EntityId::NIL;
        loop {
            let page = self.tx.db.entities_of_kind(self.tx.head.num, "account", after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for stored in page {
                let Some(document) = stored.document.as_deref() else { continue };
                let Entity::Account(account) = parse_entity(document)? else { continue };
                if !account.own_units().any(|own| own == unit) {
                    continue;
                }
                let until_ms = account.joined.get(&unit).and_then(|joined| joined.until_ms);
                let joins = until_ms.is_none_or(|until_ms| until_ms > received_ms);
                let join = SetMembership { unit: UnitId(to.0), member: true, until_ms };
                let leave = SetMembership { unit, member: false, until_ms: None };
                for (n, body) in (0..).zip(joins.then_some(join).into_iter().chain([leave])) {
                    let id = consequence_id(self.tx.head.log, cause.op, &format!("member {}", account.id), n);
                    let incoming = self.by_server(id, account.id.into(), &Body::SetMembership(body), received_ms)?;
                    self.enter(incoming)?;
                }
            }
        }
    }

    /// Lets the next cases follow the oldest hand-over, if one is not done.
    pub(super) fn hand_some(&mut self, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        let log = self.tx.head.num;
        let Some(handing) = self.tx.db.handing(log)? else { return Ok(Vec::new()) };
        let page = self.tx.db.held_cases(log, handing.after, PAGE)?;
        let cause = self.tx.db.entries_of_ops(log, &[handing.cause])?.pop();
        let cause = cause.ok_or(StoreError::Damaged("a hand-over without its entry"))?;
        let of = self.seen.held(self.tx, cause.entity)?;
        let about = HandedOver::of(&cause, of.entity.as_deref())?;
        let (Some(last), Some(about)) = (page.last(), about) else {
            self.tx.put_handing(&Handing { done_rev: Some(self.tx.head.rev), ..handing })?;
            return Ok(Vec::new());
        };
        let areas = self.areas()?;
        let mut entries = Vec::new();
        for stored in &page {
            let Some(document) = stored.document.as_deref() else { continue };
            let Entity::Case(case) = parse_entity(document)? else { continue };
            if !about.covers(case.area, areas.as_deref()) {
                continue;
            }
            let holder = about.holder(&case).map(|id| self.seen.account(self.tx, id)).transpose()?.flatten();
            let Some(body) = about.taken_over(&case, cause.op, holder.as_ref()) else { continue };
            let id = consequence_id(self.tx.head.log, cause.op, &format!("take_over {}", stored.id), 0);
            let incoming = self.by_server(id, stored.id, &Body::TakeOver(body), received_ms)?;
            entries.push(self.enter(incoming)?);
        }
        self.tx.put_handing(&Handing { after: last.id, ..handing })?;
        Ok(entries)
    }
}
