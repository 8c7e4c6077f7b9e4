//! Batches as their devices signed them, and the numbers under which a known op came again.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into};
use schema::hash::{Hash, Signature};
use schema::ids::{DeviceId, OpId};
use schema::op::Captured;

use super::columns::{bound, column, hash, number};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{batch, replay};

/// A batch as its device signed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The device.
    pub device: DeviceId,
    /// Its incarnation.
    pub incarnation: u64,
    /// The first number.
    pub first_seq: u64,
    /// The last number.
    pub last_seq: u64,
    /// The chain after it.
    pub chain: Hash,
    /// The signature over it.
    pub signature: Signature,
    /// The device's clocks when it was sent.
    pub clock: Captured,
    /// When it was received.
    pub received_ms: u64,
}

impl LogTx<'_> {
    /// Keeps a batch.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_batch(&mut self, new: &Batch) -> Result<(), StoreError> {
        let device = self.reference(new.device.bytes())?;
        insert_into(batch::table)
            .values((
                batch::log.eq(self.head.num.0),
                batch::device.eq(device),
                batch::incarnation.eq(column(new.incarnation)?),
                batch::last_seq.eq(column(new.last_seq)?),
                batch::first_seq.eq(column(new.first_seq)?),
                batch::chain.eq(new.chain.0.as_slice()),
                batch::signature.eq(new.signature.0.as_slice()),
                batch::clock_wall_ms.eq(new.clock.wall_ms),
                batch::clock_elapsed_ms.eq(i64::try_from(new.clock.elapsed_ms).unwrap_or(i64::MAX)),
                batch::clock_boot.eq(new.clock.boot.bytes().as_slice()),
                batch::received_ms.eq(column(new.received_ms)?),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Keeps a number under which a known op came again.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_replay(
        &mut self,
        device: DeviceId,
        incarnation: u64,
        device_seq: u64,
        op: OpId,
    ) -> Result<(), StoreError> {
        let device = self.reference(device.bytes())?;
        insert_into(replay::table)
            .values((
                replay::log.eq(self.head.num.0),
                replay::device.eq(device),
                replay::incarnation.eq(column(incarnation)?),
                replay::device_seq.eq(column(device_seq)?),
                replay::op.eq(op.bytes().as_slice()),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// The last number that a device used under an incarnation; 0 if none.
    ///
    /// # Errors
    /// The database's.
    pub fn last_seq(&mut self, log: LogNum, device: DeviceId, incarnation: u64) -> Result<u64, StoreError> {
        Ok(self.batch_end(log, device, incarnation, u64::MAX >> 1)?.map_or(0, |(last_seq, _)| last_seq))
    }

    /// The end of the last batch that ended at or before a number, with the chain there.
    ///
    /// # Errors
    /// The database's.
    pub fn batch_end(
        &mut self,
        log: LogNum,
        device: DeviceId,
        incarnation: u64,
        at_most: u64,
    ) -> Result<Option<(u64, Hash)>, StoreError> {
        let Some(device) = self.reference(log, device.bytes())? else { return Ok(None) };
        let row: Option<(i64, Vec<u8>)> = batch::table
            .filter(batch::log.eq(log.0))
            .filter(batch::device.eq(device))
            .filter(batch::incarnation.eq(column(incarnation)?))
            .filter(batch::last_seq.le(bound(at_most)))
            .order(batch::last_seq.desc())
            .select((batch::last_seq, batch::chain))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(seq, chain)| Ok((number(seq, "a device number below zero")?, hash(&chain)?))).transpose()
    }
}
