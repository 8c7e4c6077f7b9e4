//! Who may audit and who may administer is decided by two: what one administrator asks for over the network takes effect
//! when another person who administers asks for the same. At the machine the operator decides alone.

use schema::admin::{AdminGrant, AdminProposal};
use schema::entity::Entity;
use schema::ids::{AccountId, AreaId, EntityId, LogId};
use schema::op::Role;
use schema::problem::ProblemCode;

use super::Installation;
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::store::{LogHead, Proposal, Proposed};

/// How long a proposal waits for a second person.
const WAITS_MS: u64 = 7 * 24 * 3600 * 1000;
/// What stands for a one-time code among what is proposed.
const CODE: &str = "code";

/// Whether a role lets somebody see or change what others must be able to trust.
pub(super) fn takes_two(role: Role) -> bool {
    matches!(role, Role::Admin | Role::Auditor)
}

impl Installation {
    /// Whether this is the second person to ask for a role; else it is noted that the first one did.
    pub(super) async fn second_for_role(
        &self,
        caller: &Caller,
        head: &LogHead,
        account: AccountId,
        (role, area): (Role, AreaId),
    ) -> Result<bool> {
        let what = if role == Role::Admin { "admin" } else { "auditor" };
        self.second(caller, head, Proposed { account, log: head.log, what: what.to_owned(), area }).await
    }

    /// The same for a one-time code of somebody who audits or administers: who has the code is that person.
    pub(super) async fn second_for_code(&self, caller: &Caller, head: &LogHead, account: AccountId) -> Result<bool> {
        let proposed = Proposed { account, log: LogId::NIL, what: CODE.to_owned(), area: AreaId::NIL };
        self.second(caller, head, proposed).await
    }

    async fn second(&self, caller: &Caller, head: &LogHead, proposed: Proposed) -> Result<bool> {
        let root = self.area(head, None).await?;
        let administrators: Vec<_> = self
            .entities(head, "account")
            .await?
            .into_iter()
            .filter_map(|entity| match entity {
                Entity::Account(account) if account.disabled_rev.is_none() => Some(account),
                _ => None,
            })
            .filter(|account| account.grants.iter().any(|it| it.role == Role::Admin && it.area == root))
            .map(|account| (account.id, account.person))
            .collect();
        let person = caller.in_log(head.log)?.account.person;
        let (by, now_ms) = (caller.account, self.clock.now_ms());
        self.store
            .write_async(move |db| -> Result<bool> {
                let asked = db.proposals(now_ms.saturating_sub(WAITS_MS))?;
                let first = asked.iter().find(|it| {
                    it.proposed == proposed && it.person != person && administrators.contains(&(it.by, it.person))
                });
                if first.is_some() {
                    // Of two who confirm at once, one finds it gone.
                    return Ok(db.forget_proposal(&proposed)? > 0);
                }
                db.propose(&Proposal { proposed, by, person, at_ms: now_ms })?;
                Ok(false)
            })
            .await
    }

    /// What waits for a second person, of an account in some logs.
    pub(super) async fn proposals(&self, logs: &[LogHead]) -> Result<Vec<(AccountId, AdminProposal)>> {
        let logins = self.logins().await?;
        let since_ms = self.clock.now_ms().saturating_sub(WAITS_MS);
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.proposals(since_ms)?) }).await?;
        let shown = found.into_iter().filter_map(|Proposal { proposed, by, at_ms, .. }| {
            let role = match proposed.what.as_str() {
                "admin" => Some(Role::Admin),
                "auditor" => Some(Role::Auditor),
                _ => None,
            };
            let here = role.is_none() || logs.iter().any(|head| head.log == proposed.log);
            let role = role.map(|role| AdminGrant { log: proposed.log, role, area: proposed.area });
            let by = logins.get(&by).map(|(login, _)| login.clone())?;
            here.then_some((proposed.account, AdminProposal { role, by, since_ms: at_ms }))
        });
        Ok(shown.collect())
    }

    /// Whether somebody audits or administers anywhere.
    pub(super) async fn is_trusted(&self, account: AccountId) -> Result<bool> {
        let entity = EntityId::from(account);
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.in_all_logs(entity)?) }).await?;
        Ok(found.iter().any(|found| match &found.entity {
            Entity::Account(account) => account.grants.iter().any(|it| takes_two(it.role)),
            _ => false,
        }))
    }
}

/// What the first one is answered.
pub(super) fn noted() -> Error {
    Error::refused(ProblemCode::SecondPerson)
}
