//! What the operator does to accounts after they were made: grants, units, passwords. Every grant is an op in the log.

use jiff::civil::Date;
use schema::entity::{Account, Entity, Granted};
use schema::ids::{AccountId, AreaId, EntityId, GrantId, UnitId};
use schema::op::{Body, Grant, RevokeGrant, Role, SetMembership};
use schema::problem::ProblemCode;

use super::Installation;
use crate::error::{Error, Result};
use crate::services::ledger::read_entity;
use crate::services::passwords;
use crate::services::throttle::{self, Guess};
use crate::store::LogHead;

impl Installation {
    /// Gives a role over an area, or over the whole log, for good or through a day. Giving it again changes nothing but
    /// its end.
    ///
    /// # Errors
    /// `invalid`: the area; the day has gone by.
    pub async fn grant(
        &self,
        account: AccountId,
        (role, area): (Role, Option<&str>),
        last_day: Option<Date>,
    ) -> Result<()> {
        let (head, area) = self.in_force(area).await?;
        // Somebody of another district is taken in as the same person.
        self.take_in(&head, account).await?;
        let until_ms = self.until(&head, last_day).await?;
        let given = |grant: &Granted| (grant.role, grant.area, grant.until_ms) == (role, area, until_ms);
        if self.rights(&head, account).await?.own_grants().any(given) {
            return Ok(());
        }
        let body = Body::Grant(Grant { grant: GrantId(self.new_id()?), role, area, until_ms });
        self.append(head.log, EntityId::from(account), vec![body]).await
    }

    /// Takes a role over an area away.
    ///
    /// # Errors
    /// `invalid`: the area; `not_found` where there is no such grant.
    pub async fn revoke_grant(&self, account: AccountId, role: Role, area: Option<&str>) -> Result<()> {
        let (head, area) = self.in_force(area).await?;
        let rights = self.rights(&head, account).await?;
        let found = rights.own_grants().find(|grant| (grant.role, grant.area) == (role, area));
        let grant = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?.grant;
        self.append(head.log, EntityId::from(account), vec![Body::RevokeGrant(RevokeGrant { grant })]).await
    }

    /// Whether an account belongs to a unit, for good or through a day.
    ///
    /// # Errors
    /// The server's own; a unit that there is not; the day has gone by.
    pub async fn set_member(
        &self,
        account: AccountId,
        (unit, member): (UnitId, bool),
        last_day: Option<Date>,
    ) -> Result<()> {
        let (head, _) = self.in_force(None).await?;
        let until_ms = self.until(&head, last_day).await?;
        let body = Body::SetMembership(SetMembership { unit, member, until_ms });
        self.append(head.log, EntityId::from(account), vec![body]).await
    }

    /// Another password, or none: then the account logs in by its phone only. Desks that are logged in are logged out;
    /// phones stay enrolled. Failed guesses are forgotten.
    ///
    /// # Errors
    /// `not_found`; `invalid`: the password.
    pub async fn reset_password(&self, login: &str, password: Option<String>) -> Result<()> {
        let account = self.account(login).await?;
        let hashed = match password {
            None => None,
            Some(password) => {
                passwords::fit(&password, login).map_err(|_| Error::invalid("password"))?;
                Some(self.passwords.hash(password).await?)
            }
        };
        let (now_ms, guesses) = (self.clock.now_ms(), [Guess::name(login)]);
        self.store
            .write_async(move |db| -> Result<()> {
                db.set_password(account, hashed.as_deref())?;
                db.end_sessions(account, None, now_ms)?;
                Ok(throttle::was_right(db, &guesses)?)
            })
            .await
    }

    async fn until(&self, head: &LogHead, last_day: Option<Date>) -> Result<Option<u64>> {
        match last_day {
            None => Ok(None),
            Some(day) => self.ends(head, day).await.map(Some),
        }
    }

    async fn in_force(&self, area: Option<&str>) -> Result<(LogHead, AreaId)> {
        let head = self.only_log().await?;
        let area = self.area(&head, area).await?;
        Ok((head, area))
    }

    pub(super) async fn rights(&self, head: &LogHead, account: AccountId) -> Result<Account> {
        let num = head.num;
        let found = self.store.read_async(move |db| read_entity(db, num, EntityId::from(account))).await?;
        match found {
            Some(Entity::Account(account)) if account.disabled_rev.is_none() => Ok(account),
            _ => Err(Error::refused(ProblemCode::NotFound)),
        }
    }
}
