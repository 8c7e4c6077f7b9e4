//! Several districts in one installation: each is a log of its own, with its own areas, catalogue, units and grants.
//! Accounts belong to the installation.

use schema::calendar::CITY_CALENDAR;
use schema::catalogue::{CITY_CATALOGUE, Text};
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, AreaId, EntityId, GrantId, LogId};
use schema::limits::TEXT_BYTES_MAX;
use schema::op::{Body, Grant, RedactValue, Role, Sealed, SetAccount};
use schema::problem::ProblemCode;

use super::{District, Installation};
use crate::error::{Error, Result};
use crate::services::documents;
use crate::services::ledger::read_entity;
use crate::store::LogHead;

/// A district as the operator sees it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ListedDistrict {
    /// Its log.
    pub log: LogId,
    /// Its name.
    pub name: Text,
    /// Its time zone.
    pub zone: String,
    /// Its newest revision.
    pub rev: u64,
}

impl Installation {
    /// The same installation, working on one district: by its log's id or either of its names; none where there is but
    /// one.
    pub fn of_district(&self, named: Option<String>) -> Self {
        Self { district: named, ..self.clone() }
    }

    /// Adds a district with the shipped catalogue and calendar. Whoever administers the whole of another district administers this
    /// one. A name that is taken is refused, so that asking again after a lost answer makes no second one.
    ///
    /// # Errors
    /// `invalid`: the name is taken, or the zone is none.
    pub async fn add_district(&self, district: &District, signer: &str) -> Result<LogId> {
        let taken = |listed: &ListedDistrict| listed.name.zh == district.name.zh || listed.name.en == district.name.en;
        if self.districts().await?.iter().any(taken) {
            return Err(Error::invalid("name"));
        }
        // What an interrupted adding left is an empty log: it goes on.
        let begun = self.heads().await?.into_iter().find(|head| head.rev == 0);
        let head = self.make_log(begun, district, signer).await?;
        documents::import_catalogue(&self.ledger, head.log, CITY_CATALOGUE.as_bytes().to_vec())
            .await
            .map_err(anyhow::Error::new)?;
        documents::import_calendar(&self.ledger, head.log, CITY_CALENDAR.as_bytes().to_vec())
            .await
            .map_err(anyhow::Error::new)?;
        let administers = |account: &Account| account.grants.iter().any(|grant| grant.role == Role::Admin);
        for other in self.heads().await?.into_iter().filter(|other| other.log != head.log) {
            for entity in self.entities(&other, "account").await? {
                let Entity::Account(account) = entity else { continue };
                if account.disabled_rev.is_none() && administers(&account) {
                    self.take_in(&head, account.id).await?;
                    let grant = GrantId(self.new_id()?);
                    let body =
                        Body::Grant(Grant { grant, role: Role::Admin, area: AreaId(head.log.0), until_ms: None });
                    self.append(head.log, EntityId::from(account.id), vec![body]).await?;
                }
            }
        }
        Ok(head.log)
    }

    /// All districts, oldest first.
    ///
    /// # Errors
    /// The server's own.
    pub async fn districts(&self) -> Result<Vec<ListedDistrict>> {
        let mut listed = Vec::new();
        for head in self.heads().await? {
            for entity in self.entities(&head, "log").await? {
                if let Entity::Log(log) = entity {
                    listed.push(ListedDistrict { log: log.id, name: log.name, zone: log.zone, rev: head.rev });
                }
            }
        }
        Ok(listed)
    }

    /// Deletes a personal value of a case by law: by its hash, or by the field that holds it now. Its entry says that it
    /// was done and why; lines, leaves and documents stay as they are.
    ///
    /// # Errors
    /// `not_found`: no such case, or no such value; `invalid`: the reason.
    pub async fn redact(&self, case: EntityId, value: &str, reason: &str) -> Result<Hash> {
        let reason = reason.trim().to_owned();
        if reason.is_empty() || reason.len() > TEXT_BYTES_MAX {
            return Err(Error::invalid("reason"));
        }
        let head = self.only_log().await?;
        let num = head.num;
        let (found, kept) = self
            .store
            .read_async(move |db| -> Result<_> { Ok((read_entity(db, num, case)?, db.values_of(num, &[case])?)) })
            .await?;
        let not_found = || Error::refused(ProblemCode::NotFound);
        let Some(Entity::Case(found)) = found else { return Err(not_found()) };
        let hash = match value.parse::<Hash>() {
            Ok(hash) => hash,
            Err(_) => {
                let name = value.parse().or_else(|_| format!("field.{value}").parse()).map_err(|_| not_found())?;
                let held = found.fields.get(&name).ok_or_else(not_found)?;
                serde_json::from_value::<Sealed>(held.value.clone()).map_err(|_| not_found())?.sealed
            }
        };
        if !kept.iter().any(|kept| kept.value.sealed == hash) {
            return Err(not_found());
        }
        self.append(head.log, case, vec![Body::RedactValue(RedactValue { value: hash, reason })]).await?;
        Ok(hash)
    }

    /// Makes an account of another district known to this one. One that is known stays as it is.
    pub(super) async fn take_in(&self, head: &LogHead, account: AccountId) -> Result<()> {
        let found =
            self.store.read_async(move |db| -> Result<_> { Ok(db.in_all_logs(EntityId::from(account))?) }).await?;
        if found.iter().any(|found| found.log == head.log) {
            return Ok(());
        }
        let known = found.into_iter().find_map(|found| match found.entity {
            Entity::Account(account) if account.disabled_rev.is_none() => Some(account),
            _ => None,
        });
        let known = known.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        let body = Body::SetAccount(SetAccount { name: known.name, person: known.person });
        self.append(head.log, EntityId::from(account), vec![body]).await
    }

    /// The log that the command line works on: the one that was named, or the only one.
    ///
    /// # Errors
    /// `not_found`: there is none yet. `invalid`: none of that name, or several and none was named.
    pub async fn only_log(&self) -> Result<LogHead> {
        let heads = self.heads().await?;
        let Some(named) = &self.district else {
            return match <[LogHead; 1]>::try_from(heads) {
                Ok([only]) => Ok(only),
                Err(heads) if heads.is_empty() => Err(Error::refused(ProblemCode::NotFound)),
                Err(_) => Err(Error::invalid("district")),
            };
        };
        let districts = self.districts().await?;
        let is_named = |listed: &&ListedDistrict| {
            [&listed.log.to_string(), &listed.name.zh, &listed.name.en].into_iter().any(|name| name == named)
        };
        let log = districts.iter().find(is_named).map(|listed| listed.log);
        let found = heads.into_iter().find(|head| Some(head.log) == log);
        found.ok_or_else(|| Error::invalid("district"))
    }
}
