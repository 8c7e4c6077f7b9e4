//! Personal values belong behind a line, never in it: a line is kept for ever, and nothing in it can be redacted.

use schema::case::FieldName;
use schema::catalogue::{Code, Subtype};
use schema::entity::Entity;
use schema::op::{Body, Report};
use schema::record::{Outcome, Record, RefusalCode};
use serde_json::Value;

use crate::case::{Step, kind_of};
use crate::catalogue::{field, fits, is_sealed, readers, subtype};

/// The field of an op whose personal value stands in its line in plain text.
pub(crate) fn in_plain(before: Option<&Entity>, step: &Step<'_>) -> Option<FieldName> {
    if step.ctx.rules < 2 || step.ctx.by_server {
        return None;
    }
    match step.body {
        Body::Report(report) => in_report(report, step),
        Body::SettleOnSite(settled) => in_report(&settled.report, step),
        Body::Amend(amend) => {
            let Some(Entity::Case(case)) = before else { return None };
            let kind = kind_of(case)?;
            let (_, catalogue) = step.catalogue(case.catalogue).or_else(|| step.catalogue(None))?;
            let (_, found) = subtype(catalogue, &kind.0, &kind.1)?;
            let plain = |name: &FieldName, value: &Value| match name {
                FieldName::Note => is_plain_text(value),
                FieldName::Field(code) => is_plain(found, code, value),
                FieldName::Kind | FieldName::Position | FieldName::Subject => false,
            };
            let mut changes = amend.changes.iter();
            changes
                .find(|(name, change)| plain(name, &change.was) || plain(name, &change.to))
                .map(|(name, _)| name.clone())
        }
        _ => None,
    }
}

fn in_report(report: &Report, step: &Step<'_>) -> Option<FieldName> {
    let (_, catalogue) = step.catalogue(report.catalogue).or_else(|| step.catalogue(None))?;
    let (_, found) = subtype(catalogue, &report.category, &report.subtype)?;
    let (code, _) = report.fields.iter().find(|(code, value)| is_plain(found, code, value))?;
    Some(FieldName::Field(code.clone()))
}

fn is_plain(found: &Subtype, code: &Code, value: &Value) -> bool {
    let spec = field(found, code).filter(|spec| readers(spec).is_some());
    spec.is_some_and(|spec| !value.is_null() && fits(spec, value).is_err())
}

fn is_plain_text(value: &Value) -> bool {
    !value.is_null() && !is_sealed(value)
}

/// Whether an entry's line is for the handlers of its case and its author alone: nobody has looked at what it holds, or
/// it held what should not be there.
pub fn is_unchecked(record: &Record) -> bool {
    let flags = ["field_invalid:", "field_unknown:", "no_catalogue", "unknown_subtype"];
    match record.outcome {
        Outcome::Parked => true,
        Outcome::Rejected => matches!(record.code, Some(RefusalCode::Validation | RefusalCode::PlainPersonal)),
        Outcome::Accepted | Outcome::AcceptedWithConflict => {
            record.flags.iter().any(|flag| flags.iter().any(|unchecked| flag.starts_with(unchecked)))
        }
    }
}

/// What a reader of JSON says about a body, without what stood there: `invalid type: string "张三", expected …`.
pub(crate) fn without_values(why: &str) -> String {
    match why.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None if why.starts_with("missing field") => why.to_owned(),
        None => "a member does not fit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn a_refusal_does_not_repeat_what_was_written() {
        let why = r#"invalid type: string "张三, expected 13812341234", expected struct Sealed"#;
        assert_eq!(without_values(why), "expected struct Sealed");
        assert_eq!(without_values("missing field `sealed`"), "missing field `sealed`");
        assert_eq!(without_values("unknown variant `张三`"), "a member does not fit");
    }
}
