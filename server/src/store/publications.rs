//! Figures that somebody published. Rows are only ever added, under the log's head lock.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into};
use schema::ids::{AreaId, PublicationId};

use super::columns::{bound, column, number, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::packed::{pack, unpack_text};
use super::tables::publication;

/// A publication as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPublication {
    /// Its number in the log, from 1 on.
    pub nth: u64,
    /// Its id.
    pub id: PublicationId,
    /// The area that it is of.
    pub area: AreaId,
    /// What was asked for: equal for corrections of one another.
    pub asked: String,
    /// The publication as JSON: these bytes are what the next one's hash is of.
    pub body: String,
}

type Row = (i64, Vec<u8>, Vec<u8>, String, Vec<u8>);

const COLUMNS: (publication::nth, publication::id, publication::area, publication::asked, publication::body) =
    (publication::nth, publication::id, publication::area, publication::asked, publication::body);

fn stored((nth, id, area, asked, body): Row) -> Result<StoredPublication, StoreError> {
    Ok(StoredPublication {
        nth: number(nth, "a number below zero")?,
        id: PublicationId(uuid(&id)?),
        area: AreaId(uuid(&area)?),
        asked,
        body: unpack_text(&body)?,
    })
}

impl LogTx<'_> {
    /// Keeps a publication.
    ///
    /// # Errors
    /// The database's.
    pub fn put_publication(&mut self, new: &StoredPublication) -> Result<(), StoreError> {
        insert_into(publication::table)
            .values((
                publication::log.eq(self.head.num.0),
                publication::nth.eq(column(new.nth)?),
                publication::id.eq(new.id.bytes().as_slice()),
                publication::area.eq(new.area.bytes().as_slice()),
                publication::asked.eq(&new.asked),
                publication::body.eq(pack(new.body.as_bytes())),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// Publications of a log before a number, newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn publications(
        &mut self,
        log: LogNum,
        before: u64,
        limit: usize,
    ) -> Result<Vec<StoredPublication>, StoreError> {
        let rows: Vec<Row> = publication::table
            .filter(publication::log.eq(log.0))
            .filter(publication::nth.lt(bound(before)))
            .order(publication::nth.desc())
            .limit(limit_of(limit)?)
            .select(COLUMNS)
            .load(&mut self.conn)?;
        rows.into_iter().map(stored).collect()
    }

    /// The newest publication of what was asked for.
    ///
    /// # Errors
    /// The database's.
    pub fn last_published(&mut self, log: LogNum, asked: &str) -> Result<Option<StoredPublication>, StoreError> {
        let row: Option<Row> = publication::table
            .filter(publication::log.eq(log.0))
            .filter(publication::asked.eq(asked))
            .order(publication::nth.desc())
            .select(COLUMNS)
            .first(&mut self.conn)
            .optional()?;
        row.map(stored).transpose()
    }

    /// A publication by its id.
    ///
    /// # Errors
    /// The database's.
    pub fn publication(&mut self, log: LogNum, id: PublicationId) -> Result<Option<StoredPublication>, StoreError> {
        let row: Option<Row> = publication::table
            .filter(publication::log.eq(log.0))
            .filter(publication::id.eq(id.bytes().as_slice()))
            .select(COLUMNS)
            .first(&mut self.conn)
            .optional()?;
        row.map(stored).transpose()
    }
}
