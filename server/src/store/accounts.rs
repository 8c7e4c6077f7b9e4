//! Secrets of accounts: passwords, one-time codes, logins. What an account may do is in the log, not here.

use diesel::{BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId};
use uuid::Uuid;

use super::columns::{column, hash, may_be_stored, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::tables::{account_secret, enrol_code, login_session};

/// How an account logs in.
#[derive(Clone)]
pub struct AccountSecret {
    /// The account.
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// Its password's hash; none where it has no password.
    pub password: Option<String>,
    /// It can't log in.
    pub disabled: bool,
}

/// A one-time code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrolCode {
    /// Whose.
    pub account: AccountId,
    /// Its end, in ms.
    pub expires_ms: u64,
    /// The device that used it.
    pub used_by: Option<DeviceId>,
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id: the public half of its tokens.
    pub family: Uuid,
    /// Whose.
    pub account: AccountId,
    /// On which device; none for a login by password.
    pub device: Option<DeviceId>,
    /// Hash of the refresh token that is good now.
    pub current: Hash,
    /// Hash of the one before it.
    pub previous: Option<Hash>,
    /// Its end, in ms.
    pub expires_ms: u64,
    /// It was ended.
    pub ended: bool,
}

type SecretRow = (Vec<u8>, String, Option<String>, bool, i64);
type SessionRow = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>, i64, i64, i64, Option<i64>);

impl Db {
    /// An account by login name.
    ///
    /// # Errors
    /// The database's.
    pub fn account_by_login(&mut self, login: &str) -> Result<Option<AccountSecret>, StoreError> {
        if !may_be_stored(login) {
            return Ok(None);
        }
        let row: Option<SecretRow> =
            account_secret::table.filter(account_secret::login.eq(login)).first(&mut self.conn).optional()?;
        row.map(read_secret).transpose()
    }

    /// An account by id.
    ///
    /// # Errors
    /// The database's.
    pub fn account_secret(&mut self, account: AccountId) -> Result<Option<AccountSecret>, StoreError> {
        let row: Option<SecretRow> =
            account_secret::table.find(account.bytes().as_slice()).first(&mut self.conn).optional()?;
        row.map(read_secret).transpose()
    }

    /// All accounts by login name.
    ///
    /// # Errors
    /// The database's.
    pub fn account_secrets(&mut self) -> Result<Vec<AccountSecret>, StoreError> {
        let rows: Vec<SecretRow> = account_secret::table.order(account_secret::login).load(&mut self.conn)?;
        rows.into_iter().map(read_secret).collect()
    }

    /// A new account.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_account(&mut self, new: &AccountSecret, now_ms: u64) -> Result<(), StoreError> {
        insert_into(account_secret::table)
            .values((
                account_secret::account.eq(new.account.bytes().as_slice()),
                account_secret::login.eq(&new.login),
                account_secret::password.eq(new.password.as_deref()),
                account_secret::disabled.eq(new.disabled),
                account_secret::created_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Another password of an account.
    ///
    /// # Errors
    /// The database's.
    pub fn set_password(&mut self, account: AccountId, password: Option<&str>) -> Result<(), StoreError> {
        update(account_secret::table.find(account.bytes().as_slice()))
            .set(account_secret::password.eq(password))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Whether an account can log in.
    ///
    /// # Errors
    /// The database's.
    pub fn set_disabled(&mut self, account: AccountId, disabled: bool) -> Result<(), StoreError> {
        update(account_secret::table.find(account.bytes().as_slice()))
            .set(account_secret::disabled.eq(disabled))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// A one-time code by its hash.
    ///
    /// # Errors
    /// The database's.
    pub fn enrol_code(&mut self, code: &Hash) -> Result<Option<EnrolCode>, StoreError> {
        let row: Option<(Vec<u8>, i64, Option<Vec<u8>>)> = enrol_code::table
            .find(code.0.as_slice())
            .select((enrol_code::account, enrol_code::expires_ms, enrol_code::device))
            .first(&mut self.conn)
            .optional()?;
        row.map(|(account, expires_ms, device)| {
            Ok(EnrolCode {
                account: AccountId(uuid(&account)?),
                expires_ms: number(expires_ms, "a time below zero")?,
                used_by: device.map(|device| uuid(&device).map(DeviceId)).transpose()?,
            })
        })
        .transpose()
    }

    /// A new one-time code.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_enrol_code(
        &mut self,
        code: &Hash,
        account: AccountId,
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<(), StoreError> {
        insert_into(enrol_code::table)
            .values((
                enrol_code::code_hash.eq(code.0.as_slice()),
                enrol_code::account.eq(account.bytes().as_slice()),
                enrol_code::created_ms.eq(column(now_ms)?),
                enrol_code::expires_ms.eq(column(expires_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Uses a one-time code up for a device. Says whether it was free, or this device's already: of two phones that
    /// come at once, on whichever server, one gets it.
    ///
    /// # Errors
    /// The database's.
    pub fn use_enrol_code(&mut self, code: &Hash, device: DeviceId, now_ms: u64) -> Result<bool, StoreError> {
        let bytes = device.bytes();
        let free = enrol_code::device.is_null().or(enrol_code::device.eq(Some(bytes.as_slice())));
        let used = update(enrol_code::table.find(code.0.as_slice()).filter(free))
            .set((enrol_code::used_ms.eq(Some(column(now_ms)?)), enrol_code::device.eq(Some(bytes.as_slice()))))
            .execute(&mut self.conn)?;
        Ok(used > 0)
    }

    /// A login.
    ///
    /// # Errors
    /// The database's.
    pub fn session(&mut self, family: Uuid) -> Result<Option<Session>, StoreError> {
        let row: Option<SessionRow> =
            login_session::table.find(family.as_bytes().as_slice()).first(&mut self.conn).optional()?;
        row.map(read_session).transpose()
    }

    /// A new login.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_session(&mut self, new: &Session, now_ms: u64) -> Result<(), StoreError> {
        insert_into(login_session::table)
            .values((
                login_session::family.eq(new.family.as_bytes().as_slice()),
                login_session::account.eq(new.account.bytes().as_slice()),
                login_session::device.eq(new.device.as_ref().map(|device| device.bytes().as_slice())),
                login_session::current_hash.eq(new.current.0.as_slice()),
                login_session::created_ms.eq(column(now_ms)?),
                login_session::renewed_ms.eq(column(now_ms)?),
                login_session::expires_ms.eq(column(new.expires_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// The next refresh token takes the place of the current one.
    ///
    /// # Errors
    /// The database's.
    pub fn rotate_session(
        &mut self,
        family: Uuid,
        current: &Hash,
        previous: &Hash,
        now_ms: u64,
        expires_ms: u64,
    ) -> Result<(), StoreError> {
        update(login_session::table.find(family.as_bytes().as_slice()))
            .set((
                login_session::current_hash.eq(current.0.as_slice()),
                login_session::previous_hash.eq(Some(previous.0.as_slice())),
                login_session::renewed_ms.eq(column(now_ms)?),
                login_session::expires_ms.eq(column(expires_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Ends the logins of an account on a device, or those at desks where none is named.
    ///
    /// # Errors
    /// The database's.
    pub fn end_sessions(
        &mut self,
        account: AccountId,
        device: Option<DeviceId>,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let open = login_session::table
            .filter(login_session::account.eq(account.bytes().as_slice()))
            .filter(login_session::ended_ms.is_null());
        let ended = login_session::ended_ms.eq(Some(column(now_ms)?));
        match device {
            Some(device) => update(open.filter(login_session::device.eq(Some(device.bytes().as_slice()))))
                .set(ended)
                .execute(&mut self.conn)?,
            None => update(open.filter(login_session::device.is_null())).set(ended).execute(&mut self.conn)?,
        };
        Ok(())
    }

    /// Ends a login.
    ///
    /// # Errors
    /// The database's.
    pub fn end_session(&mut self, family: Uuid, now_ms: u64) -> Result<(), StoreError> {
        update(login_session::table.find(family.as_bytes().as_slice()))
            .set(login_session::ended_ms.eq(Some(column(now_ms)?)))
            .execute(&mut self.conn)?;
        Ok(())
    }
}

fn read_secret(row: SecretRow) -> Result<AccountSecret, StoreError> {
    let (account, login, password, disabled, _) = row;
    Ok(AccountSecret { account: AccountId(uuid(&account)?), login, password, disabled })
}

fn read_session(row: SessionRow) -> Result<Session, StoreError> {
    let (family, account, device, current, previous, _, _, expires_ms, ended_ms) = row;
    Ok(Session {
        family: uuid(&family)?,
        account: AccountId(uuid(&account)?),
        device: device.map(|device| uuid(&device).map(DeviceId)).transpose()?,
        current: hash(&current)?,
        previous: previous.map(|previous| hash(&previous)).transpose()?,
        expires_ms: number(expires_ms, "a time below zero")?,
        ended: ended_ms.is_some(),
    })
}
