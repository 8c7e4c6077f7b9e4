//! Which sealed values an op names, who may read each, and keeping them.

use std::collections::BTreeMap;

use schema::case::FieldName;
use schema::catalogue::{Catalogue, Code, ReaderClass};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::EntityId;
use schema::op::{Body, Op};
use schema::record::Outcome;
use serde_json::Value;
use sync_core::apply::Decision;
use sync_core::case::kind_of;
use sync_core::catalogue::{readers, subtype};
use sync_core::line::{self, ReadBody};

use super::enter::{Desk, Incoming};
use super::facts::Facts;
use super::seen::Held;
use crate::store::{Entry, KeptValue, StoreError};

impl Desk<'_, '_> {
    /// Values belong to the entity the op asks to change, even while the op waits for a person; only those of an op
    /// on something that its actor may not know of stay with the device. What came behind a line that can't be read
    /// is in custody with it: nobody can tell yet who it is for.
    pub(super) fn keep_values(
        &mut self,
        incoming: &Incoming,
        decision: &Decision,
        before: &Held,
        facts: Option<&Facts>,
        rev: u64,
    ) -> Result<(), StoreError> {
        if incoming.values.is_empty() {
            return Ok(());
        }
        let (Ok(op), Some(facts)) = (&incoming.op, facts) else {
            let (entity, class) = (EntityId::from(incoming.device), ReaderClass::Handlers);
            for value in &incoming.values {
                self.tx.keep_value(&KeptValue { rev, entity, class, value: value.clone() })?;
            }
            return Ok(());
        };
        let entity = if decision.record.outcome == Outcome::Parked { op.entity } else { decision.leaf_entity };
        let before = before.entity.as_deref();
        let pinned = pinned(op, decision.after.as_ref().or(before));
        let classes = named(op, before, facts.catalogue(pinned));
        let redacted = match before {
            Some(_) => self.redacted(entity)?,
            None => Vec::new(),
        };
        let is_gone = |value: &Hash| redacted.contains(value) || self.away.has_value(entity, value);
        for value in incoming.values.iter().filter(|value| !is_gone(&value.sealed)) {
            if let Some(class) = classes.get(&value.sealed) {
                self.tx.keep_value(&KeptValue { rev, entity, class: *class, value: value.clone() })?;
            }
        }
        Ok(())
    }
}

impl Desk<'_, '_> {
    /// The values that were deleted of an entity: they do not come back under another op.
    fn redacted(&mut self, entity: EntityId) -> Result<Vec<Hash>, StoreError> {
        let entries = self.tx.db.entries_of_kind(self.tx.head.num, entity, "redact_value")?;
        let value = |entry: &Entry| match line::body(&line::read(&entry.line).ok()?) {
            ReadBody::Known(body) => match *body {
                Body::RedactValue(redacted) => Some(redacted.value),
                _ => None,
            },
            _ => None,
        };
        Ok(entries.iter().filter(|entry| entry.outcome == 1).filter_map(value).collect())
    }

    /// A redacted value is gone with the commit of its entry.
    pub(super) fn follow_redaction(&mut self, incoming: &Incoming, decision: &Decision) -> Result<(), StoreError> {
        let Ok(op) = &incoming.op else { return Ok(()) };
        let redacts = incoming.receipt.by_server && op.kind == "redact_value";
        if let (true, Outcome::Accepted, ReadBody::Known(body)) = (redacts, decision.record.outcome, line::body(op))
            && let Body::RedactValue(redacted) = *body
        {
            self.tx.delete_value(op.entity, &redacted.value)?;
        }
        Ok(())
    }
}

/// The catalogue that a case was made under, or that its first op asks for.
fn pinned(op: &Op, case: Option<&Entity>) -> Option<Hash> {
    match case {
        Some(Entity::Case(case)) => case.catalogue,
        _ => op.body.get("catalogue")?.as_str()?.parse().ok(),
    }
}

/// The sealed values that an op names, with their readers: as its catalogue says for a field, everybody who may read
/// the case for free text. A field that no catalogue knows is kept from most: who it is for can't be told.
fn named(op: &Op, before: Option<&Entity>, catalogue: Option<&Catalogue>) -> BTreeMap<Hash, ReaderClass> {
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
