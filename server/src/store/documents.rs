//! Documents (catalogue, area tree) by the hash of their bytes.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into};
use schema::hash::Hash;

use super::connection::Db;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::document;

impl LogTx<'_> {
    /// Keeps a document, unless it is there.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_document(&mut self, sha256: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        if self.db.has_document(self.head.num, sha256)? {
            return Ok(());
        }
        insert_into(document::table)
            .values((
                document::log.eq(self.head.num.0),
                document::sha256.eq(sha256.0.as_slice()),
                document::bytes.eq(bytes),
            ))
            .execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// Whether a document is here.
    ///
    /// # Errors
    /// The database's.
    pub fn has_document(&mut self, log: LogNum, sha256: &Hash) -> Result<bool, StoreError> {
        let found: i64 = document::table
            .filter(document::log.eq(log.0))
            .filter(document::sha256.eq(sha256.0.as_slice()))
            .count()
            .get_result(&mut self.conn)?;
        Ok(found > 0)
    }

    /// The bytes of a document.
    ///
    /// # Errors
    /// The database's.
    pub fn document(&mut self, log: LogNum, sha256: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(document::table
            .filter(document::log.eq(log.0))
            .filter(document::sha256.eq(sha256.0.as_slice()))
            .select(document::bytes)
            .first(&mut self.conn)
            .optional()?)
    }
}
