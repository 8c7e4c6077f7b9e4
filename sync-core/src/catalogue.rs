//! Reading a catalogue: checking a document before it takes effect, and values against its fields.
//! It knows nothing of cases: whether a field must be filled in yet is the reducer's question.

use schema::catalogue::{Catalogue, Category, Choice, Code, FieldKind, FieldSpec, ReaderClass, Subtype};
use schema::limits::TEXT_BYTES_MAX;
use schema::op::Sealed;
use serde_json::Value;

mod faults;
mod mask;
pub mod number;
#[cfg(test)]
mod tests;
mod typed;

pub use faults::{Fault, faults, read};
pub use mask::masked;
pub use typed::read_typed;

/// A subtype by category and code.
pub fn subtype<'a>(catalogue: &'a Catalogue, category: &Code, subtype: &Code) -> Option<(&'a Category, &'a Subtype)> {
    let category = catalogue.categories.iter().find(|candidate| candidate.code == *category)?;
    let subtype = category.subtypes.iter().find(|candidate| candidate.code == *subtype)?;
    Some((category, subtype))
}

/// A field of a subtype by code.
pub fn field<'a>(subtype: &'a Subtype, code: &Code) -> Option<&'a FieldSpec> {
    subtype.fields.iter().find(|candidate| candidate.code == *code)
}

/// One of several by code.
pub fn choice<'a>(choices: &'a [Choice], code: &Code) -> Option<&'a Choice> {
    choices.iter().find(|candidate| candidate.code == *code)
}

/// Why a value does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Another type of value is needed.
    #[error("another type of value is needed")]
    Type,
    /// Outside the least and greatest value, empty, too long or too exact.
    #[error("outside its range")]
    Range,
    /// Not one of the choices.
    #[error("not one of the choices")]
    Choice,
}

/// Whether a value (not null) fits a field. Numbers are integers as held, personal values `{"sealed":…}`.
///
/// # Errors
/// Why it does not.
pub fn fits(spec: &FieldSpec, value: &Value) -> Result<(), Misfit> {
    let text = || value.as_str().ok_or(Misfit::Type);
    match &spec.holds {
        FieldKind::Text { chars_max } => plain_text_fits(text()?, usize::from(*chars_max)),
        FieldKind::Personal { .. } => if_or(is_sealed(value), Misfit::Type),
        FieldKind::Number { min, max, .. } => {
            if_or((*min..=*max).contains(&value.as_i64().ok_or(Misfit::Type)?), Misfit::Range)
        }
        FieldKind::Choice { choices } => {
            let wanted = text()?;
            if_or(choices.iter().any(|choice| choice.code.as_str() == wanted), Misfit::Choice)
        }
        FieldKind::YesNo => if_or(value.is_boolean(), Misfit::Type),
        FieldKind::Reference { .. } => plain_text_fits(text()?, TEXT_BYTES_MAX),
    }
}

/// Who may read the personal values of a field; none if it holds none.
pub fn readers(spec: &FieldSpec) -> Option<ReaderClass> {
    match &spec.holds {
        FieldKind::Personal { readers, .. } => Some(*readers),
        FieldKind::Text { .. }
        | FieldKind::Number { .. }
        | FieldKind::Choice { .. }
        | FieldKind::YesNo
        | FieldKind::Reference { .. } => None,
    }
}

fn if_or(good: bool, otherwise: Misfit) -> Result<(), Misfit> {
    if good { Ok(()) } else { Err(otherwise) }
}

/// An empty text is no value: whoever wants none sends null, so that "filled in" has one meaning.
fn plain_text_fits(text: &str, chars_max: usize) -> Result<(), Misfit> {
    let filled = !text.trim().is_empty();
    if_or(filled && text.chars().count() <= chars_max && text.len() <= TEXT_BYTES_MAX, Misfit::Range)
}

/// Nothing may stand beside the hash: a line is kept for ever, and a value in it could never be redacted.
pub(crate) fn is_sealed(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.len() == 1)
        && crate::json::read_value::<Sealed>(value.clone()).is_ok()
}
