//! Which sealed values an op names, and who may read each.

use std::collections::BTreeMap;

use schema::case::FieldName;
use schema::catalogue::{Catalogue, Code, ReaderClass};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::op::Op;
use serde_json::Value;
use sync_core::case::kind_of;
use sync_core::catalogue::{readers, subtype};

/// The sealed values that an op names, with their readers: as its catalogue says for a field, everybody who may read
/// the case for free text. A field that no catalogue knows is kept from most: who it is for can't be told.
pub(super) fn named(op: &Op, before: Option<&Entity>, catalogue: Option<&Catalogue>) -> BTreeMap<Hash, ReaderClass> {
    let kind = kind(op, before);
    let class_of_field = |code: &Code| {
        let (category, code_of_subtype) = kind.as_ref()?;
        let (_, found) = subtype(catalogue?, category, code_of_subtype)?;
        readers(found.fields.iter().find(|spec| spec.code == *code)?)
    };
    let class = |code: Option<Code>| code.as_ref().and_then(class_of_field).unwrap_or(ReaderClass::Handlers);
    let mut found = BTreeMap::new();
    for (member, value) in &op.body {
        match (member.as_str(), value) {
            ("fields", Value::Object(fields)) => {
                for (code, value) in fields {
                    collect(value, class(code.parse().ok()), &mut found);
                }
            }
            ("changes", Value::Object(changes)) => {
                for (name, change) in changes {
                    let class = match name.parse() {
                        Ok(FieldName::Field(code)) => class(Some(code)),
                        Ok(FieldName::Kind | FieldName::Note | FieldName::Position | FieldName::Subject) => {
                            ReaderClass::CaseReaders
                        }
                        Err(_) => ReaderClass::Handlers,
                    };
                    collect(change, class, &mut found);
                }
            }
            _ => collect(value, ReaderClass::CaseReaders, &mut found),
        }
    }
    found
}

fn kind(op: &Op, before: Option<&Entity>) -> Option<(Code, Code)> {
    let of_body = |name: &str| op.body.get(name)?.as_str()?.parse().ok();
    match (of_body("category"), of_body("subtype"), before) {
        (Some(category), Some(subtype), _) => Some((category, subtype)),
        (_, _, Some(Entity::Case(case))) => kind_of(case),
        _ => None,
    }
}

/// A value named in two places is for the readers of the stricter one.
fn collect(value: &Value, class: ReaderClass, found: &mut BTreeMap<Hash, ReaderClass>) {
    match value {
        Value::Object(members) => {
            if let (1, Some(sealed)) = (members.len(), members.get("sealed").and_then(Value::as_str)) {
                if let Ok(sealed) = sealed.parse() {
                    let strictest = found.get(&sealed).copied().unwrap_or(class).max(class);
                    found.insert(sealed, strictest);
                }
                return;
            }
            for value in members.values() {
                collect(value, class, found);
            }
        }
        Value::Array(items) => {
            for value in items {
                collect(value, class, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
