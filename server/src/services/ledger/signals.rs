//! What the server knows of a photo when a case is told of its arrival. The rules are `sync_core::case::signals`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use pictures::camera::Camera;
use schema::case::Case;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{EntityId, OpId};
use schema::op::PhotoVerified;
use sync_core::case::signals::{Known, signals};
use sync_core::line;

use super::enter::Desk;
use crate::store::StoreError;

/// One picture coded twice differs in no more bits; two honest ones of one place, before and after, differ in more.
const SAME_PICTURE_BITS_MAX: u64 = 12;

impl Desk<'_, '_> {
    /// The same body with what people should know about the photo in this case.
    pub(super) fn with_signals(
        &mut self,
        entity: EntityId,
        mut body: PhotoVerified,
    ) -> Result<PhotoVerified, StoreError> {
        let held = self.seen.held(self.tx, entity)?.entity;
        if let Some(Entity::Case(case)) = held.as_ref().map(Arc::as_ref) {
            let known = self.known_of(entity, case, &body.sha256)?;
            let (flags, claims) = signals(case, &body.sha256, &known);
            body.flags.extend(flags);
            body.claims = claims;
        }
        Ok(body)
    }

    fn known_of(&mut self, entity: EntityId, case: &Case, sha256: &Hash) -> Result<Known, StoreError> {
        let log = self.tx.head.num;
        let mut alike = Vec::new();
        for found in self.tx.db.naming_alike(log, sha256)? {
            if matches!(self.seen.held(self.tx, found.1)?.entity.as_deref(), Some(Entity::Case(_))) {
                alike.push(found);
            }
        }
        let same = alike.iter().filter(|(_, named_in, bits)| *named_in == entity && *bits <= SAME_PICTURE_BITS_MAX);
        let same_here: BTreeSet<Hash> = same.map(|(other, ..)| *other).collect();
        let camera = self.tx.db.camera(sha256)?;
        // What a camera wrote and nobody can read says nothing.
        let camera: Camera = camera.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let shutter_ms = match &camera.taken {
            Some(taken) => shutter_ms(taken, &self.seen.zone(self.tx)?),
            None => None,
        };
        let captured_ms = match shutter_ms {
            Some(_) => self.captured(case, sha256)?,
            None => BTreeMap::new(),
        };
        Ok(Known {
            used_elsewhere: self.tx.db.named_elsewhere(log, entity, sha256)?,
            alike_elsewhere: alike.iter().any(|(_, named_in, _)| *named_in != entity),
            same_here,
            shutter_ms,
            position: camera.position,
            captured_ms,
        })
    }

    /// The wall clocks at the capture of the ops that name a photo.
    fn captured(&mut self, case: &Case, sha256: &Hash) -> Result<BTreeMap<OpId, i64>, StoreError> {
        let ops: Vec<OpId> =
            case.evidence.iter().filter(|item| item.sha256 == *sha256).map(|item| item.by.op).collect();
        let entries = self.tx.db.entries_of_ops(self.tx.head.num, &ops)?;
        let captured =
            entries.iter().filter_map(|entry| Some((entry.op, line::read(&entry.line).ok()?.captured.wall_ms)));
        Ok(captured.collect())
    }
}

/// When the shutter went, from `2026:11:20 08:30:00`, perhaps with `+08:00` behind it; else in the log's zone.
fn shutter_ms(taken: &str, zone: &TimeZone) -> Option<i64> {
    let at: Timestamp = match strtime::parse("%Y:%m:%d %H:%M:%S %:z", taken) {
        Ok(parsed) => parsed.to_timestamp().ok()?,
        Err(_) => {
            let local = strtime::parse("%Y:%m:%d %H:%M:%S", taken).ok()?.to_datetime().ok()?;
            local.to_zoned(zone.clone()).ok()?.timestamp()
        }
    };
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::shutter_ms;

    #[test]
    fn a_cameras_time_is_read_with_its_offset_or_in_the_logs_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(shutter_ms("2026:11:20 08:30:00", &zone), Some(1_795_134_600_000));
        assert_eq!(shutter_ms("2026:11:20 08:30:00 +08:00", &TimeZone::UTC), Some(1_795_134_600_000));
        assert_eq!(shutter_ms("2026:11:20 08:30:00 +09:00", &zone), Some(1_795_131_000_000));
        assert_eq!(shutter_ms("0000:00:00 00:00:00", &zone), None);
        assert_eq!(shutter_ms("yesterday", &zone), None);
    }
}
