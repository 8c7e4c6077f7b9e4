//! Values as a person types them: positions, fields of the catalogue, names of choices.

use schema::case::{FieldName, Gcj02, Position};
use schema::catalogue::{Catalogue, Category, Choice, Code, FieldKind, FieldSpec, Subtype, Text};
use schema::op::{Sealed, SealedValue};
use serde_json::{Value, json};
use sync_core::catalogue::{Misfit, read_typed, readers, subtype};
use sync_core::device::phone::Phone;
use sync_core::position::{from_gcj02, read_degrees};

use super::say::Failure;

/// `31.2304167,121.4737`, exactly: no floating point comes near what is given. With `gcj02` it is what a Chinese map
/// shows, converted here once; both are kept.
pub(crate) fn position(text: &str, accuracy_m: Option<u32>, gcj02: bool) -> Result<Position, Failure> {
    let wrong = || {
        Failure::usage(
            format!("位置无法解读：{text}。应为 纬度,经度，例如 31.2304,121.4737"),
            format!("not a position: {text}. It should be LAT,LON such as 31.2304,121.4737"),
        )
    };
    let (lat, lon) = text.split_once([',', '，']).ok_or_else(wrong)?;
    let (lat_e7, lon_e7) = (read_degrees(lat, 90).ok_or_else(wrong)?, read_degrees(lon, 180).ok_or_else(wrong)?);
    let position = if gcj02 {
        from_gcj02(Gcj02 { lat_e7, lon_e7 }).ok_or_else(|| {
            Failure::usage(
                format!("GCJ-02 只用于中国境内，而 {text} 不在境内。请检查纬度与经度的次序，或去掉 --gcj02"),
                format!("GCJ-02 is for places in China, and {text} is none: check the order, or leave out --gcj02"),
            )
        })?
    } else {
        Position::at(lat_e7, lon_e7)
    };
    Ok(Position { accuracy_m, ..position })
}

/// `k=v`
pub(crate) fn pair(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
        .ok_or_else(|| Failure::usage(format!("应为 K=V：{text}"), format!("it should be K=V: {text}")))
}

pub(crate) fn code(text: &str) -> Result<Code, Failure> {
    text.parse().map_err(|_| Failure::usage(format!("不是代码：{text}"), format!("not a code: {text}")))
}

fn is_named(typed: &str, code: &Code, name: &Text) -> bool {
    typed == code.as_str() || typed == name.zh || typed.eq_ignore_ascii_case(&name.en)
}

/// One of several by code or name; what there is, if it is none of them.
pub(crate) fn choice(choices: &[Choice], typed: &str) -> Result<Code, Failure> {
    let found = choices.iter().find(|choice| is_named(typed, &choice.code, &choice.name));
    found.map(|choice| choice.code.clone()).ok_or_else(|| {
        let all = |name: fn(&Text) -> &str| {
            let named = choices.iter().map(|choice| format!("{} ({})", choice.code, name(&choice.name)));
            named.collect::<Vec<_>>().join(", ")
        };
        Failure::usage(
            format!("没有“{typed}”。可选：{}", all(|name| &name.zh)),
            format!("no such choice: {typed}. There are: {}", all(|name| &name.en)),
        )
    })
}

/// Category and subtype by code or name. Without a catalogue they must be codes.
pub(crate) fn kind(catalogue: Option<&Catalogue>, category: &str, subtype: &str) -> Result<(Code, Code), Failure> {
    let Some(catalogue) = catalogue else { return Ok((code(category)?, code(subtype)?)) };
    let named = |typed: &str, all: Vec<(&Code, &Text)>| {
        let found = all.iter().find(|(code, name)| is_named(typed, code, name));
        found.map(|(code, _)| (*code).clone()).ok_or_else(|| {
            let list = all.iter().map(|(code, name)| format!("{code} ({})", name.zh)).collect::<Vec<_>>().join(", ");
            let en = all.iter().map(|(code, name)| format!("{code} ({})", name.en)).collect::<Vec<_>>().join(", ");
            Failure::usage(format!("没有“{typed}”。可选：{list}"), format!("no such kind: {typed}. There are: {en}"))
        })
    };
    let code = named(category, catalogue.categories.iter().map(|it| (&it.code, &it.name)).collect())?;
    let Some(category) = catalogue.categories.iter().find(|it| it.code == code) else {
        return Err(Failure::usage("没有该大类", "no such category"));
    };
    let subtypes = category.subtypes.iter().map(|it| (&it.code, &it.name)).collect();
    Ok((code, named(subtype, subtypes)?))
}

/// A field's value as the catalogue holds it, sealed where it is personal.
pub(crate) fn field(
    phone: &mut Phone,
    subtype: Option<&Subtype>,
    name: &str,
    typed: &str,
    values: &mut Vec<SealedValue>,
) -> Result<(Code, Value), Failure> {
    let Some(subtype) = subtype else { return Ok((code(name)?, Value::String(typed.to_owned()))) };
    let spec = spec(subtype, name)?;
    if let FieldKind::Choice { choices } = &spec.holds {
        return Ok((spec.code.clone(), json!(choice(choices, typed)?)));
    }
    let read = read_typed(spec, typed).map_err(|misfit| unfit(spec, typed, misfit))?;
    let read = match (readers(spec), read.as_str()) {
        (Some(_), Some(text)) => json!(seal(phone, text, values)?),
        _ => read,
    };
    Ok((spec.code.clone(), read))
}

fn unfit(spec: &FieldSpec, typed: &str, misfit: Misfit) -> Failure {
    let (zh, en) = match &spec.holds {
        FieldKind::Number { unit, scale, min, max } => {
            let range = format!("{} – {} {unit}", decimal(*min, *scale), decimal(*max, *scale));
            (format!("应为数字，{range}，最多 {scale} 位小数"), format!("a number, {range}, at most {scale} decimals"))
        }
        FieldKind::YesNo => ("应为 是 或 否".to_owned(), "yes or no".to_owned()),
        FieldKind::Text { chars_max } => {
            (format!("应为文字，最多 {chars_max} 字"), format!("a text of at most {chars_max} characters"))
        }
        FieldKind::Personal { .. } | FieldKind::Choice { .. } | FieldKind::Reference { .. } => {
            ("内容不符合要求".to_owned(), misfit.to_string())
        }
    };
    let (zh_label, en_label) = (&spec.label.zh, &spec.label.en);
    Failure::usage(
        format!("{zh_label}：“{typed}” {zh}"),
        format!("{en_label}: {typed} does not fit; it should be {en}"),
    )
}

/// A held number as a person writes it.
pub(crate) fn decimal(held: i64, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", held.unsigned_abs(), width = scale.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    let sign = if held < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn spec<'a>(subtype: &'a Subtype, name: &str) -> Result<&'a FieldSpec, Failure> {
    let bare = name.strip_prefix("field.").unwrap_or(name);
    subtype.fields.iter().find(|spec| is_named(bare, &spec.code, &spec.label)).ok_or_else(|| {
        let all = |label: fn(&Text) -> &str| {
            let fields = subtype.fields.iter().map(|spec| format!("{} ({})", spec.code, label(&spec.label)));
            fields.collect::<Vec<_>>().join(", ")
        };
        Failure::usage(
            format!("该小类没有字段“{name}”。可选：{}", all(|label| &label.zh)),
            format!("the subtype has no field {name}. There are: {}", all(|label| &label.en)),
        )
    })
}

/// Seals a text and keeps its value with the others of the draft.
pub(crate) fn seal(phone: &mut Phone, text: &str, values: &mut Vec<SealedValue>) -> Result<Sealed, Failure> {
    let value = phone.seal(text).map_err(|error| Failure::Phone(error.into()))?;
    let sealed = Sealed { sealed: value.sealed };
    values.push(value);
    Ok(sealed)
}

/// The category and subtype of a case, in a catalogue.
pub(crate) fn kind_of<'a>(catalogue: &'a Catalogue, case: &schema::case::Case) -> Option<(&'a Category, &'a Subtype)> {
    let kind = &case.fields.get(&FieldName::Kind)?.value;
    let code = |name: &str| kind.get(name)?.as_str()?.parse().ok();
    subtype(catalogue, &code("category")?, &code("subtype")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_numbers_are_written_as_people_do() {
        assert_eq!(decimal(35, 1), "3.5");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn positions_are_read_exactly() {
        let read = |text: &str| position(text, None, false).ok().map(|it| (it.lat_e7, it.lon_e7));
        assert_eq!(read("31.2304167,121.4737"), Some((312_304_167, 1_214_737_000)));
        assert_eq!(read("-0.0000001, -180"), Some((-1, -1_800_000_000)));
        assert_eq!(read("90，180"), Some((900_000_000, 1_800_000_000)));
        assert_eq!(read("31.23041679,1"), Some((312_304_167, 10_000_000)));
        for wrong in ["", "1", "91,1", "1,181", "a,b", "1.2.3,4", "1e3,4", "--1,2", ".5,1", "90.0000001,0"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
