//! The phone's store as its program and a simulation see it. Every public change is one transaction; nothing that
//! decides anything lives in memory, so a second program may read, and capture, while one syncs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use schema::catalogue::{Catalogue, Text};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EpochId, LogId};
use schema::op::{Captured, SealedValue};
use schema::sync::Durability;

use super::entropy::{Entropy, NoEntropy, draw};
use super::error::PhoneError;
use super::open::{self, Home};
use super::row::Blob;
use super::vault::{self, Vault};
use crate::area::AreaIndex;
use crate::line::seal;
use crate::log::chain::DeviceSecret;

/// An open store.
pub struct Phone {
    pub(crate) db: Connection,
    pub(crate) home: Home,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) read: ReadDocuments,
    pub(crate) vault: Option<Vault>,
    pub(crate) in_use: File,
}

/// Documents that were read before: by hash, so they can't be out of date.
#[derive(Default)]
pub(crate) struct ReadDocuments {
    pub(crate) catalogues: Arc<BTreeMap<Hash, Catalogue>>,
    pub(crate) areas: BTreeMap<Hash, Arc<AreaIndex>>,
}

/// Who this phone is.
#[derive(Clone)]
pub struct Identity {
    /// The device.
    pub device: DeviceId,
    /// Its user.
    pub account: AccountId,
    /// The user's name.
    pub account_name: String,
    /// The server's base address.
    pub server: String,
}

/// A log as the phone knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LogState {
    pub(crate) id: i64,
    /// The log.
    pub log: LogId,
    /// The district's name.
    pub name: Text,
    /// Its time zone.
    pub zone: String,
    /// Verifier key of its checkpoints.
    pub signer: String,
    /// Its epoch; none before the first sync.
    pub epoch: Option<EpochId>,
    /// Its newest revision, as heard last.
    pub head: u64,
    /// Own outcomes are known up to here.
    pub own: u64,
    /// What survives the loss of the server.
    pub durable: u64,
    /// How.
    pub durability: Option<Durability>,
    /// The incarnation that ops are numbered under.
    pub incarnation: u64,
    /// The number of the next op.
    pub next_seq: u64,
    /// The device chain after the last op.
    pub chain: Hash,
    /// The first pull of this epoch came to its end: what is shown is not half of it.
    pub pulled: bool,
    /// A fork was seen: the phone delivers, and believes nothing.
    pub forked: bool,
}

impl Phone {
    /// Opens the store in a folder, and makes it where there is none.
    ///
    /// # Errors
    /// See [`PhoneError`]; a file that is newer or not ours is not touched.
    pub fn open(folder: &Path, mut entropy: Box<dyn Entropy>) -> Result<Self, PhoneError> {
        let (db, home, in_use) = open::open(folder, entropy.as_mut())?;
        Ok(Self { db, home, entropy, read: ReadDocuments::default(), vault: None, in_use })
    }

    /// Opens what a PIN protects, from here on.
    pub fn unlock(&mut self, vault: Vault) {
        self.vault = Some(vault);
    }

    /// The device's secret key.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`]; [`PhoneError::PinNeeded`] where a PIN protects it.
    pub(crate) fn secret(&self) -> Result<DeviceSecret, PhoneError> {
        secret(&self.db, self.vault.as_ref())
    }

    /// Who this phone is.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] before its enrolment.
    pub fn identity(&self) -> Result<Identity, PhoneError> {
        identity(&self.db)
    }

    /// The logs that its account may use.
    ///
    /// # Errors
    /// The store's.
    pub fn logs(&self) -> Result<Vec<LogState>, PhoneError> {
        logs(&self.db)
    }

    /// One of its logs.
    ///
    /// # Errors
    /// [`PhoneError::UnknownLog`].
    pub fn log(&self, log: LogId) -> Result<LogState, PhoneError> {
        log_state(&self.db, log)
    }

    /// Seals a personal value for a draft: its hash stands in the body, the value travels behind the line.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn seal(&mut self, value: &str) -> Result<SealedValue, NoEntropy> {
        let salt = schema::hash::Salt(draw(self.entropy.as_mut())?);
        Ok(SealedValue { sealed: seal(&salt, value).sealed, salt, value: value.to_owned() })
    }

    /// 64 random bits, for the session's waits.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn random(&mut self) -> Result<u64, NoEntropy> {
        Ok(u64::from_be_bytes(draw(self.entropy.as_mut())?))
    }

    /// Lets the database grow by so many pages more, for tests of a full storage.
    ///
    /// # Errors
    /// The store's.
    #[doc(hidden)]
    pub fn limit_pages(&mut self, more: i64) -> Result<(), PhoneError> {
        let pages: i64 = self.db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let most = pages.saturating_add(more);
        Ok(self.db.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))?)
    }

    /// What the time is at the server, by the offset measured at the last answer.
    ///
    /// # Errors
    /// The store's.
    pub fn server_time_ms(&self, now: Captured) -> Result<u64, PhoneError> {
        server_time_ms(&self.db, now)
    }
}

/// A write takes the lock in its first statement.
pub(crate) fn write(db: &mut Connection) -> Result<Transaction<'_>, PhoneError> {
    Ok(db.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

pub(crate) fn server_time_ms(db: &Connection, now: Captured) -> Result<u64, PhoneError> {
    let offset: Option<i64> = db.query_row("SELECT offset_ms FROM meta", [], |row| row.get(0)).optional()?.flatten();
    Ok(u64::try_from(now.wall_ms.saturating_add(offset.unwrap_or(0))).unwrap_or(0))
}

pub(crate) fn identity(db: &Connection) -> Result<Identity, PhoneError> {
    type Columns = (Option<Blob<DeviceId>>, Option<Blob<AccountId>>, Option<String>, Option<String>);
    let columns: Columns = db.query_row("SELECT device, account, account_name, server FROM meta", [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    let (Some(device), Some(account), Some(account_name), Some(server)) = columns else {
        return Err(PhoneError::NotEnrolled);
    };
    Ok(Identity { device: device.0, account: account.0, account_name, server })
}

pub(crate) fn secret(db: &Connection, vault: Option<&Vault>) -> Result<DeviceSecret, PhoneError> {
    let stored: Option<Vec<u8>> = db.query_row("SELECT secret FROM meta", [], |row| row.get(0))?;
    secret_of(vault, &stored.ok_or(PhoneError::NotEnrolled)?)
}

pub(crate) fn secret_of(vault: Option<&Vault>, stored: &[u8]) -> Result<DeviceSecret, PhoneError> {
    DeviceSecret::from_bytes(&vault::open_secret(vault, stored)?).map_err(PhoneError::internal)
}

const LOG_COLUMNS: &str = "SELECT id, log, name, zone, signer, epoch, head, own, durable, durability, incarnation,
    next_seq, chain, pulled, forked FROM log";

pub(crate) fn logs(db: &Connection) -> Result<Vec<LogState>, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{LOG_COLUMNS} ORDER BY id"))?;
    let rows = statement.query_map([], log_row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

pub(crate) fn log_state(db: &Connection, log: LogId) -> Result<LogState, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{LOG_COLUMNS} WHERE log = ?1"))?;
    let found = statement.query_row(params![Blob(log)], log_row).optional()?;
    found.ok_or_else(|| PhoneError::UnknownLog(log.to_string()))
}

pub(crate) fn log_by_row(db: &Connection, id: i64) -> Result<LogState, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{LOG_COLUMNS} WHERE id = ?1"))?;
    Ok(statement.query_row(params![id], log_row)?)
}

fn log_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<LogState> {
    use super::row::nat;
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let read = |error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error))
    };
    let durability = text(9)?.map(|name| serde_json::from_value(serde_json::Value::String(name))).transpose();
    Ok(LogState {
        id: row.get(0)?,
        log: row.get::<_, Blob<LogId>>(1)?.0,
        name: serde_json::from_str(&row.get::<_, String>(2)?).map_err(read)?,
        zone: row.get(3)?,
        signer: row.get(4)?,
        epoch: row.get::<_, Option<Blob<EpochId>>>(5)?.map(|epoch| epoch.0),
        head: nat(row.get(6)?),
        own: nat(row.get(7)?),
        durable: nat(row.get(8)?),
        durability: durability.map_err(read)?,
        incarnation: nat(row.get(10)?),
        next_seq: nat(row.get(11)?),
        chain: row.get::<_, Blob<Hash>>(12)?.0,
        pulled: row.get(13)?,
        forked: row.get(14)?,
    })
}
