//! How far the logs survive the loss of this server, and what came back after one.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into};
use schema::ids::{EpochId, OpId};

use super::columns::{column, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{durable, enrol_code, entry, returned, upload};

/// A durable mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// Everything up to this revision survives.
    pub rev: u64,
    /// When that was last confirmed; when the log began, if it never was.
    pub confirmed_ms: u64,
}

/// An op that came back after a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// The epoch that was lost.
    pub epoch: EpochId,
    /// Its revision there.
    pub rev: u64,
    /// The op.
    pub op: OpId,
}

impl LogTx<'_> {
    /// Notes that an op came back which had an entry in an epoch that was lost.
    ///
    /// # Errors
    /// The database's.
    pub fn note_returned(&mut self, op: OpId, epoch: EpochId, rev: u64) -> Result<(), StoreError> {
        let key = (self.head.num.0, epoch.bytes().as_slice(), column(rev)?);
        let known: Option<i64> = returned::table.find(key).select(returned::rev).first(&mut self.db.conn).optional()?;
        if known.is_none() {
            insert_into(returned::table)
                .values((
                    returned::log.eq(key.0),
                    returned::epoch.eq(key.1),
                    returned::rev.eq(key.2),
                    returned::op.eq(op.bytes().as_slice()),
                ))
                .execute(&mut self.db.conn)?;
        }
        Ok(())
    }
}

impl Db {
    /// What came back to a log after restores, by the revisions it had.
    ///
    /// # Errors
    /// The database's.
    pub fn returned(&mut self, log: LogNum) -> Result<Vec<Returned>, StoreError> {
        let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = returned::table
            .filter(returned::log.eq(log.0))
            .order((returned::epoch, returned::rev))
            .select((returned::epoch, returned::rev, returned::op))
            .load(&mut self.conn)?;
        rows.iter()
            .map(|(epoch, rev, op)| {
                let rev = number(*rev, "a revision below zero")?;
                Ok(Returned { epoch: EpochId(uuid(epoch)?), rev, op: OpId(uuid(op)?) })
            })
            .collect()
    }

    /// How far a backup or a standby has the log.
    ///
    /// # Errors
    /// The database's.
    pub fn durable(&mut self, log: LogNum) -> Result<Durable, StoreError> {
        let row: Option<(i64, i64)> = durable::table
            .filter(durable::log.eq(log.0))
            .select((durable::rev, durable::confirmed_ms))
            .first(&mut self.conn)
            .optional()?;
        let (rev, confirmed_ms) = match row {
            Some(row) => row,
            None => {
                let first = entry::table.find((log.0, 1)).select(entry::received_ms);
                (0, first.first(&mut self.conn).optional()?.unwrap_or(0))
            }
        };
        Ok(Durable {
            rev: number(rev, "a revision below zero")?,
            confirmed_ms: number(confirmed_ms, "a time below zero")?,
        })
    }

    /// Notes how far a backup or a standby has the log. Never less far than before: phones have let go of their copies.
    ///
    /// # Errors
    /// The database's.
    pub fn set_durable(&mut self, log: LogNum, rev: u64, now_ms: u64) -> Result<(), StoreError> {
        let rev = rev.max(self.durable(log)?.rev);
        delete(durable::table.filter(durable::log.eq(log.0))).execute(&mut self.conn)?;
        insert_into(durable::table)
            .values((durable::log.eq(log.0), durable::rev.eq(column(rev)?), durable::confirmed_ms.eq(column(now_ms)?)))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// After a restore: uploads whose parts were not in the backup, and one-time codes that may have been used since.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_what_was_open(&mut self) -> Result<(), StoreError> {
        delete(upload::table).execute(&mut self.conn)?;
        delete(enrol_code::table).execute(&mut self.conn)?;
        Ok(())
    }
}
