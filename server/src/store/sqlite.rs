//! How a SQLite file is opened, so that what was acknowledged survives a power cut and no other program's file is
//! taken for ours.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};

use super::error::StoreError;

/// `RECT`: tells our files from other programs'.
const APPLICATION_ID: i32 = 0x5245_4354;

/// The oldest SQLite without the WAL-reset bug.
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    ReadOnly,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct ApplicationId {
    #[diesel(sql_type = Integer)]
    application_id: i32,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    count: i32,
}

/// Opens the file with all that durability needs set.
pub(super) fn open(path: &Path, access: Access) -> Result<SqliteConnection, StoreError> {
    let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -16384;",
    )?;
    if access == Access::ReadOnly {
        conn.batch_execute("PRAGMA query_only = ON;")?;
    }
    Ok(conn)
}

/// Refuses a SQLite that can corrupt the file, and a file that is not ours; marks a new one.
pub(super) fn check(conn: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let version: Version = sql_query("SELECT sqlite_version() AS version").get_result(conn)?;
    if !recent_enough(&version.version) {
        return Err(StoreError::SqliteTooOld(version.version));
    }
    let ApplicationId { application_id } =
        sql_query("SELECT application_id FROM pragma_application_id").get_result(conn)?;
    let tables: Count = sql_query("SELECT CAST(count(*) AS INTEGER) AS count FROM sqlite_schema").get_result(conn)?;
    match (application_id, tables.count) {
        (APPLICATION_ID, _) => Ok(()),
        (0, 0) => Ok(conn.batch_execute(&format!("PRAGMA application_id = {APPLICATION_ID};"))?),
        (found, _) => Err(StoreError::NotOurs { path: path.to_owned(), found }),
    }
}

/// Whether whoever wrote last did not close the file: its write-ahead log still holds something.
pub(super) fn was_left_open(path: &Path) -> bool {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).is_ok_and(|wal| wal.len() > 0)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    found: String,
}

/// How thoroughly a file is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Pages and their order.
    Quick,
    /// Every index against its table as well.
    Whole,
}

/// Looks through the whole file for damage.
pub(super) fn look_through(conn: &mut SqliteConnection, look: Look) -> Result<(), StoreError> {
    let query = match look {
        Look::Quick => sql_query("SELECT quick_check AS found FROM pragma_quick_check"),
        Look::Whole => sql_query("SELECT integrity_check AS found FROM pragma_integrity_check"),
    };
    let found: Vec<Found> = query.load(conn)?;
    match found.first() {
        Some(first) if first.found == "ok" => Ok(()),
        first => Err(StoreError::Corrupt(first.map_or_else(|| "no answer".to_owned(), |first| first.found.clone()))),
    }
}

fn recent_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_the_wal_reset_bug_are_refused() {
        assert!(!recent_enough("3.40.1"));
        assert!(!recent_enough("3.51.2"));
        assert!(recent_enough("3.51.3"));
        assert!(recent_enough("3.53.2"));
        assert!(!recent_enough("nonsense"));
    }

    #[test]
    fn another_programs_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let mut conn = open(&path, Access::Write).unwrap();
        conn.batch_execute("CREATE TABLE theirs (id INTEGER)").unwrap();
        assert!(matches!(check(&mut conn, &path), Err(StoreError::NotOurs { found: 0, .. })));
    }
}
