//! Photos on their way: what a device has sent, what is here whole, and what has been looked at.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into, update};
use schema::hash::Hash;
use schema::ids::DeviceId;

use super::columns::{bound, column, hash, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::tables::{photo, received_photo, upload};

/// A photo whose bytes are here: its file is whole and synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedPhoto {
    /// Size of the file.
    pub size: u64,
    /// It was looked at, and every case that named it then knows.
    pub settled: bool,
}

/// What a device has sent of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// The photo.
    pub photo: Hash,
    /// The device.
    pub device: DeviceId,
    /// Size of the whole file.
    pub size: u64,
    /// Bytes that are synced.
    pub offset: u64,
    /// When it is thrown away, in ms.
    pub expires_ms: u64,
}

impl Db {
    /// A photo that is here whole.
    ///
    /// # Errors
    /// The database's.
    pub fn received_photo(&mut self, photo: &Hash) -> Result<Option<ReceivedPhoto>, StoreError> {
        let row: Option<(i64, Option<i64>)> = received_photo::table
            .find(photo.0.as_slice())
            .select((received_photo::size, received_photo::settled_ms))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(size, settled)| {
            Ok(ReceivedPhoto { size: number(size, "a photo's size below zero")?, settled: settled.is_some() })
        })
        .transpose()
    }

    /// A photo that is here whole and whose bytes this device has shown. What others have sent is nothing to a device
    /// that only knows the hash.
    ///
    /// # Errors
    /// The database's.
    pub fn received_from(&mut self, photo: &Hash, device: DeviceId) -> Result<Option<ReceivedPhoto>, StoreError> {
        if self.holds(photo, device)? { self.received_photo(photo) } else { Ok(None) }
    }

    /// Takes custody of a photo whose file is durable. Its device's part is a part no longer, and it is a holder now.
    ///
    /// # Errors
    /// The database's.
    pub fn receive_photo(
        &mut self,
        photo: &Hash,
        device: DeviceId,
        size: u64,
        now_ms: u64,
    ) -> Result<ReceivedPhoto, StoreError> {
        self.forget_upload(photo, device)?;
        self.put_holder(photo, device)?;
        if let Some(known) = self.received_photo(photo)? {
            return Ok(known);
        }
        insert_into(received_photo::table)
            .values((
                received_photo::sha256.eq(photo.0.as_slice()),
                received_photo::size.eq(column(size)?),
                received_photo::received_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(ReceivedPhoto { size, settled: false })
    }

    /// Photos that are here and not settled, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn unsettled_photos(&mut self, most: i64) -> Result<Vec<(Hash, u64)>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = received_photo::table
            .filter(received_photo::settled_ms.is_null())
            .order(received_photo::received_ms)
            .limit(most)
            .select((received_photo::sha256, received_photo::size))
            .load(&mut self.conn)?;
        rows.into_iter().map(|(photo, size)| Ok((hash(&photo)?, number(size, "a photo's size below zero")?))).collect()
    }

    /// Every photo that is here, with its size, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub fn all_photos(&mut self) -> Result<Vec<(Hash, u64)>, StoreError> {
        let rows: Vec<(Vec<u8>, i64)> = received_photo::table
            .order(received_photo::sha256)
            .select((received_photo::sha256, received_photo::size))
            .load(&mut self.conn)?;
        rows.into_iter().map(|(photo, size)| Ok((hash(&photo)?, number(size, "a photo's size below zero")?))).collect()
    }

    /// A photo's file is lost: whoever still has it is asked for it again.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_photo(&mut self, lost: &Hash) -> Result<(), StoreError> {
        delete(received_photo::table.find(lost.0.as_slice())).execute(&mut self.conn)?;
        delete(photo::table.find(lost.0.as_slice())).execute(&mut self.conn)?;
        Ok(())
    }

    /// Keeps what the camera wrote and what the picture looks like.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_looks(&mut self, photo: &Hash, camera: &str, perceptual: Option<&[u8]>) -> Result<(), StoreError> {
        update(received_photo::table.find(photo.0.as_slice()))
            .set((received_photo::camera.eq(camera), received_photo::perceptual.eq(perceptual)))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// What the camera wrote, as it was kept.
    ///
    /// # Errors
    /// The database's.
    pub fn camera(&mut self, photo: &Hash) -> Result<Option<String>, StoreError> {
        let found: Option<Option<String>> = received_photo::table
            .find(photo.0.as_slice())
            .select(received_photo::camera)
            .first(&mut self.conn)
            .optional()?;
        Ok(found.flatten())
    }

    /// A photo was looked at and every case that named it then knows.
    ///
    /// # Errors
    /// The database's.
    pub fn settle_photo(&mut self, photo: &Hash, now_ms: u64) -> Result<(), StoreError> {
        update(received_photo::table.find(photo.0.as_slice()))
            .set(received_photo::settled_ms.eq(Some(column(now_ms)?)))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// What a device has sent of a photo.
    ///
    /// # Errors
    /// The database's.
    pub fn upload(&mut self, photo: &Hash, device: DeviceId) -> Result<Option<Upload>, StoreError> {
        let row: Option<UploadRow> =
            upload::table.find((photo.0.as_slice(), device.bytes().as_slice())).first(&mut self.conn).optional()?;
        row.map(read_upload).transpose()
    }

    /// Writes what a device has sent of a photo, whatever stood there.
    ///
    /// # Errors
    /// The database's.
    pub fn put_upload(&mut self, put: &Upload) -> Result<(), StoreError> {
        self.forget_upload(&put.photo, put.device)?;
        insert_into(upload::table)
            .values((
                upload::sha256.eq(put.photo.0.as_slice()),
                upload::device.eq(put.device.bytes().as_slice()),
                upload::size.eq(column(put.size)?),
                upload::synced_bytes.eq(column(put.offset)?),
                upload::expires_ms.eq(column(put.expires_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Promises what is synced.
    ///
    /// # Errors
    /// The database's.
    pub fn set_upload_offset(&mut self, photo: &Hash, device: DeviceId, offset: u64) -> Result<(), StoreError> {
        update(upload::table.find((photo.0.as_slice(), device.bytes().as_slice())))
            .set(upload::synced_bytes.eq(column(offset)?))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Removes an upload's row.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_upload(&mut self, photo: &Hash, device: DeviceId) -> Result<(), StoreError> {
        delete(upload::table.find((photo.0.as_slice(), device.bytes().as_slice()))).execute(&mut self.conn)?;
        Ok(())
    }

    /// What a device has announced and not finished, what it announced longest ago first.
    ///
    /// # Errors
    /// The database's.
    pub fn uploads_of(&mut self, device: DeviceId) -> Result<Vec<Upload>, StoreError> {
        let rows: Vec<UploadRow> = upload::table
            .filter(upload::device.eq(device.bytes().as_slice()))
            .order((upload::expires_ms, upload::sha256))
            .load(&mut self.conn)?;
        rows.into_iter().map(read_upload).collect()
    }

    /// Uploads whose time is over.
    ///
    /// # Errors
    /// The database's.
    pub fn expired_uploads(&mut self, now_ms: u64) -> Result<Vec<Upload>, StoreError> {
        let rows: Vec<UploadRow> =
            upload::table.filter(upload::expires_ms.le(bound(now_ms))).limit(1000).load(&mut self.conn)?;
        rows.into_iter().map(read_upload).collect()
    }
}

type UploadRow = (Vec<u8>, Vec<u8>, i64, i64, i64);

fn read_upload((photo, device, size, offset, expires_ms): UploadRow) -> Result<Upload, StoreError> {
    Ok(Upload {
        photo: hash(&photo)?,
        device: DeviceId(uuid(&device)?),
        size: number(size, "an upload's size below zero")?,
        offset: number(offset, "an upload's offset below zero")?,
        expires_ms: number(expires_ms, "a time below zero")?,
    })
}
