//! Reading a catalogue: checking a document before it takes effect, and values against its fields.

use schema::catalogue::{Catalogue, Category, Code, FieldSpec, ReaderClass, Subtype};
use serde_json::Value;

/// A subtype by category and code.
pub fn subtype<'a>(catalogue: &'a Catalogue, category: &Code, subtype: &Code) -> Option<(&'a Category, &'a Subtype)> {
    let _ = (catalogue, category, subtype);
    todo!()
}

/// Everything that is wrong with a catalogue document, each with where and what to do; empty if it can take effect.
pub fn faults(catalogue: &Catalogue) -> Vec<String> {
    let _ = catalogue;
    todo!()
}

/// Why a value does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Another type of value is needed.
    #[error("another type of value is needed")]
    Type,
    /// Outside the least and greatest value, or too long.
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
    let _ = (spec, value);
    todo!()
}

/// Reads a value that a person typed (`3.5`, `yes`, `brick`) as the field holds it; personal values stay text.
///
/// # Errors
/// Why it does not fit.
pub fn read_typed(spec: &FieldSpec, text: &str) -> Result<Value, Misfit> {
    let _ = (spec, text);
    todo!()
}

/// Who may read the personal values of a field; none if it holds none.
pub fn readers(spec: &FieldSpec) -> Option<ReaderClass> {
    let _ = spec;
    todo!()
}
