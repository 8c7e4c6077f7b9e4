//! A case as a rectification order (责令限期改正通知书): what stands on the paper, for one who may read the case.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Context;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schema::case::{Case, FieldName, Position};
use schema::catalogue::{Catalogue, FieldKind, FieldSpec, Subtype, Text};
use schema::clock::{Clock, Running, Timed};
use schema::deadline::Confidence;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{EntityId, LogId, UnitId};
use schema::op::{EvidenceRole, Sealed, SealedValue};
use schema::problem::ProblemCode;
use serde_json::Value;
use sync_core::case::kind_of;
use sync_core::catalogue::{choice, subtype};

use super::{Sight, View, shows};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::blobs::Version;
use crate::services::ledger::{read_entity, zone_named};

/// Photos on the paper. The others are with the case.
const PHOTOS_MAX: usize = 12;

/// What stands on the paper.
#[derive(Debug, Clone)]
pub struct Order {
    /// The district, which issues it.
    pub district: Text,
    /// The official number; the short code of a case without one.
    pub number: String,
    /// The code by which people know it.
    pub short_code: String,
    /// The category and the subtype.
    pub kind: [Text; 2],
    /// The units that must act, the lead unit first.
    pub units: Vec<Text>,
    /// Who it is about, field by field; none where the reader may not read it, or it is not known.
    pub parties: Vec<(Text, Option<String>)>,
    /// What was found, field by field.
    pub facts: Vec<(Text, Text)>,
    /// Where: the areas, from the top down, and the position.
    pub place: Vec<Text>,
    /// Where, in degrees.
    pub position: Option<String>,
    /// The law it rests on.
    pub legal_basis: Vec<Text>,
    /// What must be done by when.
    pub demands: Vec<Demand>,
    /// How it may be put right.
    pub ways: Vec<Text>,
    /// The photos of the problem.
    pub photos: Vec<OrderPhoto>,
    /// Photos of the problem that are not on the paper.
    pub more_photos: usize,
    /// The entries that it rests on.
    pub proofs: Vec<ProvenEntry>,
    /// The newest checkpoint, a signed note, and how many entries it covers.
    pub checkpoint: Option<(String, u64)>,
    /// The log.
    pub log: LogId,
    /// When it was made, in the city's civil time.
    pub printed: String,
}

/// Something that must be done by a time.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The stage.
    pub stage: Text,
    /// When its deadline was issued, in civil time.
    pub issued: String,
    /// Until when, in civil time.
    pub due: String,
    /// The calendar of that time is not known yet.
    pub provisional: bool,
    /// It was done, late or not.
    pub met: bool,
}

/// A photo.
#[derive(Debug, Clone)]
pub struct OrderPhoto {
    /// Its SHA-256.
    pub sha256: Hash,
    /// When it was received, in civil time.
    pub received: String,
    /// The small version, JPEG; none where it is not here or not for this reader.
    pub jpeg: Option<Vec<u8>>,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub struct ProvenEntry {
    /// What it is.
    pub what: Text,
    /// Its revision.
    pub rev: u64,
    /// Its leaf.
    pub leaf: Hash,
}

fn text(zh: &str, en: &str) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

fn plain(value: &str) -> Text {
    text(value, "")
}

impl Sight {
    /// Whether a caller may see a case.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn must_see(&self, caller: &Caller, log: LogId, case: EntityId) -> Result<()> {
        self.in_log(caller, log, move |view| view.entity(case).map(drop)).await
    }

    /// A case as a rectification order.
    ///
    /// # Errors
    /// `not_found`, also for a case in which no unit has a deadline to put anything right.
    pub async fn order(&self, caller: &Caller, log: LogId, case: EntityId) -> Result<Order> {
        let now_ms = self.clock.now_ms();
        let mut order = self.noting(caller, log, "notice", move |view| view.order(case, now_ms)).await?;
        for photo in order.photos.iter_mut().filter(|photo| photo.jpeg.is_some()) {
            photo.jpeg = match self.photos.file(photo.sha256, Version::Small).await {
                Ok((mut file, _)) => {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).context("reading a photo")?;
                    Some(bytes)
                }
                Err(error) if error.code() == ProblemCode::NotFound => None,
                Err(error) => return Err(error),
            };
        }
        Ok(order)
    }
}

impl View<'_> {
    fn order(&mut self, id: EntityId, now_ms: u64) -> Result<Order> {
        let not_found = || Error::refused(ProblemCode::NotFound);
        let (rev, document, entity) = self.entity(id)?;
        let Entity::Case(case) = &entity else { return Err(not_found()) };
        let (category, code) = kind_of(case).ok_or_else(not_found)?;
        let sha256 = case.catalogue.ok_or_else(not_found)?;
        let catalogue = self.parsed.catalogue(self.db, self.log, sha256)?.ok_or_else(not_found)?;
        let (category, of) = subtype(&catalogue, &category, &code).ok_or_else(not_found)?;
        let demanded = demanded(case, of);
        if demanded.is_empty() {
            return Err(not_found());
        }
        let Some(Entity::Log(log)) = read_entity(self.db, self.log, self.log_id.into())? else {
            return Err(not_found());
        };
        let zone = zone_named(&log.zone)?;
        let values = self.values_shown(id, &entity, &document)?;
        let values: BTreeMap<Hash, SealedValue> = values.into_iter().map(|value| (value.sealed, value)).collect();
        let mut demands = Vec::new();
        let mut proofs = Vec::new();
        for (clock, stage) in &demanded {
            let issued_ms = self.db.received_ms(self.log, clock.issued_rev)?.ok_or_else(not_found)?;
            proofs.extend(self.proven(clock.issued_rev, text("签发期限", "The deadline"))?);
            demands.push(Demand {
                stage: stage.clone(),
                issued: civil(issued_ms, &zone),
                due: civil(clock.due.at_ms, &zone),
                provisional: clock.due.confidence == Confidence::Provisional,
                met: matches!(clock.running, Running::Met { .. }),
            });
        }
        proofs.extend(self.proven(rev, text("案件现状", "The case as it stands"))?);
        let (photos, more_photos) = self.photos_on(case, &entity, &zone)?;
        let checkpoint = self.newest_checkpoint()?;
        Ok(Order {
            district: log.name,
            number: case.number.clone().unwrap_or_else(|| case.short_code.clone()),
            short_code: case.short_code.clone(),
            kind: [category.name.clone(), of.name.clone()],
            units: self.units_of(case)?,
            parties: parties(case, of, &values),
            facts: facts(case, of, &catalogue, &values),
            place: self.place_of(case),
            position: position(case),
            legal_basis: of.legal_basis.clone(),
            demands,
            ways: of.closing_conditions.iter().map(|way| way.name.clone()).collect(),
            photos,
            more_photos,
            proofs,
            checkpoint,
            log: self.log_id,
            printed: civil(now_ms, &zone),
        })
    }

    fn proven(&mut self, rev: u64, what: Text) -> Result<Option<ProvenEntry>> {
        let entry = self.db.entries_after(self.log, rev.saturating_sub(1), 1)?.pop();
        Ok(entry.filter(|entry| entry.rev == rev).map(|entry| ProvenEntry { what, rev, leaf: entry.leaf }))
    }

    fn newest_checkpoint(&mut self) -> Result<Option<(String, u64)>> {
        let Some(head) = self.db.head(self.log_id)? else { return Ok(None) };
        let newest = self.db.newest_checkpoint(head.num, head.epoch)?;
        Ok(newest.map(|checkpoint| (checkpoint.note, checkpoint.size)))
    }

    fn units_of(&mut self, case: &Case) -> Result<Vec<Text>> {
        let assignment = case.assignment.iter();
        let ids: Vec<UnitId> = assignment.flat_map(|it| std::iter::once(it.unit).chain(it.co_units.clone())).collect();
        let mut names = Vec::new();
        for id in ids {
            if let Some(Entity::Unit(unit)) = read_entity(self.db, self.log, id.into())? {
                names.push(unit.name);
            }
        }
        Ok(names)
    }

    fn place_of(&self, case: &Case) -> Vec<Text> {
        let Some(areas) = self.areas() else { return Vec::new() };
        let path = areas.path(case.area);
        path.iter().rev().filter_map(|id| areas.area(*id)).map(|area| area.name.clone()).collect()
    }

    /// The photos of the problem that were not withdrawn, those that this reader may not see without their picture.
    fn photos_on(&mut self, case: &Case, entity: &Entity, zone: &TimeZone) -> Result<(Vec<OrderPhoto>, usize)> {
        let mut photos: Vec<OrderPhoto> = Vec::new();
        let of_problem = |piece: &&schema::case::Evidence| piece.role == EvidenceRole::Before;
        for piece in case.evidence.iter().filter(of_problem).filter(|piece| piece.withdrawn.is_none()) {
            if photos.iter().any(|photo| photo.sha256 == piece.sha256) {
                continue;
            }
            let shown_by = self.shown_by(&piece.sha256)?;
            let is_shown =
                piece.verified_rev.is_some() && shows(self, entity, &piece.sha256, Version::Small, &shown_by);
            photos.push(OrderPhoto {
                sha256: piece.sha256,
                received: civil(piece.by.received_ms, zone),
                jpeg: is_shown.then(Vec::new),
            });
        }
        let more = photos.len().saturating_sub(PHOTOS_MAX);
        photos.truncate(PHOTOS_MAX);
        Ok((photos, more))
    }
}

/// The clocks by which a unit must put something right, with the names of their stages.
fn demanded<'a>(case: &'a Case, of: &Subtype) -> Vec<(&'a Clock, Text)> {
    let issued = case.clocks.iter().filter(|clock| clock.timed == Timed::Unit && clock.issued_rev > 0);
    let running = issued.filter(|clock| !matches!(clock.running, Running::Stopped { .. }));
    running
        .filter_map(|clock| {
            let stage = of.stages.iter().find(|stage| stage.code == clock.stage)?;
            Some((clock, stage.name.clone()))
        })
        .collect()
}

fn unsealed(value: &Value, values: &BTreeMap<Hash, SealedValue>) -> Option<String> {
    let sealed: Sealed = serde_json::from_value(value.clone()).ok()?;
    values.get(&sealed.sealed).map(|value| value.value.clone())
}

fn parties(case: &Case, of: &Subtype, values: &BTreeMap<Hash, SealedValue>) -> Vec<(Text, Option<String>)> {
    let personal = of.fields.iter().filter(|field| matches!(field.holds, FieldKind::Personal { .. }));
    personal
        .filter_map(|field| {
            let held = case.fields.get(&FieldName::Field(field.code.clone()))?;
            (!held.value.is_null()).then(|| (field.label.clone(), unsealed(&held.value, values)))
        })
        .collect()
}

fn facts(case: &Case, of: &Subtype, catalogue: &Catalogue, values: &BTreeMap<Hash, SealedValue>) -> Vec<(Text, Text)> {
    let mut facts = Vec::new();
    let filed = case.filed.as_ref().and_then(|filed| choice(&of.filing_conditions, &filed.code.parse().ok()?));
    facts.extend(filed.map(|condition| (text("违法（违规）情形", "What was found"), condition.name.clone())));
    let subject = case.fields.get(&FieldName::Subject).and_then(|held| held.value.as_str());
    if let (Some(label), Some(subject)) = (&of.subject, subject) {
        facts.push((label.clone(), plain(subject)));
    }
    for field in &of.fields {
        let held = case.fields.get(&FieldName::Field(field.code.clone()));
        if let Some(value) = held.and_then(|held| shown(field, &held.value)) {
            facts.push((field.label.clone(), value));
        }
    }
    let note = case.fields.get(&FieldName::Note).and_then(|held| unsealed(&held.value, values));
    facts.extend(note.map(|note| (text("现场情况", "Remarks"), plain(&note))));
    facts.push((text("案件目录版本", "Catalogue"), plain(&catalogue.version)));
    facts
}

/// A value that is not personal, as people read it; none where the field is empty.
fn shown(field: &FieldSpec, value: &Value) -> Option<Text> {
    match &field.holds {
        FieldKind::Personal { .. } => None,
        FieldKind::Text { .. } | FieldKind::Reference { .. } => value.as_str().map(plain),
        FieldKind::Choice { choices } => {
            let code = value.as_str()?;
            Some(code.parse().ok().and_then(|code| choice(choices, &code)).map_or(plain(code), |it| it.name.clone()))
        }
        FieldKind::YesNo => value.as_bool().map(|yes| if yes { text("是", "yes") } else { text("否", "no") }),
        FieldKind::Number { unit, scale, .. } => {
            let number = decimal(value.as_i64()?, *scale);
            Some(plain(&format!("{number} {unit}")))
        }
    }
}

/// A number held in 10^-scale units.
fn decimal(held: i64, scale: u8) -> String {
    let digits = usize::from(scale);
    let sign = if held < 0 { "-" } else { "" };
    let all = format!("{:0width$}", held.unsigned_abs(), width = digits.saturating_add(1));
    let (whole, part) = all.split_at(all.len().saturating_sub(digits));
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

fn position(case: &Case) -> Option<String> {
    let held = case.fields.get(&FieldName::Position)?;
    let at: Position = serde_json::from_value(held.value.clone()).ok()?;
    Some(format!("{}, {}", decimal(at.lat_e7.into(), 7), decimal(at.lon_e7.into(), 7)))
}

/// A time as the city's clocks show it.
fn civil(ms: u64, zone: &TimeZone) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_written_with_the_digits_of_their_scale() {
        let written = [(125, 1), (5, 1), (-5, 7), (1_234_567_890, 7), (7, 0)].map(|(held, scale)| decimal(held, scale));
        assert_eq!(written, ["12.5", "0.5", "-0.0000005", "123.4567890", "7"]);
    }
}
