//! `list` and `show`: what is on this phone, with own steps laid over what the server said last.

use std::collections::BTreeMap;
use std::process::ExitCode;

use schema::case::{Case, FieldName, State};
use schema::catalogue::Catalogue;
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::{LogId, UnitId};
use serde_json::{Value, json};
use sync_core::device::clocks::Clocks;
use sync_core::device::list::{After, CaseRow, Filter, OwnStep};
use sync_core::device::phone::Phone;

use super::args;
use super::case::{self, Found};
use super::say::{Failure, Out, print};
use super::value::{field_text, kind_text};
use super::{clocks, fields, look_backs, who};

/// A page of cases.
pub(crate) fn list(phone: &Phone, out: Out, asked: &args::List) -> Result<ExitCode, Failure> {
    let identity = phone.identity()?;
    if asked.look_backs {
        return look_backs::list(phone, out);
    }
    let mut states = Vec::new();
    for typed in &asked.states {
        states.push(state(typed)?);
    }
    let filter = Filter {
        states,
        category: asked.category.clone(),
        reporter: asked.mine.then_some(identity.account),
        waiting: asked.waiting,
        ..Filter::default()
    };
    let after = asked.after.as_deref().map(after).transpose()?;
    let rows = phone.list(&filter, after, usize::from(asked.limit))?;
    let full = rows.len() == usize::from(asked.limit);
    let next = rows.last().filter(|_| full).map(|last| format!("{}:{}", last.changed_ms, last.case));
    out.json(&json!({"cases": rows, "next": next}))?;
    for row in &rows {
        let text = row_text(phone, out, row)?;
        out.line(&text, &text);
    }
    if rows.is_empty() {
        out.line("没有案件", "no cases");
    }
    if let Some(next) = next {
        out.line(format!("下一页：--after {next}"), format!("next page: --after {next}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row_text(phone: &Phone, out: Out, row: &CaseRow) -> Result<String, Failure> {
    let catalogue = phone.catalogue(row.log)?.map(|(_, catalogue)| catalogue);
    let mark = if row.waiting > 0 { out.pick("  [未落定]", "  [not settled]") } else { "" };
    Ok(format!(
        "{}  {:<14}  {}  {}  {}  {} {}/{}{mark}",
        row.short_code,
        row.number.as_deref().unwrap_or("-"),
        out.state(row.state),
        kind_text(out, catalogue.as_ref(), &row.category, &row.subtype),
        row.subject.as_deref().unwrap_or(""),
        out.pick("照片", "photos"),
        row.photos_received,
        row.photos,
    ))
}

fn state(typed: &str) -> Result<State, Failure> {
    serde_json::from_value(Value::String(typed.to_lowercase())).map_err(|_| {
        let all = "reported, filed, assigned, fixed, checked, closed, declined, duplicate, void";
        Failure::usage(format!("没有状态“{typed}”。可选：{all}"), format!("no state {typed}. There are: {all}"))
    })
}

fn after(typed: &str) -> Result<After, Failure> {
    let read = || {
        let (changed_ms, case) = typed.split_once(':')?;
        Some(After { changed_ms: changed_ms.parse().ok()?, case: case.parse().ok()? })
    };
    read().ok_or_else(|| Failure::usage("--after 应为上一页的 next", "--after should be `next` of the page before"))
}

/// One case.
pub(crate) fn show(phone: &Phone, time: &Clocks, out: Out, asked: &args::Show) -> Result<ExitCode, Failure> {
    phone.identity()?;
    let found = case::find(phone, out, &asked.case)?;
    let own = phone.view(found.log, found.case.id)?.map(|shown| (shown.base_rev, shown.own));
    let (base_rev, own) = own.unwrap_or_default();
    let values = values(phone, &found.case)?;
    let entity = Entity::Case(found.case.clone());
    let looks = phone.look_backs(found.log, Some(found.case.id))?;
    out.json(&json!({"log": found.log, "case": entity, "base_rev": base_rev, "values": values, "own": own, "look_backs": looks}))?;
    if !out.json {
        print_case(phone, out, &found, &own, phone.server_time_ms(time.now())?)?;
        looks.iter().for_each(|task| print(&look_backs::line(out, task)));
        look_backs::relapses(phone, out, &found)?;
        if found.case.state == State::Filed
            && let Some(found_out) = phone.suggestions(found.log, &[found.case.id], time.now())?
        {
            found_out.into_iter().flatten().try_for_each(|it| who::print_suggestion(phone, out, found.log, &it))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The sealed values that the case names and that are here, by hash.
fn values(phone: &Phone, case: &Case) -> Result<BTreeMap<Hash, String>, Failure> {
    let mut named = Vec::new();
    sealed_in(&serde_json::to_value(case)?, &mut named);
    let mut values = BTreeMap::new();
    for hash in named {
        if let Some(value) = phone.value(hash)? {
            values.insert(hash, value);
        }
    }
    Ok(values)
}

fn sealed_in(value: &Value, named: &mut Vec<Hash>) {
    match value {
        Value::Object(members) => {
            named.extend(members.get("sealed").and_then(Value::as_str).and_then(|hash| hash.parse::<Hash>().ok()));
            members.values().for_each(|value| sealed_in(value, named));
        }
        Value::Array(items) => items.iter().for_each(|value| sealed_in(value, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn print_case(phone: &Phone, out: Out, found: &Found, own: &[OwnStep], now_ms: u64) -> Result<(), Failure> {
    let case = &found.case;
    let catalogue = case::catalogue_of(phone, found)?;
    let label = |zh: &'static str, en: &'static str| out.pick(zh, en).to_owned();
    print(&format!("{}  {}  {}", case.short_code, case.number.as_deref().unwrap_or("-"), out.state(case.state)));
    print(&format!("{}: {}", label("ID", "id"), case.id));
    for (name, held) in &case.fields {
        let value = field_text(phone, out, catalogue.as_ref(), case, name, &held.value)?;
        print(&format!("{}: {value}", field_label(out, catalogue.as_ref(), case, name)));
    }
    let here = case.evidence.iter().filter(|photo| photo.verified_rev.is_some()).count();
    print(&format!("{}: {here}/{}", label("照片已到", "photos received"), case.evidence.len()));
    for photo in &case.evidence {
        let mark = match (&photo.withdrawn, &photo.waived, photo.verified_rev) {
            (Some(_), ..) => label("已撤回", "withdrawn"),
            (None, Some(_), _) => label("已放弃", "given up"),
            (None, None, Some(_)) => label("已到", "received"),
            (None, None, None) => label("未到", "not yet"),
        };
        print(&format!("  {}  {}  {mark}", photo.sha256, out.role(photo.role)));
    }
    for remark in &case.comments {
        let text = phone.value(remark.text.sealed)?;
        print(&format!(
            "{}: {}",
            label("备注", "remark"),
            text.unwrap_or_else(|| label("（不可见）", "(not for you)"))
        ));
    }
    if let Some(assignment) = &case.assignment {
        print(&format!("{}: {}", label("责任单位", "unit"), unit_name(phone, out, found.log, assignment.unit)?));
    }
    for clock in &case.clocks {
        print(&format!("{} {}", label("计时", "clock"), clocks::line(out, catalogue.as_ref(), case, clock, now_ms)));
    }
    for conflict in &case.conflicts {
        let name = field_label(out, catalogue.as_ref(), case, &conflict.field);
        let winner = field_text(phone, out, catalogue.as_ref(), case, &conflict.field, &conflict.winner.value)?;
        let loser = field_text(phone, out, catalogue.as_ref(), case, &conflict.field, &conflict.loser.value)?;
        print(&format!("{} {name}: {winner} ≠ {loser}", label("冲突", "conflict")));
    }
    for step in own {
        print(&format!("{} {}: {}", label("本机操作", "own step"), step.kind, fate(out, step)));
    }
    Ok(())
}

/// What became of an own step, or what this phone thinks will.
fn fate(out: Out, step: &OwnStep) -> String {
    if let Some(outcome) = step.second.as_ref().or(step.outcome.as_ref()) {
        return out.outcome_named(outcome);
    }
    let waits = out.pick("仅在本机", "on this phone only");
    step.estimate.as_ref().map_or_else(|| waits.to_owned(), |estimate| format!("{waits}; {}", out.estimate(estimate)))
}

pub(crate) fn unit_name(phone: &Phone, out: Out, log: LogId, id: UnitId) -> Result<String, Failure> {
    let units = phone.entities(log, "unit")?;
    let name = units.iter().find_map(|entity| match entity {
        Entity::Unit(unit) if unit.id == id => Some(out.text(&unit.name).to_owned()),
        _ => None,
    });
    Ok(name.unwrap_or_else(|| id.to_string()))
}

/// What a field is called.
fn field_label(out: Out, catalogue: Option<&Catalogue>, case: &Case, name: &FieldName) -> String {
    let subtype = catalogue.and_then(|catalogue| fields::kind_of(catalogue, case)).map(|(_, subtype)| subtype);
    match name {
        FieldName::Kind => out.pick("类别", "kind").to_owned(),
        FieldName::Note => out.pick("说明", "note").to_owned(),
        FieldName::Position => out.pick("位置", "position").to_owned(),
        FieldName::Subject => {
            let named = subtype.and_then(|subtype| subtype.subject.as_ref()).map(|name| out.text(name).to_owned());
            named.unwrap_or_else(|| out.pick("对象", "subject").to_owned())
        }
        FieldName::Field(code) => {
            let spec = subtype.and_then(|subtype| sync_core::catalogue::field(subtype, code));
            spec.map_or_else(|| code.to_string(), |spec| out.text(&spec.label).to_owned())
        }
    }
}
