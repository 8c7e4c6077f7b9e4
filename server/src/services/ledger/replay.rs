//! Entries made again from the log alone.

use schema::ids::AccountId;
use schema::record::{Outcome, Record, RefusalCode};
use sync_core::line;

use super::enter::{Desk, Incoming, gave_back};
use super::facts::{Receipt, Recorded};
use super::parsed::Parsed;
use super::seen::Seen;
use crate::services::acts::TakenAway;
use crate::store::{Entry, Epoch, LogTx, StoreError};

/// Enters entries again, in order, each with the receipt that it records. Returns them as decided now.
///
/// # Errors
/// The database's, or an entry that can't be read.
pub fn replay(
    tx: &mut LogTx<'_>,
    parsed: &Parsed,
    entries: &[Entry],
    epochs: &[Epoch],
) -> Result<Vec<Entry>, StoreError> {
    let mut seen = Seen::default();
    let mut again = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(epoch) = epochs.iter().find(|epoch| epoch.first_rev == entry.rev && entry.rev > 1) {
            tx.start_epoch(epoch.epoch)?;
            seen.clear();
        }
        let incoming = incoming(entry)?;
        let away = TakenAway::default();
        let mut desk = Desk { tx: &mut *tx, seen: &mut seen, parsed, away: &away };
        again.push(desk.enter_again(incoming)?);
    }
    Ok(again)
}

/// An op took effect by itself, or as one of those that it released.
fn took_effect(record: &Record) -> bool {
    let accepted = |outcome| matches!(outcome, Outcome::Accepted | Outcome::AcceptedWithConflict);
    match record.released.as_slice() {
        [] => accepted(record.outcome),
        released => released.iter().any(|one| accepted(one.record.outcome)),
    }
}

fn incoming(entry: &Entry) -> Result<Incoming, StoreError> {
    let record: Record =
        serde_json::from_str(&entry.record).map_err(|_| StoreError::Damaged("a record that can't be read"))?;
    let op = if entry.kind == "unreadable" {
        Err(record.code.unwrap_or(RefusalCode::NotAnOp))
    } else {
        Ok(Box::new(line::read(&entry.line).map_err(|_| StoreError::Damaged("a line that can't be read"))?))
    };
    let given_back = gave_back(&record);
    Ok(Incoming {
        failed: record.code == Some(RefusalCode::Internal),
        id: entry.op,
        device: entry.device,
        incarnation: entry.incarnation,
        device_seq: entry.device_seq,
        actor: entry.actor,
        line: entry.line.clone(),
        op,
        values: Vec::new(),
        receipt: Receipt {
            received_ms: entry.received_ms,
            first_received_ms: entry.first_received_ms,
            captured: record.captured,
            by_server: entry.actor == AccountId::NIL,
            recorded: Some(Recorded {
                rules: record.rules,
                took_effect: took_effect(&record),
                verified: record.verified,
            }),
            number: record.number.filter(|_| given_back),
        },
    })
}
