//! Granting a log enrols the account's phones there: a person who may work in another district takes up the same phone.

use std::collections::BTreeMap;

use schema::entity::{Device, Entity};
use schema::ids::{AccountId, DeviceId, EntityId, OpId};
use schema::op::{Body, EnrolDevice};
use sync_core::line::consequence_id;

use super::enter::Desk;
use crate::store::{Entry, StoreError};

impl Desk<'_, '_> {
    /// Enters the phones that other logs know of an account, directly behind its grant. Its id follows from the phone,
    /// so that enrolling and granting at once enter it once.
    pub(super) fn enrol_phones(&mut self, cause: &Entry, received_ms: u64) -> Result<(), StoreError> {
        let mut phones: BTreeMap<DeviceId, Device> = BTreeMap::new();
        let mut shut_out = Vec::new();
        for found in self.tx.db.devices_elsewhere(self.tx.head.num, AccountId(cause.entity.0))? {
            match found.revoked {
                Some(_) => shut_out.push(found.id),
                None => drop(phones.insert(found.id, found)),
            }
        }
        phones.retain(|id, _| !shut_out.contains(id));
        for (id, Device { account, algorithm, key, label, .. }) in phones {
            let op = consequence_id(self.tx.head.log, OpId(id.0), "enrol_device", 0);
            let known = matches!(self.seen.held(self.tx, id.into())?.entity.as_deref(), Some(Entity::Device(_)));
            if !known && self.tx.db.entries_of_ops(self.tx.head.num, &[op])?.is_empty() {
                let body = Body::EnrolDevice(EnrolDevice { account, algorithm, key, label });
                let incoming = self.by_server(op, EntityId::from(id), &body, received_ms)?;
                self.enter(incoming)?;
            }
        }
        Ok(())
    }
}
