//! Arguments in, values out, and refusals with a sentence in both languages.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sync_core::device::error::PhoneError;
use sync_core::json;

/// Why a call was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: &'static str,
    zh: String,
    en: String,
}

/// What a call gives.
pub(crate) type Answer = Result<String, Refusal>;

impl Refusal {
    pub(crate) fn defect(what: &str) -> Self {
        refusal_of(&PhoneError::Internal(what.to_owned()))
    }

    pub(crate) fn written(&self) -> String {
        serde_json::json!({ "code": self.code, "zh": self.zh, "en": self.en }).to_string()
    }
}

impl From<PhoneError> for Refusal {
    fn from(error: PhoneError) -> Self {
        refusal_of(&error)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        refusal_of(&error.into())
    }
}

pub(crate) fn refusal_of(error: &PhoneError) -> Refusal {
    let code = match error {
        PhoneError::StorageFull => "storage_full",
        PhoneError::NotEnrolled => "not_enrolled",
        PhoneError::OtherAccount(_) => "other_account",
        PhoneError::OtherServer(_) => "other_server",
        PhoneError::UnknownLog(_) => "unknown_log",
        PhoneError::TooLarge { .. } => "too_large",
        PhoneError::TooManyPhotos(_) | PhoneError::TakesNoPhotos(_) | PhoneError::Photo { .. } => "photos",
        PhoneError::Answer(_) | PhoneError::OtherLog => "answer",
        PhoneError::WrongHash(_) => "wrong_hash",
        PhoneError::NoExportKey => "no_export_key",
        PhoneError::Damaged(_) => "damaged",
        _ => "defect",
    };
    Refusal { code, zh: error.in_chinese(), en: error.to_string() }
}

/// The arguments of a call.
pub(crate) fn read<T: DeserializeOwned>(arguments: &str) -> Result<T, Refusal> {
    Ok(json::read(arguments)?)
}

/// What it gives.
pub(crate) fn give(value: impl Serialize) -> Answer {
    Ok(json::write(&value)?)
}

/// Nothing.
pub(crate) fn nothing() -> Answer {
    Ok("null".to_owned())
}

/// Bytes as the text that they are.
pub(crate) fn text(bytes: &[u8]) -> Result<String, Refusal> {
    String::from_utf8(bytes.to_vec()).map_err(|error| Refusal::defect(&error.to_string()))
}
