//! What a new catalogue would change: member by member, with what runs under members that go.

use std::collections::BTreeMap;

use schema::case::{FieldName, State};
use schema::catalogue::{Catalogue, Text};
use schema::entity::Entity;
use serde::Serialize;
use serde_json::Value;
use sync_core::case::kind_of;
use sync_core::catalogue::{field, subtype};

use super::{each, said};
use crate::error::Result;
use crate::store::{Db, LogNum};

/// What a new catalogue would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CatalogueChange {
    /// The version in force, if there is one.
    pub from: Option<String>,
    /// The new version.
    pub to: String,
    /// It says what the one in force says.
    pub unchanged: bool,
    /// Members that are new, by their path of codes.
    pub added: Vec<String>,
    /// Members that go.
    pub removed: Vec<String>,
    /// Members that say something else.
    pub changed: Vec<Changed>,
    /// What must be mended first.
    pub errors: Vec<Text>,
    /// What an operator should know.
    pub warnings: Vec<Text>,
}

/// A member that says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its path of codes.
    pub path: String,
    /// What it says in the catalogue in force.
    pub from: Value,
    /// What it would say.
    pub to: Value,
}

/// Looks at what a catalogue would change in a log.
///
/// # Errors
/// The database's.
pub fn catalogue_change(
    db: &mut Db,
    log: LogNum,
    now: Option<&Catalogue>,
    next: &Catalogue,
) -> Result<CatalogueChange> {
    let mut change = CatalogueChange {
        from: now.map(|catalogue| catalogue.version.clone()),
        to: next.version.clone(),
        unchanged: now == Some(next),
        ..CatalogueChange::default()
    };
    let written = |catalogue: &Catalogue| serde_json::to_value(catalogue).map(by_code).unwrap_or_default();
    compare("", &now.map(written).unwrap_or_default(), &written(next), &mut change);
    change.changed.retain(|changed| changed.path != "version");
    if !change.unchanged && change.from.as_ref() == Some(&change.to) {
        change.errors.push(said(
            format!("版本“{}”已在使用，内容却不同：请换一个新版本", change.to),
            format!("the version {:?} is in force already with other content: give it a new one", change.to),
        ));
    }
    running(db, log, next, &mut change)?;
    Ok(change)
}

/// Lists of things with codes as maps by code: a thing that only moved in its list has not changed.
fn by_code(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let code = |item: &Value| item.get("code").and_then(Value::as_str).map(str::to_owned);
            let coded: Option<Vec<String>> = items.iter().map(code).collect();
            match coded {
                Some(codes) => codes.into_iter().zip(items.into_iter().map(by_code)).collect(),
                None => Value::Array(items),
            }
        }
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, by_code(value))).collect(),
        other => other,
    }
}

fn compare(path: &str, from: &Value, to: &Value, change: &mut CatalogueChange) {
    if from == to {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (from, to) else {
        match from {
            Value::Null if path.is_empty() => {}
            _ => change.changed.push(Changed { path: path.to_owned(), from: from.clone(), to: to.clone() }),
        }
        return;
    };
    // The lists' own names say nothing that a path of codes does not.
    let below = |name: &str| match (path, name) {
        (_, "categories" | "subtypes") => path.to_owned(),
        ("", name) => name.to_owned(),
        (path, name) => format!("{path}.{name}"),
    };
    for (name, value) in old {
        match new.get(name) {
            Some(now) => compare(&below(name), value, now, change),
            None => change.removed.push(below(name)),
        }
    }
    change.added.extend(new.keys().filter(|name| !old.contains_key(*name)).map(|name| below(name)));
}

/// A case that is filed keeps its catalogue; what it was filled in with stays readable. Still, an operator should know.
fn running(db: &mut Db, log: LogNum, next: &Catalogue, change: &mut CatalogueChange) -> Result<()> {
    let mut without: BTreeMap<String, u64> = BTreeMap::new();
    each(db, log, "case", |entity| {
        let Entity::Case(case) = entity else { return };
        if matches!(case.state, State::Closed | State::Declined | State::Duplicate | State::Void) {
            return;
        }
        let Some((category, code)) = kind_of(&case) else { return };
        match subtype(next, &category, &code) {
            None => *without.entry(format!("{category}.{code}")).or_default() += 1,
            Some((_, found)) => {
                for name in case.fields.keys() {
                    if let FieldName::Field(name) = name
                        && field(found, name).is_none()
                    {
                        *without.entry(format!("{category}.{code}.fields.{name}")).or_default() += 1;
                    }
                }
            }
        }
    })?;
    for (path, count) in without {
        change.warnings.push(said(
            format!("{count} 个未结案件用到将被删除的 {path}：它们沿用原来的目录版本"),
            format!("{count} running cases use {path}, which goes: they keep the version they were made under"),
        ));
    }
    Ok(())
}
