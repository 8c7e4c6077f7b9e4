//! A device's store as its program, the page and a simulation see it. Every public change is one transaction; nothing
//! that decides anything lives in memory, so a second program may read, and capture, while one syncs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::catalogue::Catalogue;
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, LogId};
use schema::op::{Captured, SealedValue};

use super::entropy::{Entropy, NoEntropy, draw};
use super::error::PhoneError;
use super::tables::rows::Meta;
use super::tables::{self, Row, Tables, values};
use crate::area::AreaIndex;
use crate::line::seal;
use crate::time::WorkingCalendar;

pub use super::tables::rows::LogState;

/// An open store.
pub struct Store {
    pub(crate) tables: Box<dyn Tables>,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) read: ReadDocuments,
}

/// Documents that were read before: by hash, so they can't be out of date.
#[derive(Default)]
pub(crate) struct ReadDocuments {
    pub(crate) catalogues: Arc<BTreeMap<Hash, Catalogue>>,
    /// What is something else.
    pub(crate) no_catalogues: BTreeSet<Hash>,
    pub(crate) areas: BTreeMap<Hash, Arc<AreaIndex>>,
    pub(crate) calendars: BTreeMap<(Hash, String), Arc<WorkingCalendar>>,
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

impl Store {
    /// A store on these tables.
    ///
    /// # Errors
    /// The store's; the system gives no random bytes.
    pub fn new(tables: Box<dyn Tables>, mut entropy: Box<dyn Entropy>) -> Result<Self, PhoneError> {
        if tables::get::<Meta>(tables.as_ref(), values!(1_i64))?.is_none() {
            let install: [u8; 16] = draw(entropy.as_mut())?;
            tables::put(tables.as_ref(), &Meta::new(install, 0))?;
        }
        Ok(Self { tables, entropy, read: ReadDocuments::default() })
    }

    pub(crate) fn db(&self) -> &dyn Tables {
        self.tables.as_ref()
    }

    /// Who this phone is.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] before its enrolment.
    pub fn identity(&self) -> Result<Identity, PhoneError> {
        identity(self.db())
    }

    /// The logs that its account may use.
    ///
    /// # Errors
    /// The store's.
    pub fn logs(&self) -> Result<Vec<LogState>, PhoneError> {
        logs(self.db())
    }

    /// One of its logs.
    ///
    /// # Errors
    /// [`PhoneError::UnknownLog`].
    pub fn log(&self, log: LogId) -> Result<LogState, PhoneError> {
        log_state(self.db(), log)
    }

    /// The logs that a device syncs.
    ///
    /// # Errors
    /// The store's.
    pub fn log_ids(&self) -> Result<BTreeSet<LogId>, PhoneError> {
        Ok(logs(self.db())?.into_iter().map(|log| log.log).collect())
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

    /// Lets the store grow by so many pages more, for tests of a full storage.
    ///
    /// # Errors
    /// The store's.
    #[doc(hidden)]
    pub fn limit_pages(&mut self, more: i64) -> Result<(), PhoneError> {
        self.tables.limit_pages(more)
    }

    /// What the time is at the server, by the offset measured at the last answer.
    ///
    /// # Errors
    /// The store's.
    pub fn server_time_ms(&self, now: Captured) -> Result<u64, PhoneError> {
        server_time_ms(self.db(), now)
    }
}

impl Meta {
    pub(crate) fn new(install: [u8; 16], marker_inode: i64) -> Self {
        Self {
            one: 1,
            install: install.to_vec(),
            marker_inode,
            server: None,
            device: None,
            secret: None,
            label: None,
            account: None,
            account_name: None,
            access: None,
            refresh: None,
            contact_ms: None,
            offset_ms: None,
            export_key: None,
        }
    }
}

/// The one row about this phone itself.
pub(crate) fn meta(db: &dyn Tables) -> Result<Meta, PhoneError> {
    let meta = tables::get::<Meta>(db, values!(1_i64))?;
    meta.ok_or_else(|| PhoneError::Damaged("the row of this phone is missing".to_owned()))
}

pub(crate) fn server_time_ms(db: &dyn Tables, now: Captured) -> Result<u64, PhoneError> {
    let offset_ms = meta(db)?.offset_ms.unwrap_or(0);
    Ok(u64::try_from(now.wall_ms.saturating_add(offset_ms)).unwrap_or(0))
}

pub(crate) fn identity(db: &dyn Tables) -> Result<Identity, PhoneError> {
    let meta = meta(db)?;
    let (Some(device), Some(account), Some(account_name), Some(server)) =
        (meta.device, meta.account, meta.account_name, meta.server)
    else {
        return Err(PhoneError::NotEnrolled);
    };
    Ok(Identity { device, account, account_name, server })
}

pub(crate) fn logs(db: &dyn Tables) -> Result<Vec<LogState>, PhoneError> {
    tables::select(db, LogState::KEY, &[])
}

pub(crate) fn log_state(db: &dyn Tables, log: LogId) -> Result<LogState, PhoneError> {
    let found = tables::first(db, LogState::BY_LOG, values!(log))?;
    found.ok_or_else(|| PhoneError::UnknownLog(log.to_string()))
}

pub(crate) fn log_by_row(db: &dyn Tables, id: i64) -> Result<LogState, PhoneError> {
    let found = tables::get(db, values!(id))?;
    found.ok_or_else(|| PhoneError::internal(format!("a row of log {id}, which there is not")))
}
