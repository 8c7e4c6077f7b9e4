//! What the database can fail with. Nothing here is meant for the caller of an API.

use std::path::PathBuf;

use crate::error::Error;

/// The store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database was migrated by a newer program.
    #[error("this database was made by a newer version of rectify: start that one, or a newer one still")]
    Newer,
    /// Neither `sqlite:PATH` nor `postgres://…` nor `postgresql://…`.
    #[error("the database address starts with none of sqlite:, postgres://, postgresql://")]
    Address,
    /// The system's zone database lacks a log's zone.
    #[error("this system knows no time zone {0:?}: install its zone database (Debian's package: tzdata)")]
    Zone(String),
    /// The file is another program's database.
    #[error("{} is not a Rectify database (application id {found})", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// Its application id.
        found: i32,
    },
    /// This SQLite can corrupt a database in WAL mode.
    #[error("SQLite {0} has the WAL-reset bug; 3.51.3 or newer is needed")]
    SqliteTooOld(String),
    /// The server can't be reached, or the file can't be opened.
    #[error("the database can't be opened")]
    Connect(#[from] diesel::ConnectionError),
    /// No connection became free in time.
    #[error("no database connection became free in time")]
    Pool(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement failed.
    #[error("a database statement failed")]
    Statement(#[from] diesel::result::Error),
    /// A row does not hold what it must.
    #[error("the database holds {0}, which it never should")]
    Damaged(&'static str),
    /// The file was damaged while nobody wrote to it, or by a medium that lost what it had synced.
    #[error("the database file is damaged ({0}): stop here, keep the folder, and `rectify restore` the last backup")]
    Corrupt(String),
    /// A restore goes into a database that is not there yet.
    #[error("there is something in this database already: a restore needs an empty one")]
    NotEmpty,
    /// A file beside the database.
    #[error("a database file can't be read or written")]
    File(#[from] std::io::Error),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// Work that was to be committed together with other work was not.
    #[error("nothing of the group was committed")]
    NotCommitted,
    /// The work was given up because the server stops.
    #[error("the server is stopping")]
    Stopping,
}

impl StoreError {
    /// The same work may succeed if it is done again: the database gave this transaction up for another one's sake.
    pub fn is_transient(&self) -> bool {
        use diesel::result::{DatabaseErrorKind, Error as Diesel};
        match self {
            Self::Statement(Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            Self::Statement(Diesel::DatabaseError(_, information)) => information.message().contains("deadlock"),
            _ => false,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        anyhow::Error::new(error).into()
    }
}
