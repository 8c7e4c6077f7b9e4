//! Making this phone a device of one person: the key is made here and stays here.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use schema::auth::{Enrol, Enrolled, LogAccess, Tokens};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, LogId};
use schema::op::Captured;
use schema::sync::{Node, Scope};
use uuid::Builder;

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::outbox::new_incarnation;
use super::phone::{Phone, logs, secret_of, write};
use super::row::{Blob, ScopeText, int};
use super::vault::{self, Vault};
use crate::log::chain::DeviceSecret;

impl Phone {
    /// What to send to `POST /v1/enrol`. Device id and key are stored first, so an answer that is lost can be asked for
    /// again with the same ones.
    ///
    /// # Errors
    /// The phone is enrolled at another server.
    pub fn begin_enrolment(
        &mut self,
        server: &str,
        code: &str,
        label: &str,
        now: Captured,
    ) -> Result<Enrol, PhoneError> {
        let change = write(&mut self.db)?;
        type Columns = (Option<Blob<DeviceId>>, Option<Vec<u8>>, Option<String>, Option<Blob<AccountId>>);
        let held: Columns = change.query_row("SELECT device, secret, server, account FROM meta", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        if let (Some(other), Some(_)) = (&held.2, &held.3)
            && other != server
        {
            return Err(PhoneError::OtherServer(other.clone()));
        }
        let (device, secret) = match (held.0, held.1) {
            (Some(device), Some(secret)) => (device.0, secret_of(self.vault.as_ref(), &secret)?),
            _ => {
                let ms = u64::try_from(now.wall_ms).unwrap_or(0) & ((1 << 48) - 1);
                let id = Builder::from_unix_timestamp_millis(ms, &draw(self.entropy.as_mut())?).into_uuid();
                (DeviceId(id), new_secret(self.entropy.as_mut())?)
            }
        };
        let kept = vault::close_secret(self.vault.as_ref(), &secret.to_bytes(), self.entropy.as_mut())?;
        change.execute(
            "UPDATE meta SET device = ?1, secret = ?2, server = ?3, label = ?4",
            params![Blob(device), kept, server, label],
        )?;
        change.commit()?;
        Ok(Enrol { code: code.to_owned(), device, key: secret.key(), label: label.to_owned() })
    }

    /// Takes the answer.
    ///
    /// # Errors
    /// The phone belongs to somebody else.
    pub fn finish_enrolment(&mut self, enrolled: &Enrolled) -> Result<(), PhoneError> {
        let change = write(&mut self.db)?;
        let held: (Option<Blob<AccountId>>, Option<String>) =
            change.query_row("SELECT account, account_name FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if let (Some(other), Some(name)) = held
            && other.0 != enrolled.account
        {
            return Err(PhoneError::OtherAccount(name));
        }
        change.execute(
            "UPDATE meta SET account = ?1, account_name = ?2",
            params![Blob(enrolled.account), enrolled.name],
        )?;
        put_tokens(&change, &enrolled.tokens, self.vault.as_ref(), self.entropy.as_mut())?;
        for access in &enrolled.logs {
            put_log(&change, access, enrolled.account, self.entropy.as_mut())?;
        }
        change.commit()?;
        Ok(())
    }

    /// Takes new tokens.
    ///
    /// # Errors
    /// The store's.
    pub fn take_tokens(&mut self, tokens: &Tokens) -> Result<(), PhoneError> {
        put_tokens(&self.db, tokens, self.vault.as_ref(), self.entropy.as_mut())
    }

    /// Access and refresh token.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`].
    pub fn tokens(&self) -> Result<(String, String), PhoneError> {
        let held: (Option<String>, Option<String>) =
            self.db.query_row("SELECT access, refresh FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(access), Some(refresh)) = held else { return Err(PhoneError::NotEnrolled) };
        let open = |column, stored: &str| vault::open_text(self.vault.as_ref(), column, stored);
        Ok((open("access", &access)?, open("refresh", &refresh)?))
    }

    /// Puts the key and the tokens under a PIN's vault, for a store that had none. Nothing of them is left beside it.
    ///
    /// # Errors
    /// The store's.
    pub fn lock_in(&mut self, vault: Vault) -> Result<(), PhoneError> {
        let change = write(&mut self.db)?;
        let held: (Option<Vec<u8>>, Option<String>, Option<String>) =
            change.query_row("SELECT secret, access, refresh FROM meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let (vault, entropy) = (Some(vault), self.entropy.as_mut());
        if let Some(secret) = held.0 {
            let secret = vault::open_secret(vault.as_ref(), &secret)?;
            let kept = vault::close_secret(vault.as_ref(), &secret, entropy)?;
            change.execute("UPDATE meta SET secret = ?1", params![kept])?;
        }
        for (column, held) in [("access", held.1), ("refresh", held.2)] {
            let Some(held) = held else { continue };
            let text = vault::open_text(vault.as_ref(), column, &held)?;
            let kept = vault::close_text(vault.as_ref(), column, &text, entropy)?;
            change.execute(&format!("UPDATE meta SET {column} = ?1"), params![kept])?;
        }
        change.commit()?;
        // The log of the database still holds them in plain.
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.vault = vault;
        Ok(())
    }

    /// The logs that a device syncs.
    ///
    /// # Errors
    /// The store's.
    pub fn log_ids(&self) -> Result<BTreeSet<LogId>, PhoneError> {
        Ok(logs(&self.db)?.into_iter().map(|log| log.log).collect())
    }
}

fn put_tokens(
    db: &Connection,
    tokens: &Tokens,
    vault: Option<&Vault>,
    entropy: &mut dyn Entropy,
) -> Result<(), PhoneError> {
    let access = vault::close_text(vault, "access", &tokens.access, entropy)?;
    let refresh = vault::close_text(vault, "refresh", &tokens.refresh, entropy)?;
    db.execute(
        "UPDATE meta SET access = ?1, refresh = ?2, export_key = COALESCE(?3, export_key)",
        params![access, refresh, tokens.export_key.map(|key| key.to_string())],
    )?;
    Ok(())
}

fn new_secret(entropy: &mut dyn Entropy) -> Result<DeviceSecret, PhoneError> {
    // About one in 2^32 draws is no key; ten in a row are a broken source.
    for _ in 0..10 {
        if let Ok(secret) = DeviceSecret::from_bytes(&draw(entropy)?) {
            return Ok(secret);
        }
    }
    Err(PhoneError::internal("no key in ten draws"))
}

fn put_log(
    db: &Connection,
    access: &LogAccess,
    account: AccountId,
    entropy: &mut dyn Entropy,
) -> Result<(), PhoneError> {
    let name = serde_json::to_string(&access.name)?;
    let held: Option<i64> =
        db.query_row("SELECT id FROM log WHERE log = ?1", params![Blob(access.log)], |row| row.get(0)).optional()?;
    if let Some(id) = held {
        db.execute("UPDATE log SET name = ?2, zone = ?3 WHERE id = ?1", params![id, name, access.zone])?;
        return Ok(());
    }
    db.execute(
        "INSERT INTO log (log, name, zone, signer, incarnation, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![Blob(access.log), name, access.zone, access.signer, int(new_incarnation(entropy)?), Blob(Hash::ZERO)],
    )?;
    let id = db.last_insert_rowid();
    for node in [Node::Log, Node::Account(account)] {
        db.execute(
            "INSERT OR IGNORE INTO cursor (log, scope, rev) VALUES (?1, ?2, 0)",
            params![id, ScopeText(Scope::normal(node))],
        )?;
    }
    Ok(())
}
