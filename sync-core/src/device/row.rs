//! Values as they stand in the store's columns: numbers as i64, ids and hashes as blobs.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use schema::hash::{Hash, Salt, Signature};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, OpId, UnitId};
use schema::sync::Scope;
use uuid::Uuid;

/// A number for a column. Revisions, sizes and times never come near the end of i64.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number out of a column.
pub(crate) fn nat(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A fixed-size value as a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blob<T>(pub(crate) T);

/// What can stand in a blob column.
pub(crate) trait Bytes: Sized {
    fn to_blob(&self) -> Vec<u8>;
    fn from_blob(bytes: &[u8]) -> Option<Self>;
}

impl<T: Bytes> ToSql for Blob<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Blob(self.0.to_blob())))
    }
}

impl<T: Bytes> FromSql for Blob<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        T::from_blob(value.as_blob()?).map(Self).ok_or(FromSqlError::InvalidType)
    }
}

macro_rules! bytes {
    ($($name:ty),*) => { $(
        impl Bytes for $name {
            fn to_blob(&self) -> Vec<u8> {
                self.0.to_vec()
            }
            fn from_blob(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }
    )* };
}

bytes!(Hash, Salt, Signature);

macro_rules! ids {
    ($($name:ident),*) => { $(
        impl Bytes for $name {
            fn to_blob(&self) -> Vec<u8> {
                self.bytes().to_vec()
            }
            fn from_blob(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }
    )* };
}

ids!(AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, OpId, UnitId);

/// A scope as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeText(pub(crate) Scope);

impl ToSql for ScopeText {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_string()))
    }
}

impl FromSql for ScopeText {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
