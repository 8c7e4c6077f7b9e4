//! What can stand in a column: numbers as i64, ids and hashes as bytes, scopes and names as text.

use schema::case::State;
use schema::catalogue::Text;
use schema::hash::{Hash, Salt, Signature};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, OpId, UnitId};
use schema::sync::{Durability, Scope};
use serde_json::Value as Json;
use uuid::Uuid;

use super::Value;
use crate::apply::state_number;

/// A column's type.
pub(crate) trait Column: Sized {
    fn value(&self) -> Value;
    fn of(value: Value) -> Option<Self>;
}

impl Column for i64 {
    fn value(&self) -> Value {
        Value::Int(*self)
    }
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }
}

/// Revisions, sizes and times never come near the end of i64.
impl Column for u64 {
    fn value(&self) -> Value {
        Value::Int(i64::try_from(*self).unwrap_or(i64::MAX))
    }
    fn of(value: Value) -> Option<Self> {
        i64::of(value).map(|number| Self::try_from(number).unwrap_or(0))
    }
}

impl Column for bool {
    fn value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
    fn of(value: Value) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Column for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Column for &str {
    fn value(&self) -> Value {
        Value::Text((*self).to_owned())
    }
    fn of(_: Value) -> Option<Self> {
        None
    }
}

impl Column for Vec<u8> {
    fn value(&self) -> Value {
        Value::Blob(self.clone())
    }
    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::value)
    }
    fn of(value: Value) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}

macro_rules! bytes {
    ($($name:ty),*) => { $(
        impl Column for $name {
            fn value(&self) -> Value {
                Value::Blob(self.0.to_vec())
            }
            fn of(value: Value) -> Option<Self> {
                Vec::<u8>::of(value)?.try_into().ok().map(Self)
            }
        }
    )* };
}

bytes!(Hash, Salt, Signature);

macro_rules! ids {
    ($($name:ident),*) => { $(
        impl Column for $name {
            fn value(&self) -> Value {
                Value::Blob(self.bytes().to_vec())
            }
            fn of(value: Value) -> Option<Self> {
                Uuid::from_slice(&Vec::<u8>::of(value)?).ok().map(Self)
            }
        }
    )* };
}

ids!(AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, OpId, UnitId);

impl Column for Scope {
    fn value(&self) -> Value {
        Value::Text(self.to_string())
    }
    fn of(value: Value) -> Option<Self> {
        String::of(value)?.parse().ok()
    }
}

/// `{"zh","en"}`
impl Column for Text {
    fn value(&self) -> Value {
        Value::Text(serde_json::json!({ "zh": self.zh, "en": self.en }).to_string())
    }
    fn of(value: Value) -> Option<Self> {
        crate::json::read(&String::of(value)?).ok()
    }
}

impl Column for Durability {
    fn value(&self) -> Value {
        let name = match self {
            Self::Backup => "backup",
            Self::Replica => "replica",
            Self::Local => "local",
        };
        Value::Text(name.to_owned())
    }
    fn of(value: Value) -> Option<Self> {
        crate::json::read_value(Json::String(String::of(value)?)).ok()
    }
}

impl Column for State {
    fn value(&self) -> Value {
        Value::Int(i64::from(state_number(*self)))
    }
    fn of(value: Value) -> Option<Self> {
        let number = i64::of(value)?;
        State::ALL.into_iter().find(|state| i64::from(state_number(*state)) == number)
    }
}
