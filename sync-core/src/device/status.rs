//! Honest counts, from the tables, each time anew.

use rusqlite::OptionalExtension;
use schema::ids::{EntityId, LogId, OpId};
use schema::sync::Durability;
use serde::Serialize;

use super::error::PhoneError;
use super::phone::{Phone, logs};
use super::row::{Blob, nat};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The user's name; none before enrolment.
    pub account: Option<String>,
    /// The server.
    pub server: Option<String>,
    /// Own ops that only this phone has.
    pub on_this_phone: u64,
    /// Own ops that the server decided and whose effect is not in what was pulled yet.
    pub received: u64,
    /// Own ops that are decided and kept until the log is durable up to them.
    pub awaiting_durable: u64,
    /// Photos whose bytes the server may not have.
    pub photos_to_send: u64,
    /// Photos that this phone still holds a copy of.
    pub photos_held: u64,
    /// Photos of own ops in all.
    pub photos: u64,
    /// Things that a person should look at.
    pub attention: u64,
    /// The phone's wall clock at the last answer of the server.
    pub last_contact_ms: Option<i64>,
    /// Server time minus this phone's, as measured then.
    pub clock_offset_ms: Option<i64>,
    /// By log.
    pub logs: Vec<LogStatus>,
}

/// How things stand with a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogStatus {
    /// The log.
    pub log: LogId,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// Its newest revision, as heard last.
    pub head: u64,
    /// What survives the loss of the server.
    pub durable: u64,
    /// How.
    pub durability: Option<Durability>,
    /// The first pull came to its end.
    pub pulled: bool,
    /// A fork was seen: push only.
    pub forked: bool,
    /// Cases on this phone.
    pub cases: u64,
    /// Own ops that only this phone has.
    pub on_this_phone: u64,
}

/// An own op that the server has not decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsent {
    /// The op.
    pub op: OpId,
    /// Its entity.
    pub entity: EntityId,
    /// Its log.
    pub log: LogId,
    /// Its kind.
    pub kind: String,
    /// Its exact line.
    #[serde(skip)]
    pub line: Vec<u8>,
}

impl Phone {
    /// How things stand.
    ///
    /// # Errors
    /// The store's.
    pub fn status(&self) -> Result<Status, PhoneError> {
        type Meta = (Option<String>, Option<String>, Option<i64>, Option<i64>);
        let meta: Option<Meta> = self
            .db
            .query_row("SELECT account_name, server, contact_ms, offset_ms FROM meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let (account, server, last_contact_ms, clock_offset_ms) = meta.unwrap_or_default();
        let mut by_log = Vec::new();
        for log in logs(&self.db)? {
            by_log.push(LogStatus {
                log: log.log,
                cases: self.count(&format!("listing WHERE log = {}", log.id))?,
                on_this_phone: self.count(&format!("own_op WHERE log = {} AND state = 'undecided'", log.id))?,
                name_zh: log.name.zh,
                name_en: log.name.en,
                head: log.head,
                durable: log.durable,
                durability: log.durability,
                pulled: log.pulled,
                forked: log.forked,
            });
        }
        Ok(Status {
            account,
            server,
            on_this_phone: self.count("own_op WHERE state = 'undecided'")?,
            received: self.count("own_op WHERE state = 'decided'")?,
            awaiting_durable: self.count("own_op WHERE state = 'kept'")?,
            photos_to_send: self.count("photo WHERE here = 1 AND uploaded = 0")?,
            photos_held: self.count("photo WHERE here = 1")?,
            photos: self.count("photo")?,
            attention: self.count("attention WHERE done = 0")?,
            last_contact_ms,
            clock_offset_ms,
            logs: by_log,
        })
    }

    fn count(&self, of: &str) -> Result<u64, PhoneError> {
        let count: i64 =
            self.db.prepare_cached(&format!("SELECT COUNT(*) FROM {of}"))?.query_row([], |row| row.get(0))?;
        Ok(nat(count))
    }

    /// Own ops that only this phone has, in the order in which they were made.
    ///
    /// # Errors
    /// The store's.
    pub fn unsent(&self) -> Result<Vec<Unsent>, PhoneError> {
        let mut statement = self.db.prepare_cached(
            "SELECT op, entity, log.log, kind, line FROM own_op JOIN log ON log.id = own_op.log
             WHERE state = 'undecided' ORDER BY n",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Unsent {
                op: row.get::<_, Blob<OpId>>(0)?.0,
                entity: row.get::<_, Blob<EntityId>>(1)?.0,
                log: row.get::<_, Blob<LogId>>(2)?.0,
                kind: row.get(3)?,
                line: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Ids of own ops that are in an explicit state here: undecided, decided, kept, or something to look at.
    ///
    /// # Errors
    /// The store's.
    pub fn own_ops(&self) -> Result<Vec<OpId>, PhoneError> {
        let mut statement = self.db.prepare_cached("SELECT op FROM own_op ORDER BY n")?;
        let rows = statement.query_map([], |row| row.get::<_, Blob<OpId>>(0))?;
        Ok(rows.map(|row| row.map(|op| op.0)).collect::<Result<_, _>>()?)
    }
}
