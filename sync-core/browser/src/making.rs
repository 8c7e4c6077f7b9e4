//! Making this page a device, and capturing on it.

use schema::auth::{Enrolled, LogAccess, Tokens};
use schema::hash::DeviceKey;
use schema::ids::{EntityId, LogId};
use schema::op::{Body, Captured, PhotoClaim, SealedValue};
use serde_json::{Map, Value, json};
use sync_core::device::capture::{Draft, HeldPhoto};
use sync_core::device::store::Store;
use sync_core::json;
use sync_core::line::short_code;

use crate::call::{Answer, Refusal, give, read};
use crate::page::Page;

/// Answers a call of this part; none for another's.
pub(crate) fn call(page: &mut Page, name: &str, arguments: &str) -> Option<Answer> {
    Some(match name {
        "begin_enrolment" => begin_enrolment(page, arguments),
        "finish_enrolment" => {
            read(arguments).and_then(|(enrolled,): (Enrolled,)| give(page.store()?.finish_enrolment(&enrolled)?))
        }
        "tokens" => page.store().and_then(|store| give(store.kept_tokens()?)),
        "take_tokens" => read(arguments).and_then(|(tokens,): (Tokens,)| give(page.store()?.take_tokens(&tokens)?)),
        "take_logs" => read(arguments).and_then(|(logs,): (Vec<LogAccess>,)| give(page.store()?.take_logs(&logs)?)),
        "settle" => read(arguments).and_then(|(item,): (i64,)| give(page.store()?.settle(item)?)),
        "capture" => capture(page, arguments),
        _ => return None,
    })
}

fn begin_enrolment(page: &mut Page, arguments: &str) -> Answer {
    let (key, server, code, label, now): (DeviceKey, String, String, String, Captured) = read(arguments)?;
    give(page.store()?.begin_enrolment(key, (&server, &code, &label), now)?)
}

/// `[log, case or null, kind, body, {path: text}, photos, now]`: the texts are sealed and stand in the body as such.
fn capture(page: &mut Page, arguments: &str) -> Answer {
    type Asked = (LogId, Option<EntityId>, String, Value, Map<String, Value>, Vec<PhotoClaim>, Captured);
    let (log, entity, kind, mut body, texts, photos, now): Asked = read(arguments)?;
    let store = page.store()?;
    let mut values = Vec::new();
    for (path, text) in texts {
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else { continue };
        values.push(seal_into(store, &mut body, &path, text)?);
    }
    let body: Body = json::read_value(json!({ "kind": kind, "body": body }))?;
    let photos: Vec<HeldPhoto> = photos.into_iter().map(|claim| HeldPhoto { claim, origin: None }).collect();
    let receipt = store.capture(Draft { log, entity, body, values }, &photos, now, &mut |_| Ok(()))?;
    let shown = store.view(log, receipt.entity)?;
    let step = shown.and_then(|shown| shown.own.into_iter().find(|step| step.op == receipt.op));
    let estimate = step.and_then(|step| step.estimate);
    give(json!({
        "op": receipt.op, "entity": receipt.entity, "short_code": short_code(receipt.entity), "estimate": json::value(estimate)?,
    }))
}

fn seal_into(store: &mut Store, body: &mut Value, path: &str, text: &str) -> Result<SealedValue, Refusal> {
    let value = store.seal(text).map_err(sync_core::device::error::PhoneError::from)?;
    let place = place(body, path).ok_or_else(|| Refusal::defect(&format!("no place {path} in what was entered")))?;
    *place = json!({ "sealed": value.sealed });
    Ok(value)
}

/// `note`, `fields.CODE`, or `changes.NAME.to`, whose name may have a point in it. What is missing is made.
fn place<'a>(body: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let changed = path.strip_prefix("changes.").and_then(|rest| rest.strip_suffix(".to"));
    let members: Vec<&str> = match changed {
        Some(name) => vec!["changes", name, "to"],
        None => path.splitn(2, '.').collect(),
    };
    let mut at = body;
    for member in members {
        if at.is_null() {
            *at = json!({});
        }
        at = at.as_object_mut()?.entry(member).or_insert(Value::Null);
    }
    Some(at)
}
