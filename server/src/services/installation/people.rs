//! What the operator does to accounts after they were made: grants, units, passwords. Every grant is an op in the log.

use schema::entity::{Account, Entity};
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
    /// Gives a role over an area, or over the whole log. Giving it again changes nothing.
    ///
    /// # Errors
    /// `invalid`: the area.
    pub async fn grant(&self, account: AccountId, role: Role, area: Option<&str>) -> Result<()> {
        let (head, area) = self.in_force(area).await?;
        // Somebody of another district is taken in as the same person.
        self.take_in(&head, account).await?;
        if self.rights(&head, account).await?.grants.iter().any(|grant| (grant.role, grant.area) == (role, area)) {
            return Ok(());
        }
        let body = Body::Grant(Grant { grant: GrantId(self.new_id()?), role, area, until_ms: None });
        self.append(head.log, EntityId::from(account), vec![body]).await
    }

    /// Takes a role over an area away.
    ///
    /// # Errors
    /// `invalid`: the area; `not_found` where there is no such grant.
    pub async fn revoke_grant(&self, account: AccountId, role: Role, area: Option<&str>) -> Result<()> {
        let (head, area) = self.in_force(area).await?;
        let rights = self.rights(&head, account).await?;
        let found = rights.grants.iter().find(|grant| (grant.role, grant.area) == (role, area));
        let grant = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?.grant;
        self.append(head.log, EntityId::from(account), vec![Body::RevokeGrant(RevokeGrant { grant })]).await
    }

    /// Whether an account belongs to a unit.
    ///
    /// # Errors
    /// The server's own; a unit that there is not.
    pub async fn set_member(&self, account: AccountId, unit: UnitId, member: bool) -> Result<()> {
        let (head, _) = self.in_force(None).await?;
        if self.rights(&head, account).await?.units.contains(&unit) == member {
            return Ok(());
        }
        let body = Body::SetMembership(SetMembership { unit, member, until_ms: None });
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
