//! Making this phone a device of one person. The key is made on it and stays there; where, is not the store's to know.

use schema::auth::{Enrol, Enrolled, LogAccess, Tokens};
use schema::hash::{DeviceKey, Hash};
use schema::ids::{AccountId, DeviceId};
use schema::op::Captured;
use schema::sync::{Node, Scope};
use uuid::Builder;

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::outbox::new_incarnation;
use super::pull::begin_scope;
use super::store::{Store, meta};
use super::tables::rows::{LogState, Meta};
use super::tables::{self, Row, Tables, values};

impl Store {
    /// What to send to `POST /v1/enrol`. The device's id is stored first, and its key must be by now, so an answer that
    /// is lost can be asked for again with the same ones.
    ///
    /// # Errors
    /// The phone is enrolled at another server.
    pub fn begin_enrolment(
        &mut self,
        key: DeviceKey,
        (server, code, label): (&str, &str, &str),
        now: Captured,
    ) -> Result<Enrol, PhoneError> {
        let change = tables::write(self.tables.as_ref())?;
        let held = meta(&*change)?;
        if let (Some(other), Some(_)) = (&held.server, &held.account)
            && other != server
        {
            return Err(PhoneError::OtherServer(other.clone()));
        }
        let device = match held.device {
            Some(device) => device,
            None => {
                let ms = u64::try_from(now.wall_ms).unwrap_or(0) & ((1 << 48) - 1);
                DeviceId(Builder::from_unix_timestamp_millis(ms, &draw(self.entropy.as_mut())?).into_uuid())
            }
        };
        let (server, label) = (Some(server.to_owned()), label.to_owned());
        tables::put(&*change, &Meta { device: Some(device), server, label: Some(label.clone()), ..held })?;
        change.commit()?;
        Ok(Enrol { code: code.to_owned(), device, key, label })
    }

    /// Takes the answer. The tokens in it are kept as they stand there: whoever wraps them does so before.
    ///
    /// # Errors
    /// The phone belongs to somebody else.
    pub fn finish_enrolment(&mut self, enrolled: &Enrolled) -> Result<(), PhoneError> {
        let change = tables::write(self.tables.as_ref())?;
        let held = meta(&*change)?;
        if let (Some(other), Some(name)) = (held.account, &held.account_name)
            && other != enrolled.account
        {
            return Err(PhoneError::OtherAccount(name.clone()));
        }
        let (account, name) = (Some(enrolled.account), Some(enrolled.name.clone()));
        tables::put(&*change, &Meta { account, account_name: name, ..held })?;
        put_tokens(&*change, &enrolled.tokens)?;
        for access in &enrolled.logs {
            put_log(&*change, access, enrolled.account, self.entropy.as_mut())?;
        }
        change.commit()
    }

    /// Takes new tokens, as they are to be kept.
    ///
    /// # Errors
    /// The store's.
    pub fn take_tokens(&mut self, tokens: &Tokens) -> Result<(), PhoneError> {
        let change = tables::write(self.db())?;
        put_tokens(&*change, tokens)?;
        change.commit()
    }

    /// Access and refresh token, as they were given to be kept.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`].
    pub fn kept_tokens(&self) -> Result<(String, String), PhoneError> {
        let meta = meta(self.db())?;
        meta.access.zip(meta.refresh).ok_or(PhoneError::NotEnrolled)
    }
}

fn put_tokens(db: &dyn Tables, tokens: &Tokens) -> Result<(), PhoneError> {
    let held = meta(db)?;
    let export_key = tokens.export_key.map(|key| key.to_string()).or(held.export_key);
    let (access, refresh) = (Some(tokens.access.clone()), Some(tokens.refresh.clone()));
    tables::put(db, &Meta { access, refresh, export_key, ..held })
}

pub(crate) fn put_log(
    db: &dyn Tables,
    access: &LogAccess,
    account: AccountId,
    entropy: &mut dyn Entropy,
) -> Result<(), PhoneError> {
    let (name, zone) = (access.name.clone(), access.zone.clone());
    if let Some(held) = tables::first::<LogState>(db, LogState::BY_LOG, values!(access.log))? {
        return tables::put(db, &LogState { name, zone, ..held });
    }
    let last: Option<LogState> = tables::last(db, LogState::KEY, &[])?;
    let id = last.map_or(1, |last| last.id.saturating_add(1));
    let log = LogState {
        id,
        log: access.log,
        name,
        zone,
        signer: access.signer.clone(),
        epoch: None,
        head: 0,
        own: 0,
        durable: 0,
        durability: None,
        incarnation: new_incarnation(entropy)?,
        next_seq: 1,
        chain: Hash::ZERO,
        pulled: false,
        forked: false,
    };
    tables::put(db, &log)?;
    for node in [Node::Log, Node::Account(account)] {
        begin_scope(db, id, Scope::normal(node))?;
    }
    Ok(())
}
