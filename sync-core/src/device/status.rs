//! Honest counts, from the tables, each time anew.

use schema::ids::{EntityId, LogId, OpId};
use schema::sync::Durability;
use serde::Serialize;

use super::error::PhoneError;
use super::outbox;
use super::store::{Store, logs, meta};
use super::tables::rows::{Attention, Listing, LogState, Photo, StoredOp};
use super::tables::{self, Row, values};

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
    /// Its catalogue was written for a newer program than this one.
    pub outdated: bool,
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

impl Store {
    /// How things stand.
    ///
    /// # Errors
    /// The store's.
    pub fn status(&self) -> Result<Status, PhoneError> {
        let (db, meta) = (self.db(), meta(self.db())?);
        let logs: Vec<LogStatus> = logs(db)?.into_iter().map(|log| self.log_status(log)).collect::<Result<_, _>>()?;
        let photos: Vec<Photo> = tables::select(db, Photo::KEY, &[])?;
        let count = |wanted: &dyn Fn(&Photo) -> bool| {
            u64::try_from(photos.iter().filter(|photo| wanted(photo)).count()).unwrap_or(u64::MAX)
        };
        let ops = |state: &str| tables::count::<StoredOp>(db, StoredOp::BY_STATE, values!(state));
        Ok(Status {
            account: meta.account_name,
            server: meta.server,
            on_this_phone: ops("undecided")?,
            received: ops("decided")?,
            awaiting_durable: ops("kept")?,
            photos_to_send: count(&|photo| photo.here && !photo.uploaded),
            photos_held: count(&|photo| photo.here),
            photos: count(&|_| true),
            attention: tables::count::<Attention>(db, Attention::BY_DONE, values!(false))?,
            last_contact_ms: meta.contact_ms,
            clock_offset_ms: meta.offset_ms,
            logs,
        })
    }

    fn log_status(&self, log: LogState) -> Result<LogStatus, PhoneError> {
        let db = self.db();
        Ok(LogStatus {
            log: log.log,
            outdated: self.is_outdated(log.log)?,
            cases: tables::count::<Listing>(db, Listing::KEY, values!(log.id))?,
            on_this_phone: tables::count::<StoredOp>(db, StoredOp::BY_LOG_STATE, values!(log.id, "undecided"))?,
            name_zh: log.name.zh,
            name_en: log.name.en,
            head: log.head,
            durable: log.durable,
            durability: log.durability,
            pulled: log.pulled,
            forked: log.forked,
        })
    }

    /// Own ops that only this phone has, in the order in which they were made.
    ///
    /// # Errors
    /// The store's.
    pub fn unsent(&self) -> Result<Vec<Unsent>, PhoneError> {
        let logs = logs(self.db())?;
        let mut unsent = Vec::new();
        for own in tables::select::<StoredOp>(self.db(), StoredOp::BY_STATE, values!("undecided"))? {
            if let Some(log) = logs.iter().find(|log| log.id == own.log) {
                let (op, entity, kind, line) = (own.op, own.entity, own.kind, own.line);
                unsent.push(Unsent { op, entity, log: log.log, kind, line });
            }
        }
        Ok(unsent)
    }

    /// Ids of own ops that are in an explicit state here: undecided, decided, kept, or something to look at.
    ///
    /// # Errors
    /// The store's.
    pub fn own_ops(&self) -> Result<Vec<OpId>, PhoneError> {
        Ok(outbox::all(self.db())?.into_iter().map(|own| own.op).collect())
    }
}
