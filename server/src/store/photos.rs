//! Which photos are here, and which entities wait for one.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl, delete, insert_into, update};
use schema::hash::Hash;
use schema::ids::{EntityId, LogId};
use sync_core::context::VerifiedPhoto;

use super::columns::{column, hash, number, uuid};
use super::conn::on_backend;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{log, photo, photo_ref};

type PhotoRow = (Vec<u8>, i64, Option<i64>, Option<i64>, String);

impl Db {
    /// Notes that a photo's bytes are here, durable, with the hash they should have. Once is enough.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_photo(&mut self, sha256: &Hash, new: &VerifiedPhoto, now_ms: u64) -> Result<(), StoreError> {
        let flags = serde_json::to_string(&new.flags).map_err(|_| StoreError::Damaged("flags that are no JSON"))?;
        let row = (
            photo::sha256.eq(sha256.0.as_slice()),
            photo::size.eq(column(new.size)?),
            photo::width.eq(new.pixels.map(|(width, _)| i64::from(width))),
            photo::height.eq(new.pixels.map(|(_, height)| i64::from(height))),
            photo::flags.eq(flags),
            photo::verified_ms.eq(column(now_ms)?),
        );
        // Two may look at a photo at once: whoever brought it, and a sweep.
        on_backend!(&mut self.conn, conn => insert_into(photo::table).values(row).on_conflict_do_nothing().execute(conn))?;
        Ok(())
    }

    /// Those of these photos whose bytes are here.
    ///
    /// # Errors
    /// The database's.
    pub fn photos(&mut self, wanted: &[Hash]) -> Result<BTreeMap<Hash, VerifiedPhoto>, StoreError> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<&[u8]> = wanted.iter().map(|hash| hash.0.as_slice()).collect();
        let rows: Vec<PhotoRow> = photo::table
            .filter(photo::sha256.eq_any(keys))
            .select((photo::sha256, photo::size, photo::width, photo::height, photo::flags))
            .load(&mut self.conn)?;
        rows.into_iter().map(photo_of).collect()
    }

    /// The logs in which an entity names a photo and its log does not say yet that it is here.
    ///
    /// # Errors
    /// The database's.
    pub fn logs_waiting_for(&mut self, sha256: &Hash) -> Result<Vec<LogId>, StoreError> {
        let rows: Vec<Vec<u8>> = photo_ref::table
            .inner_join(log::table.on(log::num.eq(photo_ref::log)))
            .filter(photo_ref::sha256.eq(sha256.0.as_slice()))
            .filter(photo_ref::verified.eq(false))
            .select(log::id)
            .distinct()
            .load(&mut self.conn)?;
        rows.iter().map(|id| Ok(LogId(uuid(id)?))).collect()
    }

    /// The entities of a log that name a photo whose arrival the log does not tell yet.
    ///
    /// # Errors
    /// The database's.
    pub fn waiting_for(&mut self, log: LogNum, sha256: &Hash) -> Result<Vec<EntityId>, StoreError> {
        let rows: Vec<Vec<u8>> = photo_ref::table
            .filter(photo_ref::log.eq(log.0))
            .filter(photo_ref::sha256.eq(sha256.0.as_slice()))
            .filter(photo_ref::verified.eq(false))
            .order(photo_ref::entity)
            .select(photo_ref::entity)
            .load(&mut self.conn)?;
        rows.iter().map(|id| Ok(EntityId(uuid(id)?))).collect()
    }

    /// Photos that are here while a log does not tell yet, at most `limit`: what a sweep has to make good.
    ///
    /// # Errors
    /// The database's.
    pub fn untold_photos(&mut self, limit: usize) -> Result<Vec<Hash>, StoreError> {
        let rows: Vec<Vec<u8>> = photo_ref::table
            .inner_join(photo::table.on(photo::sha256.eq(photo_ref::sha256)))
            .filter(photo_ref::verified.eq(false))
            .select(photo_ref::sha256)
            .distinct()
            .limit(super::entries::limit_of(limit)?)
            .load(&mut self.conn)?;
        rows.iter().map(|sha256| hash(sha256)).collect()
    }

    /// The entities of a log that name a photo.
    ///
    /// # Errors
    /// The database's.
    pub fn naming(&mut self, log: LogNum, sha256: &Hash) -> Result<Vec<EntityId>, StoreError> {
        let rows: Vec<Vec<u8>> = photo_ref::table
            .filter(photo_ref::log.eq(log.0))
            .filter(photo_ref::sha256.eq(sha256.0.as_slice()))
            .select(photo_ref::entity)
            .load(&mut self.conn)?;
        rows.iter().map(|id| Ok(EntityId(uuid(id)?))).collect()
    }
}

impl LogTx<'_> {
    /// Brings the photos that an entity names up to date: `before` and `now` say which, and whether all its claims of
    /// it are told as arrived.
    ///
    /// # Errors
    /// The database's.
    pub fn put_photo_refs(
        &mut self,
        entity: EntityId,
        before: &BTreeMap<Hash, bool>,
        now: &BTreeMap<Hash, bool>,
    ) -> Result<(), StoreError> {
        let log = self.head.num.0;
        let id = entity.bytes().as_slice();
        for (sha256, verified) in now {
            let key = sha256.0.as_slice();
            match before.get(sha256) {
                Some(was) if was == verified => {}
                Some(_) => {
                    let row = photo_ref::table
                        .filter(photo_ref::log.eq(log))
                        .filter(photo_ref::sha256.eq(key))
                        .filter(photo_ref::entity.eq(id));
                    update(row).set(photo_ref::verified.eq(*verified)).execute(&mut self.db.conn)?;
                }
                None => {
                    insert_into(photo_ref::table)
                        .values((
                            photo_ref::log.eq(log),
                            photo_ref::sha256.eq(key),
                            photo_ref::entity.eq(id),
                            photo_ref::verified.eq(*verified),
                        ))
                        .execute(&mut self.db.conn)?;
                }
            }
        }
        for sha256 in before.keys().filter(|sha256| !now.contains_key(sha256)) {
            let row = photo_ref::table
                .filter(photo_ref::log.eq(log))
                .filter(photo_ref::sha256.eq(sha256.0.as_slice()))
                .filter(photo_ref::entity.eq(id));
            delete(row).execute(&mut self.db.conn)?;
        }
        Ok(())
    }
}

fn photo_of((sha256, size, width, height, flags): PhotoRow) -> Result<(Hash, VerifiedPhoto), StoreError> {
    let side = |column: Option<i64>| {
        column.map(|side| u32::try_from(side).map_err(|_| StoreError::Damaged("a side of no photo"))).transpose()
    };
    let flags = serde_json::from_str(&flags).map_err(|_| StoreError::Damaged("flags that are no JSON"))?;
    let pixels = side(width)?.zip(side(height)?);
    Ok((hash(&sha256)?, VerifiedPhoto { size: number(size, "a size below zero")?, pixels, flags }))
}
