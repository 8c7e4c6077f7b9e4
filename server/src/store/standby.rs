//! Synchronous standbys of PostgreSQL: whether there is one, and how far it has the log.

use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};

use super::conn::Conn;
use super::connection::Db;
use super::error::StoreError;

/// What the database says of its standbys.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Standby {
    /// Who must confirm a commit (`synchronous_standby_names`).
    #[diesel(sql_type = Text)]
    pub names: String,
    /// What a commit waits for (`synchronous_commit`).
    #[diesel(sql_type = Text)]
    pub commit: String,
    /// Synchronous standbys that are connected and up to date.
    #[diesel(sql_type = BigInt)]
    pub streaming: i64,
    /// Where the write-ahead log is.
    #[diesel(sql_type = Text)]
    pub written: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

impl Db {
    /// What the database says of its standbys; none for SQLite, which has none.
    ///
    /// # Errors
    /// The database's.
    pub fn standby(&mut self) -> Result<Option<Standby>, StoreError> {
        let Conn::Postgres(conn) = &mut self.conn else { return Ok(None) };
        let query = "SELECT current_setting('synchronous_standby_names') AS names,
            current_setting('synchronous_commit') AS commit,
            (SELECT count(*) FROM pg_stat_replication
                WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming') AS streaming,
            pg_current_wal_insert_lsn()::text AS written";
        Ok(Some(sql_query(query).get_result(conn)?))
    }

    /// Whether a synchronous standby has the write-ahead log up to a place on its disk.
    ///
    /// # Errors
    /// The database's.
    pub fn standby_has(&mut self, written: &str) -> Result<bool, StoreError> {
        let Conn::Postgres(conn) = &mut self.conn else { return Ok(false) };
        let query = sql_query(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_replication
                WHERE sync_state IN ('sync', 'quorum') AND flush_lsn >= $1::pg_lsn) AS yes",
        );
        let answer: Answer = query.bind::<Text, _>(written).get_result(conn)?;
        Ok(answer.yes)
    }
}
