//! Values of a case as a person reads them: names for codes, degrees, units. Never the JSON they are held in.

use schema::case::{Case, FieldName};
use schema::catalogue::{Catalogue, FieldKind, FieldSpec};
use serde_json::Value;
use sync_core::device::phone::Phone;

use super::fields;
use super::say::{Failure, Out};

/// Category and subtype by their names, by their codes where the catalogue does not have them.
pub(crate) fn kind_text(out: Out, catalogue: Option<&Catalogue>, category: &str, subtype: &str) -> String {
    let found = catalogue.and_then(|catalogue| {
        sync_core::catalogue::subtype(catalogue, &category.parse().ok()?, &subtype.parse().ok()?)
    });
    match found {
        Some((category, subtype)) => format!("{}/{}", out.text(&category.name), out.text(&subtype.name)),
        None => format!("{category}/{subtype}"),
    }
}

/// A field's value.
pub(crate) fn field_text(
    phone: &Phone,
    out: Out,
    catalogue: Option<&Catalogue>,
    case: &Case,
    name: &FieldName,
    value: &Value,
) -> Result<String, Failure> {
    let text = |member: &str| value.get(member).and_then(Value::as_str);
    match name {
        FieldName::Kind => {
            if let (Some(category), Some(subtype)) = (text("category"), text("subtype")) {
                return Ok(kind_text(out, catalogue, category, subtype));
            }
        }
        FieldName::Position => {
            if let Some(position) = position_text(value) {
                return Ok(position);
            }
        }
        FieldName::Field(code) => {
            let subtype = catalogue.and_then(|catalogue| fields::kind_of(catalogue, case)).map(|(_, subtype)| subtype);
            let spec = subtype.and_then(|subtype| sync_core::catalogue::field(subtype, code));
            if let Some(typed) = spec.and_then(|spec| typed_text(out, spec, value)) {
                return Ok(typed);
            }
        }
        FieldName::Note | FieldName::Subject => {}
    }
    readable(phone, out, value)
}

fn position_text(value: &Value) -> Option<String> {
    let number = |member: &str| value.get(member).and_then(Value::as_i64);
    let (lat, lon) = (fields::decimal(number("lat_e7")?, 7), fields::decimal(number("lon_e7")?, 7));
    let accuracy = number("accuracy_m").map_or_else(String::new, |metres| format!(" ±{metres} m"));
    let given = |member: &str| Some(fields::decimal(value.get("gcj02")?.get(member)?.as_i64()?, 7));
    let given = given("lat_e7").zip(given("lon_e7"));
    let given = given.map_or_else(String::new, |(lat, lon)| format!(" (GCJ-02 {lat},{lon})"));
    Some(format!("{lat},{lon}{accuracy}{given}"))
}

/// By what the catalogue says that the field holds; none where the value is not of that form.
fn typed_text(out: Out, spec: &FieldSpec, value: &Value) -> Option<String> {
    match &spec.holds {
        FieldKind::Choice { choices } => {
            let code = value.as_str()?.parse().ok()?;
            sync_core::catalogue::choice(choices, &code).map(|choice| out.text(&choice.name).to_owned())
        }
        FieldKind::Number { unit, scale, .. } => Some(format!("{} {unit}", fields::decimal(value.as_i64()?, *scale))),
        FieldKind::YesNo => Some(yes_no(out, value.as_bool()?).to_owned()),
        FieldKind::Text { .. } | FieldKind::Personal { .. } | FieldKind::Reference { .. } => None,
    }
}

fn yes_no(out: Out, yes: bool) -> &'static str {
    if yes { out.pick("是", "yes") } else { out.pick("否", "no") }
}

/// A value of no known form: sealed ones opened where they are here.
fn readable(phone: &Phone, out: Out, value: &Value) -> Result<String, Failure> {
    let sealed = value.get("sealed").and_then(Value::as_str).and_then(|hash| hash.parse().ok());
    if let Some(hash) = sealed {
        let opened = phone.value(hash)?;
        return Ok(opened.unwrap_or_else(|| out.pick("（不可见）", "(not for you)").to_owned()));
    }
    Ok(match value {
        Value::String(text) => text.clone(),
        Value::Null => out.pick("（无）", "(none)").to_owned(),
        Value::Bool(yes) => yes_no(out, *yes).to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Object(_) | Value::Array(_) => {
            out.pick("（需更新版本的程序显示）", "(a newer program can show it)").to_owned()
        }
    })
}
