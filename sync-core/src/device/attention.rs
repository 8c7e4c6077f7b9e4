//! What a person should look at: rejected and parked ops, lost conflicts, alarms about the log. Nothing of it goes
//! away by itself but what was settled.

use schema::ids::{EntityId, LogId, OpId};
use serde::Serialize;
use serde_json::Value;

use super::error::PhoneError;
use super::store::{Store, log_by_row};
use super::tables::rows::Attention;
use super::tables::{self, Row, Tables, values};

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

impl Store {
    /// What a person should look at, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn attention(&self) -> Result<Vec<Item>, PhoneError> {
        let mut items = Vec::new();
        for row in tables::select::<Attention>(self.db(), Attention::BY_DONE, values!(false))? {
            let trouble = Trouble::ALL.into_iter().find(|trouble| trouble.name() == row.kind);
            items.push(Item {
                id: row.id,
                trouble: trouble.ok_or_else(|| PhoneError::internal(format!("attention of kind {}", row.kind)))?,
                log: row.log.map(|log| log_by_row(self.db(), log)).transpose()?.map(|log| log.log),
                op: row.op,
                entity: row.entity,
                detail: crate::json::read(&row.detail)?,
                since_ms: row.since_ms,
            });
        }
        Ok(items)
    }

    /// A person has dealt with it (or lives with it). A forked log stays push-only until the phone is enrolled anew.
    ///
    /// # Errors
    /// The store's.
    pub fn settle(&mut self, item: i64) -> Result<bool, PhoneError> {
        let change = tables::write(self.db())?;
        let Some(mut row) = tables::get::<Attention>(&*change, values!(item))?.filter(|row| !row.done) else {
            return Ok(false);
        };
        row.done = true;
        tables::put(&*change, &row)?;
        change.commit()?;
        Ok(true)
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
pub(crate) fn raise(db: &dyn Tables, raised: &Raise) -> Result<(), PhoneError> {
    let kind = raised.trouble.name();
    let detail = crate::json::write(&raised.detail)?;
    let held: Vec<Attention> = tables::select(db, Attention::BY_OP, values!(raised.op))?;
    let same = |item: &Attention| item.kind == kind && item.log == Some(raised.log) && item.detail == detail;
    if held.iter().any(|item| same(item) && (!item.done || item.op.is_some())) {
        return Ok(());
    }
    let last: Option<Attention> = tables::last(db, Attention::KEY, &[])?;
    let item = Attention {
        id: last.map_or(1, |last| last.id.saturating_add(1)),
        kind: kind.to_owned(),
        log: Some(raised.log),
        op: raised.op,
        entity: raised.entity,
        detail,
        since_ms: raised.since_ms,
        done: false,
    };
    tables::put(db, &item)
}

/// What was waited for has come.
pub(crate) fn settle_op(db: &dyn Tables, trouble: Trouble, op: OpId) -> Result<(), PhoneError> {
    let items = tables::select(db, Attention::BY_OP, values!(Some(op)))?;
    settle_all(db, items.into_iter().filter(|item: &Attention| item.kind == trouble.name()))
}

/// A state that has ended.
pub(crate) fn settle_log(db: &dyn Tables, trouble: Trouble, log: i64) -> Result<(), PhoneError> {
    let items = open_in(db, trouble, log)?;
    settle_all(db, items.into_iter())
}

/// What is open of a kind in a log.
pub(crate) fn open_in(db: &dyn Tables, trouble: Trouble, log: i64) -> Result<Vec<Attention>, PhoneError> {
    let mut items: Vec<Attention> = tables::select(db, Attention::BY_DONE, values!(false))?;
    items.retain(|item| item.kind == trouble.name() && item.log == Some(log));
    Ok(items)
}

fn settle_all(db: &dyn Tables, items: impl Iterator<Item = Attention>) -> Result<(), PhoneError> {
    for item in items.filter(|item| !item.done) {
        tables::put(db, &Attention { done: true, ..item })?;
    }
    Ok(())
}
