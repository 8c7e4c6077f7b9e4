//! What the logs know of an account or a device now: the rows that every request's rights are read from.

use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl};
use schema::entity::{Device, Entity};
use schema::ids::{AccountId, EntityId, EpochId, LogId};

use super::columns::uuid;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::packed::unpack;
use super::tables::{entity, log};

/// An entity in one of the logs.
#[derive(Debug, Clone, PartialEq)]
pub struct InLog {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// The entity there.
    pub entity: Entity,
}

impl Db {
    /// The phones that other logs know of an account.
    ///
    /// # Errors
    /// The database's.
    pub fn devices_elsewhere(&mut self, than: LogNum, account: AccountId) -> Result<Vec<Device>, StoreError> {
        // Where the account is known to no other log, none needs to be read.
        let id = account.bytes().as_slice();
        let logs: Vec<i64> = entity::table
            .filter(entity::id.eq(id))
            .filter(entity::log.ne(than.0))
            .select(entity::log)
            .load(&mut self.conn)?;
        let rows: Vec<Option<Vec<u8>>> = entity::table
            .filter(entity::log.eq_any(logs))
            .filter(entity::kind.eq("device"))
            .select(entity::doc)
            .load(&mut self.conn)?;
        let mut devices = Vec::new();
        for document in rows.into_iter().flatten() {
            let entity = serde_json::from_slice(&unpack(&document)?)
                .map_err(|_| StoreError::Damaged("a document that is no entity"))?;
            if let Entity::Device(device) = entity
                && device.account == account
            {
                devices.push(device);
            }
        }
        Ok(devices)
    }

    /// An entity in every log that knows it, oldest log first.
    ///
    /// # Errors
    /// The database's.
    pub fn in_all_logs(&mut self, id: EntityId) -> Result<Vec<InLog>, StoreError> {
        type Row = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);
        let rows: Vec<Row> = entity::table
            .inner_join(log::table.on(log::num.eq(entity::log)))
            .filter(entity::id.eq(id.bytes().as_slice()))
            .order(log::num)
            .select((log::id, log::epoch, entity::doc))
            .load(&mut self.conn)?;
        rows.into_iter()
            .filter_map(|(log, epoch, document)| document.map(|document| (log, epoch, document)))
            .map(|(log, epoch, document)| {
                let entity = serde_json::from_slice(&unpack(&document)?)
                    .map_err(|_| StoreError::Damaged("a document that is no entity"))?;
                Ok(InLog { log: LogId(uuid(&log)?), epoch: EpochId(uuid(&epoch)?), entity })
            })
            .collect()
    }
}
