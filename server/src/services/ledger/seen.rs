//! Entities as this transaction sees them: read once under the head lock, forgotten with the transaction.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use schema::entity::{Account, Device, Entity, Log};
use schema::hash::Hash;
use schema::ids::{AccountId, DeviceId, EntityId, EpochId};

use super::parsed::{parse_entity, zone_named};
use crate::store::{LogTx, StoreError, StoredEntity, Webhook};

/// An entity with its parsed document.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// Its row; none if nothing ever named it.
    pub(super) stored: Option<StoredEntity>,
    /// Its document; none if it does not exist.
    pub(super) entity: Option<Arc<Entity>>,
}

impl Held {
    pub(super) fn head_leaf(&self) -> Hash {
        self.stored.as_ref().map_or(Hash::ZERO, |stored| stored.head_leaf)
    }
}

/// What a transaction has read. Cleared whenever a part of it is undone.
#[derive(Default)]
pub(super) struct Seen {
    entities: HashMap<EntityId, Held>,
    earlier_epochs: Option<Vec<(EpochId, u64)>>,
    zone: Option<TimeZone>,
    custody: HashMap<DeviceId, bool>,
    /// Where notices go, each with how much waits for it.
    pub(super) webhooks: Option<Vec<(Webhook, u64)>>,
}

impl Seen {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn held(&mut self, tx: &mut LogTx<'_>, id: EntityId) -> Result<Held, StoreError> {
        if let Some(held) = self.entities.get(&id) {
            return Ok(held.clone());
        }
        let stored = tx.db.entity(tx.head.num, id)?;
        let entity = match stored.as_ref().and_then(|stored| stored.document.as_deref()) {
            Some(document) => Some(Arc::new(parse_entity(document)?)),
            None => None,
        };
        let held = Held { stored, entity };
        self.entities.insert(id, held.clone());
        Ok(held)
    }

    pub(super) fn put(&mut self, id: EntityId, held: Held) {
        self.entities.insert(id, held);
    }

    pub(super) fn account(&mut self, tx: &mut LogTx<'_>, id: AccountId) -> Result<Option<Account>, StoreError> {
        Ok(match self.held(tx, id.into())?.entity.as_deref() {
            Some(Entity::Account(account)) => Some(account.clone()),
            _ => None,
        })
    }

    pub(super) fn device(&mut self, tx: &mut LogTx<'_>, id: DeviceId) -> Result<Option<Device>, StoreError> {
        Ok(match self.held(tx, id.into())?.entity.as_deref() {
            Some(Entity::Device(device)) => Some(device.clone()),
            _ => None,
        })
    }

    pub(super) fn log(&mut self, tx: &mut LogTx<'_>) -> Result<Option<Log>, StoreError> {
        let id = tx.head.log.into();
        Ok(match self.held(tx, id)?.entity.as_deref() {
            Some(Entity::Log(log)) => Some(log.clone()),
            _ => None,
        })
    }

    /// The epochs before the one in force, each with the last revision that was kept of it.
    pub(super) fn earlier_epochs(&mut self, tx: &mut LogTx<'_>) -> Result<Vec<(EpochId, u64)>, StoreError> {
        if let Some(known) = &self.earlier_epochs {
            return Ok(known.clone());
        }
        let epochs = tx.db.epochs(tx.head.num)?;
        let next = tx.head.rev + 1;
        let begun: Vec<_> = epochs.iter().filter(|epoch| epoch.first_rev <= next).collect();
        let earlier: Vec<_> =
            begun.iter().zip(begun.iter().skip(1)).map(|(old, new)| (old.epoch, new.kept_rev)).collect();
        self.earlier_epochs = Some(earlier.clone());
        Ok(earlier)
    }

    /// The zone of the log's civil times; UTC before its first entry, which names it.
    pub(super) fn zone(&mut self, tx: &mut LogTx<'_>) -> Result<TimeZone, StoreError> {
        if let Some(known) = &self.zone {
            return Ok(known.clone());
        }
        let Some(log) = self.log(tx)? else { return Ok(TimeZone::UTC) };
        let zone = zone_named(&log.zone)?;
        self.zone = Some(zone.clone());
        Ok(zone)
    }

    /// Whether a device may have anything in custody: most have nothing, and need not be asked about each op.
    pub(super) fn may_have_custody(&mut self, tx: &mut LogTx<'_>, device: DeviceId) -> Result<bool, StoreError> {
        if let Some(known) = self.custody.get(&device) {
            return Ok(*known);
        }
        let any = tx.db.has_custody(tx.head.num, device)?;
        self.custody.insert(device, any);
        Ok(any)
    }

    pub(super) fn took_custody(&mut self, device: DeviceId) {
        self.custody.insert(device, true);
    }
}
