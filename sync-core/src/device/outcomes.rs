//! What became of own ops: noted once, retired from the overlay when the base has caught up, dropped when durable.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use schema::ids::{EntityId, OpId};
use schema::record::{Outcome, OutcomeLine, Record};
use serde_json::json;

use super::attention::{Raise, Trouble, raise, settle_op};
use super::error::PhoneError;
use super::outbox::{self, StoredOp};
use super::phone::{Identity, LogState};
use super::row::{Blob, int, nat};
use super::{base, view};
use crate::line::unreadable_id;

/// Where an outcome is noted, and when.
pub(crate) struct Noting<'a> {
    pub(crate) db: &'a Connection,
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
pub(crate) fn retire(db: &Connection, log: i64, head: u64) -> Result<BTreeSet<EntityId>, PhoneError> {
    let coverage: Option<i64> =
        db.query_row("SELECT MIN(rev) FROM cursor WHERE log = ?1", params![log], |row| row.get(0))?;
    let coverage = coverage.map_or(0, nat);
    let mut touched = BTreeSet::new();
    for own in outbox::all(db)?.into_iter().filter(|own| own.log == log && own.state == "decided") {
        let base_rev = base::rev(db, log, own.entity)?.unwrap_or(0);
        let laid = view::is_laid(&own, base_rev);
        let rev = own.second_rev.or(own.rev).unwrap_or(u64::MAX);
        let gone = coverage >= rev.max(head) && !base::is_in_a_scope(db, log, own.entity)?;
        if !laid || gone {
            db.prepare_cached("UPDATE own_op SET state = 'kept' WHERE op = ?1")?.execute(params![Blob(own.op)])?;
            touched.insert(own.entity);
        }
    }
    Ok(touched)
}

/// Drops what survives the loss of the server without this phone. What a person has still to look at stays.
pub(crate) fn drop_durable(db: &Connection, log: i64, durable: u64) -> Result<(), PhoneError> {
    db.prepare_cached(
        "DELETE FROM own_op WHERE log = ?1 AND state = 'kept' AND MAX(rev, COALESCE(second_rev, rev)) <= ?2
             AND NOT (outcome = 'parked' AND second IS NULL)
             AND NOT EXISTS (SELECT 1 FROM attention WHERE attention.op = own_op.op AND done = 0)",
    )?
    .execute(params![log, int(durable)])?;
    db.execute_batch(
        "DELETE FROM op_value WHERE NOT EXISTS (SELECT 1 FROM own_op WHERE own_op.op = op_value.op);
         DELETE FROM receipt WHERE NOT EXISTS
             (SELECT 1 FROM receipt_op JOIN own_op ON own_op.op = receipt_op.op WHERE receipt_op.receipt = receipt.id);",
    )?;
    Ok(())
}
