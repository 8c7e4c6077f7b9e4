//! Which steps a person may take on a case now, as this device thinks: the reducer is asked about each. Only the server
//! decides.

use schema::case::Case;
use schema::entity::Entity;
use schema::hash::{Hash, Salt};
use schema::ids::{BootId, DeviceId, LogId, OpId};
use schema::limits::LINE_VERSION;
use schema::op::{Base, Captured, Op};
use schema::record::{Outcome, Record, RefusalCode};
use serde_json::{Map, Value, json};

use super::overlay::{Known, OwnOp, ask};
use crate::line::KIND_VERSION;

const HOUR_MS: u64 = 3600 * 1000;
/// More documents than any stage wants.
const DOCUMENTS_ASKED: usize = 8;

/// What is asked about: each kind that a person may want, with a body that can be read. What it says is not judged.
fn questions() -> [(&'static str, Value); 19] {
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
        ("finish_help", json!({})),
        ("check", json!({ "verdict": "pass" })),
        ("close", json!({ "condition": "x" })),
        ("waive_evidence", json!({ "photo": photo, "reason": sealed })),
        ("reopen", json!({ "reason": sealed })),
        ("void", json!({ "reason": sealed })),
        ("restrict", json!({ "roles": ["supervisor"], "until_ms": u64::MAX >> 11, "reason": sealed })),
    ]
}

/// What is asked about clocks: for each of them, since what may be done depends on which it is.
fn about_clocks(case: &Case, known: &Known) -> Vec<(&'static str, Value)> {
    let sealed = json!({ "sealed": Hash::ZERO });
    let until_ms = known.now_ms.saturating_add(HOUR_MS);
    let mut asked = vec![
        ("suspend", json!({ "until_ms": until_ms, "reason": sealed })),
        ("resume", json!({ "reason": sealed })),
        ("supervise", json!({ "reason": sealed })),
        ("urge", json!({})),
    ];
    if let Some(extension) = &case.extension {
        asked.push(("decide_extension", json!({ "request": extension.request, "grant": true })));
    }
    let photo = |role: &str| json!({ "sha256": Hash::ZERO, "size": 1, "role": role, "taken": { "by": "file" } });
    for interim in &case.interim {
        let body = json!({ "stage": interim.stage, "verdict": "pass", "photos": [photo("check")] });
        asked.push(("interim_check", body));
    }
    for clock in &case.clocks {
        let stage = &clock.stage;
        asked.push(("request_extension", json!({ "stage": stage, "reason": sealed })));
        asked.push(("appeal_overdue", json!({ "stage": stage, "reason": sealed })));
        asked.push(("decide_appeal", json!({ "stage": stage, "grant": true })));
        let documents: Vec<Value> = (0..DOCUMENTS_ASKED).map(|_| photo("document")).collect();
        asked.push(("end_stage", json!({ "stage": stage, "photos": documents })));
    }
    asked
}

/// Good news is heard within its time, bad news at any.
fn of_look_back(entity: &Entity, known: &Known) -> Vec<&'static str> {
    let photo = json!({ "sha256": Hash::ZERO, "size": 1, "role": "lookback", "taken": { "by": "file" } });
    let mut bodies =
        ["held", "relapsed"].into_iter().map(|verdict| json!({ "verdict": verdict, "photos": [photo.clone()] }));
    let accepted = |body: Value| {
        answer(entity, "look_back", &body, known).is_some_and(|record| record.outcome == Outcome::Accepted)
    };
    if bodies.any(accepted) { vec!["look_back"] } else { Vec::new() }
}

/// The kinds that neither the state of the case nor the person's roles rule out.
pub fn possible(entity: &Entity, known: &Known) -> Vec<&'static str> {
    let case = match entity {
        Entity::Case(case) => case,
        Entity::LookBackTask(_) => return of_look_back(entity, known),
        _ => return Vec::new(),
    };
    let asked = questions().into_iter().filter(|(kind, body)| may(entity, kind, body, known)).map(|(kind, _)| kind);
    let mut found: Vec<_> = asked.collect();
    for (kind, body) in about_clocks(case, known) {
        let said = answer(entity, kind, &body, known);
        let by_day = said.as_ref().is_some_and(|record| record.detail.get("needs").is_some() && kind == "end_stage");
        let accepted = said.is_some_and(|record| record.outcome == Outcome::Accepted);
        if (accepted || by_day) && !found.contains(&kind) {
            found.push(kind);
        }
    }
    found
}

fn may(entity: &Entity, kind: &str, body: &Value, known: &Known) -> bool {
    let ruled_out = [RefusalCode::StaleState, RefusalCode::NotPermitted, RefusalCode::ActorRevoked];
    let record = answer(entity, kind, body, known);
    record.is_some_and(|record| record.code.is_none_or(|code| !ruled_out.contains(&code)))
}

fn answer(entity: &Entity, kind: &str, body: &Value, known: &Known) -> Option<Record> {
    let id = match entity {
        Entity::Case(case) => case.id,
        Entity::LookBackTask(task) => task.id,
        _ => return None,
    };
    let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
    let seen = u64::MAX >> 11;
    let op = Op {
        v: LINE_VERSION,
        log: LogId::NIL,
        op: OpId::NIL,
        device: DeviceId::NIL,
        actor: known.account.as_ref().map_or(schema::ids::AccountId::NIL, |account| account.id),
        entity: id,
        kind: kind.to_owned(),
        kind_version: KIND_VERSION,
        base: Some(Base(known.epoch, seen)),
        captured: Captured { wall_ms: 0, elapsed_ms: 0, boot: BootId::NIL },
        salt: Salt([0; 16]),
        body,
    };
    let own = OwnOp { op, accepted: None, other: None };
    ask(entity, &own, seen, known)
}
