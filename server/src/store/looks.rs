//! Who has shown the bytes of a photo, and which photos look alike.

use std::collections::BTreeMap;

use diesel::{BoolExpressionMethods, ExpressionMethods, JoinOnDsl, QueryDsl, RunQueryDsl, insert_into};
use schema::hash::Hash;
use schema::ids::{DeviceId, EntityId};

use super::columns::{column, hash, number, uuid};
use super::conn::on_backend;
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::tables::{entity, photo_alike, photo_holder, photo_look, photo_ref, received_photo};

/// Photos that share a piece of their looks with another, newest first; more are not compared.
const SHARING_MAX: i64 = 4096;

impl Db {
    /// The devices that have shown a photo's bytes.
    ///
    /// # Errors
    /// The database's.
    pub fn holders(&mut self, photo: &Hash) -> Result<Vec<DeviceId>, StoreError> {
        let rows: Vec<Vec<u8>> = photo_holder::table
            .filter(photo_holder::sha256.eq(photo.0.as_slice()))
            .order(photo_holder::device)
            .select(photo_holder::device)
            .load(&mut self.conn)?;
        rows.iter().map(|device| Ok(DeviceId(uuid(device)?))).collect()
    }

    /// Whether a device has shown a photo's bytes.
    ///
    /// # Errors
    /// The database's.
    pub fn holds(&mut self, photo: &Hash, device: DeviceId) -> Result<bool, StoreError> {
        let found: i64 = photo_holder::table
            .find((photo.0.as_slice(), device.bytes().as_slice()))
            .count()
            .get_result(&mut self.conn)?;
        Ok(found > 0)
    }

    /// Notes that a device has shown a photo's bytes.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn put_holder(&mut self, photo: &Hash, device: DeviceId) -> Result<(), StoreError> {
        let row = (photo_holder::sha256.eq(photo.0.as_slice()), photo_holder::device.eq(device.bytes().as_slice()));
        on_backend!(&mut self.conn, conn => insert_into(photo_holder::table).values(row).on_conflict_do_nothing().execute(conn))?;
        Ok(())
    }

    /// Keeps what a photo looks like, piece by piece, so that others are found by it. Once is enough.
    ///
    /// # Errors
    /// The database's.
    pub fn put_look(&mut self, photo: &Hash, pieces: &[i64]) -> Result<(), StoreError> {
        // Two may look at a photo at once: whoever brought it, and a sweep. Both find the same pieces.
        for piece in pieces {
            let row = (photo_look::piece.eq(*piece), photo_look::sha256.eq(photo.0.as_slice()));
            on_backend!(&mut self.conn, conn => insert_into(photo_look::table).values(row).on_conflict_do_nothing().execute(conn))?;
        }
        Ok(())
    }

    /// The newest photos that share one of these pieces, with their perceptual hashes.
    ///
    /// # Errors
    /// The database's.
    pub fn looks_sharing(&mut self, pieces: &[i64]) -> Result<BTreeMap<Hash, Vec<u8>>, StoreError> {
        let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> = photo_look::table
            .inner_join(received_photo::table.on(received_photo::sha256.eq(photo_look::sha256)))
            .filter(photo_look::piece.eq_any(pieces))
            .order(received_photo::received_ms.desc())
            .limit(SHARING_MAX)
            .select((photo_look::sha256, received_photo::perceptual))
            .load(&mut self.conn)?;
        rows.into_iter().map(|(photo, look)| Ok((hash(&photo)?, look.unwrap_or_default()))).collect()
    }

    /// Notes that two photos look alike. Once is enough.
    ///
    /// # Errors
    /// The database's.
    pub fn put_alike(&mut self, photo: &Hash, other: &Hash, distance: u64) -> Result<(), StoreError> {
        // In one order, whichever of the two was looked at: two who note the same pair do not wait for each other.
        let (first, second) = (photo.min(other).0.as_slice(), photo.max(other).0.as_slice());
        for (one, another) in [(first, second), (second, first)] {
            let row = (
                photo_alike::sha256.eq(one),
                photo_alike::other.eq(another),
                photo_alike::distance.eq(column(distance)?),
            );
            on_backend!(&mut self.conn, conn => insert_into(photo_alike::table).values(row).on_conflict_do_nothing().execute(conn))?;
        }
        Ok(())
    }

    /// The photos that look like this one, with how many bits of their perceptual hashes differ.
    ///
    /// # Errors
    /// The database's.
    pub fn alike(&mut self, photo: &Hash) -> Result<BTreeMap<Hash, u64>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = photo_alike::table
            .filter(photo_alike::sha256.eq(photo.0.as_slice()))
            .select((photo_alike::other, photo_alike::distance))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(other, distance)| Ok((hash(&other)?, number(distance, "a distance below zero")?)))
            .collect()
    }

    /// The entities of a log that name a photo which looks like this one, each with that photo and how many bits differ.
    ///
    /// # Errors
    /// The database's.
    pub fn naming_alike(&mut self, log: LogNum, photo: &Hash) -> Result<Vec<(Hash, EntityId, u64)>, StoreError> {
        let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = photo_alike::table
            .inner_join(photo_ref::table.on(photo_ref::sha256.eq(photo_alike::other)))
            .filter(photo_alike::sha256.eq(photo.0.as_slice()).and(photo_ref::log.eq(log.0)))
            .order((photo_alike::other, photo_ref::entity))
            .select((photo_alike::other, photo_ref::entity, photo_alike::distance))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(other, entity, bits)| {
                Ok((hash(&other)?, EntityId(uuid(&entity)?), number(bits, "a distance below zero")?))
            })
            .collect()
    }

    /// Whether a case of any log names a photo, other than this one of this log. A look-back shows its photos in its case.
    ///
    /// # Errors
    /// The database's.
    pub fn named_elsewhere(&mut self, log: LogNum, case: EntityId, photo: &Hash) -> Result<bool, StoreError> {
        let named = entity::log.eq(photo_ref::log).and(entity::id.eq(photo_ref::entity));
        let found: i64 = photo_ref::table
            .inner_join(entity::table.on(named))
            .filter(entity::kind.eq("case"))
            .filter(photo_ref::sha256.eq(photo.0.as_slice()))
            .filter(photo_ref::log.ne(log.0).or(photo_ref::entity.ne(case.bytes().as_slice())))
            .count()
            .get_result(&mut self.conn)?;
        Ok(found > 0)
    }
}
