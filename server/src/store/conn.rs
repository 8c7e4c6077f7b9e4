//! The connection to either database, and how one is opened. Private to the store.
#![allow(missing_docs, unreachable_pub, unused_qualifications, reason = "the derive writes items without them")]

use diesel::MultiConnection;
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;

/// A connection to one of the two databases.
#[derive(MultiConnection)]
pub enum Conn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Compiles the same tokens against each database: for what diesel can't say to both at once. Never two bodies.
macro_rules! on_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::store::conn::Conn::Postgres($c) => $body,
            $crate::store::conn::Conn::Sqlite($c) => $body,
        }
    };
}
pub(in crate::store) use on_backend;
