//! The database as a whole: closing it, looking through it, work that brings its own transaction.

use std::sync::PoisonError;

use diesel::connection::SimpleConnection;

use super::conn::Conn;
use super::connection::{Db, Store};
use super::error::StoreError;
use super::sqlite::{self, Look};

impl Store {
    /// Before a clean end: everything is in the one file, so that the next start need not look through it.
    ///
    /// # Errors
    /// The database's.
    pub fn close(&self) -> Result<(), StoreError> {
        self.write_outside_transaction(|db| match &mut db.conn {
            Conn::Sqlite(conn) => Ok(conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?),
            Conn::Postgres(_) => Ok(()),
        })
    }

    /// After an end that was none, a file is looked through for damage before it is served from. PostgreSQL sees to its
    /// own files.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn check_after_crash(&self) -> Result<(), StoreError> {
        if !self.inner.left_open {
            return Ok(());
        }
        self.read(|db| match &mut db.conn {
            Conn::Sqlite(conn) => sqlite::look_through(conn, Look::Quick),
            Conn::Postgres(_) => Ok(()),
        })
    }

    /// Work on a reading connection that brings its own snapshot.
    pub(super) fn outside_transaction<T>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut db = self.inner.pool.get().map_err(|error| StoreError::Pool(Box::new(error)))?;
        work(&mut db)
    }

    /// Work on the writing connection that can't be done within a transaction.
    pub(super) fn write_outside_transaction<T>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.inner.writer {
            Some(writer) => work(&mut writer.lock().unwrap_or_else(PoisonError::into_inner)),
            None => self.outside_transaction(work),
        }
    }
}
