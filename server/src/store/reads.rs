//! Who read which personal or restricted things, and when. Rows are only ever added, under numbers that come to light in
//! order: whoever reads on behind the last one misses none.

use diesel::dsl::max;
use diesel::sql_types::Integer;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, insert_into, sql_query};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId};

use super::columns::{bound, column, number, uuid};
use super::conn::{Conn, on_backend};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::tables::value_read;

/// The advisory locks of PostgreSQL under which readings are numbered, one for each log.
const NUMBERING: i32 = 5_945_372;

/// What was read: an entity, and the values of it by hash; none where the entity itself is what is restricted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOf {
    /// The entity.
    pub entity: EntityId,
    /// The values.
    pub values: Vec<Hash>,
}

/// One reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Its number in the log, from 1 on.
    pub nth: u64,
    /// When, in ms.
    pub read_ms: u64,
    /// Who.
    pub account: AccountId,
    /// By which phone; none for a login by password.
    pub device: Option<DeviceId>,
    /// How: `case`, `entries`, `parked`, `sync`.
    pub way: String,
    /// What.
    pub of: ReadOf,
}

impl Db {
    /// Notes what somebody read.
    ///
    /// # Errors
    /// The database's.
    pub fn note_reads(
        &mut self,
        log: LogNum,
        (account, device): (AccountId, Option<DeviceId>),
        way: &str,
        read_ms: u64,
        reads: &[ReadOf],
    ) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(reads.len());
        let first = self.next_reading(log)?;
        for (nth, read) in (first..).zip(reads) {
            let hashes =
                serde_json::to_string(&read.values).map_err(|_| StoreError::Damaged("hashes that are no JSON"))?;
            rows.push((
                value_read::log.eq(log.0),
                value_read::nth.eq(nth),
                value_read::read_ms.eq(column(read_ms)?),
                value_read::account.eq(account.bytes().as_slice()),
                value_read::device.eq(device.map(|device| device.bytes().to_vec())),
                value_read::entity.eq(read.entity.bytes().as_slice()),
                value_read::way.eq(way),
                value_read::hashes.eq(hashes),
            ));
        }
        for some in rows.chunks(100) {
            on_backend!(&mut self.conn, conn => insert_into(value_read::table).values(some.to_vec()).execute(conn))?;
        }
        Ok(())
    }

    /// The number of the next reading. Until the transaction ends nobody else gets one: else a reader might see the
    /// later of two before the earlier, and go on behind it.
    fn next_reading(&mut self, log: LogNum) -> Result<i64, StoreError> {
        if let Conn::Postgres(conn) = &mut self.conn {
            // Of a log's number the low half is enough: a lock that two logs share only makes them wait.
            let low = i32::try_from(log.0 & 0x7fff_ffff).map_err(|_| StoreError::Damaged("a log's number"))?;
            let lock = sql_query("SELECT pg_advisory_xact_lock($1, $2)");
            lock.bind::<Integer, _>(NUMBERING).bind::<Integer, _>(low).execute(conn)?;
        }
        let last: Option<i64> =
            value_read::table.filter(value_read::log.eq(log.0)).select(max(value_read::nth)).first(&mut self.conn)?;
        Ok(last.unwrap_or(0) + 1)
    }

    /// What was read of a log after a reading, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn reads_after(&mut self, log: LogNum, after: u64, limit: usize) -> Result<Vec<Read>, StoreError> {
        type Row = (i64, i64, Vec<u8>, Option<Vec<u8>>, Vec<u8>, String, String);
        let rows: Vec<Row> = value_read::table
            .filter(value_read::log.eq(log.0))
            .filter(value_read::nth.gt(bound(after)))
            .order(value_read::nth)
            .limit(limit_of(limit)?)
            .select((
                value_read::nth,
                value_read::read_ms,
                value_read::account,
                value_read::device,
                value_read::entity,
                value_read::way,
                value_read::hashes,
            ))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(nth, read_ms, account, device, entity, way, hashes)| {
                let values = serde_json::from_str(&hashes).map_err(|_| StoreError::Damaged("hashes that are none"))?;
                Ok(Read {
                    nth: number(nth, "a number below zero")?,
                    read_ms: number(read_ms, "a time below zero")?,
                    account: AccountId(uuid(&account)?),
                    device: device.map(|device| uuid(&device).map(DeviceId)).transpose()?,
                    way,
                    of: ReadOf { entity: EntityId(uuid(&entity)?), values },
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use uuid::Uuid;

    use super::super::connection::Store;
    use super::*;

    const WRITERS: u64 = 8;
    const EACH: u64 = 15;

    /// Without the lock a reader of PostgreSQL sees a later reading first, goes on behind it, and misses the earlier.
    #[test]
    fn a_polling_reader_misses_no_reading_while_many_are_noted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&databases::address(folder.path())).unwrap();
        let (log, writing) = (LogNum(7), AtomicUsize::new(usize::try_from(WRITERS).unwrap()));
        let id = |n: u64| Uuid::from_u128(n.into());
        let note = |writer: u64| {
            for nth in 0..EACH {
                let reads = [0, 1].map(|n| ReadOf { entity: EntityId(id(nth * 2 + n)), values: vec![Hash([1; 32])] });
                let who = (AccountId(id(writer)), None);
                store.write(|db| db.note_reads(log, who, "case", nth, &reads)).unwrap();
            }
            writing.fetch_sub(1, Ordering::SeqCst);
        };
        let mut seen: Vec<Read> = Vec::new();
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || note(writer));
            }
            loop {
                let done = writing.load(Ordering::SeqCst) == 0;
                let after = seen.last().map_or(0, |read| read.nth);
                let page = store.read(|db| db.reads_after(log, after, 1000)).unwrap();
                if page.is_empty() && done {
                    return;
                }
                seen.extend(page);
            }
        });
        let all = u64::try_from(seen.len()).unwrap();
        assert_eq!(all, WRITERS * EACH * 2);
        assert!(seen.iter().zip(1..).all(|(read, nth)| read.nth == nth), "numbered without a gap");
        let other = store.read(|db| db.reads_after(LogNum(8), 0, 10)).unwrap();
        assert_eq!(other, [], "each log has readings of its own");
    }
}
