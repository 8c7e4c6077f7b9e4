//! Capturing an op: photos on the medium first, then one transaction with the line, its values and its photos.
//! Once it returns, nothing but the loss of the phone can lose it. It never asks a server or a clock.

use std::collections::BTreeSet;

use schema::ids::{EntityId, LogId, OpId};
use schema::limits::{LINE_BYTES_MAX, LINE_VERSION, PHOTO_BYTES_MAX, PHOTOS_PER_OP_MAX, SEALED_VALUE_BYTES_MAX};
use schema::op::{Base, Body, Captured, Op, PhotoClaim, SealedValue};
use uuid::Builder;

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::store::{LogState, Store, identity, log_state};
use super::tables::rows::{HeldValue, OpValue, Photo, PhotoRef};
use super::tables::{self, Tables, values};
use super::{base, known, outbox, view};
use crate::line;

#[cfg(feature = "device")]
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
    /// The values that the body names, each made by [`Store::seal`].
    pub values: Vec<SealedValue>,
}

/// A photo whose bytes are on this phone, safe, under their hash.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldPhoto {
    /// What the op says of it.
    pub claim: PhotoClaim,
    /// The file that it was taken from.
    pub origin: Option<String>,
}

/// What was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The op.
    pub op: OpId,
    /// Its entity.
    pub entity: EntityId,
}

impl Store {
    /// Captures an op with its photos, whose bytes are safe already. `again` is called once nobody else can delete a
    /// photo as safe at the server: what another program deleted until then is to be put back by it.
    ///
    /// # Errors
    /// Nothing was captured, and the message says what to do; see [`PhoneError`].
    pub fn capture(
        &mut self,
        draft: Draft,
        photos: &[HeldPhoto],
        now: Captured,
        again: &mut dyn FnMut(&mut dyn Entropy) -> Result<(), PhoneError>,
    ) -> Result<Receipt, PhoneError> {
        let identity = identity(self.db())?;
        let log = log_state(self.db(), draft.log)?;
        check(&draft, photos.len())?;
        for photo in photos {
            check_size(&photo.claim)?;
        }
        let mut body = draft.body;
        add_photos(&mut body, photos.iter().map(|photo| photo.claim.clone()))?;
        let named = photos_of(&mut body).map(|photos| photos.clone()).unwrap_or_default();
        let (kind, body) = line::kind_and_body(&body)?;
        let change = tables::write(self.tables.as_ref())?;
        again(self.entropy.as_mut())?;
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
            base: base_of(&*change, &log, entity)?,
            captured: now,
            salt: schema::hash::Salt(draw(self.entropy.as_mut())?),
            body,
        };
        store(&*change, &log, &op, &draft.values)?;
        store_photos(&*change, &log, &op, photos, &named)?;
        let known = known::known(&*change, &mut self.read, &log, now)?;
        view::recompute(&*change, log.id, &BTreeSet::from([entity]), &known)?;
        change.commit()?;
        Ok(Receipt { op: op.op, entity })
    }
}

/// What can be refused before any photo is taken in.
pub(crate) fn check(draft: &Draft, photos: usize) -> Result<(), PhoneError> {
    if photos > PHOTOS_PER_OP_MAX {
        return Err(PhoneError::TooManyPhotos(photos));
    }
    let longest = draft.values.iter().map(|value| value.value.len()).max().unwrap_or(0);
    too_large("a text", longest, SEALED_VALUE_BYTES_MAX)
}

fn check_size(claim: &PhotoClaim) -> Result<(), PhoneError> {
    let (bytes, bytes_max) = (claim.size, PHOTO_BYTES_MAX);
    if bytes > bytes_max {
        return Err(PhoneError::TooLarge { what: "the photo", bytes, bytes_max });
    }
    if bytes == 0 {
        return Err(PhoneError::Photo { path: claim.sha256.to_string(), why: "it is empty".to_owned() });
    }
    Ok(())
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
        Body::AppealOverdue(appeal) => Some(&mut appeal.photos),
        Body::EndStage(done) => Some(&mut done.photos),
        Body::FinishHelp(done) => Some(&mut done.photos),
        Body::InterimCheck(check) => Some(&mut check.photos),
        Body::LookBack(looked) => Some(&mut looked.photos),
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
fn base_of(db: &dyn Tables, log: &LogState, entity: EntityId) -> Result<Option<Base>, PhoneError> {
    Ok(base::rev(db, log.id, entity)?.and_then(|rev| log.epoch.map(|epoch| Base(epoch, rev))))
}

/// UUIDv7: the time is for order in indexes only, and a wrong clock harms nothing.
fn new_id(now: Captured, entropy: &mut dyn Entropy) -> Result<uuid::Uuid, PhoneError> {
    let ms = u64::try_from(now.wall_ms).unwrap_or(0) & ((1 << 48) - 1);
    Ok(Builder::from_unix_timestamp_millis(ms, &draw(entropy)?).into_uuid())
}

fn store(db: &dyn Tables, log: &LogState, op: &Op, values: &[SealedValue]) -> Result<(), PhoneError> {
    let text = line::write(op)?;
    too_large("what was entered", text.len(), LINE_BYTES_MAX)?;
    outbox::append(db, log.id, op, text.as_bytes())?;
    for (n, value) in (0_i64..).zip(values) {
        put_value(db, value, op.entity)?;
        tables::put(db, &OpValue { op: op.op, n, sealed: value.sealed })?;
    }
    Ok(())
}

/// `named` are all photos of the op: those taken in now, and others that are here from before (a step taken again).
fn store_photos(
    db: &dyn Tables,
    log: &LogState,
    op: &Op,
    taken: &[HeldPhoto],
    named: &[PhotoClaim],
) -> Result<(), PhoneError> {
    for HeldPhoto { claim, origin } in taken {
        let last: Option<Photo> = tables::last(db, Photo::BY_MADE, &[])?;
        let made = last.map_or(1, |last| last.made.saturating_add(1));
        // A photo that was here before, perhaps with its file long gone, is needed again.
        let photo = match tables::get::<Photo>(db, values!(claim.sha256))? {
            Some(held) => Photo { here: true, uploaded: false, offset: 0, ..held },
            None => Photo {
                sha256: claim.sha256,
                size: claim.size,
                origin: origin.clone(),
                made,
                offset: 0,
                uploaded: false,
                here: true,
            },
        };
        tables::put(db, &photo)?;
    }
    for claim in named {
        let held = tables::get::<Photo>(db, values!(claim.sha256))?.is_some();
        if held && tables::get::<PhotoRef>(db, values!(claim.sha256, op.op))?.is_none() {
            let (sha256, op, log, entity) = (claim.sha256, op.op, log.id, op.entity);
            tables::put(db, &PhotoRef { sha256, op, log, entity, verified_rev: None })?;
        }
    }
    Ok(())
}

/// Keeps a sealed value of an entity.
pub(crate) fn put_value(db: &dyn Tables, value: &SealedValue, entity: EntityId) -> Result<(), PhoneError> {
    if tables::get::<HeldValue>(db, values!(value.sealed))?.is_some() {
        return Ok(());
    }
    let (sealed, salt, value) = (value.sealed, value.salt, value.value.clone());
    tables::put(db, &HeldValue { sealed, salt, value, entity })
}
