//! All that only this phone has, in one file (docs/protocol-phone.md): a header line, the op lines each with its value
//! lines, then the photos as base64 lines, and an end. Nothing on the phone changes by it.

use std::fs;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::op::Captured;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::PhoneError;
use super::outbox;
use super::phone::{Phone, identity, logs};
use crate::sync::batch;

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Op lines.
    pub ops: usize,
    /// Photos.
    pub photos: usize,
}

impl Phone {
    /// Writes the export. Batches are signed as for a push, one a log and 200 ops, so that whoever takes the file in
    /// can't change what it says.
    ///
    /// # Errors
    /// The store's; the writer's as [`PhoneError::File`].
    pub fn export(&self, to: &mut dyn Write, now: Captured) -> Result<Exported, PhoneError> {
        let failed = |source: io::Error| PhoneError::file("the export")(source);
        let identity = identity(&self.db)?;
        let head = json!({
            "rectify_export": 1,
            "device": identity.device,
            "account": identity.account,
            "name": identity.account_name,
            "app": concat!("rectify-phone/", env!("CARGO_PKG_VERSION")),
            "clock": now,
        });
        line(to, &head).map_err(failed)?;
        let mut ops = 0_usize;
        for log in logs(&self.db)? {
            let mut from = 0;
            loop {
                let some = outbox::undecided_from(&self.db, log.id, from, schema::limits::BATCH_OPS_MAX)?;
                let Some(last) = some.last() else { break };
                from = last.device_seq.saturating_add(1);
                let mut lines = Vec::with_capacity(some.len());
                for op in &some {
                    lines.push(outbox::op_line(&self.db, op)?);
                }
                let header = super::requests::batch_header(&self.db, &identity, &log, &some, now)?;
                to.write_all(&batch::body(&header, &lines)?).map_err(failed)?;
                ops = ops.saturating_add(some.len());
            }
        }
        let mut photos = 0_usize;
        for photo in self.photos_to_send()? {
            // A file that is gone was told to its owner already; the others are worth exporting.
            let Ok(bytes) = fs::read(&photo.path) else { continue };
            let encoded = json!({"photo": photo.sha256, "size": photo.size, "base64": STANDARD.encode(bytes)});
            line(to, &encoded).map_err(failed)?;
            photos = photos.saturating_add(1);
        }
        line(to, &json!({"end": {"ops": ops, "photos": photos}})).map_err(failed)?;
        to.flush().map_err(failed)?;
        Ok(Exported { ops, photos })
    }
}

fn line(to: &mut dyn Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}
