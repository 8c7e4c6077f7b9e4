//! What the server itself enters: its own ops, and the arrival of photos.

use schema::hash::Hash;
use schema::ids::{LogId, OpId};
use schema::op::{Body, PhotoVerified};
use sync_core::context::VerifiedPhoto;
use sync_core::line::consequence_id;

use super::Append;
use super::enter::Desk;
use crate::store::{Entry, StoreError};

impl Desk<'_, '_> {
    pub(super) fn append(&mut self, append: &Append, received_ms: u64) -> Result<Vec<Entry>, StoreError> {
        for (sha256, bytes) in &append.documents {
            self.tx.keep_document(sha256, bytes)?;
        }
        let ids: Vec<OpId> = append.ops.iter().map(|op| op.id).collect();
        let known = self.tx.db.entries_of_ops(self.tx.head.num, &ids)?;
        let mut entries = Vec::with_capacity(append.ops.len());
        for op in &append.ops {
            if let Some(entry) = known.iter().find(|entry| entry.op == op.id) {
                entries.push(entry.clone());
                continue;
            }
            let mut incoming = self.by_server(op.id, op.entity, &op.body, received_ms)?;
            incoming.values.clone_from(&op.values);
            entries.push(self.enter(incoming)?);
        }
        Ok(entries)
    }

    pub(super) fn photo_arrived(
        &mut self,
        sha256: &Hash,
        photo: &VerifiedPhoto,
        received_ms: u64,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for entity in self.tx.db.waiting_for(self.tx.head.num, sha256)? {
            let (size, pixels, flags) = (photo.size, photo.pixels, photo.flags.clone());
            let body = PhotoVerified { sha256: *sha256, size, pixels, flags, claims: Vec::new() };
            let body = self.with_signals(entity, body)?;
            let id = arrival_id(self.tx.head.log, entity, sha256, self.tx.head.rev);
            let incoming = self.by_server(id, entity, &Body::PhotoVerified(body), received_ms)?;
            entries.push(self.enter(incoming)?);
        }
        Ok(entries)
    }
}

/// The id of a `photo_verified` on arrival. The revision is in it, because a photo may be named again later.
fn arrival_id(log: LogId, entity: schema::ids::EntityId, sha256: &Hash, rev: u64) -> OpId {
    let occasion = OpId(uuid::Uuid::from_bytes(*entity.bytes()));
    let n = u32::try_from(rev & u64::from(u32::MAX)).unwrap_or(0);
    consequence_id(log, occasion, &format!("photo_verified {sha256}"), n)
}
