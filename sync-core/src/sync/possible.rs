//! Which steps a person may take on a case now, as this device thinks: the reducer is asked about each. Only the server
//! decides.

use schema::entity::Entity;
use schema::hash::{Hash, Salt};
use schema::ids::{BootId, DeviceId, LogId, OpId};
use schema::limits::LINE_VERSION;
use schema::op::{Base, Captured, Op};
use schema::record::RefusalCode;
use serde_json::{Map, Value, json};

use super::overlay::{Known, OwnOp, ask};
use crate::line::KIND_VERSION;

/// What is asked about: each kind that a person may want, with a body that can be read. What it says is not judged.
fn questions() -> [(&'static str, Value); 18] {
    let sealed = json!({ "sealed": Hash::ZERO });
    let (photo, id) = (Hash::ZERO, OpId::NIL);
    [
        ("amend", json!({ "changes": {} })),
        ("add_evidence", json!({ "photos": [] })),
        ("withdraw_evidence", json!({ "photo": photo, "of": id, "reason": sealed })),
        ("comment", json!({ "text": sealed })),
        ("file", json!({ "condition": "x" })),
        ("decline", json!({ "reason": "x" })),
        ("link_duplicate", json!({ "of": id })),
        ("unlink_duplicate", json!({ "reason": sealed })),
        ("assign", json!({ "unit": id })),
        ("accept", json!({})),
        ("return_assignment", json!({ "reason": "x" })),
        ("submit_fix", json!({})),
        ("check", json!({ "verdict": "pass" })),
        ("close", json!({ "condition": "x" })),
        ("waive_evidence", json!({ "photo": photo, "reason": sealed })),
        ("reopen", json!({ "reason": sealed })),
        ("void", json!({ "reason": sealed })),
        ("restrict", json!({ "roles": ["supervisor"], "until_ms": u64::MAX >> 11, "reason": sealed })),
    ]
}

/// The kinds that neither the state of the case nor the person's roles rule out.
pub fn possible(entity: &Entity, known: &Known) -> Vec<&'static str> {
    let Entity::Case(_) = entity else { return Vec::new() };
    questions().into_iter().filter(|(kind, body)| may(entity, kind, body, known)).map(|(kind, _)| kind).collect()
}

fn may(entity: &Entity, kind: &str, body: &Value, known: &Known) -> bool {
    let Entity::Case(case) = entity else { return false };
    let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    let seen = u64::MAX >> 11;
    let op = Op {
        v: LINE_VERSION,
        log: LogId::NIL,
        op: OpId::NIL,
        device: DeviceId::NIL,
        actor: known.account.as_ref().map_or(schema::ids::AccountId::NIL, |account| account.id),
        entity: case.id,
        kind: kind.to_owned(),
        kind_version: KIND_VERSION,
        base: Some(Base(known.epoch, seen)),
        captured: Captured { wall_ms: 0, elapsed_ms: 0, boot: BootId::NIL },
        salt: Salt([0; 16]),
        body,
    };
    let own = OwnOp { op, accepted: None, other: None };
    let ruled_out = [RefusalCode::StaleState, RefusalCode::NotPermitted, RefusalCode::ActorRevoked];
    let record = ask(entity, &own, seen, known);
    record.is_some_and(|record| record.code.is_none_or(|code| !ruled_out.contains(&code)))
}
