//! Arguments in, values out, and refusals with a sentence in both languages.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sync_core::device::error::PhoneError;

/// Why a call was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: &'static str,
    zh: String,
    en: String,
}

/// What a call gives.
pub(crate) type Answer = Result<Value, Refusal>;

impl Refusal {
    pub(crate) fn defect(what: &str) -> Self {
        refusal_of(&PhoneError::Internal(what.to_owned()))
    }

    pub(crate) fn written(&self) -> String {
        json!({ "code": self.code, "zh": self.zh, "en": self.en }).to_string()
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
pub(crate) fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T, Refusal> {
    Ok(T::deserialize(arguments)?)
}

/// What it gives.
pub(crate) fn give(value: impl Serialize) -> Answer {
    Ok(serde_json::to_value(value)?)
}
