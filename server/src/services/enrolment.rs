//! Enrolling a phone by a one-time code: it becomes a device of one person in every log that person may use.

use std::net::IpAddr;

use anyhow::anyhow;
use schema::auth::{Enrol, Enrolled, LogAccess};
use schema::entity::{Device, Entity};
use schema::ids::{AccountId, DeviceId, EntityId, LogId, OpId};
use schema::op::{Body, EnrolDevice};
use schema::problem::ProblemCode;
use sync_core::line::consequence_id;

use super::accounts::Accounts;
use super::ledger::{Append, ServerOp};
use super::{codes, throttle};
use crate::error::{Error, Result};
use crate::store::InLog;

/// [`schema::record::Outcome::Accepted`] as an entry holds it.
const ACCEPTED: u8 = 1;
/// The longest name of a phone.
const LABEL_CHARS_MAX: usize = 80;

impl Accounts {
    /// Makes a phone a device of the person that a one-time code is for. The same phone may ask again. `from` is the
    /// address that the request came from, where it is known.
    ///
    /// # Errors
    /// `wrong_code`, `too_many`, `invalid` (`device`, `key`, `label`).
    pub async fn enrol(&self, enrol: Enrol, from: Option<IpAddr>) -> Result<Enrolled> {
        check_phone(&enrol)?;
        let guesses = self.count_code(from).await?;
        let now_ms = self.clock.now_ms();
        let (hash, device) = (codes::stored(&enrol.code), enrol.device);
        let account = self
            .store
            .write_async(move |db| -> Result<Option<AccountId>> {
                let Some(code) = db.enrol_code(&hash)? else { return Ok(None) };
                let disabled = db.account_secret(code.account)?.is_none_or(|secret| secret.disabled);
                if disabled || now_ms >= code.expires_ms || !db.use_enrol_code(&hash, device, now_ms)? {
                    return Ok(None);
                }
                throttle::was_right(db, &guesses)?;
                Ok(Some(code.account))
            })
            .await?
            .ok_or_else(|| Error::refused(ProblemCode::WrongCode))?;
        let (name, logs) = self.enter_device(account, &enrol).await?;
        let tokens = self.start_session(account, Some(device)).await?;
        Ok(Enrolled { account, name, logs, tokens })
    }

    /// Makes a phone known to every log that its account may use.
    async fn enter_device(&self, account: AccountId, enrol: &Enrol) -> Result<(String, Vec<LogAccess>)> {
        let entity = EntityId::from(enrol.device);
        let body = Body::EnrolDevice(EnrolDevice {
            account,
            algorithm: "ES256".to_owned(),
            key: enrol.key,
            label: enrol.label.trim().to_owned(),
        });
        let (known, rights) = self
            .store
            .read_async(move |db| -> Result<_> {
                Ok((db.in_all_logs(entity)?, db.in_all_logs(EntityId::from(account))?))
            })
            .await?;
        let mut name = String::new();
        let mut logs = Vec::new();
        for InLog { log, entity: found, .. } in rights {
            let Entity::Account(rights) = found else { continue };
            if rights.disabled_rev.is_some() {
                continue;
            }
            match known.iter().find(|known| known.log == log).map(|known| &known.entity) {
                Some(Entity::Device(Device { account: of, key, revoked: None, .. }))
                    if *of == account && *key == enrol.key => {}
                Some(_) => return Err(Error::invalid("device")),
                None => {
                    // Its id follows from the phone: asking twice enters it once.
                    let id = consequence_id(log, OpId(enrol.device.0), "enrol_device", 0);
                    self.append(log, ServerOp { id, entity, body: body.clone(), values: Vec::new() }).await?;
                }
            }
            name = rights.name;
            logs.push(self.log_access(log).await?);
        }
        Ok((name, logs))
    }

    /// Appends an op that a log has no reason to refuse.
    async fn append(&self, log: LogId, op: ServerOp) -> Result<()> {
        let entries = self.ledger.append(log, Append { ops: vec![op], ..Append::default() }).await?;
        match entries.iter().find(|entry| entry.outcome != ACCEPTED) {
            None => Ok(()),
            Some(refused) => Err(anyhow!("a log refused {}: {}", refused.kind, refused.record).into()),
        }
    }

    /// What a phone needs to know of a log.
    async fn log_access(&self, log: LogId) -> Result<LogAccess> {
        let found = self.store.read_async(move |db| -> Result<_> { Ok(db.in_all_logs(EntityId::from(log))?) }).await?;
        match found.into_iter().find(|found| found.log == log).map(|found| (found.epoch, found.entity)) {
            Some((epoch, Entity::Log(of))) => {
                Ok(LogAccess { log, epoch, name: of.name, zone: of.zone, signer: of.signer })
            }
            _ => Err(anyhow!("log {log} has no entity of itself").into()),
        }
    }

    /// Whose a phone is that shows no token. Only one that every log has shut out, or whose owner is disabled, may hand
    /// in what it holds on its key's signature alone.
    ///
    /// # Errors
    /// `unauthenticated` for every other phone.
    pub async fn shut_out(&self, device: DeviceId) -> Result<AccountId> {
        let owner = self
            .store
            .read_async(move |db| -> Result<_> {
                let mut owner = None;
                for found in db.in_all_logs(EntityId::from(device))? {
                    let Entity::Device(device) = found.entity else { return Ok(None) };
                    // A disabled person's phone holds what was captured before, like a revoked one.
                    let disabled = db.account_secret(device.account)?.is_none_or(|secret| secret.disabled);
                    if device.revoked.is_none() && !disabled {
                        return Ok(None);
                    }
                    owner = Some(device.account);
                }
                Ok(owner)
            })
            .await?;
        owner.ok_or_else(|| Error::refused(ProblemCode::Unauthenticated))
    }
}

fn check_phone(enrol: &Enrol) -> Result<()> {
    let label = enrol.label.trim();
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX || label.chars().any(char::is_control) {
        return Err(Error::invalid("label"));
    }
    if enrol.device.0.is_nil() {
        return Err(Error::invalid("device"));
    }
    if p256::PublicKey::from_sec1_bytes(&enrol.key.0).is_err() {
        return Err(Error::invalid("key"));
    }
    Ok(())
}
