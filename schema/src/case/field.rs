//! The names of the fields of a case that several people may change.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::catalogue::Code;

/// A field that several people may change: its name in an `amend`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldName {
    /// Category and subtype together: `{"category":…,"subtype":…}`.
    Kind,
    /// The free text.
    Note,
    /// The position.
    Position,
    /// The subject.
    Subject,
    /// A field of the subtype, written `field.CODE`.
    Field(Code),
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("kind"),
            Self::Note => f.write_str("note"),
            Self::Position => f.write_str("position"),
            Self::Subject => f.write_str("subject"),
            Self::Field(code) => write!(f, "field.{code}"),
        }
    }
}

/// Why a text names no field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAField(pub String);

impl fmt::Display for NotAField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such field: {:?} (kind, note, position, subject or field.CODE)", self.0)
    }
}

impl std::error::Error for NotAField {}

impl FromStr for FieldName {
    type Err = NotAField;
    fn from_str(text: &str) -> Result<Self, NotAField> {
        match text {
            "kind" => Ok(Self::Kind),
            "note" => Ok(Self::Note),
            "position" => Ok(Self::Position),
            "subject" => Ok(Self::Subject),
            _ => text
                .strip_prefix("field.")
                .and_then(|code| code.parse().ok())
                .map(Self::Field)
                .ok_or_else(|| NotAField(text.to_owned())),
        }
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
