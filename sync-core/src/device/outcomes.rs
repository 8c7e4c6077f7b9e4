//! What became of own ops: noted once, retired from the overlay when the base has caught up, dropped when durable.

use std::collections::BTreeSet;

use schema::ids::{EntityId, OpId};
use schema::record::{Outcome, OutcomeLine, Record};
use serde_json::json;

use super::attention::{Raise, Trouble, raise, settle_op};
use super::error::PhoneError;
use super::store::{Identity, LogState};
use super::tables::rows::{Attention, Cursor, HeldReceipt, OpValue, ReceiptOp, StoredOp};
use super::tables::{self, Row, Tables, values};
use super::{base, outbox, view};
use crate::line::unreadable_id;

/// Where an outcome is noted, and when.
pub(crate) struct Noting<'a> {
    pub(crate) db: &'a dyn Tables,
    pub(crate) identity: &'a Identity,
    pub(crate) log: &'a LogState,
    pub(crate) wall_ms: i64,
}

impl Noting<'_> {
    /// Notes an outcome line. Says which entities it touches.
    pub(crate) fn note(&self, line: &OutcomeLine, record: &Record) -> Result<BTreeSet<EntityId>, PhoneError> {
        let mut touched = BTreeSet::new();
        for released in &record.released {
            touched.extend(self.second(released.op, &released.record, line.rev)?);
        }
        let Some(own) = self.own_op_of(line)? else { return Ok(touched) };
        if own.state == "undecided" {
            let renamed = OutcomeLine { op: own.op, ..line.clone() };
            outbox::decide(self.db, &renamed, record.outcome)?;
            self.raise_first(&own, line, record)?;
        } else if own.outcome.as_deref() == Some("parked") && record.outcome != Outcome::Parked {
            self.second(own.op, record, line.rev)?;
        }
        touched.insert(own.entity);
        Ok(touched)
    }

    /// The own op that a line speaks of. A line that could not be read has an id made from its bytes.
    fn own_op_of(&self, line: &OutcomeLine) -> Result<Option<StoredOp>, PhoneError> {
        if let Some(own) = outbox::by_id(self.db, line.op)? {
            return Ok(Some(own));
        }
        if line.kind != "unreadable" {
            return Ok(None);
        }
        let is_it = |own: &StoredOp| {
            let (log, device) = (self.log.log, self.identity.device);
            unreadable_id(log, device, line.incarnation, line.device_seq, &own.line) == line.op
        };
        Ok(outbox::all(self.db)?.into_iter().find(|own| own.log == self.log.id && is_it(own)))
    }

    fn raise_first(&self, own: &StoredOp, line: &OutcomeLine, record: &Record) -> Result<(), PhoneError> {
        let trouble = match record.outcome {
            Outcome::Accepted => return Ok(()),
            Outcome::AcceptedWithConflict => Trouble::Conflict,
            Outcome::Rejected => Trouble::Rejected,
            Outcome::Parked if line.kind == "unreadable" => Trouble::Unreadable,
            Outcome::Parked => Trouble::Parked,
        };
        self.raise(trouble, own.op, own.entity, &own.kind, record)
    }

    fn raise(
        &self,
        trouble: Trouble,
        op: OpId,
        entity: EntityId,
        kind: &str,
        record: &Record,
    ) -> Result<(), PhoneError> {
        let detail = json!({
            "kind": kind, "code": record.code, "detail": record.detail, "conflicts": record.conflicts,
        });
        let (log, since_ms) = (self.log.id, self.wall_ms);
        raise(self.db, &Raise { trouble, log, op: Some(op), entity: Some(entity), detail, since_ms })
    }

    /// A parked op was released or discarded.
    fn second(&self, op: OpId, record: &Record, rev: u64) -> Result<Option<EntityId>, PhoneError> {
        let Some(own) = outbox::by_id(self.db, op)? else { return Ok(None) };
        if outbox::decide_again(self.db, op, record.outcome, rev)? {
            settle_op(self.db, Trouble::Parked, op)?;
            settle_op(self.db, Trouble::Unreadable, op)?;
            if record.outcome == Outcome::Rejected {
                self.raise(Trouble::Rejected, op, own.entity, &own.kind, record)?;
            }
        }
        Ok(Some(own.entity))
    }
}

/// Takes ops out of the overlay: rejected or parked ones at once, accepted ones when the base has caught up with them,
/// or when the entity is in no scope any more though everything up to the newest revision heard of, `head`, was pulled.
/// Up to the op's own revision is not enough: a newer version of the entity comes in a later page.
pub(crate) fn retire(db: &dyn Tables, log: i64, head: u64) -> Result<BTreeSet<EntityId>, PhoneError> {
    let cursors: Vec<Cursor> = tables::select(db, Cursor::KEY, values!(log))?;
    let coverage = cursors.iter().map(|cursor| cursor.rev).min().unwrap_or(0);
    let mut touched = BTreeSet::new();
    for mut own in outbox::in_state(db, log, "decided")? {
        let base_rev = base::rev(db, log, own.entity)?.unwrap_or(0);
        let laid = view::is_laid(&own, base_rev);
        let rev = own.second_rev.or(own.rev).unwrap_or(u64::MAX);
        let gone = coverage >= rev.max(head) && !base::is_in_a_scope(db, log, own.entity)?;
        if !laid || gone {
            own.state = "kept".to_owned();
            tables::put(db, &own)?;
            touched.insert(own.entity);
        }
    }
    Ok(touched)
}

/// Drops what survives the loss of the server without this phone. What a person has still to look at stays.
pub(crate) fn drop_durable(db: &dyn Tables, log: i64, durable: u64) -> Result<(), PhoneError> {
    for own in outbox::in_state(db, log, "kept")? {
        let decided = own.rev.max(own.second_rev).is_some_and(|rev| rev <= durable);
        let waits = own.outcome.as_deref() == Some("parked") && own.second.is_none();
        if decided && !waits && !is_looked_at(db, own.op)? {
            tables::delete::<StoredOp>(db, values!(own.n))?;
            tables::remove::<OpValue>(db, OpValue::KEY, values!(own.op))?;
        }
    }
    for receipt in tables::select::<HeldReceipt>(db, HeldReceipt::BY_LOG, values!(log))? {
        let mut promises = false;
        for named in tables::select::<ReceiptOp>(db, ReceiptOp::BY_RECEIPT, values!(receipt.id))? {
            promises |= outbox::by_id(db, named.op)?.is_some();
        }
        if !promises {
            tables::remove::<ReceiptOp>(db, ReceiptOp::BY_RECEIPT, values!(receipt.id))?;
            tables::delete::<HeldReceipt>(db, values!(receipt.id))?;
        }
    }
    Ok(())
}

fn is_looked_at(db: &dyn Tables, op: OpId) -> Result<bool, PhoneError> {
    let items: Vec<Attention> = tables::select(db, Attention::BY_OP, values!(Some(op)))?;
    Ok(items.iter().any(|item| !item.done))
}
