//! A PostgreSQL server with a synchronous standby that streams from it: two servers of their own.

use anyhow::Result;

use crate::psql;
use crate::server::Server;

/// The name that the standby gives itself, and that its primary waits for.
const NAME: &str = "second";

/// A primary and its standby.
pub struct Pair {
    primary: Server,
    standby: Server,
}

impl Pair {
    /// Both, streaming; no commit waits for the standby yet.
    ///
    /// # Errors
    /// There is no PostgreSQL to start; the message says what to do.
    pub fn start() -> Result<Self> {
        let primary = Server::start()?;
        psql(&primary, &primary.address("postgres"), "CREATE DATABASE district")?;
        let standby = primary.standby(NAME)?;
        Ok(Self { primary, standby })
    }

    /// The address of the database.
    pub fn address(&self) -> String {
        self.primary.address("district")
    }

    /// The address of the same database at the standby.
    pub fn standby_address(&self) -> String {
        self.standby.address("district")
    }

    /// From now on each commit waits until the standby has it on disk.
    ///
    /// # Errors
    /// The database's.
    pub fn wait_for_standby(&self) -> Result<()> {
        // A change of the system's settings is no transaction of its own.
        for text in [&format!("ALTER SYSTEM SET synchronous_standby_names = '{NAME}'"), "SELECT pg_reload_conf()"] {
            self.sql(text)?;
        }
        let waits = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
        while self.sql(waits)?.is_empty() {
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Runs SQL at the primary.
    ///
    /// # Errors
    /// What the client says.
    pub fn sql(&self, text: &str) -> Result<Vec<String>> {
        psql(&self.primary, &self.address(), text)
    }

    /// The standby dies.
    ///
    /// # Errors
    /// It can't be stopped.
    pub fn kill_standby(&self) -> Result<()> {
        self.standby.control(&["--mode", "immediate", "stop"])
    }

    /// The standby comes back.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_standby(&self) -> Result<()> {
        self.standby.up()
    }

    /// The primary dies, and the standby takes its place.
    ///
    /// # Errors
    /// It does not.
    pub fn fail_over(&self) -> Result<()> {
        self.primary.control(&["--mode", "immediate", "stop"])?;
        self.standby.control(&["promote"])
    }
}
