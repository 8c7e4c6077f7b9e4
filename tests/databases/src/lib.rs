//! Empty databases and buckets for tests: a SQLite file, or a database of a PostgreSQL that the test program starts itself.
//!
//! Tests that are the same on both ask [`Kind::of_this_run`]: `RECTIFY_TEST_DATABASE=postgres cargo test` runs them on
//! PostgreSQL. Tests about the one or the other name it. `RECTIFY_TEST_PHOTOS=bucket` puts photos into an S3 server that
//! the test program starts as well.

#![expect(clippy::panic, reason = "without its database a test fails, and says what to do")]

mod bucket;
mod server;
mod standby;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};

pub use bucket::bucket;
use server::Server;
pub use standby::Pair;

/// The environment variable that says on which database a run of tests works.
const CHOICE: &str = "RECTIFY_TEST_DATABASE";

/// The two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file in the test's folder.
    Sqlite,
    /// A database of the test program's own server.
    Postgres,
}

impl Kind {
    /// Both, for tests that compare them.
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// The one that this run of tests is about.
    pub fn of_this_run() -> Self {
        match std::env::var(CHOICE).as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("{CHOICE} is {other:?}: say sqlite or postgres"),
        }
    }

    /// The address of a folder's database: empty at first, the same one whenever the folder is asked for again.
    ///
    /// # Panics
    /// There is no PostgreSQL to start; the message says what to do.
    pub fn address(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}", folder.join("rectify.db").display()),
            Self::Postgres => postgres_of(folder).unwrap_or_else(|error| panic!("{error:#}")),
        }
    }
}

/// The address of a folder's database, of the kind that this run is about.
pub fn address(folder: &Path) -> String {
    Kind::of_this_run().address(folder)
}

/// The one server of this program, started when it is first asked for.
fn server() -> Result<&'static Server> {
    static SERVER: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
    let started = SERVER.get_or_init(|| Server::start().map_err(|error| format!("{error:#}")));
    started.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))
}

fn postgres_of(folder: &Path) -> Result<String> {
    static MADE: OnceLock<Mutex<HashMap<PathBuf, String>>> = OnceLock::new();
    let server = server()?;
    let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(address) = made.get(folder) {
        return Ok(address.clone());
    }
    let name = format!("test_{}", made.len());
    sql(&server.address("postgres"), &format!("CREATE DATABASE {name}"))?;
    let address = server.address(&name);
    made.insert(folder.to_owned(), address.clone());
    Ok(address)
}

/// Runs SQL in a PostgreSQL database with its own client; rows come as lines, columns parted by `|`.
///
/// # Errors
/// What the client says.
pub fn sql(address: &str, text: &str) -> Result<Vec<String>> {
    psql(server()?, address, text)
}

fn psql(server: &Server, address: &str, text: &str) -> Result<Vec<String>> {
    let output = Command::new(server.program("psql"))
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname"])
        .args([address, "--command", text])
        .output()
        .context("psql")?;
    if !output.status.success() {
        bail!("{}\n{text}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_has_a_database_of_its_own() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = folders.each_ref().map(|folder| Kind::Postgres.address(folder.path()));
        assert_ne!(one, other);
        assert_eq!(Kind::Postgres.address(folders[0].path()), one, "asked again, it is the same");
        sql(&one, "CREATE TABLE ours (n bigint); INSERT INTO ours VALUES (7)").unwrap();
        assert_eq!(sql(&one, "SELECT n, n + 1 FROM ours").unwrap(), ["7|8"]);
        assert!(sql(&other, "SELECT n FROM ours").is_err());
    }

    /// The server ends with the program that started it, however that one ended.
    #[test]
    fn nothing_is_left_when_the_program_ends() {
        let folder = Server::start().unwrap().let_go();
        assert!(!folder.exists());
    }
}
