//! Opening the database, and running work in a transaction: reads see one snapshot, writes are done or undone whole.
//! Work is a closure: no transaction outlives its call.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::pg::PgConnection;
use diesel::r2d2::{ManageConnection, Pool, R2D2Connection};
use diesel::{Connection, QueryResult};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::conn::Conn;
use super::error::StoreError;
use super::sqlite::{self, Access};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../schema/migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../schema/migrations/postgres");

/// Connections that read from a SQLite file, or that share a PostgreSQL database.
const POOL_SIZE: u32 = 8;
/// Held while the tables are brought up to date.
const MIGRATING: u32 = 5_945_370;
/// Held while a server starts.
const STARTING: u32 = 5_945_371;
/// How long a request waits for a connection.
const POOL_WAIT: Duration = Duration::from_secs(10);
/// How often a write is done again after the database gave it up for another one's sake.
const RETRIES: u32 = 5;

/// A connection to the database, whichever it is. What can be done with it is what the store's functions do.
pub struct Db {
    pub(in crate::store) conn: Conn,
}

/// The database: cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    /// SQLite has one writer; PostgreSQL writes through the pool.
    pub(super) writer: Option<Mutex<Db>>,
    pub(super) pool: Pool<Manager>,
    address: Address,
    /// The file was not closed by whoever wrote last.
    pub(super) left_open: bool,
}

/// Held by the one server of a database that is starting; the others wait.
pub struct Alone {
    /// The lock goes with the connection.
    _held: Option<PgConnection>,
}

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) enum Address {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(_) => Err(StoreError::Address),
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned()))
            }
            None => Err(StoreError::Address),
        }
    }
}

#[derive(Debug)]
pub(super) struct Manager(Address);

impl ManageConnection for Manager {
    type Connection = Db;
    type Error = StoreError;

    fn connect(&self) -> Result<Db, StoreError> {
        let conn = match &self.0 {
            Address::Sqlite(path) => Conn::Sqlite(sqlite::open(path, Access::ReadOnly)?),
            Address::Postgres(url) => Conn::Postgres(PgConnection::establish(url)?),
        };
        Ok(Db { conn })
    }

    fn is_valid(&self, db: &mut Db) -> Result<(), StoreError> {
        match &mut db.conn {
            Conn::Sqlite(_) => Ok(()),
            Conn::Postgres(conn) => Ok(conn.ping()?),
        }
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        <Conn as Connection>::TransactionManager::is_broken_transaction_manager(&mut db.conn)
    }
}

impl Store {
    /// Opens the database, checks it, and brings its tables up to date.
    ///
    /// # Errors
    /// An address of no known kind, another program's file, a SQLite with the WAL-reset bug, no connection.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url)?;
        let left_open = matches!(&address, Address::Sqlite(path) if sqlite::was_left_open(path));
        let writer = match &address {
            Address::Sqlite(path) => Some(Mutex::new(open_sqlite_writer(path)?)),
            Address::Postgres(url) => {
                let mut conn = PgConnection::establish(url)?;
                migrate_postgres(&mut conn)?;
                None
            }
        };
        let pool = Pool::builder()
            .max_size(POOL_SIZE)
            .min_idle(Some(1))
            .connection_timeout(POOL_WAIT)
            .test_on_check_out(true)
            .build(Manager(address.clone()))
            .map_err(|error| StoreError::Pool(Box::new(error)))?;
        Ok(Self { inner: Arc::new(Inner { writer, pool, address, left_open }) })
    }

    /// Waits until no other server of this database is starting. A SQLite file has one server.
    ///
    /// # Errors
    /// The database's.
    pub fn alone(&self) -> Result<Alone, StoreError> {
        let Address::Postgres(url) = &self.inner.address else { return Ok(Alone { _held: None }) };
        let mut conn = PgConnection::establish(url)?;
        conn.batch_execute(&format!("SELECT pg_advisory_lock({STARTING})"))?;
        Ok(Alone { _held: Some(conn) })
    }

    /// Reads from one snapshot.
    ///
    /// # Errors
    /// The work's own, or the database's.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        let mut db = self.inner.pool.get().map_err(|error| StoreError::Pool(Box::new(error)))?;
        transaction(&mut db, Mode::Snapshot, work)
    }

    /// Writes what belongs to no log. Done or undone whole; done again if the database gave it up.
    ///
    /// # Errors
    /// The work's own, or the database's.
    pub fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        match &self.inner.writer {
            Some(writer) => {
                // A panic has been rolled back before it poisons the lock.
                let mut db = writer.lock().unwrap_or_else(PoisonError::into_inner);
                transaction(&mut db, Mode::Write, work)
            }
            None => {
                let mut db = self.inner.pool.get().map_err(|error| StoreError::Pool(Box::new(error)))?;
                transaction(&mut db, Mode::Write, work)
            }
        }
    }

    /// As [`Store::write`], done again when the database gave the transaction up for another one's sake.
    pub(super) fn write_again<T, E>(
        &self,
        is_transient: impl Fn(&E) -> bool,
        mut work: impl FnMut(&mut Db) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut tries = 0;
        loop {
            match self.write(&mut work) {
                Err(error) if tries < RETRIES && is_transient(&error) => tries += 1,
                done => return done,
            }
        }
    }

    /// [`Store::read`] for async callers: runs on a thread that may block.
    ///
    /// # Errors
    /// The work's own, or the database's.
    pub async fn read_async<T, E>(&self, work: impl FnOnce(&mut Db) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.read(work)).await.unwrap_or_else(|_| Err(StoreError::Stopping.into()))
    }

    /// [`Store::write`] for async callers: runs on a thread that may block.
    ///
    /// # Errors
    /// The work's own, or the database's.
    pub async fn write_async<T, E>(&self, work: impl FnOnce(&mut Db) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.write(work))
            .await
            .unwrap_or_else(|_| Err(StoreError::Stopping.into()))
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Snapshot,
    Write,
}

/// Runs work in a transaction that ends with it, whichever way it ends.
fn transaction<T, E: From<StoreError>>(
    db: &mut Db,
    mode: Mode,
    work: impl FnOnce(&mut Db) -> Result<T, E>,
) -> Result<T, E> {
    begin(&mut db.conn, mode).map_err(StoreError::from)?;
    match catch_unwind(AssertUnwindSafe(|| work(db))) {
        Ok(Ok(value)) => match Conn::commit_transaction(&mut db.conn) {
            Ok(()) => Ok(value),
            Err(error) => {
                roll_back(&mut db.conn);
                Err(StoreError::from(error).into())
            }
        },
        Ok(Err(error)) => {
            roll_back(&mut db.conn);
            Err(error)
        }
        Err(panic) => {
            roll_back(&mut db.conn);
            resume_unwind(panic)
        }
    }
}

/// The lock comes first: a SQLite transaction that reads and then wants to write is refused without waiting.
fn begin(conn: &mut Conn, mode: Mode) -> QueryResult<()> {
    match (conn, mode) {
        (Conn::Sqlite(conn), Mode::Write) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
        (Conn::Sqlite(conn), Mode::Snapshot) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED"),
        (Conn::Postgres(conn), Mode::Write) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
        (Conn::Postgres(conn), Mode::Snapshot) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        }
    }
}

/// A failure to roll back breaks the connection, which the pool then throws away; the first error is the one to tell.
fn roll_back(conn: &mut Conn) {
    if let Err(error) = Conn::rollback_transaction(conn) {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "a transaction could not be rolled back");
    }
}

fn open_sqlite_writer(path: &Path) -> Result<Db, StoreError> {
    let mut conn = sqlite::open(path, Access::Write)?;
    sqlite::check(&mut conn, path)?;
    refuse_newer(&mut conn, SQLITE_MIGRATIONS)?;
    conn.run_pending_migrations(SQLITE_MIGRATIONS).map_err(StoreError::Migration)?;
    Ok(Db { conn: Conn::Sqlite(conn) })
}

/// A database that a newer program migrated is left alone: this one would misread it.
fn refuse_newer<DB: Backend>(
    conn: &mut impl MigrationHarness<DB>,
    known: EmbeddedMigrations,
) -> Result<(), StoreError> {
    let known: Vec<Box<dyn Migration<DB>>> = known.migrations().map_err(StoreError::Migration)?;
    let applied = conn.applied_migrations().map_err(StoreError::Migration)?;
    let is_known =
        |version: &MigrationVersion<'_>| known.iter().any(|migration| migration.name().version() == *version);
    if applied.iter().all(is_known) { Ok(()) } else { Err(StoreError::Newer) }
}

/// Several servers may start at once: the first one through the lock migrates.
fn migrate_postgres(conn: &mut PgConnection) -> Result<(), StoreError> {
    conn.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATING})"))?;
    let migrated = refuse_newer(conn, POSTGRES_MIGRATIONS)
        .and_then(|()| conn.run_pending_migrations(POSTGRES_MIGRATIONS).map(|_| ()).map_err(StoreError::Migration));
    conn.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATING})"))?;
    migrated
}

#[cfg(test)]
mod tests {
    use diesel::RunQueryDsl;

    use super::*;

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let address = databases::address(folder.path());
        let store = Store::open(&address).unwrap();
        store
            .write(|db| {
                let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000001')";
                Ok::<_, StoreError>(db.conn.batch_execute(newer)?)
            })
            .unwrap();
        drop(store);
        assert!(matches!(Store::open(&address), Err(StoreError::Newer)));
    }

    #[test]
    fn addresses_are_matched_strictly() {
        for wrong in ["", "sqlite:", "rectify.db", "/srv/rectify.db", "mysql://x", "Postgres://x", "sqlite3:x"] {
            assert!(matches!(Store::open(wrong), Err(StoreError::Address)), "{wrong}");
        }
    }

    #[test]
    fn servers_that_open_an_empty_database_at_once_all_find_it_ready() {
        let folder = tempfile::tempdir().unwrap();
        let address = databases::Kind::Postgres.address(folder.path());
        let opened = std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(&address))).collect();
            openers.into_iter().map(|opener| opener.join().unwrap().map(drop)).collect::<Result<Vec<()>, _>>()
        });
        assert_eq!(opened.unwrap().len(), 8);
    }

    #[test]
    fn one_server_starts_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&databases::Kind::Postgres.address(folder.path())).unwrap();
        let waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        let first = store.alone().unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| store.alone());
            while store.read(|db| Ok::<_, StoreError>(diesel::sql_query(waits).execute(&mut db.conn)?)).unwrap() == 0 {
                assert!(!second.is_finished(), "the second one did not wait");
            }
            drop(first);
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_reader_can_not_write_and_a_panic_is_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&databases::address(folder.path())).unwrap();
        let refused: Result<(), StoreError> =
            store.read(|db| Ok(db.conn.batch_execute("INSERT INTO durable (log, rev) VALUES (1, 1)")?));
        assert!(refused.is_err());

        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.write(|db| -> Result<(), StoreError> {
                db.conn.batch_execute("INSERT INTO durable (log, rev) VALUES (1, 1)")?;
                panic!("in the middle")
            })
        }));
        assert!(panicked.is_err());
        // The same row again: it is not there, and the writer works on.
        let done: Result<(), StoreError> =
            store.write(|db| Ok(db.conn.batch_execute("INSERT INTO durable (log, rev) VALUES (1, 1)")?));
        done.unwrap();
    }
}
