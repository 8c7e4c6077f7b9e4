//! The first start, and accounts: both can be interrupted at any point, and go on when they are asked for again.

use schema::calendar::CITY_CALENDAR;
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::entity::Entity;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId, GrantId, LogId, PersonId, UnitId};
use schema::op::{Body, CreateLog, Grant, Role, SetAccount, SetMembership};
use sync_core::line::singleton_id;
use uuid::Uuid;

use super::{District, Installation, NewAccount, fit_name, must_be_accepted};
use crate::error::{Error, Result};
use crate::services::ledger::read_entity;
use crate::services::passwords::{self, Unfit};
use crate::services::tokens::random;
use crate::store::{AccountSecret, LogHead};

/// The login name of the first administrator.
const ADMIN: &str = "admin";

impl Installation {
    /// Makes the first log with the shipped catalogue and calendar and a first administrator: whatever of it is not there yet, for a
    /// first start may have been interrupted. The code is the administrator's, shown once.
    ///
    /// # Errors
    /// The server's own.
    pub async fn first_start(&self, district: &District, signer: &str) -> Result<Option<String>> {
        let head = match self.heads().await?.into_iter().next() {
            Some(head) if head.rev > 0 => head,
            begun => self.make_log(begun, district, signer).await?,
        };
        let first = self.of_district(Some(head.log.to_string()));
        if !self.has_catalogue(&head).await? {
            first.import_catalogue(CITY_CATALOGUE.as_bytes().to_vec()).await?;
        }
        if !self.has_calendar(&head).await? {
            first.import_calendar(CITY_CALENDAR.as_bytes().to_vec()).await?;
        }
        if self.has_admin(&head).await? {
            return Ok(None);
        }
        let admin = NewAccount {
            id: None,
            login: ADMIN.to_owned(),
            name: Text { zh: "管理员".to_owned(), en: "Administrator".to_owned() }.zh,
            person: None,
            role: Some(Role::Admin),
            area: None,
            units: Vec::new(),
            password: None,
        };
        let account = first.add_account(admin).await?;
        Ok(Some(self.code(account).await?))
    }

    /// Makes the log, or gives one that is still empty its first entry.
    pub(super) async fn make_log(&self, begun: Option<LogHead>, district: &District, signer: &str) -> Result<LogHead> {
        if sync_core::time::zone(&district.zone).is_none() {
            return Err(Error::invalid("zone"));
        }
        let (log, epoch) = match begun {
            Some(head) => (head.log, head.epoch),
            None => (LogId(self.new_id()?), EpochId(Uuid::from_bytes(random()?))),
        };
        let body = CreateLog {
            name: district.name.clone(),
            zone: district.zone.clone(),
            signer: signer.to_owned(),
            server_device: DeviceId(self.new_id()?),
        };
        must_be_accepted(&self.ledger.create_log(log, epoch, body).await?)?;
        self.of_district(Some(log.to_string())).only_log().await
    }

    async fn has_catalogue(&self, head: &LogHead) -> Result<bool> {
        let (num, id) = (head.num, singleton_id(head.log, "catalogue"));
        self.store.read_async(move |db| Ok(read_entity(db, num, id)?.is_some())).await
    }

    async fn has_calendar(&self, head: &LogHead) -> Result<bool> {
        let (num, id) = (head.num, singleton_id(head.log, "calendar"));
        self.store.read_async(move |db| Ok(read_entity(db, num, id)?.is_some())).await
    }

    /// Whether somebody administers the log, or its first administrator was made once: an operator may have taken the
    /// grant away again.
    async fn has_admin(&self, head: &LogHead) -> Result<bool> {
        let first = self.store.read_async(|db| -> Result<_> { Ok(db.account_by_login(ADMIN)?) }).await?;
        let first = first.map(|secret| secret.account);
        Ok(self.entities(head, "account").await?.iter().any(|entity| match entity {
            Entity::Account(account) => {
                Some(account.id) == first || account.grants.iter().any(|grant| grant.role == Role::Admin)
            }
            _ => false,
        }))
    }

    /// Adds an account and says who it is.
    ///
    /// # Errors
    /// `invalid`: the login name, the id, the password, the area or a unit.
    pub async fn add_account(&self, new: NewAccount) -> Result<AccountId> {
        let login = new.login.trim().to_owned();
        let fits =
            (1..=40).contains(&login.chars().count()) && !login.chars().any(|c| c.is_control() || c.is_whitespace());
        if !fits {
            return Err(Error::invalid("login"));
        }
        fit_name(&new.name)?;
        let password = match new.password {
            None => None,
            Some(password) => {
                passwords::fit(&password, &login).map_err(|_: Unfit| Error::invalid("password"))?;
                Some(self.passwords.hash(password).await?)
            }
        };
        let head = self.only_log().await?;
        let area = self.area(&head, new.area.as_deref()).await?;
        let units = self.entities(&head, "unit").await?;
        let known = |id: &UnitId| units.iter().any(|unit| matches!(unit, Entity::Unit(unit) if unit.id == *id));
        if let Some(unknown) = new.units.iter().find(|id| !known(id)) {
            return Err(Error::fault(format!("没有责任单位 {unknown}"), format!("there is no unit {unknown}")));
        }
        let person = match new.person {
            Some(person) => person,
            None => PersonId(self.new_id()?),
        };
        let mut bodies = vec![Body::SetAccount(SetAccount { name: new.name, person })];
        if let Some(role) = new.role {
            bodies.push(Body::Grant(Grant { grant: GrantId(self.new_id()?), role, area, until_ms: None }));
        }
        bodies.extend(
            new.units.into_iter().map(|unit| Body::SetMembership(SetMembership { unit, member: true, until_ms: None })),
        );
        let new_account = match new.id {
            Some(id) => id,
            None => AccountId(self.new_id()?),
        };
        let secret = AccountSecret { account: new_account, login, password, disabled: false };
        let now_ms = self.clock.now_ms();
        // The secret first: a login name that is taken stops everything.
        let account = self
            .store
            .write_async(move |db| -> Result<AccountId> {
                let Some(known) = db.account_by_login(&secret.login)? else {
                    if db.account_secret(secret.account)?.is_some() {
                        return Err(Error::invalid("id"));
                    }
                    db.insert_account(&secret, now_ms)?;
                    return Ok(secret.account);
                };
                // A secret of no log is what is left of an adding that was interrupted: it goes on.
                if !db.in_all_logs(EntityId::from(known.account))?.is_empty() {
                    return Err(Error::invalid("login"));
                }
                db.set_password(known.account, secret.password.as_deref())?;
                Ok(known.account)
            })
            .await?;
        self.append(head.log, EntityId::from(account), bodies).await?;
        Ok(account)
    }
}

#[cfg(test)]
mod tests;
