//! Hand-overs whose cases have not all followed yet, and what followed from those that are done.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::case::State;
use schema::ids::{EntityId, OpId};

use super::columns::{bound, column, number, uuid};
use super::connection::Db;
use super::entities::StoredEntity;
use super::entries::Entry;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::hand_over;

/// How far a hand-over is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handing {
    /// The revision of its op.
    pub rev: u64,
    /// Its op.
    pub cause: OpId,
    /// The last case looked at.
    pub after: EntityId,
    /// The head when every case had been looked at.
    pub done_rev: Option<u64>,
}

impl LogTx<'_> {
    /// Begins a hand-over, from the first case on.
    ///
    /// # Errors
    /// The database's.
    pub fn begin_handing(&mut self, cause: &Entry) -> Result<(), StoreError> {
        insert_into(hand_over::table)
            .values((
                hand_over::log.eq(self.head.num.0),
                hand_over::rev.eq(column(cause.rev)?),
                hand_over::cause.eq(cause.op.bytes().as_slice()),
                hand_over::after_case.eq(EntityId::NIL.bytes().as_slice()),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }

    /// Notes how far a hand-over is.
    ///
    /// # Errors
    /// The database's.
    pub fn put_handing(&mut self, now: &Handing) -> Result<(), StoreError> {
        update(hand_over::table.find((self.head.num.0, column(now.rev)?)))
            .set((
                hand_over::after_case.eq(now.after.bytes().as_slice()),
                hand_over::done_rev.eq(now.done_rev.map(column).transpose()?),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

type Row = (i64, Vec<u8>, Vec<u8>, Option<i64>);

fn handing((rev, cause, after, done_rev): Row) -> Result<Handing, StoreError> {
    let rev_of = |rev| number(rev, "a revision below zero");
    Ok(Handing {
        rev: rev_of(rev)?,
        cause: OpId(uuid(&cause)?),
        after: EntityId(uuid(&after)?),
        done_rev: done_rev.map(rev_of).transpose()?,
    })
}

impl Db {
    /// The oldest hand-over of a log that is not done.
    ///
    /// # Errors
    /// The database's.
    pub fn handing(&mut self, log: LogNum) -> Result<Option<Handing>, StoreError> {
        let row: Option<Row> = hand_over::table
            .filter(hand_over::log.eq(log.0))
            .filter(hand_over::done_rev.is_null())
            .order(hand_over::rev)
            .select((hand_over::rev, hand_over::cause, hand_over::after_case, hand_over::done_rev))
            .first(&mut self.conn)
            .optional()?;
        row.map(handing).transpose()
    }

    /// How far the hand-over of a revision is; none where this database did not begin it.
    ///
    /// # Errors
    /// The database's.
    pub fn handing_of(&mut self, log: LogNum, rev: u64) -> Result<Option<Handing>, StoreError> {
        let row: Option<Row> = hand_over::table
            .find((log.0, bound(rev)))
            .select((hand_over::rev, hand_over::cause, hand_over::after_case, hand_over::done_rev))
            .first(&mut self.conn)
            .optional()?;
        row.map(handing).transpose()
    }

    /// Cases that somebody has and that have not ended, by id, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub fn held_cases(&mut self, log: LogNum, after: EntityId, limit: usize) -> Result<Vec<StoredEntity>, StoreError> {
        let states = [State::Assigned, State::Fixed, State::Checked].map(sync_core::apply::state_number);
        self.entities_where("case", &states, log, after, limit)
    }
}
