//! Who should hear of a notice, and since when it is known that they could. A working table: a rebuild leaves it alone.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{exists, select};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, RunQueryDsl, insert_into, update};
use schema::ids::{AccountId, EntityId};
use schema::sync::Scope;

use super::columns::{bound, column, number, small, uuid};
use super::conn::on_backend;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::notices::StoredNotice;
use super::tables::heard;

/// The newest notices of a person that a sync looks at: one who has more to hear of hears of the rest in the next.
const LOOKED_AT: i64 = 200;

/// Who should hear of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The notice's revision.
    pub rev: u64,
    /// Which of that revision.
    pub nth: u8,
    /// Who.
    pub account: AccountId,
    /// A device of theirs said that it has the case, as it was then or newer: the first time, in ms.
    pub kept_ms: Option<u64>,
    /// They opened the case: the first time, in ms.
    pub opened_ms: Option<u64>,
}

/// A notice that a device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    rev: i64,
    nth: i16,
}

macro_rules! unopened {
    ($log:ident, $account:ident, $case:ident) => {
        heard::log
            .eq($log.0)
            .and(heard::account.eq($account.bytes().as_slice()))
            .and(heard::entity.eq($case.bytes().as_slice()))
            .and(heard::opened_ms.is_null())
    };
}

type Row = (i64, i16, Vec<u8>, Option<i64>, Option<i64>);

fn read((rev, nth, account, kept_ms, opened_ms): Row) -> Result<Heard, StoreError> {
    let time = |ms: Option<i64>| ms.map(|ms| number(ms, "a time below zero")).transpose();
    Ok(Heard {
        rev: number(rev, "a revision below zero")?,
        nth: small(nth, "a notice's number below zero")?,
        account: AccountId(uuid(&account)?),
        kept_ms: time(kept_ms)?,
        opened_ms: time(opened_ms)?,
    })
}

impl Db {
    /// Notes who should hear of a notice.
    ///
    /// # Errors
    /// The database's.
    pub fn put_hearers(
        &mut self,
        log: LogNum,
        notice: &StoredNotice,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(accounts.len());
        for account in accounts {
            rows.push((
                heard::log.eq(log.0),
                heard::rev.eq(column(notice.rev)?),
                heard::nth.eq(i16::from(notice.nth)),
                heard::account.eq(account.bytes().as_slice()),
                heard::entity.eq(notice.entity.bytes().as_slice()),
            ));
        }
        for some in rows.chunks(100) {
            on_backend!(&mut self.conn, conn => insert_into(heard::table).values(some.to_vec()).execute(conn))?;
        }
        Ok(())
    }

    /// The notices of an account that a device has by now, as its cursors say, and nobody knew of yet. A cursor covers
    /// a case when it is not behind the case's newest version: then whatever came before it was stored, too.
    ///
    /// # Errors
    /// The database's.
    pub fn newly_kept<'a>(
        &mut self,
        log: LogNum,
        account: AccountId,
        cursors: impl IntoIterator<Item = (&'a Scope, &'a u64)>,
    ) -> Result<Vec<Kept>, StoreError> {
        let waiting: Vec<(i64, i16, Vec<u8>)> = heard::table
            .filter(heard::log.eq(log.0))
            .filter(heard::account.eq(account.bytes().as_slice()))
            .filter(heard::kept_ms.is_null())
            .order(heard::rev.desc())
            .limit(LOOKED_AT)
            .select((heard::rev, heard::nth, heard::entity))
            .load(&mut self.conn)?;
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let cursors: HashMap<Scope, u64> = cursors.into_iter().map(|(scope, cursor)| (*scope, *cursor)).collect();
        let scopes: Vec<Scope> = cursors.keys().copied().collect();
        let numbers = self.scope_numbers(log, &scopes)?;
        let reached: HashMap<_, u64> =
            numbers.iter().filter_map(|(scope, num)| Some((*num, *cursors.get(scope)?))).collect();
        let mut known: HashSet<&[u8]> = HashSet::new();
        for entity in waiting.iter().map(|(_, _, entity)| entity).collect::<HashSet<_>>() {
            let lies_in = self.lies_in(log, EntityId(uuid(entity)?))?;
            let is_covered = lies_in.is_some_and(|(rev, scopes)| {
                scopes.iter().any(|scope| reached.get(scope).is_some_and(|cursor| *cursor >= rev))
            });
            if is_covered {
                known.insert(entity.as_slice());
            }
        }
        let kept = waiting.iter().filter(|(_, _, entity)| known.contains(entity.as_slice()));
        Ok(kept.map(|(rev, nth, _)| Kept { rev: *rev, nth: *nth }).collect())
    }

    /// Notes that a device of an account has what these notices are about.
    ///
    /// # Errors
    /// The database's.
    pub fn note_kept(&mut self, log: LogNum, account: AccountId, kept: &[Kept], now_ms: u64) -> Result<(), StoreError> {
        for Kept { rev, nth } in kept {
            let row = heard::table.find((log.0, *rev, *nth, account.bytes().as_slice()));
            update(row.filter(heard::kept_ms.is_null()))
                .set(heard::kept_ms.eq(Some(column(now_ms)?)))
                .execute(&mut self.conn)?;
        }
        Ok(())
    }

    /// Whether somebody should hear of a case, and is not known to have opened it since.
    ///
    /// # Errors
    /// The database's.
    pub fn is_unopened(&mut self, log: LogNum, account: AccountId, case: EntityId) -> Result<bool, StoreError> {
        let of_it = unopened!(log, account, case);
        Ok(select(exists(heard::table.filter(of_it))).get_result(&mut self.conn)?)
    }

    /// Notes that somebody opened a case, and so had it. Only the first time counts.
    ///
    /// # Errors
    /// The database's.
    pub fn note_opened(
        &mut self,
        log: LogNum,
        account: AccountId,
        case: EntityId,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let of_it = unopened!(log, account, case);
        let now = Some(column(now_ms)?);
        update(heard::table.filter(of_it.and(heard::kept_ms.is_null())))
            .set(heard::kept_ms.eq(now))
            .execute(&mut self.conn)?;
        update(heard::table.filter(of_it)).set(heard::opened_ms.eq(now)).execute(&mut self.conn)?;
        Ok(())
    }

    /// Who should hear of the notices of some revisions.
    ///
    /// # Errors
    /// The database's.
    pub fn hearers(&mut self, log: LogNum, revs: &[u64]) -> Result<Vec<Heard>, StoreError> {
        let revs: Vec<i64> = revs.iter().map(|rev| bound(*rev)).collect();
        let rows: Vec<Row> = heard::table
            .filter(heard::log.eq(log.0))
            .filter(heard::rev.eq_any(revs))
            .order((heard::rev, heard::nth, heard::account))
            .select((heard::rev, heard::nth, heard::account, heard::kept_ms, heard::opened_ms))
            .load(&mut self.conn)?;
        rows.into_iter().map(read).collect()
    }
}
