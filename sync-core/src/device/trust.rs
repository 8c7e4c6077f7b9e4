//! The phone as a witness: it keeps the checkpoints it verified, checks that each new one extends them, and keeps the
//! signed receipts of its pushes until the log is durable up to them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use schema::hash::Hash;
use schema::ids::{EpochId, OpId};
use schema::record::OutcomeLine;
use schema::sync::{SignedReceipt, SyncHead, SyncHeader, TreeHead};
use serde_json::json;

use super::error::PhoneError;
use super::outbox;
use super::phone::{Identity, LogState};
use super::row::{Blob, int, nat};
use crate::line::sha256;
use crate::log::checkpoint::{Verifier, read_origin};
use crate::log::tree::{empty_root, verify_consistency};
use crate::log::{epoch_start, leaf, receipt};

/// How many verified checkpoints are kept between the durable one and the newest.
const CHECKPOINTS_MAX: usize = 64;

/// What a checkpoint says about the log, seen beside those verified before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It extends what was verified.
    Extends(TreeHead),
    /// Nothing new, or an answer that came late: what is held stays.
    Nothing,
    /// It can't be checked: not signed by the log's signer, or of another log. What came with it is not believed.
    Unsigned(String),
    /// Two checkpoints, both signed, that can't both be true.
    Fork {
        /// The one held.
        held: TreeHead,
        /// The one that came, as signed.
        note: String,
    },
}

/// Judges the checkpoint of an answer. Decides only; [`keep`] does.
pub(crate) fn judge(
    db: &Connection,
    log: &LogState,
    header: &SyncHeader,
    head: &SyncHead,
) -> Result<Verdict, PhoneError> {
    let Some(note) = &head.checkpoint else { return Ok(Verdict::Nothing) };
    let checked = Verifier::parse(&log.signer).and_then(|verifier| verifier.checkpoint(note));
    let checkpoint = match checked {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Verdict::Unsigned(error.to_string())),
    };
    if !read_origin(&checkpoint.origin).is_some_and(|(_, of, epoch)| of == log.log && epoch == head.epoch) {
        return Ok(Verdict::Unsigned(format!("its origin is {}", checkpoint.origin)));
    }
    let new = checkpoint.head;
    let fork = |held: TreeHead| Verdict::Fork { held, note: note.clone() };
    let Some(held) = newest(db, log.id)? else { return Ok(Verdict::Extends(new)) };
    Ok(match new.size.cmp(&held.size) {
        Ordering::Equal if new.root == held.root => Verdict::Nothing,
        Ordering::Equal => fork(held),
        Ordering::Less if held_other(db, log.id, new)? => fork(held),
        // What is held across an epoch was durable: the new epoch begins with it, so no tree of it is smaller.
        Ordering::Less if is_of_earlier_epoch(db, log, held, head.epoch)? => fork(held),
        // An older tree, late: no contradiction. A server that went back betrays itself when it grows past what is held.
        Ordering::Less => Verdict::Nothing,
        Ordering::Greater if header.checkpoint == Some(held) => {
            if verify_consistency(&held, &new, &head.consistency) {
                Verdict::Extends(new)
            } else {
                fork(held)
            }
        }
        // The proof is from another checkpoint than the one held now: the next answer brings the right one.
        Ordering::Greater => Verdict::Nothing,
    })
}

/// Judges the first answer of an epoch that is new to this phone: the log must extend what was durable, and begin the
/// epoch with an entry that says what it kept. Decides only.
pub(crate) fn judge_epoch(
    db: &Connection,
    log: &LogState,
    header: &SyncHeader,
    head: &SyncHead,
) -> Result<Verdict, PhoneError> {
    let Some(note) = &head.checkpoint else {
        return Ok(Verdict::Unsigned("a new epoch without a checkpoint".to_owned()));
    };
    let checked = Verifier::parse(&log.signer).and_then(|verifier| verifier.checkpoint(note));
    let checkpoint = match checked {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Ok(Verdict::Unsigned(error.to_string())),
    };
    if !read_origin(&checkpoint.origin).is_some_and(|(_, of, epoch)| of == log.log && epoch == head.epoch) {
        return Ok(Verdict::Unsigned(format!("its origin is {}", checkpoint.origin)));
    }
    let new = checkpoint.head;
    let durable = newest_at_most(db, log.id, log.durable)?;
    if header.durable_checkpoint != durable {
        // The proof is from another checkpoint than the one held now: the next answer brings the right one.
        return Ok(Verdict::Nothing);
    }
    let begun = head.epoch_start.as_deref().is_some_and(|start| {
        epoch_start::check(log.log, head.epoch, &new, start).is_ok_and(|kept_rev| {
            durable.is_none_or(|durable| durable.size <= kept_rev && verify_consistency(&durable, &new, &start.durable))
        })
    });
    Ok(match (begun, durable.or(newest(db, log.id)?)) {
        (true, _) => Verdict::Extends(new),
        (false, held) => {
            let held = held.unwrap_or(TreeHead { size: 0, root: empty_root() });
            Verdict::Fork { held, note: note.clone() }
        }
    })
}

/// Whether another root of the same size was verified before.
fn held_other(db: &Connection, log: i64, head: TreeHead) -> Result<bool, PhoneError> {
    let root: Option<Blob<Hash>> = db
        .prepare_cached("SELECT root FROM checkpoint WHERE log = ?1 AND size = ?2")?
        .query_row(params![log, int(head.size)], |row| row.get(0))
        .optional()?;
    Ok(root.is_some_and(|root| root.0 != head.root))
}

/// Whether a held checkpoint was signed in another epoch than this. A held note was read before, by the same key.
fn is_of_earlier_epoch(db: &Connection, log: &LogState, held: TreeHead, epoch: EpochId) -> Result<bool, PhoneError> {
    let held = note(db, log.id, held.size)?.unwrap_or_default();
    let checkpoint = Verifier::parse(&log.signer).and_then(|verifier| verifier.checkpoint(&held));
    let signed_in = checkpoint.ok().and_then(|checkpoint| Some(read_origin(&checkpoint.origin)?.2));
    Ok(signed_in.is_some_and(|signed_in| signed_in != epoch))
}

/// Which revision of a log this phone knows for certain to exist: an outcome it holds, or what is durable.
pub(crate) fn certain_rev(db: &Connection, log: &LogState) -> Result<u64, PhoneError> {
    let decided: i64 = db
        .prepare_cached(
            "SELECT COALESCE(MAX(MAX(COALESCE(rev, 0), COALESCE(second_rev, 0))), 0) FROM own_op WHERE log = ?1",
        )?
        .query_row(params![log.id], |row| row.get(0))?;
    Ok(nat(decided).max(log.durable))
}

/// The newest verified checkpoint.
pub(crate) fn newest(db: &Connection, log: i64) -> Result<Option<TreeHead>, PhoneError> {
    newest_at_most(db, log, u64::MAX)
}

/// The newest verified checkpoint that is no larger than a revision.
pub(crate) fn newest_at_most(db: &Connection, log: i64, rev: u64) -> Result<Option<TreeHead>, PhoneError> {
    let mut statement = db
        .prepare_cached("SELECT size, root FROM checkpoint WHERE log = ?1 AND size <= ?2 ORDER BY size DESC LIMIT 1")?;
    let head = statement
        .query_row(params![log, int(rev)], |row| {
            Ok(TreeHead { size: nat(row.get(0)?), root: row.get::<_, Blob<Hash>>(1)?.0 })
        })
        .optional()?;
    Ok(head)
}

/// Keeps a verified checkpoint; forgets those that neither the next proof nor a restore will ask for.
pub(crate) fn keep(db: &Connection, log: i64, head: TreeHead, note: &str, durable: u64) -> Result<(), PhoneError> {
    db.prepare_cached("INSERT OR IGNORE INTO checkpoint (log, size, root, note) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![log, int(head.size), Blob(head.root), note])?;
    if let Some(durable) = newest_at_most(db, log, durable)? {
        db.prepare_cached("DELETE FROM checkpoint WHERE log = ?1 AND size < ?2")?
            .execute(params![log, int(durable.size)])?;
    }
    thin(db, log)?;
    db.prepare_cached("UPDATE receipt SET covered = 1 WHERE log = ?1 AND last_rev <= ?2 AND covered = 0")?
        .execute(params![log, int(head.size)])?;
    Ok(())
}

/// Every second one goes when there are too many; the smallest and the newest stay.
fn thin(db: &Connection, log: i64) -> Result<(), PhoneError> {
    let sizes: Vec<i64> = db
        .prepare_cached("SELECT size FROM checkpoint WHERE log = ?1 ORDER BY size")?
        .query_map(params![log], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if sizes.len() <= CHECKPOINTS_MAX {
        return Ok(());
    }
    let newest = sizes.last().copied();
    for size in sizes.iter().skip(1).step_by(2).filter(|size| Some(**size) != newest) {
        db.execute("DELETE FROM checkpoint WHERE log = ?1 AND size = ?2", params![log, size])?;
    }
    Ok(())
}

/// What is wrong with a receipt, for the alarm; none if it is good.
pub(crate) fn take_receipt(
    db: &Connection,
    identity: &Identity,
    log: &LogState,
    epoch: EpochId,
    signed: &SignedReceipt,
    outcomes: &BTreeMap<OpId, &OutcomeLine>,
) -> Result<Option<serde_json::Value>, PhoneError> {
    let Ok(verifier) = Verifier::parse(&log.signer) else {
        return Ok(Some(json!({"why": "the log's verifier key can't be read"})));
    };
    let receipt = match receipt::open(&verifier, signed) {
        Ok(receipt) => receipt,
        Err(error) => return Ok(Some(json!({"why": error.to_string()}))),
    };
    if receipt.log != log.log || receipt.epoch != epoch || receipt.device != identity.device {
        return Ok(Some(json!({"why": "the receipt is of another log, epoch or device"})));
    }
    for op in &receipt.ops {
        let (Some(outcome), Some(stored)) = (outcomes.get(&op.op), outbox::by_id(db, op.op)?) else { continue };
        let line_hash = sha256(&stored.line);
        let leaf = leaf::of_outcome(log.log, identity.device, identity.account, line_hash, outcome);
        if leaf::hash(&leaf) != op.leaf || outcome.rev != op.rev {
            return Ok(Some(
                json!({"why": "the receipt's leaf is not that of the outcome", "op": op.op, "rev": op.rev}),
            ));
        }
    }
    let last_rev = receipt.ops.iter().map(|op| op.rev).max().unwrap_or(0);
    let new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO receipt (log, epoch, last_rev, text, signature) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![log.id, Blob(epoch), int(last_rev), signed.text, Blob(signed.signature)])?;
    if new > 0 {
        let id = db.last_insert_rowid();
        for op in &receipt.ops {
            db.prepare_cached("INSERT OR IGNORE INTO receipt_op (op, receipt) VALUES (?1, ?2)")?
                .execute(params![Blob(op.op), id])?;
        }
    }
    Ok(None)
}

/// After a restore of the server only what was durable is certain; the new epoch must extend that.
pub(crate) fn forget_above(db: &Connection, log: i64, durable: u64) -> Result<(), PhoneError> {
    db.execute("DELETE FROM checkpoint WHERE log = ?1 AND size > ?2", params![log, int(durable)])?;
    Ok(())
}

/// A verified checkpoint as it was signed.
pub(crate) fn note(db: &Connection, log: i64, size: u64) -> Result<Option<String>, PhoneError> {
    let mut statement = db.prepare_cached("SELECT note FROM checkpoint WHERE log = ?1 AND size = ?2")?;
    Ok(statement.query_row(params![log, int(size)], |row| row.get(0)).optional()?)
}
