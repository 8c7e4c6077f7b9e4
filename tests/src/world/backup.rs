//! A log set back to an earlier state: what a restore from a backup does to it, table by table, in either database. The
//! log goes on in a new epoch, by the same entry that a server appends when it finds itself set back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result};
use schema::area::AreaTree;
use schema::hash::Hash;
use schema::ids::{EpochId, LogId};
use server::services::ledger::NewEpoch;
use server::store::{LOG_TABLES, VIEW_TABLES};
use uuid::Uuid;

use super::World;

/// What was saved of a server; the rows stand in the same database.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The newest revision of each log in it.
    pub revs: BTreeMap<LogId, u64>,
    /// The photos that had arrived.
    photos: BTreeSet<Hash>,
    /// The areas that were in force.
    areas: AreaTree,
    /// What the signer remembered: a backup holds that too.
    signed: BTreeMap<PathBuf, Vec<u8>>,
}

/// The tables of a log, each with the column that names it.
fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_a_log = [LOG_TABLES, VIEW_TABLES, &["durable", "area_placing", "heard", "hand_over"]].concat();
    of_a_log.into_iter().map(|table| (table, if table == "log" { "num" } else { "log" }))
}

impl World {
    /// Saves the logs as they are; from here on they are durable up to there.
    ///
    /// # Errors
    /// The database's.
    pub fn save(&mut self) -> Result<Saved> {
        let mut revs = BTreeMap::new();
        let mut statements = String::new();
        for log in &self.districts {
            let num = self.number_of(*log);
            for (table, column) in tables() {
                let saved = saved_name(table, *log);
                statements.push_str(&format!(
                    "DROP TABLE IF EXISTS {saved}; CREATE TABLE {saved} AS SELECT * FROM {table} WHERE {column} = {num};"
                ));
            }
        }
        self.execute(&statements)?;
        let now_ms = self.clock.now_ms();
        for log in &self.districts {
            let head = self.logs.store.read(|db| db.head(*log))?.context("the log")?;
            self.logs.store.write(|db| db.set_durable(head.num, head.rev, now_ms))?;
            revs.insert(*log, head.rev);
        }
        Ok(Saved { revs, photos: self.arrived.clone(), areas: self.city.areas.clone(), signed: self.signed()? })
    }

    /// Sets the server back to what was saved, and starts a new epoch of each log there.
    ///
    /// # Errors
    /// The database's, or a new epoch is refused.
    pub fn restore(&mut self, saved: &Saved) -> Result<()> {
        for path in self.signed()?.into_keys() {
            std::fs::remove_file(path)?;
        }
        for (path, bytes) in &saved.signed {
            std::fs::write(path, bytes)?;
        }
        for log in self.districts.clone() {
            let num = self.number_of(log);
            let mut statements = String::new();
            for (table, column) in tables() {
                let saved = saved_name(table, log);
                statements.push_str(&format!(
                    "DELETE FROM {table} WHERE {column} = {num}; INSERT INTO {table} SELECT * FROM {saved};"
                ));
            }
            for photo in self.arrived.difference(&saved.photos) {
                let photo = self.bytes_literal(&photo.0);
                for table in ["photo", "received_photo", "upload"] {
                    statements.push_str(&format!("DELETE FROM {table} WHERE sha256 = {photo};"));
                }
            }
            self.execute(&statements)?;
            self.begin_epoch(log)?;
        }
        self.arrived.clone_from(&saved.photos);
        self.city.areas.clone_from(&saved.areas);
        self.sweep()
    }

    /// What a server does when it was restored: here with an id that follows from the seed.
    fn begin_epoch(&mut self, log: LogId) -> Result<()> {
        self.next_id += 1;
        let epoch = EpochId(Uuid::from_u128(log.0.as_u128() ^ (self.next_id << 32)));
        let begun = self.runtime.block_on(self.logs.ledger.recover(log, Vec::new(), NewEpoch::As(epoch)))?;
        anyhow::ensure!(begun.as_ref().is_some_and(|entry| entry.outcome == 1), "{begun:?}");
        Ok(())
    }

    /// Removes what was saved: the database may be another world's as well.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_saved(&self) -> Result<()> {
        let drops = self.districts.iter().flat_map(|log| tables().map(|(table, _)| saved_name(table, *log)));
        self.execute(&drops.map(|name| format!("DROP TABLE IF EXISTS {name};")).collect::<String>())
    }

    fn signed(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let folder = self.folder.path().join("signed");
        if !folder.is_dir() {
            return Ok(BTreeMap::new());
        }
        let mut files = BTreeMap::new();
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            files.insert(path.clone(), std::fs::read(path)?);
        }
        Ok(files)
    }

    fn number_of(&self, log: LogId) -> String {
        format!("(SELECT num FROM log WHERE id = {})", self.bytes_literal(log.bytes()))
    }

    fn bytes_literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.database.starts_with("sqlite:") { format!("X'{hex}'") } else { format!("'\\x{hex}'::bytea") }
    }

    /// Runs SQL in the server's database, as somebody does who goes around the server.
    ///
    /// # Errors
    /// The database's.
    pub fn execute(&self, statements: &str) -> Result<()> {
        match self.database.strip_prefix("sqlite:") {
            Some(path) => {
                let db = rusqlite::Connection::open(path)?;
                db.busy_timeout(std::time::Duration::from_secs(10))?;
                Ok(db.execute_batch(&format!("PRAGMA synchronous = OFF; BEGIN IMMEDIATE; {statements} COMMIT;"))?)
            }
            None => databases::sql(&self.database, statements).map(drop),
        }
    }
}

fn saved_name(table: &str, log: LogId) -> String {
    format!("saved_{table}_{}", log.0.simple())
}
