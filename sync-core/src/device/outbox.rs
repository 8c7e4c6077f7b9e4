//! The phone's own ops: their exact bytes, their numbers, and what became of them.

use schema::hash::Hash;
use schema::ids::{EntityId, OpId};
use schema::limits::INCARNATION_MAX;
use schema::op::SealedValue;
use schema::record::{Outcome, OutcomeLine};

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::store::log_by_row;
use super::tables::rows::{HeldValue, OpValue, StoredOp};
use super::tables::{self, Row, Span, Tables, values};
use crate::line::sha256;
use crate::log::chain;
use crate::sync::batch::OpLine;

pub(crate) fn by_id(db: &dyn Tables, op: OpId) -> Result<Option<StoredOp>, PhoneError> {
    tables::first(db, StoredOp::BY_OP, values!(op))
}

/// All own ops that are still held, in the order in which they were made.
pub(crate) fn all(db: &dyn Tables) -> Result<Vec<StoredOp>, PhoneError> {
    tables::select(db, StoredOp::KEY, &[])
}

/// Own ops in a state, in the order in which they were made.
pub(crate) fn in_state(db: &dyn Tables, log: i64, state: &str) -> Result<Vec<StoredOp>, PhoneError> {
    tables::select(db, StoredOp::BY_LOG_STATE, values!(log, state))
}

/// Own ops on an entity, in device order.
pub(crate) fn on_entity(db: &dyn Tables, log: i64, entity: EntityId) -> Result<Vec<StoredOp>, PhoneError> {
    tables::select(db, StoredOp::BY_ENTITY, values!(log, entity))
}

/// Appends a captured op under the log's incarnation, and moves its number and chain on.
pub(crate) fn append(db: &dyn Tables, log: i64, op: &schema::op::Op, line: &[u8]) -> Result<(), PhoneError> {
    let mut state = log_by_row(db, log)?;
    let line_hash = sha256(line);
    let link = chain::next(&state.chain, state.log, state.incarnation, state.next_seq, &line_hash);
    let last: Option<StoredOp> = tables::last(db, StoredOp::KEY, &[])?;
    let stored = StoredOp {
        n: last.map_or(1, |last| last.n.saturating_add(1)),
        op: op.op,
        log,
        entity: op.entity,
        kind: op.kind.clone(),
        line: line.to_vec(),
        line_hash,
        incarnation: state.incarnation,
        device_seq: state.next_seq,
        before: state.chain,
        chain: link,
        state: "undecided".to_owned(),
        estimate: None,
        outcome: None,
        rev: None,
        answer: None,
        second: None,
        second_rev: None,
    };
    tables::put(db, &stored)?;
    (state.next_seq, state.chain) = (state.next_seq.saturating_add(1), link);
    tables::put(db, &state)
}

/// The ops to send next: from the first undecided one on, without a hole, at most `most`. Decided ones in between go
/// along: the server answers them from its records, and the numbers stay gapless.
pub(crate) fn to_send(db: &dyn Tables, log: i64, incarnation: u64, most: usize) -> Result<Vec<StoredOp>, PhoneError> {
    let mut ops: Vec<StoredOp> = Vec::new();
    let span = Span { index: StoredOp::BY_NUMBER, prefix: values!(log, incarnation), beyond: &[], back: false };
    tables::scan(db, span, &mut |op: StoredOp| {
        if !ops.is_empty() || op.state == "undecided" {
            ops.push(op);
        }
        Ok(ops.len() < most)
    })?;
    Ok(without_hole(ops))
}

/// Undecided ops with numbers from `from` on, without a hole.
pub(crate) fn undecided_from(db: &dyn Tables, log: i64, from: u64, most: usize) -> Result<Vec<StoredOp>, PhoneError> {
    let mut ops = in_state(db, log, "undecided")?;
    ops.retain(|op| op.device_seq >= from);
    ops.sort_by_key(|op| op.device_seq);
    ops.truncate(most);
    Ok(without_hole(ops))
}

fn without_hole(ops: Vec<StoredOp>) -> Vec<StoredOp> {
    let first = ops.first().map_or(0, |op| op.device_seq);
    ops.into_iter().zip(first..).take_while(|(op, seq)| op.device_seq == *seq).map(|(op, _)| op).collect()
}

/// A new random incarnation: what is undecided is numbered from 1 again, in its order, with its bytes as they are.
pub(crate) fn renumber(db: &dyn Tables, log: i64, entropy: &mut dyn Entropy) -> Result<(), PhoneError> {
    let mut state = log_by_row(db, log)?;
    (state.incarnation, state.next_seq, state.chain) = (new_incarnation(entropy)?, 1, Hash::ZERO);
    for mut op in in_state(db, log, "undecided")? {
        op.incarnation = state.incarnation;
        op.device_seq = state.next_seq;
        op.before = state.chain;
        op.chain = chain::next(&op.before, state.log, op.incarnation, op.device_seq, &op.line_hash);
        tables::put(db, &op)?;
        (state.next_seq, state.chain) = (state.next_seq.saturating_add(1), op.chain);
    }
    tables::put(db, &state)
}

/// 1 to 2^53 − 1.
pub(crate) fn new_incarnation(entropy: &mut dyn Entropy) -> Result<u64, PhoneError> {
    Ok((u64::from_be_bytes(draw(entropy)?) & INCARNATION_MAX).max(1))
}

/// The name of an outcome, as stored.
pub(crate) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::AcceptedWithConflict => "accepted_with_conflict",
        Outcome::Rejected => "rejected",
        Outcome::Parked => "parked",
    }
}

/// Notes what became of an op. A first outcome never changes: a repeat of it changes nothing.
pub(crate) fn decide(db: &dyn Tables, line: &OutcomeLine, outcome: Outcome) -> Result<bool, PhoneError> {
    let Some(mut op) = by_id(db, line.op)?.filter(|op| op.state == "undecided") else { return Ok(false) };
    op.state = "decided".to_owned();
    op.outcome = Some(outcome_name(outcome).to_owned());
    op.rev = Some(line.rev);
    op.answer = Some(crate::json::write(line)?);
    op.estimate = None;
    tables::put(db, &op)?;
    Ok(true)
}

/// Notes what became of a parked op when a person released or discarded it.
pub(crate) fn decide_again(db: &dyn Tables, op: OpId, outcome: Outcome, rev: u64) -> Result<bool, PhoneError> {
    let parked = |op: &StoredOp| op.outcome.as_deref() == Some("parked") && op.second.is_none();
    let Some(mut op) = by_id(db, op)?.filter(parked) else { return Ok(false) };
    op.second = Some(outcome_name(outcome).to_owned());
    op.second_rev = Some(rev);
    op.state = "decided".to_owned();
    tables::put(db, &op)?;
    Ok(true)
}

/// The op with its values, as it travels.
pub(crate) fn op_line(db: &dyn Tables, op: &StoredOp) -> Result<OpLine, PhoneError> {
    Ok(OpLine { line: op.line.clone(), values: values_of(db, op.op)? })
}

/// The values of an op, in their order.
pub(crate) fn values_of(db: &dyn Tables, op: OpId) -> Result<Vec<SealedValue>, PhoneError> {
    let mut held = Vec::new();
    for named in tables::select::<OpValue>(db, OpValue::KEY, values!(op))? {
        if let Some(value) = tables::get::<HeldValue>(db, values!(named.sealed))? {
            held.push(SealedValue { sealed: value.sealed, salt: value.salt, value: value.value });
        }
    }
    Ok(held)
}
