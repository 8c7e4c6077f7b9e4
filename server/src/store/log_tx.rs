//! A transaction on one log: its first statement locks the head row, its last one writes it back.
//! Under that lock revisions are given without gaps and become visible in order.

use std::collections::HashMap;

use diesel::connection::TransactionManager;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::hash::Hash;
use schema::ids::{EpochId, LogId};
use sync_core::log::tree::Frontier;

use super::columns::{column, hash, number, uuid};
use super::conn::Conn;
use super::connection::{Db, Store};
use super::error::StoreError;
use super::tables::{epoch, log};

/// A log's number in other tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogNum(pub(in crate::store) i64);

/// A log's head: what the next entry builds on.
#[derive(Debug, Clone)]
pub struct Head {
    /// The log's number in other tables.
    pub num: LogNum,
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision.
    pub rev: u64,
    /// Its tree.
    pub frontier: Frontier,
    /// Receipt times never run backwards.
    pub last_received_ms: u64,
    /// The year of the last official number.
    pub number_year: i16,
    /// The next serial of that year.
    pub next_serial: u64,
    pub(in crate::store) next_ref: i64,
}

/// A transaction on one log, holding its head lock.
pub struct LogTx<'a> {
    /// Reads of this transaction.
    pub db: &'a mut Db,
    /// The head, as the next entry will find it.
    pub head: Head,
    pub(in crate::store) references: HashMap<Vec<u8>, i64>,
}

pub(super) type HeadRow = (i64, Vec<u8>, Vec<u8>, i64, Vec<u8>, i64, i32, i64, i64);

/// The columns of [`HeadRow`].
pub(super) const HEAD: (
    log::num,
    log::id,
    log::epoch,
    log::rev,
    log::frontier,
    log::last_received_ms,
    log::number_year,
    log::next_serial,
    log::next_ref,
) = (
    log::num,
    log::id,
    log::epoch,
    log::rev,
    log::frontier,
    log::last_received_ms,
    log::number_year,
    log::next_serial,
    log::next_ref,
);

impl Head {
    pub(super) fn from_row(row: HeadRow) -> Result<Self, StoreError> {
        let (num, id, epoch, rev, frontier, last_received_ms, number_year, next_serial, next_ref) = row;
        let rev = number(rev, "a revision below zero")?;
        Ok(Self {
            num: LogNum(num),
            log: LogId(uuid(&id)?),
            epoch: EpochId(uuid(&epoch)?),
            rev,
            frontier: Frontier::decode(rev, &frontier)
                .map_err(|_| StoreError::Damaged("a frontier of another size"))?,
            last_received_ms: number(last_received_ms, "a receipt time below zero")?,
            number_year: i16::try_from(number_year).map_err(|_| StoreError::Damaged("a year out of range"))?,
            next_serial: number(next_serial, "a serial below zero")?,
            next_ref,
        })
    }
}

impl Store {
    /// Works on a log under its head lock; none if there is no such log. The work may run again from the start, if
    /// the database gave the transaction up for another one's sake.
    ///
    /// # Errors
    /// The work's own, or the database's: then nothing was written.
    pub fn with_log<T, E: From<StoreError>>(
        &self,
        log: LogId,
        is_transient: impl Fn(&E) -> bool,
        mut work: impl FnMut(&mut LogTx<'_>) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        self.write_again(is_transient, |db| {
            let Some(head) = lock(db, log)? else { return Ok(None) };
            let mut tx = LogTx { db, head, references: HashMap::new() };
            let value = work(&mut tx)?;
            tx.save_head()?;
            Ok(Some(value))
        })
    }

    /// Makes an empty log, before its first entry. Does nothing if it is there.
    ///
    /// # Errors
    /// The database's.
    pub fn make_log(&self, id: LogId, first_epoch: EpochId) -> Result<(), StoreError> {
        self.write(|db| {
            let known: Option<i64> =
                log::table.filter(log::id.eq(id.bytes().as_slice())).select(log::num).first(&mut db.conn).optional()?;
            if known.is_some() {
                return Ok(());
            }
            let last: Option<i64> = log::table.select(diesel::dsl::max(log::num)).first(&mut db.conn)?;
            let num = last.unwrap_or(0) + 1;
            insert_into(log::table)
                .values((
                    log::num.eq(num),
                    log::id.eq(id.bytes().as_slice()),
                    log::epoch.eq(first_epoch.bytes().as_slice()),
                    log::rev.eq(0),
                    log::root.eq(Frontier::default().root().0.as_slice()),
                    log::frontier.eq([].as_slice()),
                    log::last_received_ms.eq(0),
                    log::number_year.eq(0),
                    log::next_serial.eq(1),
                    log::next_ref.eq(1),
                ))
                .execute(&mut db.conn)?;
            insert_into(epoch::table)
                .values((
                    epoch::log.eq(num),
                    epoch::first_rev.eq(1),
                    epoch::id.eq(first_epoch.bytes().as_slice()),
                    epoch::kept_rev.eq(0),
                ))
                .execute(&mut db.conn)?;
            Ok(())
        })
    }
}

/// Locks the head row, and reads what it holds then: never before.
fn lock(db: &mut Db, id: LogId) -> Result<Option<Head>, StoreError> {
    let row: Option<HeadRow> = update(log::table.filter(log::id.eq(id.bytes().as_slice())))
        .set(log::rev.eq(log::rev))
        .returning(HEAD)
        .get_result(&mut db.conn)
        .optional()?;
    row.map(Head::from_row).transpose()
}

impl LogTx<'_> {
    /// Work that may be undone alone: if it fails, the head and the tables are as before it.
    ///
    /// # Errors
    /// The work's own, or the database's.
    pub fn savepoint<T, E: From<StoreError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let head = self.head.clone();
        Conn::begin_transaction(&mut self.db.conn).map_err(StoreError::from)?;
        match work(self) {
            Ok(value) => {
                Conn::commit_transaction(&mut self.db.conn).map_err(StoreError::from)?;
                Ok(value)
            }
            Err(error) => {
                self.head = head;
                // Numbers given since may not exist any more.
                self.references.clear();
                Conn::rollback_transaction(&mut self.db.conn).map_err(StoreError::from)?;
                Err(error)
            }
        }
    }

    /// The head as a reader would see it, if this were committed now.
    pub fn read_head(&self) -> LogHead {
        let head = &self.head;
        LogHead { num: head.num, log: head.log, epoch: head.epoch, rev: head.rev, root: head.frontier.root() }
    }

    /// Starts a new epoch: entries from here on name it.
    ///
    /// # Errors
    /// The database's.
    pub fn start_epoch(&mut self, new: EpochId) -> Result<(), StoreError> {
        insert_into(epoch::table)
            .values((
                epoch::log.eq(self.head.num.0),
                epoch::first_rev.eq(column(self.head.rev + 1)?),
                epoch::id.eq(new.bytes().as_slice()),
                epoch::kept_rev.eq(column(self.head.rev)?),
            ))
            .execute(&mut self.db.conn)?;
        self.head.epoch = new;
        Ok(())
    }

    fn save_head(&mut self) -> Result<(), StoreError> {
        let head = &self.head;
        update(log::table.filter(log::num.eq(head.num.0)))
            .set((
                log::epoch.eq(head.epoch.bytes().as_slice()),
                log::rev.eq(column(head.rev)?),
                log::root.eq(head.frontier.root().0.as_slice()),
                log::frontier.eq(head.frontier.encode()),
                log::last_received_ms.eq(column(head.last_received_ms)?),
                log::number_year.eq(i32::from(head.number_year)),
                log::next_serial.eq(column(head.next_serial)?),
                log::next_ref.eq(head.next_ref),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

/// An epoch of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Its id.
    pub epoch: EpochId,
    /// Its first revision.
    pub first_rev: u64,
    /// The last revision kept of the epoch before it.
    pub kept_rev: u64,
}

/// A log's head as a reader sees it.
#[derive(Debug, Clone)]
pub struct LogHead {
    /// Its number in other tables.
    pub num: LogNum,
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision.
    pub rev: u64,
    /// The tree's root there.
    pub root: Hash,
}

type LogHeadRow = (i64, Vec<u8>, Vec<u8>, i64, Vec<u8>);

impl Db {
    /// A log's head; none if there is no such log.
    ///
    /// # Errors
    /// The database's.
    pub fn head(&mut self, id: LogId) -> Result<Option<LogHead>, StoreError> {
        let row: Option<LogHeadRow> = log::table
            .filter(log::id.eq(id.bytes().as_slice()))
            .select((log::num, log::id, log::epoch, log::rev, log::root))
            .first(&mut self.conn)
            .optional()?;
        row.map(log_head).transpose()
    }

    /// The heads of all logs, oldest log first.
    ///
    /// # Errors
    /// The database's.
    pub fn heads(&mut self) -> Result<Vec<LogHead>, StoreError> {
        let rows: Vec<LogHeadRow> = log::table
            .order(log::num)
            .select((log::num, log::id, log::epoch, log::rev, log::root))
            .load(&mut self.conn)?;
        rows.into_iter().map(log_head).collect()
    }

    /// The epochs of a log, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn epochs(&mut self, log: LogNum) -> Result<Vec<Epoch>, StoreError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = epoch::table
            .filter(epoch::log.eq(log.0))
            .order(epoch::first_rev)
            .select((epoch::first_rev, epoch::id, epoch::kept_rev))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(first_rev, id, kept_rev)| {
                Ok(Epoch {
                    epoch: EpochId(uuid(&id)?),
                    first_rev: number(first_rev, "a revision below zero")?,
                    kept_rev: number(kept_rev, "a revision below zero")?,
                })
            })
            .collect()
    }
}

fn log_head((num, id, epoch, rev, root): LogHeadRow) -> Result<LogHead, StoreError> {
    Ok(LogHead {
        num: LogNum(num),
        log: LogId(uuid(&id)?),
        epoch: EpochId(uuid(&epoch)?),
        rev: number(rev, "a revision below zero")?,
        root: hash(&root)?,
    })
}
