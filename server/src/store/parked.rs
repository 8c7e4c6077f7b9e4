//! Ops in custody: parked until a person releases or discards them.

use std::collections::BTreeSet;

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::ids::{DeviceId, EntityId, OpId};

use super::columns::{bound, column, number, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::references::id_of;
use super::tables::parked;

/// An op in custody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRow {
    /// Its revision.
    pub rev: u64,
    /// The op.
    pub op: OpId,
    /// The entity it asks to change; the device for a line that can't be taken.
    pub entity: EntityId,
    /// The device that sent it.
    pub device: DeviceId,
    /// Why it is parked.
    pub code: String,
    /// It is no op but a line that can't be taken.
    pub unreadable: bool,
    /// The revision that ended its custody.
    pub decided_rev: Option<u64>,
}

type Row = (i64, Vec<u8>, Vec<u8>, i64, String, bool, Option<i64>);

macro_rules! columns {
    () => {
        (parked::rev, parked::op, parked::entity, parked::device, parked::code, parked::unreadable, parked::decided_rev)
    };
}

impl LogTx<'_> {
    /// Takes an op into custody.
    ///
    /// # Errors
    /// The database's.
    pub fn park(&mut self, new: &ParkedRow) -> Result<(), StoreError> {
        let device = self.reference(new.device.bytes())?;
        insert_into(parked::table)
            .values((
                parked::log.eq(self.head.num.0),
                parked::rev.eq(column(new.rev)?),
                parked::op.eq(new.op.bytes().as_slice()),
                parked::entity.eq(new.entity.bytes().as_slice()),
                parked::device.eq(device),
                parked::code.eq(&new.code),
                parked::unreadable.eq(new.unreadable),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Ends the custody of ops.
    ///
    /// # Errors
    /// The database's.
    pub fn end_custody(&mut self, revs: &[u64], decided_rev: u64) -> Result<(), StoreError> {
        let revs = revs.iter().map(|rev| column(*rev)).collect::<Result<Vec<_>, _>>()?;
        update(parked::table.filter(parked::log.eq(self.head.num.0).and(parked::rev.eq_any(revs))))
            .set(parked::decided_rev.eq(Some(column(decided_rev)?)))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// What a device has in custody on an entity, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn in_custody(
        &mut self,
        log: LogNum,
        entity: EntityId,
        device: DeviceId,
    ) -> Result<Vec<ParkedRow>, StoreError> {
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(Vec::new()) };
        let rows: Vec<Row> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::entity.eq(entity.bytes().as_slice()))
            .filter(parked::device.eq(device))
            .filter(parked::decided_rev.is_null())
            .order(parked::rev)
            .select(columns!())
            .load(&mut self.conn)?;
        self.parked_rows(log, rows)
    }

    /// Whether a device has anything in custody.
    ///
    /// # Errors
    /// The database's.
    pub fn has_custody(&mut self, log: LogNum, device: DeviceId) -> Result<bool, StoreError> {
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(false) };
        let found: Option<i64> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::device.eq(device))
            .filter(parked::decided_rev.is_null())
            .select(parked::rev)
            .first(&mut self.conn)
            .optional()?;
        Ok(found.is_some())
    }

    /// The ops of a device that are or were in custody, newest first, as many as a phone may have made in years.
    ///
    /// # Errors
    /// The database's.
    pub fn parked_ops_of(&mut self, log: LogNum, device: DeviceId) -> Result<Vec<OpId>, StoreError> {
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(Vec::new()) };
        let rows: Vec<Vec<u8>> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::device.eq(device))
            .order(parked::rev.desc())
            .limit(10_000)
            .select(parked::op)
            .load(&mut self.conn)?;
        rows.iter().map(|op| Ok(OpId(uuid(op)?))).collect()
    }

    /// A parked op by its id.
    ///
    /// # Errors
    /// The database's.
    pub fn parked_op(&mut self, log: LogNum, op: OpId) -> Result<Option<ParkedRow>, StoreError> {
        let rows: Vec<Row> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::op.eq(op.bytes().as_slice()))
            .select(columns!())
            .load(&mut self.conn)?;
        Ok(self.parked_rows(log, rows)?.pop())
    }

    /// What waits for a person, oldest first, at most `limit` behind a revision.
    ///
    /// # Errors
    /// The database's.
    pub fn parked_after(&mut self, log: LogNum, after: u64, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        let rows: Vec<Row> = parked::table
            .filter(parked::log.eq(log.0))
            .filter(parked::rev.gt(bound(after)))
            .filter(parked::decided_rev.is_null())
            .order(parked::rev)
            .limit(limit_of(limit)?)
            .select(columns!())
            .load(&mut self.conn)?;
        self.parked_rows(log, rows)
    }

    fn parked_rows(&mut self, log: LogNum, rows: Vec<Row>) -> Result<Vec<ParkedRow>, StoreError> {
        let devices: BTreeSet<i64> = rows.iter().map(|row| row.3).collect();
        let ids = self.referenced(log, &devices)?;
        rows.into_iter()
            .map(|(rev, op, entity, device, code, unreadable, decided_rev)| {
                Ok(ParkedRow {
                    rev: number(rev, "a revision below zero")?,
                    op: OpId(uuid(&op)?),
                    entity: EntityId(uuid(&entity)?),
                    device: DeviceId(id_of(&ids, device)?),
                    code,
                    unreadable,
                    decided_rev: decided_rev.map(|rev| number(rev, "a revision below zero")).transpose()?,
                })
            })
            .collect()
    }
}
