//! What is on this device: cases, counts, documents, what to look at.

use schema::case::{Case, FieldName, Position};
use schema::entity::{Entity, LookBackTask};
use schema::hash::Hash;
use schema::ids::{EntityId, LogId};
use schema::op::Captured;
use serde::Serialize;
use serde_json::{Value, json};
use sync_core::clock::{Light, light, next_due};
use sync_core::device::list::{After, CaseRow, Filter, OwnStep};
use sync_core::device::store::Store;
use sync_core::json;

use crate::call::{Answer, Refusal, give, nothing, read, text};
use crate::page::Page;

/// Answers a call of this part; none for another's.
pub(crate) fn call(page: &mut Page, name: &str, arguments: &str) -> Option<Answer> {
    Some(match name {
        "me" => me(page),
        "status" => page.store().and_then(|store| give(store.status()?)),
        "list" => list(page, arguments),
        "count" => read(arguments).and_then(|(filter,): (Filter,)| give(page.store()?.count(&filter)?)),
        "find" => read(arguments)
            .and_then(|(typed, now): (String, Captured)| rows(page.store()?, now, |store| store.find(&typed))),
        "show" => show(page, arguments),
        "value" => read(arguments).and_then(|(sealed,): (Hash,)| give(page.store()?.value(sealed)?)),
        "entities" => {
            read(arguments).and_then(|(log, kind): (LogId, String)| give(page.store()?.entities(log, &kind)?))
        }
        "catalogue" => catalogue(page, arguments),
        "document" => read(arguments).and_then(|(hash,): (Hash,)| document(page, hash)),
        "areas" => areas(page, arguments),
        "log_at" => read(arguments).and_then(|(position,): (Position,)| give(page.store()?.log_at(&position)?)),
        "near" => near(page, arguments),
        "suggestions" => read(arguments).and_then(|(log, cases, now): (LogId, Vec<EntityId>, Captured)| {
            give(page.store()?.suggestions(log, &cases, now)?)
        }),
        "attention" => page.store().and_then(|store| give(store.attention()?)),
        "holds_photo" => read(arguments).and_then(|(hash,): (Hash,)| give(page.store()?.holds_photo(hash)?)),
        _ => return None,
    })
}

fn me(page: &mut Page) -> Answer {
    let store = page.store()?;
    let Ok(identity) = store.identity() else { return nothing() };
    let (mut logs, mut grants) = (Vec::new(), Vec::new());
    for log in store.logs()? {
        logs.push(json!({
            "log": log.log, "name": log.name, "zone": log.zone, "pulled": log.pulled, "forked": log.forked,
            "durability": log.durability, "outdated": store.is_outdated(log.log)?,
        }));
        for entity in store.entities(log.log, "account")? {
            let Entity::Account(account) = entity else { continue };
            if account.id == identity.account {
                for grant in &account.grants {
                    grants.push(json!({ "log": log.log, "role": grant.role, "area": grant.area, "unit": null }));
                }
                for unit in &account.units {
                    grants.push(json!({ "log": log.log, "role": "crew", "area": null, "unit": unit }));
                }
            }
        }
    }
    give(json!({
        "account": identity.account, "login": identity.account_name, "server": identity.server,
        "device": identity.device, "logs": logs, "grants": grants,
    }))
}

fn position_of(case: &Case) -> Option<Position> {
    let held = case.fields.get(&FieldName::Position)?;
    json::read_value(held.value.clone()).ok()
}

/// The clock of a case that is due first. `estimate`: this phone reckons so, the server has not said yet.
fn due_of(case: &Case, now_ms: u64) -> Option<Value> {
    let clock = next_due(case)?;
    Some(json!({
        "stage": clock.stage, "timed": clock.timed, "at_ms": clock.due.at_ms, "confidence": clock.due.confidence,
        "estimate": clock.issued_rev == 0, "light": light(clock, now_ms),
    }))
}

/// A row as the page shows it: with its place and what is due.
fn row(store: &Store, row: &CaseRow, now_ms: u64) -> Result<Value, Refusal> {
    let shown = store.view(row.log, row.case)?;
    let (position, due) = match shown.map(|shown| shown.entity) {
        Some(Entity::Case(case)) => (position_of(&case), due_of(&case, now_ms)),
        _ => (None, None),
    };
    let position = position.map(|it| json!({ "lat": it.lat_e7, "lon": it.lon_e7 }));
    let mut written = json::value(row)?;
    if let Some(members) = written.as_object_mut() {
        members.insert("position".to_owned(), position.into());
        members.insert("due".to_owned(), due.into());
    }
    Ok(written)
}

fn rows(
    store: &mut Store,
    now: Captured,
    select: impl FnOnce(&Store) -> Result<Vec<CaseRow>, sync_core::device::error::PhoneError>,
) -> Answer {
    let now_ms = store.server_time_ms(now)?;
    let found: Vec<Value> = select(store)?.iter().map(|found| row(store, found, now_ms)).collect::<Result<_, _>>()?;
    give(found)
}

fn list(page: &mut Page, arguments: &str) -> Answer {
    let (filter, after, most, now): (Filter, Option<After>, usize, Captured) = read(arguments)?;
    rows(page.store()?, now, |store| store.list(&filter, after, most))
}

/// An entity as shown, with what this person may do. `lights` are those of a case's clocks, in their order.
#[derive(Serialize)]
struct Seen {
    log: LogId,
    document: Entity,
    lights: Vec<Light>,
    base_rev: Option<u64>,
    own: Vec<OwnStep>,
    can: Vec<&'static str>,
    /// Of a case that was closed: when somebody looks again, as far as this person may know.
    look_backs: Vec<LookBackTask>,
}

fn show(page: &mut Page, arguments: &str) -> Answer {
    let (log, entity, now): (LogId, EntityId, Captured) = read(arguments)?;
    let store = page.store()?;
    let Some(shown) = store.view(log, entity)? else { return nothing() };
    let mut can = store.possible(log, &shown.entity, now)?;
    let look_backs = store.look_backs(log, Some(entity))?;
    for task in &look_backs {
        let asked = store.possible(log, &Entity::LookBackTask(Box::new(task.clone())), now)?;
        can.extend(asked.into_iter().filter(|_| task.dropped.is_none()));
    }
    can.dedup();
    let now_ms = store.server_time_ms(now)?;
    let lights = match &shown.entity {
        Entity::Case(case) => case.clocks.iter().map(|clock| light(clock, now_ms)).collect(),
        _ => Vec::new(),
    };
    give(Seen { log, document: shown.entity, lights, base_rev: shown.base_rev, own: shown.own, can, look_backs })
}

fn catalogue(page: &mut Page, arguments: &str) -> Answer {
    let (log,): (LogId,) = read(arguments)?;
    let Some((hash, _)) = page.store()?.catalogue(log)? else { return nothing() };
    Ok(format!(r#"{{"hash":"{hash}","document":{}}}"#, document(page, hash)?))
}

fn document(page: &mut Page, hash: Hash) -> Answer {
    match page.store()?.document(hash)? {
        // It is JSON already, and large.
        Some(bytes) => text(&bytes),
        None => nothing(),
    }
}

fn areas(page: &mut Page, arguments: &str) -> Answer {
    let (log,): (LogId,) = read(arguments)?;
    match page.store()?.areas_in_force(log)? {
        Some(hash) => document(page, hash),
        None => nothing(),
    }
}

fn near(page: &mut Page, arguments: &str) -> Answer {
    type Asked = (LogId, String, Option<String>, Position, Captured);
    let (log, category, subject, position, now): Asked = read(arguments)?;
    let store = page.store()?;
    let (now_ms, mut found) = (store.server_time_ms(now)?, Vec::new());
    for (listed, by) in store.near(log, &category, subject.as_deref(), &position, now)? {
        let (by, distance_m) = match by {
            sync_core::case::near::Near::Subject => ("subject", None),
            sync_core::case::near::Near::Distance(metres) => ("distance", Some(metres)),
        };
        let mut shown = row(store, &listed, now_ms)?;
        if let Some(members) = shown.as_object_mut() {
            members.insert("by".to_owned(), by.into());
            members.insert("distance_m".to_owned(), distance_m.into());
        }
        found.push(shown);
    }
    give(found)
}
