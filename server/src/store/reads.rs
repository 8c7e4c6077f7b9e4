//! Who read which personal or restricted things, and when. Rows are only ever added.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, insert_into};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId};

use super::columns::{bound, column, number, uuid};
use super::conn::on_backend;
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::tables::value_read;

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
    /// Its number; later readings have higher ones.
    pub id: u64,
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
        for read in reads {
            let hashes =
                serde_json::to_string(&read.values).map_err(|_| StoreError::Damaged("hashes that are no JSON"))?;
            rows.push((
                value_read::log.eq(log.0),
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

    /// What was read of a log after a reading, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn reads_after(&mut self, log: LogNum, after: u64, limit: usize) -> Result<Vec<Read>, StoreError> {
        type Row = (i64, i64, Vec<u8>, Option<Vec<u8>>, Vec<u8>, String, String);
        let rows: Vec<Row> = value_read::table
            .filter(value_read::log.eq(log.0))
            .filter(value_read::id.gt(bound(after)))
            .order(value_read::id)
            .limit(limit_of(limit)?)
            .select((
                value_read::id,
                value_read::read_ms,
                value_read::account,
                value_read::device,
                value_read::entity,
                value_read::way,
                value_read::hashes,
            ))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(id, read_ms, account, device, entity, way, hashes)| {
                let values = serde_json::from_str(&hashes).map_err(|_| StoreError::Damaged("hashes that are none"))?;
                Ok(Read {
                    id: number(id, "a number below zero")?,
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
