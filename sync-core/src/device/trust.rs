//! The phone as a witness: it keeps the checkpoints it verified, checks that each new one extends them, and keeps the
//! signed receipts of its pushes until the log is durable up to them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schema::ids::{EpochId, LogId, OpId};
use schema::record::OutcomeLine;
use schema::sync::{SignedReceipt, SyncHead, SyncHeader, TreeHead};
use serde_json::json;

use super::error::PhoneError;
use super::outbox;
use super::store::{Identity, LogState, Store, logs};
use super::tables::rows::{Checkpoint, HeldReceipt, ReceiptOp, StoredOp};
use super::tables::{self, Row, Span, Tables, values};
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
    db: &dyn Tables,
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
    db: &dyn Tables,
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
fn held_other(db: &dyn Tables, log: i64, head: TreeHead) -> Result<bool, PhoneError> {
    let held: Option<Checkpoint> = tables::get(db, values!(log, head.size))?;
    Ok(held.is_some_and(|held| held.root != head.root))
}

/// Whether a held checkpoint was signed in another epoch than this. A held note was read before, by the same key.
fn is_of_earlier_epoch(db: &dyn Tables, log: &LogState, held: TreeHead, epoch: EpochId) -> Result<bool, PhoneError> {
    let held = note(db, log.id, held.size)?.unwrap_or_default();
    let checkpoint = Verifier::parse(&log.signer).and_then(|verifier| verifier.checkpoint(&held));
    let signed_in = checkpoint.ok().and_then(|checkpoint| Some(read_origin(&checkpoint.origin)?.2));
    Ok(signed_in.is_some_and(|signed_in| signed_in != epoch))
}

/// Which revision of a log this phone knows for certain to exist: an outcome it holds, or what is durable.
pub(crate) fn certain_rev(db: &dyn Tables, log: &LogState) -> Result<u64, PhoneError> {
    let own: Vec<StoredOp> = tables::select(db, StoredOp::BY_ENTITY, values!(log.id))?;
    let decided = own.iter().filter_map(|own| own.rev.max(own.second_rev)).max();
    Ok(decided.unwrap_or(0).max(log.durable))
}

/// The newest verified checkpoint.
pub(crate) fn newest(db: &dyn Tables, log: i64) -> Result<Option<TreeHead>, PhoneError> {
    newest_at_most(db, log, u64::MAX)
}

/// The newest verified checkpoint that is no larger than a revision.
pub(crate) fn newest_at_most(db: &dyn Tables, log: i64, rev: u64) -> Result<Option<TreeHead>, PhoneError> {
    let mut newest = None;
    let span = Span { index: Checkpoint::KEY, prefix: values!(log), beyond: &[], back: true };
    tables::scan(db, span, &mut |held: Checkpoint| {
        newest = (held.size <= rev).then_some(TreeHead { size: held.size, root: held.root });
        Ok(newest.is_none())
    })?;
    Ok(newest)
}

/// Keeps a verified checkpoint; forgets those that neither the next proof nor a restore will ask for.
pub(crate) fn keep(db: &dyn Tables, log: i64, head: TreeHead, note: &str, durable: u64) -> Result<(), PhoneError> {
    if tables::get::<Checkpoint>(db, values!(log, head.size))?.is_none() {
        tables::put(db, &Checkpoint { log, size: head.size, root: head.root, note: note.to_owned() })?;
    }
    if let Some(durable) = newest_at_most(db, log, durable)? {
        forget_where(db, log, |size| size < durable.size)?;
    }
    thin(db, log)?;
    for receipt in tables::select::<HeldReceipt>(db, HeldReceipt::BY_LOG, values!(log))? {
        if receipt.last_rev <= head.size && !receipt.covered {
            tables::put(db, &HeldReceipt { covered: true, ..receipt })?;
        }
    }
    Ok(())
}

fn forget_where(db: &dyn Tables, log: i64, goes: impl Fn(u64) -> bool) -> Result<(), PhoneError> {
    for held in tables::select::<Checkpoint>(db, Checkpoint::KEY, values!(log))? {
        if goes(held.size) {
            tables::delete::<Checkpoint>(db, values!(log, held.size))?;
        }
    }
    Ok(())
}

/// Every second one goes when there are too many; the smallest and the newest stay.
fn thin(db: &dyn Tables, log: i64) -> Result<(), PhoneError> {
    let held: Vec<Checkpoint> = tables::select(db, Checkpoint::KEY, values!(log))?;
    if held.len() <= CHECKPOINTS_MAX {
        return Ok(());
    }
    let newest = held.last().map(|held| held.size);
    for held in held.iter().skip(1).step_by(2).filter(|held| Some(held.size) != newest) {
        tables::delete::<Checkpoint>(db, values!(log, held.size))?;
    }
    Ok(())
}

/// What is wrong with a receipt, for the alarm; none if it is good.
pub(crate) fn take_receipt(
    db: &dyn Tables,
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
    if tables::count::<HeldReceipt>(db, HeldReceipt::BY_TEXT, values!(signed.text))? > 0 {
        return Ok(None);
    }
    let last: Option<HeldReceipt> = tables::last(db, HeldReceipt::KEY, &[])?;
    let id = last.map_or(1, |last| last.id.saturating_add(1));
    let (text, signature) = (signed.text.clone(), signed.signature);
    tables::put(db, &HeldReceipt { id, log: log.id, epoch, last_rev, text, signature, covered: false })?;
    for op in &receipt.ops {
        tables::put(db, &ReceiptOp { op: op.op, receipt: id })?;
    }
    Ok(None)
}

/// After a restore of the server only what was durable is certain; the new epoch must extend that.
pub(crate) fn forget_above(db: &dyn Tables, log: i64, durable: u64) -> Result<(), PhoneError> {
    forget_where(db, log, |size| size > durable)
}

/// A verified checkpoint as it was signed.
pub(crate) fn note(db: &dyn Tables, log: i64, size: u64) -> Result<Option<String>, PhoneError> {
    Ok(tables::get::<Checkpoint>(db, values!(log, size))?.map(|held| held.note))
}

impl Store {
    /// The newest checkpoint of each log that this phone has verified: what stays of one that wipes itself. None where a
    /// fork was seen, for such a phone is a witness and must not be wiped.
    ///
    /// # Errors
    /// The store's.
    pub fn last_checkpoints(&self) -> Result<Option<Vec<(LogId, String)>>, PhoneError> {
        let mut checkpoints = Vec::new();
        for log in logs(self.db())? {
            if log.forked {
                return Ok(None);
            }
            let Some(head) = newest(self.db(), log.id)? else { continue };
            checkpoints.extend(note(self.db(), log.id, head.size)?.map(|note| (log.log, note)));
        }
        Ok(Some(checkpoints))
    }
}
