//! What an administrator does through the API: what the operator does at the command line, in the districts that this
//! person administers as a whole, and in no other.

use std::collections::BTreeMap;

use schema::admin::{
    AddAccount, AddedAccount, AdminAccount, AdminAccounts, AdminDevice, AdminDevices, AdminGrant, GiveRole,
};
use schema::entity::Entity;
use schema::ids::{AccountId, DeviceId, EntityId, LogId};
use schema::limits::TEXT_BYTES_MAX;
use schema::op::Role;
use schema::problem::ProblemCode;

use super::{Installation, NewAccount, second};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::store::LogHead;

impl Installation {
    /// The accounts of the caller's districts, by login name.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn accounts_for(&self, caller: &Caller) -> Result<AdminAccounts> {
        let logs = self.administered(caller).await?;
        let mut known = self.logins().await?;
        let mut listed: BTreeMap<String, AdminAccount> = BTreeMap::new();
        for head in &logs {
            for entity in self.entities(head, "account").await? {
                let Entity::Account(account) = entity else { continue };
                let Some((login, disabled)) = known.get_mut(&account.id) else { continue };
                let row = listed.entry(login.clone()).or_insert_with(|| AdminAccount {
                    account: account.id,
                    login: login.clone(),
                    name: account.name.clone(),
                    grants: Vec::new(),
                    units: Vec::new(),
                    proposed: Vec::new(),
                    disabled: *disabled,
                });
                let grants = account.grants.iter();
                row.grants.extend(grants.map(|it| AdminGrant { log: head.log, role: it.role, area: it.area }));
                row.units.extend(account.units);
            }
        }
        for (account, proposal) in self.proposals(&logs).await? {
            if let Some(row) = listed.values_mut().find(|row| row.account == account) {
                row.proposed.push(proposal);
            }
        }
        Ok(AdminAccounts { accounts: listed.into_values().collect() })
    }

    /// The phones of the caller's districts.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn devices_for(&self, caller: &Caller) -> Result<AdminDevices> {
        let logs = self.administered(caller).await?;
        let names: BTreeMap<_, _> =
            self.accounts_for(caller).await?.accounts.into_iter().map(|it| (it.account, (it.login, it.name))).collect();
        let mut listed: BTreeMap<DeviceId, AdminDevice> = BTreeMap::new();
        for head in &logs {
            for entity in self.entities(head, "device").await? {
                let Entity::Device(device) = entity else { continue };
                let (login, name) = names.get(&device.account).cloned().unwrap_or_default();
                let revoked = device.revoked.is_some();
                let row = AdminDevice {
                    device: device.id,
                    account: device.account,
                    login,
                    name,
                    label: device.label,
                    revoked,
                };
                // Shut out of one district alone it is not shut out.
                listed.entry(device.id).and_modify(|known| known.revoked &= revoked).or_insert(row);
            }
        }
        Ok(AdminDevices { devices: listed.into_values().collect() })
    }

    /// Adds somebody, with a code for the first phone. A role that two must give waits for the second.
    ///
    /// # Errors
    /// `forbidden`; `invalid`: a member of the body.
    pub async fn add_for(&self, caller: &Caller, asked: AddAccount) -> Result<AddedAccount> {
        let district = self.in_administered(caller, asked.log).await?;
        let AddAccount { login, name, role, area, units, .. } = asked;
        let waits = second::takes_two(role);
        let given = (!waits).then_some(role);
        let new = NewAccount { id: None, login, name, person: None, role: given, area, units, password: None };
        let asked_area = new.area.clone();
        let account = district.add_account(new).await?;
        tracing::info!(by = %caller.account, %account, "an administrator added an account");
        if waits {
            let head = district.only_log().await?;
            let area = district.area(&head, asked_area.as_deref()).await?;
            district.second_for_role(caller, &head, account, (role, area)).await?;
        }
        Ok(AddedAccount { account, code: self.code(account).await?, waits })
    }

    /// Gives a role to somebody whom one of the caller's districts knows.
    ///
    /// # Errors
    /// `forbidden`; `not_found`: the account; `invalid`: a member of the body; `second_person`: it is noted.
    pub async fn give_for(&self, caller: &Caller, account: AccountId, asked: GiveRole) -> Result<()> {
        let district = self.in_administered(caller, asked.log).await?;
        self.all_known_to(caller, EntityId::from(account)).await?;
        if second::takes_two(asked.role) {
            let head = district.only_log().await?;
            let area = district.area(&head, asked.area.as_deref()).await?;
            let wanted = (asked.role, area);
            let rights = district.rights(&head, account).await?;
            let has = rights.grants.iter().any(|grant| (grant.role, grant.area) == wanted);
            if !has && !district.second_for_role(caller, &head, account, wanted).await? {
                return Err(second::noted());
            }
        }
        district.grant(account, (asked.role, asked.area.as_deref()), None).await?;
        tracing::info!(by = %caller.account, %account, role = ?asked.role, "an administrator gave a role");
        Ok(())
    }

    /// A new one-time code of somebody.
    ///
    /// # Errors
    /// `forbidden`; `not_found`: an account that other districts know as well, or that cannot log in; `second_person`:
    /// it is noted, for somebody else who audits or administers.
    pub async fn code_for(&self, caller: &Caller, account: AccountId) -> Result<String> {
        self.all_known_to(caller, EntityId::from(account)).await?;
        let (_, disabled) = self.logins().await?.remove(&account).ok_or_else(not_found)?;
        if disabled {
            return Err(Error::refused(ProblemCode::Conflict));
        }
        if account != caller.account && self.is_trusted(account).await? {
            let logs = self.administered(caller).await?;
            let head = logs.first().ok_or_else(not_found)?;
            if !self.second_for_code(caller, head, account).await? {
                return Err(second::noted());
            }
        }
        tracing::info!(by = %caller.account, %account, "an administrator made a code");
        self.code(account).await
    }

    /// Ends an account.
    ///
    /// # Errors
    /// `forbidden`; `not_found`; `invalid`: the reason; `conflict`: one's own.
    pub async fn disable_for(&self, caller: &Caller, account: AccountId, reason: &str) -> Result<()> {
        self.all_known_to(caller, EntityId::from(account)).await?;
        let reason = self.reason(caller, reason).await?;
        if account == caller.account {
            return Err(Error::refused(ProblemCode::Conflict));
        }
        self.logins().await?.remove(&account).ok_or_else(not_found)?;
        self.disable(account, &reason).await
    }

    /// Shuts a phone out.
    ///
    /// # Errors
    /// `forbidden`; `not_found`; `invalid`: the reason.
    pub async fn revoke_for(&self, caller: &Caller, device: DeviceId, reason: &str) -> Result<()> {
        self.all_known_to(caller, EntityId::from(device)).await?;
        let reason = self.reason(caller, reason).await?;
        if !self.devices_for(caller).await?.devices.iter().any(|known| known.device == device) {
            return Err(not_found());
        }
        self.revoke(device, &reason).await
    }

    /// The districts that the caller administers as a whole.
    async fn administered(&self, caller: &Caller) -> Result<Vec<LogHead>> {
        let mut found = Vec::new();
        for head in self.heads().await? {
            let Ok(access) = caller.in_log(head.log) else { continue };
            let root = self.area(&head, None).await?;
            if access.account.grants.iter().any(|grant| grant.role == Role::Admin && grant.area == root) {
                found.push(head);
            }
        }
        if found.is_empty() { Err(Error::refused(ProblemCode::Forbidden)) } else { Ok(found) }
    }

    /// The installation at work on one of the caller's districts: the one named, or the only one.
    async fn in_administered(&self, caller: &Caller, log: Option<LogId>) -> Result<Self> {
        let logs = self.administered(caller).await?;
        let found = match (log, logs.as_slice()) {
            (Some(log), _) => logs.iter().find(|head| head.log == log).ok_or_else(not_found)?,
            (None, [only]) => only,
            (None, _) => return Err(Error::invalid("log")),
        };
        Ok(self.of_district(Some(found.log.to_string())))
    }

    /// An account or phone belongs to the installation: only who administers every district that knows it acts on it.
    async fn all_known_to(&self, caller: &Caller, entity: EntityId) -> Result<()> {
        let logs = self.administered(caller).await?;
        let known = self.store.read_async(move |db| -> Result<_> { Ok(db.in_all_logs(entity)?) }).await?;
        let all = known.iter().all(|found| logs.iter().any(|head| head.log == found.log));
        if known.is_empty() || !all { Err(not_found()) } else { Ok(()) }
    }

    /// The reason with the name of whoever gave it: the entry is the server's.
    async fn reason(&self, caller: &Caller, reason: &str) -> Result<String> {
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > TEXT_BYTES_MAX {
            return Err(Error::invalid("reason"));
        }
        let (login, _) = self.logins().await?.remove(&caller.account).ok_or_else(not_found)?;
        Ok(format!("{reason} ({login})"))
    }

    /// The login name of each account, and whether it is disabled.
    pub(super) async fn logins(&self) -> Result<BTreeMap<AccountId, (String, bool)>> {
        let secrets = self.store.read_async(|db| -> Result<_> { Ok(db.account_secrets()?) }).await?;
        Ok(secrets.into_iter().map(|secret| (secret.account, (secret.login, secret.disabled))).collect())
    }
}

fn not_found() -> Error {
    Error::refused(ProblemCode::NotFound)
}
