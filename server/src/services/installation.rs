//! The installation: its first start, and what the operator does at the command line. Every change is an op of the
//! server in the log; only secrets are not.

mod administration;
mod areas;
mod districts;
mod figures;
mod first;
mod handing;
mod people;
mod responsibilities;
mod rulebooks;
mod second;
mod webhooks;

use std::collections::BTreeMap;

use anyhow::anyhow;
use schema::catalogue::Text;
use schema::entity::{Device, Entity};
use schema::hash::Salt;
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, LogId, OpId, PersonId, UnitId};
use schema::limits::{ENROL_CODE_S, TEXT_BYTES_MAX};
use schema::op::{Body, Reason, Role, SealedValue, SetUnit};
use schema::problem::ProblemCode;
use sync_core::line::seal;
use uuid::{Builder, Uuid};

pub use districts::ListedDistrict;
pub use handing::HandingOver;
pub use webhooks::{AddedWebhook, ListedWebhook, NewWebhook, SentNotice, outbox};

use super::codes;
use super::ledger::{Append, Ledger, ServerOp};
use super::passwords::Passwords;
use super::tokens::random;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::store::{Entry, LogHead, Store};

/// [`schema::record::Outcome::Accepted`] as an entry holds it.
const ACCEPTED: u8 = 1;
/// Rows read at a time.
const PAGE: usize = 500;

/// The installation. Cheap to clone.
#[derive(Clone)]
pub struct Installation {
    store: Store,
    ledger: Ledger,
    clock: Clock,
    passwords: Passwords,
    /// The district to work on, where one was named.
    district: Option<String>,
}

/// A district to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct District {
    /// Its name.
    pub name: Text,
    /// Its time zone, an IANA name.
    pub zone: String,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The id that it had before a restore which did not bring it back; a new one if none. What its phones made names it.
    pub id: Option<AccountId>,
    /// Its login name.
    pub login: String,
    /// The name others see.
    pub name: String,
    /// The person behind it; a new one if none.
    pub person: Option<PersonId>,
    /// Its role; none yet where a second administrator must give it.
    pub role: Option<Role>,
    /// The code of the area its role is for; the root if none.
    pub area: Option<String>,
    /// The units it belongs to.
    pub units: Vec<UnitId>,
    /// Its password; none to log in by phone only.
    pub password: Option<String>,
}

/// An account as the operator sees it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ListedAccount {
    /// Its id.
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// The name others see.
    pub name: String,
    /// Its roles, each with the id of its area.
    pub grants: Vec<(Role, AreaId)>,
    /// It can't log in.
    pub disabled: bool,
}

/// A phone as the operator sees it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ListedDevice {
    /// Its id.
    pub device: DeviceId,
    /// Whose.
    pub account: AccountId,
    /// What its user calls it.
    pub label: String,
    /// It is shut out.
    pub revoked: bool,
}

impl Installation {
    /// An installation on a store.
    pub fn new(store: Store, ledger: Ledger, clock: Clock, passwords: Passwords) -> Self {
        Self { store, ledger, clock, passwords, district: None }
    }

    /// How many logs there are.
    ///
    /// # Errors
    /// The server's own.
    pub async fn log_count(&self) -> Result<usize> {
        Ok(self.heads().await?.len())
    }

    /// Phones know the signer that each log was made with, by name and key. Under another one they would stop
    /// believing what they pull.
    ///
    /// # Errors
    /// A log has another signer.
    pub async fn check_signer(&self, signer: &str) -> Result<()> {
        for head in self.heads().await? {
            for entity in self.entities(&head, "log").await? {
                let Entity::Log(log) = entity else { continue };
                if log.signer != signer {
                    let (was, now) = (log.signer, signer);
                    return Err(Error::Internal(anyhow!(
                        "log {} is signed by {was}, not by {now}: start with the --host it was made with, and keep keys/",
                        log.id
                    )));
                }
            }
        }
        Ok(())
    }

    /// All accounts, by login name.
    ///
    /// # Errors
    /// The server's own.
    pub async fn accounts(&self) -> Result<Vec<ListedAccount>> {
        self.store
            .read_async(|db| {
                let mut listed = Vec::new();
                for secret in db.account_secrets()? {
                    let mut row = ListedAccount {
                        account: secret.account,
                        login: secret.login,
                        name: String::new(),
                        grants: Vec::new(),
                        disabled: secret.disabled,
                    };
                    for found in db.in_all_logs(EntityId::from(secret.account))? {
                        if let Entity::Account(account) = found.entity {
                            row.name = account.name;
                            row.grants.extend(account.grants.iter().map(|grant| (grant.role, grant.area)));
                        }
                    }
                    listed.push(row);
                }
                Ok(listed)
            })
            .await
    }

    /// The account with a login name.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn account(&self, login: &str) -> Result<AccountId> {
        let login = login.to_owned();
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.account_by_login(&login)?) }).await?;
        found.map(|secret| secret.account).ok_or_else(|| Error::refused(ProblemCode::NotFound))
    }

    /// Ends an account: it can't log in, and can't act in any log.
    ///
    /// # Errors
    /// The server's own.
    pub async fn disable(&self, account: AccountId, reason: &str) -> Result<()> {
        self.store.write_async(move |db| -> Result<_> { Ok(db.set_disabled(account, true)?) }).await?;
        self.in_every_log(EntityId::from(account), Body::DisableAccount, reason).await
    }

    /// A new one-time code of an account.
    ///
    /// # Errors
    /// The server's own.
    pub async fn code(&self, account: AccountId) -> Result<String> {
        let code = codes::new()?;
        let (hash, now_ms) = (codes::stored(&code), self.clock.now_ms());
        let expires_ms = now_ms.saturating_add(ENROL_CODE_S.unsigned_abs().saturating_mul(1000));
        self.store
            .write_async(move |db| -> Result<_> { Ok(db.insert_enrol_code(&hash, account, now_ms, expires_ms)?) })
            .await?;
        Ok(code)
    }

    /// All phones.
    ///
    /// # Errors
    /// The server's own.
    pub async fn devices(&self) -> Result<Vec<ListedDevice>> {
        let mut listed: BTreeMap<DeviceId, ListedDevice> = BTreeMap::new();
        for head in self.heads().await? {
            for entity in self.entities(&head, "device").await? {
                let Entity::Device(Device { id, account, label, revoked, .. }) = entity else { continue };
                let row = ListedDevice { device: id, account, label, revoked: revoked.is_some() };
                // Shut out of one district alone it is not shut out.
                listed.entry(id).and_modify(|known| known.revoked &= row.revoked).or_insert(row);
            }
        }
        Ok(listed.into_values().collect())
    }

    /// Shuts a phone out of every log. What it holds it may still hand in.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn revoke(&self, device: DeviceId, reason: &str) -> Result<()> {
        self.in_every_log(EntityId::from(device), Body::RevokeDevice, reason).await
    }

    /// Makes a unit.
    ///
    /// # Errors
    /// `invalid`: the area or the name.
    pub async fn add_unit(&self, name: Text, area: Option<&str>) -> Result<UnitId> {
        fit_name(&name.zh)?;
        fit_name(&name.en)?;
        let head = self.only_log().await?;
        let unit = UnitId(self.new_id()?);
        let area = self.area(&head, area).await?;
        self.append(head.log, EntityId::from(unit), vec![Body::SetUnit(SetUnit { name, area })]).await?;
        Ok(unit)
    }

    /// Gives a unit another area.
    ///
    /// # Errors
    /// `not_found`: the unit. `invalid`: the area.
    pub async fn move_unit(&self, unit: UnitId, area: Option<&str>) -> Result<()> {
        let head = self.only_log().await?;
        let found = self.entities(&head, "unit").await?.into_iter().find_map(|entity| match entity {
            Entity::Unit(known) if known.id == unit => Some(known.name),
            _ => None,
        });
        let name = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        let area = self.area(&head, area).await?;
        self.append(head.log, EntityId::from(unit), vec![Body::SetUnit(SetUnit { name, area })]).await
    }

    /// Forgets, in every log, which entities left a scope longer ago than any phone may stay away.
    ///
    /// # Errors
    /// The server's own.
    pub async fn forget_old_exits(&self) -> Result<()> {
        for head in self.heads().await? {
            self.ledger.tick_in(head.log).await?;
        }
        Ok(())
    }

    async fn append(&self, log: LogId, entity: EntityId, bodies: Vec<Body>) -> Result<()> {
        let mut ops = Vec::with_capacity(bodies.len());
        for body in bodies {
            ops.push(ServerOp { id: OpId(self.new_id()?), entity, body, values: Vec::new() });
        }
        must_be_accepted(&self.ledger.append(log, Append { ops, ..Append::default() }).await?)
    }

    /// The same op with the same sealed reason in every log that knows the entity.
    async fn in_every_log(&self, entity: EntityId, body: fn(Reason) -> Body, reason: &str) -> Result<()> {
        let salt = Salt(random()?);
        let sealed = seal(&salt, reason);
        let value = SealedValue { sealed: sealed.sealed, salt, value: reason.to_owned() };
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.in_all_logs(entity)?) }).await?;
        if found.is_empty() {
            return Err(Error::refused(ProblemCode::NotFound));
        }
        for found in found {
            let (id, body, values) = (OpId(self.new_id()?), body(Reason { reason: sealed }), vec![value.clone()]);
            let append = Append { ops: vec![ServerOp { id, entity, body, values }], ..Append::default() };
            must_be_accepted(&self.ledger.append(found.log, append).await?)?;
        }
        Ok(())
    }

    /// The area with a code. Before an area tree is imported there is only the log's own place.
    async fn area(&self, head: &LogHead, code: Option<&str>) -> Result<AreaId> {
        let (num, log, parsed) = (head.num, head.log, self.ledger.parsed().clone());
        let tree = self.store.read_async(move |db| -> Result<_> { Ok(parsed.areas_in_force(db, num, log)?) }).await?;
        match (tree, code) {
            (None, None) => Ok(AreaId(log.0)),
            (None, Some(_)) => Err(Error::invalid("area")),
            (Some(tree), None) => Ok(tree.root()),
            (Some(tree), Some(code)) => {
                let found = tree.areas().iter().find(|area| area.code == code).map(|area| area.id);
                found.ok_or_else(|| Error::invalid("area"))
            }
        }
    }

    async fn entities(&self, head: &LogHead, kind: &'static str) -> Result<Vec<Entity>> {
        let num = head.num;
        self.store
            .read_async(move |db| {
                let mut found = Vec::new();
                let mut after = EntityId::NIL;
                loop {
                    let page = db.entities_of_kind(num, kind, after, PAGE)?;
                    let Some(last) = page.last() else { return Ok(found) };
                    after = last.id;
                    for document in page.into_iter().filter_map(|stored| stored.document) {
                        found.push(super::ledger::parse_entity(&document)?);
                    }
                }
            })
            .await
    }

    async fn heads(&self) -> Result<Vec<LogHead>> {
        self.store.read_async(|db| -> Result<_> { Ok(db.heads()?) }).await
    }

    /// A UUIDv7 of now.
    fn new_id(&self) -> Result<Uuid> {
        let random: [u8; 10] = random()?;
        Ok(Builder::from_unix_timestamp_millis(self.clock.now_ms(), &random).into_uuid())
    }
}

/// A name that people can read: the log takes no other.
fn fit_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > TEXT_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(Error::fault(
            format!("名称“{}”不可用：不能为空，最多 {TEXT_BYTES_MAX} 字节，不能有控制字符", name.escape_debug()),
            format!("the name {name:?} can't be: not empty, at most {TEXT_BYTES_MAX} bytes, no control characters"),
        ));
    }
    Ok(())
}

fn must_be_accepted(entries: &[Entry]) -> Result<()> {
    match entries.iter().find(|entry| entry.outcome != ACCEPTED) {
        None => Ok(()),
        Some(refused) => Err(anyhow!("the log refused {}: {}", refused.kind, refused.record).into()),
    }
}
