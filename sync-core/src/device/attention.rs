//! What a person should look at: rejected and parked ops, lost conflicts, alarms about the log. Nothing of it goes
//! away by itself but what was settled.

use rusqlite::{Connection, OptionalExtension, params};
use schema::ids::{EntityId, LogId, OpId};
use serde::Serialize;
use serde_json::Value;

use super::error::PhoneError;
use super::phone::Phone;
use super::row::Blob;

/// What kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// An own op was rejected: edit and send again, withdraw, or export.
    Rejected,
    /// An own op waits for a supervisor.
    Parked,
    /// An own value lost, or won, against another person's.
    Conflict,
    /// A line of this phone could not be read by the server.
    Unreadable,
    /// Two signed checkpoints that can't both be true: somebody rewrote the log.
    Fork,
    /// The log is shorter than this phone knows it to be, in the same epoch: the server went back without saying so.
    SetBack,
    /// A checkpoint that is not signed by the log's signer.
    Unsigned,
    /// A receipt that does not fit.
    Receipt,
    /// This store is a copy of another phone's, or was restored: it went on under a new incarnation.
    Copied,
    /// The server was restored from a backup; what it had lost was sent again.
    Restored,
    /// The server says that the signature of a batch does not fit.
    BadSignature,
    /// The file of a photo that was not sent is gone from this phone.
    PhotoGone,
    /// The storage is full: pulling stopped, sending goes on.
    StorageFull,
    /// More lies in this person's areas than a phone may hold: the rest is not pulled, sending goes on.
    ScopeTooLarge,
    /// The server has had no backup for long: nothing is durable, and everything stays here.
    NoBackup,
}

impl Trouble {
    const ALL: [Self; 15] = [
        Self::Rejected,
        Self::Parked,
        Self::Conflict,
        Self::Unreadable,
        Self::Fork,
        Self::SetBack,
        Self::Unsigned,
        Self::Receipt,
        Self::Copied,
        Self::Restored,
        Self::BadSignature,
        Self::PhotoGone,
        Self::StorageFull,
        Self::ScopeTooLarge,
        Self::NoBackup,
    ];

    /// Its name in the store and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Conflict => "conflict",
            Self::Unreadable => "unreadable",
            Self::Fork => "fork",
            Self::SetBack => "set_back",
            Self::Unsigned => "unsigned",
            Self::Receipt => "receipt",
            Self::Copied => "copied",
            Self::Restored => "restored",
            Self::BadSignature => "bad_signature",
            Self::PhotoGone => "photo_gone",
            Self::StorageFull => "storage_full",
            Self::ScopeTooLarge => "scope_too_large",
            Self::NoBackup => "no_backup",
        }
    }
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Its number, for `--done`.
    pub id: i64,
    /// What kind.
    pub trouble: Trouble,
    /// The log.
    pub log: Option<LogId>,
    /// The own op.
    pub op: Option<OpId>,
    /// The entity.
    pub entity: Option<EntityId>,
    /// What explains it.
    pub detail: Value,
    /// Since when, by the phone's clock.
    pub since_ms: i64,
}

impl Phone {
    /// What a person should look at, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn attention(&self) -> Result<Vec<Item>, PhoneError> {
        let mut statement = self.db.prepare_cached(
            "SELECT attention.id, kind, log.log, op, entity, detail, since_ms
             FROM attention LEFT JOIN log ON log.id = attention.log WHERE done = 0 ORDER BY attention.id",
        )?;
        let mut items = Vec::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let kind: String = row.get(1)?;
            let trouble = Trouble::ALL.into_iter().find(|trouble| trouble.name() == kind);
            items.push(Item {
                id: row.get(0)?,
                trouble: trouble.ok_or_else(|| PhoneError::internal(format!("attention of kind {kind}")))?,
                log: row.get::<_, Option<Blob<LogId>>>(2)?.map(|log| log.0),
                op: row.get::<_, Option<Blob<OpId>>>(3)?.map(|op| op.0),
                entity: row.get::<_, Option<Blob<EntityId>>>(4)?.map(|entity| entity.0),
                detail: serde_json::from_str(&row.get::<_, String>(5)?)?,
                since_ms: row.get(6)?,
            });
        }
        Ok(items)
    }

    /// A person has dealt with it (or lives with it). A forked log stays push-only until the phone is enrolled anew.
    ///
    /// # Errors
    /// The store's.
    pub fn settle(&mut self, item: i64) -> Result<bool, PhoneError> {
        Ok(self.db.execute("UPDATE attention SET done = 1 WHERE id = ?1 AND done = 0", params![item])? > 0)
    }
}

/// Something to look at.
pub(crate) struct Raise {
    pub(crate) trouble: Trouble,
    pub(crate) log: i64,
    pub(crate) op: Option<OpId>,
    pub(crate) entity: Option<EntityId>,
    pub(crate) detail: Value,
    pub(crate) since_ms: i64,
}

/// Raises it, once: the same trouble with the same op and the same detail is not repeated while it is open.
pub(crate) fn raise(db: &Connection, raised: &Raise) -> Result<(), PhoneError> {
    let detail = serde_json::to_string(&raised.detail)?;
    let op = raised.op.map(Blob);
    let held: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM attention WHERE kind = ?1 AND log = ?2 AND op IS ?3 AND detail = ?4
             AND (done = 0 OR op IS NOT NULL)",
        )?
        .query_row(params![raised.trouble.name(), raised.log, op, detail], |row| row.get(0))
        .optional()?;
    if held.is_none() {
        db.prepare_cached(
            "INSERT INTO attention (kind, log, op, entity, detail, since_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            raised.trouble.name(),
            raised.log,
            op,
            raised.entity.map(Blob),
            detail,
            raised.since_ms
        ])?;
    }
    Ok(())
}

/// What was waited for has come.
pub(crate) fn settle_op(db: &Connection, trouble: Trouble, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached("UPDATE attention SET done = 1 WHERE kind = ?1 AND op = ?2")?
        .execute(params![trouble.name(), Blob(op)])?;
    Ok(())
}

/// A state that has ended.
pub(crate) fn settle_log(db: &Connection, trouble: Trouble, log: i64) -> Result<(), PhoneError> {
    db.prepare_cached("UPDATE attention SET done = 1 WHERE kind = ?1 AND log = ?2")?
        .execute(params![trouble.name(), log])?;
    Ok(())
}
