//! Photos of a phone that was shut out: nothing that was captured is lost with the login. Each request shows a
//! signature of the device's key over this photo's hash; it opens nothing but handing in these very bytes.

use schema::entity::Entity;
use schema::hash::{Hash, Signature};
use schema::ids::{DeviceId, EntityId};
use schema::problem::ProblemCode;
use sync_core::log::chain::{photo_message, verify};

use super::accounts::Accounts;
use crate::error::{Error, Result};
use crate::store::Db;

impl Accounts {
    /// Whether a phone that shows no token may hand in a photo: it is shut out, its key signed the photo's hash, and an
    /// op that the server has names the photo. Ops go first.
    ///
    /// # Errors
    /// `unauthenticated` for a phone that is not shut out or whose signature does not fit; `not_found` for a photo that
    /// none of its ops names.
    pub async fn may_hand_in(&self, device: DeviceId, photo: Hash, signature: Signature) -> Result<()> {
        self.shut_out(device).await?;
        let named = self.store.read_async(move |db| -> Result<bool> {
            let mut named = None;
            for found in db.in_all_logs(EntityId::from(device))? {
                let Entity::Device(known) = &found.entity else { continue };
                if verify(&known.key, &photo_message(device, &photo), &signature) {
                    let here = named_by(db, found.log, device, &photo)?;
                    named = Some(named.unwrap_or(false) || here);
                }
            }
            named.ok_or_else(|| Error::refused(ProblemCode::Unauthenticated))
        });
        if named.await? { Ok(()) } else { Err(Error::refused(ProblemCode::NotFound)) }
    }
}

/// Whether a case names the photo, or a line of this device that is or was in custody.
fn named_by(db: &mut Db, log: schema::ids::LogId, device: DeviceId, photo: &Hash) -> Result<bool> {
    let Some(head) = db.head(log)? else { return Ok(false) };
    if !db.naming(head.num, photo)?.is_empty() {
        return Ok(true);
    }
    let hex = photo.to_string();
    let parked = db.parked_ops_of(head.num, device)?;
    for some in parked.chunks(500) {
        let lines = db.entries_of_ops(head.num, some)?;
        if lines.iter().any(|entry| contains(&entry.line, hex.as_bytes())) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(line: &[u8], hex: &[u8]) -> bool {
    line.windows(hex.len()).any(|piece| piece == hex)
}
