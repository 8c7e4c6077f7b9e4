//! Capturing an op: photos on the medium first, then one transaction with the line, its values and its photos.
//! Once it returns, nothing but the loss of the phone can lose it. It never asks a server or a clock.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use schema::ids::{EntityId, LogId, OpId};
use schema::limits::{LINE_BYTES_MAX, LINE_VERSION, PHOTOS_PER_OP_MAX, SEALED_VALUE_BYTES_MAX};
use schema::op::{Base, Body, Captured, Op, PhotoClaim, SealedValue};
use uuid::Builder;

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::phone::{LogState, Phone, identity, log_state, write};
use super::photo_file::{TakenIn, place, take_in};
use super::row::{Blob, int};
use super::{base, known, outbox, view};
use crate::line;

pub use super::photo_file::{PhotoFile, PhotoSource};

/// What a person wants, before it becomes a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The log.
    pub log: LogId,
    /// The entity; none for a new case.
    pub entity: Option<EntityId>,
    /// What is asked. Photos given to `capture` are added to it.
    pub body: Body,
    /// The values that the body names, each made by [`Phone::seal`].
    pub values: Vec<SealedValue>,
}

/// What was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The op.
    pub op: OpId,
    /// Its entity.
    pub entity: EntityId,
}

impl Phone {
    /// Captures an op with its photos. When it returns, both survive a power cut.
    ///
    /// # Errors
    /// Nothing was captured, and the message says what to do; see [`PhoneError`].
    pub fn capture(&mut self, draft: Draft, photos: &[PhotoFile], now: Captured) -> Result<Receipt, PhoneError> {
        let identity = identity(&self.db)?;
        let log = log_state(&self.db, draft.log)?;
        check(&draft, photos.len())?;
        let mut taken = Vec::with_capacity(photos.len());
        for photo in photos {
            taken.push(take_in(&self.home, photo, self.entropy.as_mut())?);
        }
        let mut body = draft.body;
        add_photos(&mut body, taken.iter().map(|photo| photo.claim.clone()))?;
        let named = photos_of(&mut body).map(|photos| photos.clone()).unwrap_or_default();
        let (kind, body) = line::kind_and_body(&body)?;
        let change = write(&mut self.db)?;
        for (photo, taken) in photos.iter().zip(&taken) {
            // Another program may just have deleted the same photo as safe at the server. Under the lock it can't.
            if !place(&self.home, &taken.claim.sha256).exists() {
                take_in(&self.home, photo, self.entropy.as_mut())?;
            }
        }
        let entity = match draft.entity {
            Some(entity) => entity,
            None => EntityId(new_id(now, self.entropy.as_mut())?),
        };
        let op = Op {
            v: LINE_VERSION,
            log: draft.log,
            op: OpId(new_id(now, self.entropy.as_mut())?),
            device: identity.device,
            actor: identity.account,
            entity,
            kind,
            kind_version: line::KIND_VERSION,
            base: base_of(&change, &log, entity)?,
            captured: now,
            salt: schema::hash::Salt(draw(self.entropy.as_mut())?),
            body,
        };
        store(&change, &log, &op, &draft.values)?;
        store_photos(&change, &log, &op, &taken, &named)?;
        let known = known::known(&change, &mut self.read, &log, now)?;
        view::recompute(&change, log.id, &BTreeSet::from([entity]), &known)?;
        change.commit()?;
        Ok(Receipt { op: op.op, entity })
    }
}

fn check(draft: &Draft, photos: usize) -> Result<(), PhoneError> {
    if photos > PHOTOS_PER_OP_MAX {
        return Err(PhoneError::TooManyPhotos(photos));
    }
    let longest = draft.values.iter().map(|value| value.value.len()).max().unwrap_or(0);
    too_large("a text", longest, SEALED_VALUE_BYTES_MAX)
}

fn too_large(what: &'static str, bytes: usize, bytes_max: usize) -> Result<(), PhoneError> {
    let number = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    if bytes > bytes_max {
        return Err(PhoneError::TooLarge { what, bytes: number(bytes), bytes_max: number(bytes_max) });
    }
    Ok(())
}

/// The photos of a body, where its kind takes any.
fn photos_of(body: &mut Body) -> Option<&mut Vec<PhotoClaim>> {
    match body {
        Body::Report(report) => Some(&mut report.photos),
        Body::SettleOnSite(settled) => Some(&mut settled.report.photos),
        Body::AddEvidence(added) => Some(&mut added.photos),
        Body::ReturnAssignment(returned) => Some(&mut returned.photos),
        Body::SubmitFix(fix) => Some(&mut fix.photos),
        Body::Check(check) => Some(&mut check.photos),
        Body::Reopen(reopen) => Some(&mut reopen.photos),
        _ => None,
    }
}

fn add_photos(body: &mut Body, claims: impl ExactSizeIterator<Item = PhotoClaim>) -> Result<(), PhoneError> {
    if claims.len() == 0 {
        return Ok(());
    }
    match photos_of(body) {
        Some(photos) => {
            photos.extend(claims);
            Ok(())
        }
        None => Err(PhoneError::TakesNoPhotos(line::kind_and_body(body)?.0)),
    }
}

/// The version that the author was looking at.
fn base_of(db: &Connection, log: &LogState, entity: EntityId) -> Result<Option<Base>, PhoneError> {
    Ok(base::rev(db, log.id, entity)?.and_then(|rev| log.epoch.map(|epoch| Base(epoch, rev))))
}

/// UUIDv7: the time is for order in indexes only, and a wrong clock harms nothing.
fn new_id(now: Captured, entropy: &mut dyn Entropy) -> Result<uuid::Uuid, PhoneError> {
    let ms = u64::try_from(now.wall_ms).unwrap_or(0) & ((1 << 48) - 1);
    Ok(Builder::from_unix_timestamp_millis(ms, &draw(entropy)?).into_uuid())
}

fn store(db: &Connection, log: &LogState, op: &Op, values: &[SealedValue]) -> Result<(), PhoneError> {
    let text = line::write(op)?;
    too_large("what was entered", text.len(), LINE_BYTES_MAX)?;
    outbox::append(db, log.id, op, text.as_bytes())?;
    for (n, value) in (0_i64..).zip(values) {
        put_value(db, value, op.entity)?;
        db.prepare_cached("INSERT INTO op_value (op, n, sealed) VALUES (?1, ?2, ?3)")?.execute(params![
            Blob(op.op),
            n,
            Blob(value.sealed)
        ])?;
    }
    Ok(())
}

/// `named` are all photos of the op: those taken in now, and others that are here from before (a step taken again).
fn store_photos(
    db: &Connection,
    log: &LogState,
    op: &Op,
    taken: &[TakenIn],
    named: &[PhotoClaim],
) -> Result<(), PhoneError> {
    for photo in taken {
        // A photo that was here before, perhaps with its file long gone, is needed again.
        db.prepare_cached(
            "INSERT INTO photo (sha256, size, origin, made)
             VALUES (?1, ?2, ?3, (SELECT COALESCE(MAX(made), 0) + 1 FROM photo))
             ON CONFLICT (sha256) DO UPDATE SET here = 1, uploaded = 0, offset = 0",
        )?
        .execute(params![Blob(photo.claim.sha256), int(photo.claim.size), photo.origin])?;
    }
    for claim in named {
        db.prepare_cached(
            "INSERT OR IGNORE INTO photo_ref (sha256, op, log, entity)
             SELECT sha256, ?2, ?3, ?4 FROM photo WHERE sha256 = ?1",
        )?
        .execute(params![Blob(claim.sha256), Blob(op.op), log.id, Blob(op.entity)])?;
    }
    Ok(())
}

/// Keeps a sealed value of an entity.
pub(crate) fn put_value(db: &Connection, value: &SealedValue, entity: EntityId) -> Result<(), PhoneError> {
    db.prepare_cached("INSERT OR IGNORE INTO value (sealed, salt, value, entity) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![Blob(value.sealed), Blob(value.salt), value.value, Blob(entity)])?;
    Ok(())
}
