//! What a person types on a command line, read as a field holds it.

use schema::catalogue::{Choice, FieldKind, FieldSpec};
use schema::limits::SEALED_VALUE_BYTES_MAX;
use serde_json::Value;

use super::{Misfit, fits, if_or};

/// Reads a value that a person typed (`3.5`, `yes`, `brick`) as the field holds it; personal values stay text.
/// Full-width forms (`３．５`) are read too, a number may end with its unit, a choice may be typed by its name.
///
/// # Errors
/// Why it does not fit.
pub fn read_typed(spec: &FieldSpec, text: &str) -> Result<Value, Misfit> {
    let text = text.trim();
    let value = match &spec.holds {
        FieldKind::Personal { .. } => {
            if_or((1..=SEALED_VALUE_BYTES_MAX).contains(&text.len()), Misfit::Range)?;
            return Ok(text.into());
        }
        FieldKind::Text { .. } | FieldKind::Reference { .. } => text.into(),
        FieldKind::Number { unit, scale, .. } => {
            let number = text.strip_suffix(unit.as_str()).unwrap_or(text).trim_end();
            scaled(&half_width(number), *scale)?.into()
        }
        FieldKind::Choice { choices } => chosen(choices, text).ok_or(Misfit::Choice)?.code.as_str().into(),
        FieldKind::YesNo => yes_or_no(text).ok_or(Misfit::Type)?.into(),
    };
    fits(spec, &value)?;
    Ok(value)
}

/// A decimal number as a whole number of 10^-scale units, digit by digit: a float would turn 0.1 into something else.
fn scaled(text: &str, scale: u8) -> Result<i64, Misfit> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(Misfit::Type);
    }
    let missing = usize::from(scale).checked_sub(fraction.len()).ok_or(Misfit::Range)?;
    whole
        .chars()
        .chain(fraction.chars())
        .chain(std::iter::repeat_n('0', missing))
        .filter_map(|digit| digit.to_digit(10))
        .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(sign * i64::from(digit)))
        .ok_or(Misfit::Range)
}

/// Codes go first: they are unique, and a name might look like another choice's code.
fn chosen<'a>(choices: &'a [Choice], text: &str) -> Option<&'a Choice> {
    let named = |choice: &&Choice| choice.name.zh == text || choice.name.en.eq_ignore_ascii_case(text);
    choices.iter().find(|choice| choice.code.as_str() == text).or_else(|| choices.iter().find(named))
}

fn yes_or_no(text: &str) -> Option<bool> {
    match half_width(text).to_ascii_lowercase().as_str() {
        "yes" | "y" | "true" | "是" => Some(true),
        "no" | "n" | "false" | "否" => Some(false),
        _ => None,
    }
}

/// Chinese keyboards type `３．５` for `3.5`; each full-width form lies a fixed distance above its ASCII one.
fn half_width(text: &str) -> String {
    let narrow = |wide: char| match wide {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(wide) - 0xfee0).unwrap_or(wide),
        other => other,
    };
    text.chars().map(narrow).collect()
}
