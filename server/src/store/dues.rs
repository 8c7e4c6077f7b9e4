//! What is due, by time; and how far back exits of scopes are kept.

use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into, update};
use schema::ids::{EntityId, LogId};
use sync_core::due::{Due, DueKind};

use super::columns::{bound, column, number, small, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{alive, due, entry, exits_kept, log, scope_exit};

/// The only row of its table.
const ALIVE: i64 = 1;

impl LogTx<'_> {
    /// Brings what is due for an entity up to date.
    ///
    /// # Errors
    /// The database's.
    pub fn put_dues(&mut self, entity: EntityId, dues: &[Due]) -> Result<(), StoreError> {
        let (log, id) = (self.head.num.0, entity.bytes().as_slice());
        delete(due::table.filter(due::log.eq(log)).filter(due::entity.eq(id))).execute(&mut self.db.conn)?;
        for found in dues {
            insert_into(due::table)
                .values((
                    due::log.eq(log),
                    due::entity.eq(id),
                    due::kind.eq(i16::from(found.kind.number())),
                    due::due_ms.eq(column(found.due_ms)?),
                    due::occurrence.eq(column(found.occurrence)?),
                ))
                .execute(&mut self.db.conn)?;
        }
        Ok(())
    }

    /// Forgets which entities left a scope at or below a revision, and notes that it did.
    ///
    /// # Errors
    /// The database's.
    pub fn prune_exits(&mut self, up_to: u64) -> Result<(), StoreError> {
        let log = self.head.num.0;
        let old = scope_exit::table.filter(scope_exit::log.eq(log)).filter(scope_exit::rev.le(bound(up_to)));
        delete(old).execute(&mut self.db.conn)?;
        let from = column(up_to)?;
        let known = update(exits_kept::table.filter(exits_kept::log.eq(log)))
            .set(exits_kept::from_rev.eq(from))
            .execute(&mut self.db.conn)?;
        if known == 0 {
            insert_into(exits_kept::table)
                .values((exits_kept::log.eq(log), exits_kept::from_rev.eq(from)))
                .execute(&mut self.db.conn)?;
        }
        Ok(())
    }
}

impl Db {
    /// What is due in a log by now, soonest first.
    ///
    /// # Errors
    /// The database's.
    pub fn due(&mut self, of: LogNum, now_ms: u64, limit: usize) -> Result<Vec<(EntityId, Due)>, StoreError> {
        let rows: Vec<(Vec<u8>, i16, i64, i64)> = due::table
            .filter(due::log.eq(of.0))
            .filter(due::due_ms.le(bound(now_ms)))
            .order((due::due_ms, due::entity, due::kind))
            .limit(limit_of(limit)?)
            .select((due::entity, due::kind, due::due_ms, due::occurrence))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(entity, kind, due_ms, occurrence)| {
                let kind = DueKind::of_number(small(kind, "a due kind below zero")?)
                    .ok_or(StoreError::Damaged("something due of no known kind"))?;
                let due_ms = number(due_ms, "a time below zero")?;
                let occurrence = number(occurrence, "a revision below zero")?;
                Ok((EntityId(uuid(&entity)?), Due { kind, due_ms, occurrence }))
            })
            .collect()
    }

    /// The logs in which something is due by now.
    ///
    /// # Errors
    /// The database's.
    pub fn logs_with_dues(&mut self, now_ms: u64) -> Result<Vec<LogId>, StoreError> {
        let rows: Vec<Vec<u8>> = due::table
            .inner_join(log::table.on(log::num.eq(due::log)))
            .filter(due::due_ms.le(bound(now_ms)))
            .select(log::id)
            .distinct()
            .load(&mut self.conn)?;
        rows.iter().map(|id| Ok(LogId(uuid(id)?))).collect()
    }

    /// The revision up to which nobody is told any more what left a scope; 0 where all of it is kept.
    ///
    /// # Errors
    /// The database's.
    pub fn exits_kept_from(&mut self, of: LogNum) -> Result<u64, StoreError> {
        let kept: Option<i64> = exits_kept::table
            .filter(exits_kept::log.eq(of.0))
            .select(exits_kept::from_rev)
            .first(&mut self.conn)
            .optional()?;
        number(kept.unwrap_or(0), "a revision below zero")
    }

    /// When a server was last at work; none before the first.
    ///
    /// # Errors
    /// The database's.
    pub fn alive(&mut self) -> Result<Option<u64>, StoreError> {
        let last: Option<i64> = alive::table.find(ALIVE).select(alive::at_ms).first(&mut self.conn).optional()?;
        last.map(|at_ms| number(at_ms, "a time below zero")).transpose()
    }

    /// Notes that a server is at work now.
    ///
    /// # Errors
    /// The database's.
    pub fn note_alive(&mut self, now_ms: u64) -> Result<(), StoreError> {
        let at_ms = column(now_ms)?;
        let known = update(alive::table.find(ALIVE)).set(alive::at_ms.eq(at_ms)).execute(&mut self.conn)?;
        if known == 0 {
            insert_into(alive::table).values((alive::one.eq(ALIVE), alive::at_ms.eq(at_ms))).execute(&mut self.conn)?;
        }
        Ok(())
    }

    /// When an entry was received.
    ///
    /// # Errors
    /// The database's.
    pub fn received_ms(&mut self, of: LogNum, rev: u64) -> Result<Option<u64>, StoreError> {
        let found: Option<i64> = entry::table
            .filter(entry::log.eq(of.0))
            .filter(entry::rev.eq(bound(rev)))
            .select(entry::received_ms)
            .first(&mut self.conn)
            .optional()?;
        found.map(|received_ms| number(received_ms, "a receipt time below zero")).transpose()
    }
}
