//! The phone's own ops: their exact bytes, their numbers, and what became of them.

use rusqlite::{Connection, OptionalExtension, params};
use schema::hash::{Hash, Salt};
use schema::ids::{EntityId, OpId};
use schema::limits::INCARNATION_MAX;
use schema::op::SealedValue;
use schema::record::{Outcome, OutcomeLine};

use super::entropy::{Entropy, draw};
use super::error::PhoneError;
use super::phone::log_by_row;
use super::row::{Blob, int, nat};
use crate::line::sha256;
use crate::log::chain;
use crate::sync::batch::OpLine;

/// An own op as stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredOp {
    pub(crate) op: OpId,
    pub(crate) log: i64,
    pub(crate) entity: EntityId,
    pub(crate) kind: String,
    pub(crate) line: Vec<u8>,
    pub(crate) device_seq: u64,
    pub(crate) before: Hash,
    pub(crate) chain: Hash,
    pub(crate) state: String,
    pub(crate) outcome: Option<String>,
    pub(crate) rev: Option<u64>,
    pub(crate) answer: Option<String>,
    pub(crate) second: Option<String>,
    pub(crate) second_rev: Option<u64>,
    pub(crate) estimate: Option<String>,
}

const COLUMNS: &str = "SELECT op, log, entity, kind, line, device_seq, chain, state, outcome, rev, answer, second,
    second_rev, estimate, before FROM own_op";

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredOp> {
    Ok(StoredOp {
        op: row.get::<_, Blob<OpId>>(0)?.0,
        log: row.get(1)?,
        entity: row.get::<_, Blob<EntityId>>(2)?.0,
        kind: row.get(3)?,
        line: row.get(4)?,
        device_seq: nat(row.get(5)?),
        chain: row.get::<_, Blob<Hash>>(6)?.0,
        state: row.get(7)?,
        outcome: row.get(8)?,
        rev: row.get::<_, Option<i64>>(9)?.map(nat),
        answer: row.get(10)?,
        second: row.get(11)?,
        second_rev: row.get::<_, Option<i64>>(12)?.map(nat),
        estimate: row.get(13)?,
        before: row.get::<_, Blob<Hash>>(14)?.0,
    })
}

pub(crate) fn by_id(db: &Connection, op: OpId) -> Result<Option<StoredOp>, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE op = ?1"))?;
    Ok(statement.query_row(params![Blob(op)], stored).optional()?)
}

/// All own ops that are still held, in the order in which they were made.
pub(crate) fn all(db: &Connection) -> Result<Vec<StoredOp>, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} ORDER BY n"))?;
    let rows = statement.query_map([], stored)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Own ops on an entity, in device order.
pub(crate) fn on_entity(db: &Connection, log: i64, entity: EntityId) -> Result<Vec<StoredOp>, PhoneError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} WHERE log = ?1 AND entity = ?2 ORDER BY n"))?;
    let rows = statement.query_map(params![log, Blob(entity)], stored)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Appends a captured op under the log's incarnation, and moves its number and chain on.
pub(crate) fn append(db: &Connection, log: i64, op: &schema::op::Op, line: &[u8]) -> Result<(), PhoneError> {
    let state = log_by_row(db, log)?;
    let line_hash = sha256(line);
    let link = chain::next(&state.chain, state.log, state.incarnation, state.next_seq, &line_hash);
    db.prepare_cached(
        "INSERT INTO own_op (op, log, entity, kind, line, line_hash, incarnation, device_seq, before, chain, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'undecided')",
    )?
    .execute(params![
        Blob(op.op),
        log,
        Blob(op.entity),
        op.kind,
        line,
        Blob(line_hash),
        int(state.incarnation),
        int(state.next_seq),
        Blob(state.chain),
        Blob(link)
    ])?;
    db.prepare_cached("UPDATE log SET next_seq = next_seq + 1, chain = ?2 WHERE id = ?1")?
        .execute(params![log, Blob(link)])?;
    Ok(())
}

/// The ops to send next: from the first undecided one on, without a hole, at most `most`. Decided ones in between go
/// along: the server answers them from its records, and the numbers stay gapless.
pub(crate) fn to_send(db: &Connection, log: i64, incarnation: u64, most: usize) -> Result<Vec<StoredOp>, PhoneError> {
    let mut statement = db.prepare_cached(&format!(
        "{COLUMNS} WHERE log = ?1 AND incarnation = ?2 AND device_seq >= (
             SELECT MIN(device_seq) FROM own_op WHERE log = ?1 AND incarnation = ?2 AND state = 'undecided')
         ORDER BY device_seq LIMIT ?3"
    ))?;
    let rows: Vec<StoredOp> = statement
        .query_map(params![log, int(incarnation), i64::try_from(most).unwrap_or(i64::MAX)], stored)?
        .collect::<Result<_, _>>()?;
    Ok(without_hole(rows))
}

/// Undecided ops with numbers from `from` on, without a hole.
pub(crate) fn undecided_from(db: &Connection, log: i64, from: u64, most: usize) -> Result<Vec<StoredOp>, PhoneError> {
    let mut statement = db.prepare_cached(&format!(
        "{COLUMNS} WHERE log = ?1 AND state = 'undecided' AND device_seq >= ?2 ORDER BY device_seq LIMIT ?3"
    ))?;
    let rows: Vec<StoredOp> = statement
        .query_map(params![log, int(from), i64::try_from(most).unwrap_or(i64::MAX)], stored)?
        .collect::<Result<_, _>>()?;
    Ok(without_hole(rows))
}

fn without_hole(ops: Vec<StoredOp>) -> Vec<StoredOp> {
    let first = ops.first().map_or(0, |op| op.device_seq);
    ops.into_iter().zip(first..).take_while(|(op, seq)| op.device_seq == *seq).map(|(op, _)| op).collect()
}

/// A new random incarnation: what is undecided is numbered from 1 again, in its order, with its bytes as they are.
pub(crate) fn renumber(db: &Connection, log: i64, entropy: &mut dyn Entropy) -> Result<(), PhoneError> {
    let incarnation = new_incarnation(entropy)?;
    let state = log_by_row(db, log)?;
    let undecided: Vec<(i64, Blob<Hash>)> = db
        .prepare_cached("SELECT n, line_hash FROM own_op WHERE log = ?1 AND state = 'undecided' ORDER BY n")?
        .query_map(params![log], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let (mut link, mut seq) = (Hash::ZERO, 1);
    for (n, line_hash) in undecided {
        let before = link;
        link = chain::next(&before, state.log, incarnation, seq, &line_hash.0);
        db.prepare_cached("UPDATE own_op SET incarnation = ?2, device_seq = ?3, before = ?4, chain = ?5 WHERE n = ?1")?
            .execute(params![n, int(incarnation), int(seq), Blob(before), Blob(link)])?;
        seq = seq.saturating_add(1);
    }
    db.execute(
        "UPDATE log SET incarnation = ?2, next_seq = ?3, chain = ?4 WHERE id = ?1",
        params![log, int(incarnation), int(seq), Blob(link)],
    )?;
    Ok(())
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
pub(crate) fn decide(db: &Connection, line: &OutcomeLine, outcome: Outcome) -> Result<bool, PhoneError> {
    let changed = db
        .prepare_cached(
            "UPDATE own_op SET state = 'decided', outcome = ?2, rev = ?3, answer = ?4, estimate = NULL
             WHERE op = ?1 AND state = 'undecided'",
        )?
        .execute(params![Blob(line.op), outcome_name(outcome), int(line.rev), serde_json::to_string(line)?])?;
    Ok(changed > 0)
}

/// Notes what became of a parked op when a person released or discarded it.
pub(crate) fn decide_again(db: &Connection, op: OpId, outcome: Outcome, rev: u64) -> Result<bool, PhoneError> {
    let changed = db
        .prepare_cached(
            "UPDATE own_op SET second = ?2, second_rev = ?3, state = 'decided'
             WHERE op = ?1 AND outcome = 'parked' AND second IS NULL",
        )?
        .execute(params![Blob(op), outcome_name(outcome), int(rev)])?;
    Ok(changed > 0)
}

/// The op with its values, as it travels.
pub(crate) fn op_line(db: &Connection, op: &StoredOp) -> Result<OpLine, PhoneError> {
    Ok(OpLine { line: op.line.clone(), values: values_of(db, op.op)? })
}

/// The values of an op, in their order.
pub(crate) fn values_of(db: &Connection, op: OpId) -> Result<Vec<SealedValue>, PhoneError> {
    let mut statement = db.prepare_cached(
        "SELECT value.sealed, salt, value FROM op_value JOIN value USING (sealed) WHERE op = ?1 ORDER BY n",
    )?;
    let values = statement
        .query_map(params![Blob(op)], |row| {
            Ok(SealedValue {
                sealed: row.get::<_, Blob<Hash>>(0)?.0,
                salt: row.get::<_, Blob<Salt>>(1)?.0,
                value: row.get(2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(values)
}
