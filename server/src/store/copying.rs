//! The whole database as one SQLite file, whichever database it is in, and back: what a backup is made of.
//!
//! SQLite copies itself from one snapshot. From and to PostgreSQL rows travel as JSON, built and read by the two
//! databases themselves, so that no table is spelt out here; ids and hashes go as hexadecimal.

use std::fs::{self, File};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};

use super::conn::Conn;
use super::connection::{Address, Db, Store};
use super::error::StoreError;
use super::sqlite::{self, Look};
use super::tables::{LOG_TABLES, VIEW_TABLES, WORKING_TABLES};

/// Rows on their way at a time.
const ROWS: usize = 100;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

impl Column {
    fn is_bytes(&self) -> bool {
        self.kind == "BLOB"
    }
}

fn tables() -> impl Iterator<Item = &'static str> {
    [LOG_TABLES, VIEW_TABLES, WORKING_TABLES].into_iter().flatten().copied()
}

impl Store {
    /// Copies everything, as one snapshot has it, into a new SQLite file, and syncs it. Others read and write meanwhile.
    ///
    /// # Errors
    /// The database's, or the file's.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let text = path.to_str().ok_or(StoreError::Address)?;
        let copied = self.outside_transaction(|db| match &mut db.conn {
            Conn::Sqlite(conn) => {
                // A reader may write no file at all, not even another one.
                conn.batch_execute("PRAGMA query_only = OFF")?;
                let copied = sql_query("VACUUM INTO ?").bind::<Text, _>(text).execute(conn);
                conn.batch_execute("PRAGMA query_only = ON")?;
                copied.map(|_| true).map_err(StoreError::from)
            }
            Conn::Postgres(_) => Ok(false),
        })?;
        if !copied {
            let copy = Self::open(&format!("sqlite:{text}"))?;
            pump(self, &copy)?;
            // Back into one file, without its write-ahead log.
            copy.close()?;
        }
        sync(path)
    }

    /// Puts a copy in place as a database that is not there yet.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], and the database's or the file's.
    pub fn restore(url: &str, copy: &Path, scratch: &Path) -> Result<Self, StoreError> {
        match Address::parse(url)? {
            Address::Sqlite(path) if path.exists() => Err(StoreError::NotEmpty),
            Address::Sqlite(path) => {
                fs::copy(copy, &path)?;
                sync(&path)?;
                Self::open(url)
            }
            Address::Postgres(_) => {
                let store = Self::open(url)?;
                if !store.read(Db::heads)?.is_empty() {
                    return Err(StoreError::NotEmpty);
                }
                fs::copy(copy, scratch)?;
                // Opened for writing: it may be of an older version, and is brought up to date first.
                let source = Self::open(&format!("sqlite:{}", scratch.display()))?;
                pump(&source, &store)?;
                drop(source);
                for ending in ["", "-wal", "-shm"] {
                    let mut path = scratch.as_os_str().to_owned();
                    path.push(ending);
                    if Path::new(&path).exists() {
                        fs::remove_file(&path)?;
                    }
                }
                Ok(store)
            }
        }
    }
}

impl Db {
    /// Opens a copy without changing a byte of it, not even beside it.
    ///
    /// # Errors
    /// The file's.
    pub fn open_copy(path: &Path) -> Result<Self, StoreError> {
        let mut address = String::from("file:");
        for byte in path.to_str().ok_or(StoreError::Address)?.bytes() {
            match byte {
                b'?' | b'#' | b'%' => address.push_str(&format!("%{byte:02x}")),
                byte => address.push(char::from(byte)),
            }
        }
        address.push_str("?mode=ro&immutable=1");
        let mut conn = SqliteConnection::establish(&address)?;
        conn.batch_execute("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
        Ok(Self { conn: Conn::Sqlite(conn) })
    }

    /// Looks through every page, row and index for damage.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub fn look_through(&mut self) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Sqlite(conn) => sqlite::look_through(conn, Look::Whole),
            Conn::Postgres(_) => Ok(()),
        }
    }
}

fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)?.sync_all()?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Every row of every table, from one snapshot into one transaction.
fn pump(from: &Store, to: &Store) -> Result<(), StoreError> {
    from.read(|from| {
        to.write(|to| match (&mut from.conn, &mut to.conn) {
            (Conn::Postgres(from), Conn::Sqlite(to)) => tables().try_for_each(|table| out_of_postgres(from, to, table)),
            (Conn::Sqlite(from), Conn::Postgres(to)) => tables().try_for_each(|table| into_postgres(from, to, table)),
            (Conn::Sqlite(_), Conn::Sqlite(_)) | (Conn::Postgres(_), Conn::Postgres(_)) => Err(StoreError::Address),
        })
    })
}

fn columns(conn: &mut SqliteConnection, table: &str) -> Result<Vec<Column>, StoreError> {
    let query = sql_query("SELECT name, type AS kind FROM pragma_table_info(?) ORDER BY cid");
    Ok(query.bind::<Text, _>(table).load(conn)?)
}

fn out_of_postgres(from: &mut PgConnection, to: &mut SqliteConnection, table: &str) -> Result<(), StoreError> {
    let columns = columns(to, table)?;
    let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| match column.is_bytes() {
            // Bytes come as `\x…`.
            true => format!("unhex(substr(value ->> '$.{}', 3))", column.name),
            false => format!("value ->> '$.{}'", column.name),
        })
        .collect();
    let insert =
        format!("INSERT INTO \"{table}\" ({}) SELECT {} FROM json_each(?)", names.join(", "), values.join(", "));
    from.batch_execute(&format!(
        "DECLARE all_rows NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM \"{table}\" t"
    ))?;
    loop {
        let rows: Vec<Row> = sql_query(format!("FETCH {ROWS} FROM all_rows")).load(from)?;
        if rows.is_empty() {
            return Ok(from.batch_execute("CLOSE all_rows")?);
        }
        sql_query(&insert).bind::<Text, _>(array(&rows)).execute(to)?;
    }
}

fn into_postgres(from: &mut SqliteConnection, to: &mut PgConnection, table: &str) -> Result<(), StoreError> {
    let members: Vec<String> = columns(from, table)?
        .iter()
        .map(|column| match column.is_bytes() {
            // JSON has no bytes, and `hex` takes no bytes for none.
            true => format!("'{0}', iif(\"{0}\" IS NULL, NULL, '\\x' || hex(\"{0}\"))", column.name),
            false => format!("'{0}', \"{0}\"", column.name),
        })
        .collect();
    let insert = format!("INSERT INTO \"{table}\" SELECT * FROM json_populate_recordset(NULL::\"{table}\", $1::json)");
    let select = format!("SELECT json_object({}) AS row FROM \"{table}\"", members.join(", "));
    let mut rows: Vec<Row> = Vec::with_capacity(ROWS);
    for row in sql_query(select).load_iter::<Row, diesel::connection::DefaultLoadingMode>(from)? {
        rows.push(row?);
        if rows.len() == ROWS {
            sql_query(&insert).bind::<Text, _>(array(&rows)).execute(to)?;
            rows.clear();
        }
    }
    if !rows.is_empty() {
        sql_query(&insert).bind::<Text, _>(array(&rows)).execute(to)?;
    }
    Ok(())
}

fn array(rows: &[Row]) -> String {
    let rows: Vec<&str> = rows.iter().map(|row| row.row.as_str()).collect();
    format!("[{}]", rows.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(store: &Store, work: impl FnOnce(&mut SqliteConnection)) {
        let write = |db: &mut Db| match &mut db.conn {
            Conn::Sqlite(conn) => {
                work(conn);
                Ok(())
            }
            Conn::Postgres(_) => Err(StoreError::Address),
        };
        store.write(write).unwrap();
    }

    /// Two rows in each table: what a database could get wrong on the way, and nothing where nothing may stand.
    fn fill(conn: &mut SqliteConnection) {
        for table in tables() {
            let required = sql_query("SELECT name, type AS kind FROM pragma_table_info(?) WHERE \"notnull\" OR pk");
            let required: Vec<Column> = required.bind::<Text, _>(table).load(conn).unwrap();
            for (row, columns) in [(1, columns(conn, table).unwrap()), (2, required)] {
                let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
                let values: Vec<String> = columns
                    .iter()
                    .map(|column| match column.kind.as_str() {
                        "BLOB" => format!("X'00{row}f5c2700'"),
                        "TEXT" => format!("'占道 \"{row}\" \\x00 \n''{{}}'"),
                        // A float of 64 bits does not hold it.
                        "BIGINT" => format!("9007199254740992 + {row}"),
                        "SMALLINT" | "INTEGER" => format!("-{row}"),
                        "BOOLEAN" => format!("{}", row - 1),
                        other => panic!("{table}: {other} travels how?"),
                    })
                    .collect();
                let insert = format!("INSERT INTO \"{table}\" ({}) VALUES ({})", names.join(", "), values.join(", "));
                conn.batch_execute(&insert).unwrap();
            }
        }
    }

    fn rows(conn: &mut SqliteConnection) -> Vec<(String, Vec<String>)> {
        let all = tables().map(|table| {
            let quoted: Vec<String> =
                columns(conn, table).unwrap().iter().map(|it| format!("quote(\"{}\")", it.name)).collect();
            let rows =
                sql_query(format!("SELECT concat_ws('|', {}) AS row FROM \"{table}\" ORDER BY 1", quoted.join(", ")));
            let rows: Vec<Row> = rows.load(conn).unwrap();
            (table.to_owned(), rows.into_iter().map(|row| row.row).collect())
        });
        all.collect()
    }

    /// A backup is a SQLite file whichever database it was made of: to PostgreSQL and back no value of any table changes,
    /// and no table stays behind.
    #[test]
    fn every_row_of_every_table_comes_back_from_postgres_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let source = Store::open(&format!("sqlite:{}", file("source.db").display())).unwrap();
        let mut before = Vec::new();
        sqlite(&source, |conn| {
            fill(conn);
            before = rows(conn);
        });
        source.copy_to(&file("copy.db")).unwrap();
        let address = databases::Kind::Postgres.address(folder.path());
        let there = Store::restore(&address, &file("copy.db"), &file("scratch.db")).unwrap();
        there.copy_to(&file("back.db")).unwrap();
        let back = Store::open(&format!("sqlite:{}", file("back.db").display())).unwrap();
        sqlite(&back, |conn| assert_eq!(rows(conn), before));
        assert!(before.iter().all(|(_, rows)| rows.len() == 2));

        let stored = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace \
             AND relname <> '__diesel_schema_migrations'";
        assert_eq!(databases::sql(&address, stored).unwrap(), [tables().count().to_string()], "no table stays behind");
    }
}
