//! The area tree in force whose cases are not all placed yet.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into};
use schema::ids::{EntityId, OpId};

use super::columns::uuid;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::area_placing;

/// How far the placing of a log's cases is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placing {
    /// The import that caused it.
    pub cause: OpId,
    /// The last case looked at.
    pub after: EntityId,
}

impl LogTx<'_> {
    /// Begins it, or notes how far it is.
    ///
    /// # Errors
    /// The database's.
    pub fn put_placing(&mut self, now: Placing) -> Result<(), StoreError> {
        self.end_placing()?;
        insert_into(area_placing::table)
            .values((
                area_placing::log.eq(self.head.num.0),
                area_placing::cause.eq(now.cause.bytes().as_slice()),
                area_placing::after_case.eq(now.after.bytes().as_slice()),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Every case is placed.
    ///
    /// # Errors
    /// The database's.
    pub fn end_placing(&mut self) -> Result<(), StoreError> {
        delete(area_placing::table.find(self.head.num.0)).execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// How far the placing of a log's cases is; none where all are placed.
    ///
    /// # Errors
    /// The database's.
    pub fn placing(&mut self, log: LogNum) -> Result<Option<Placing>, StoreError> {
        let row: Option<(Vec<u8>, Vec<u8>)> = area_placing::table
            .find(log.0)
            .select((area_placing::cause, area_placing::after_case))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(cause, after)| Ok(Placing { cause: OpId(uuid(&cause)?), after: EntityId(uuid(&after)?) })).transpose()
    }
}
