//! The catalogue (案件目录): categories, subtypes, their fields, conditions and evidence, as data.
//! A new category needs a catalogue file, no rebuild; a running case keeps the version it was filed under.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Stage;

mod staying;

pub use staying::{LookBackDays, LookBacks, RelapseBy};

/// The catalogue that the product comes with: illegal structures, dogs, stalls. A [`Catalogue`] document.
pub const CITY_CATALOGUE: &str = include_str!("../catalogue/city.json");

/// A name inside a catalogue: 1 to 40 of `a-z`, `0-9` and `_`, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String))]
pub struct Code(String);

impl Code {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotACode(pub String);

impl fmt::Display for NotACode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a code (1 to 40 of a-z, 0-9, _, first a letter): {:?}", self.0)
    }
}

impl std::error::Error for NotACode {}

impl FromStr for Code {
    type Err = NotACode;
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let fits = (1..=40).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        fits.then(|| Self(text.to_owned())).ok_or_else(|| NotACode(text.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// 简体中文
    pub zh: String,
    /// English
    pub en: String,
}

/// A catalogue document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Its version, e.g. `2026-11`; each import needs a new one.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// How official numbers are made.
    pub numbering: Numbering,
    /// Days after its end when a case leaves the phones; 180 if not said, and never fewer than the relapse window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_days: Option<u16>,
    /// The longest side of a photo that a phone's page sends, in pixels; 1600 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_side_px: Option<u16>,
    /// Reasons for `decline`.
    pub decline_reasons: Vec<Choice>,
    /// Reasons for `return_assignment`.
    pub return_reasons: Vec<Choice>,
    /// Stages that every case has: the office's own limits, the one from filing to close. A subtype's stage of the same
    /// code takes the place of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// The categories.
    pub categories: Vec<Category>,
}

/// How official numbers are written. A catalogue says `{"format": "{year}{district}-{serial:06}"}`; the older
/// `{"prefix": "ZG", "digits": 5}` is read as `ZG{year}{serial:05}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "NumberingAsWritten")]
pub struct Numbering {
    /// Plain text around `{year}` (of filing, in the log's zone), `{serial}` or `{serial:0N}` (with N digits at least)
    /// and, where wanted, `{district}` (the code of the root area); `{{` and `}}` are braces.
    pub format: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberingAsWritten {
    format: Option<String>,
    prefix: Option<String>,
    digits: Option<u8>,
}

impl TryFrom<NumberingAsWritten> for Numbering {
    type Error = &'static str;
    fn try_from(written: NumberingAsWritten) -> Result<Self, Self::Error> {
        match written {
            NumberingAsWritten { format: Some(format), prefix: None, digits: None } => Ok(Self { format }),
            NumberingAsWritten { format: None, prefix: Some(prefix), digits: Some(digits) } => {
                let prefix = prefix.replace('{', "{{").replace('}', "}}");
                Ok(Self { format: format!("{prefix}{{year}}{{serial:0{digits}}}") })
            }
            NumberingAsWritten { .. } => Err("numbering needs \"format\" alone, such as {year}-{serial:06}"),
        }
    }
}

/// A category (大类): illegal structures, dogs, stalls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// When somebody looks again at what was closed; nobody does if not said. A subtype's own goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_backs: Option<LookBacks>,
    /// By what a new report is told to be a relapse; a subtype's own goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relapse_by: Option<RelapseBy>,
    /// Its subtypes.
    pub subtypes: Vec<Subtype>,
}

/// A subtype (小类) with all that a report of it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Subtype {
    /// Its code, unique in its category.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// What its subject is (a stall number, a house number), if it has one.
    pub subject: Option<Text>,
    /// Its fields.
    pub fields: Vec<FieldSpec>,
    /// Conditions of which one is named when it is filed (立案条件).
    pub filing_conditions: Vec<Choice>,
    /// Conditions of which one is named when it is closed (结案条件).
    pub closing_conditions: Vec<Choice>,
    /// The evidence it needs.
    pub evidence: EvidenceNeeds,
    /// Outcomes by which it may be settled on site (现场解决); empty where it may not.
    pub settle_outcomes: Vec<Choice>,
    /// The law it rests on.
    pub legal_basis: Vec<Text>,
    /// The stages of its procedure with their limits, beside those of every case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// When somebody looks again at what was closed, if not as in its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_backs: Option<LookBacks>,
    /// By what a new report is told to be a relapse, if not as in its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relapse_by: Option<RelapseBy>,
}

/// The least number of photos, by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EvidenceNeeds {
    /// `before` photos of a report: fewer is accepted and flagged.
    pub before: u8,
    /// `after` photos for closing.
    pub after: u8,
    /// `check` photos for closing.
    pub check: u8,
}

/// One of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Text,
}

/// A field of a subtype.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// Its code, unique in its subtype.
    pub code: Code,
    /// Its label.
    pub label: Text,
    /// What it holds.
    pub holds: FieldKind,
    /// By when it must be filled in.
    pub required: Required,
}

/// By when a field must be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Never.
    No,
    /// At the report: one without it is accepted and flagged.
    Report,
    /// At filing: refused without it.
    File,
    /// At closing: refused without it.
    Close,
}

crate::tagged! { "type" "FieldKind" deny_unknown_fields;
/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldKind {
    /// A short text, not personal.
    Text {
        /// The most characters.
        chars_max: u16,
    },
    /// A personal value: sealed, readable by a class of readers.
    Personal {
        /// Who may read it.
        readers: ReaderClass,
        /// How it is shown in lists, to those who may read it.
        #[serde(default, skip_serializing_if = "Mask::is_whole")]
        mask: Mask,
    },
    /// A measured number, held as an integer of 10^-scale units.
    Number {
        /// The unit, e.g. `m²`.
        unit: String,
        /// Digits behind the decimal point.
        scale: u8,
        /// The least value, as held.
        min: i64,
        /// The greatest value, as held.
        max: i64,
    },
    /// One of several.
    Choice {
        /// The choices.
        choices: Vec<Choice>,
    },
    /// Yes or no.
    YesNo,
    /// The number or id of something in another register.
    Reference {
        /// Which register.
        register: Text,
    },
}
}

/// What of a personal value is shown in lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// Nothing.
    #[default]
    Whole,
    /// The first character: 张**.
    Name,
    /// The first three and the last four: 138****1234.
    Telephone,
    /// The first three and the last two: 110*************23.
    IdNumber,
}

impl Mask {
    /// Whether nothing is shown.
    pub fn is_whole(&self) -> bool {
        *self == Self::Whole
    }
}

/// Who may read a sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReaderClass {
    /// Everybody who may read the case (free text).
    CaseReaders,
    /// Those who handle it: supervisors and auditors of the area, the units that must fix it, its maker (party data).
    Handlers,
}
