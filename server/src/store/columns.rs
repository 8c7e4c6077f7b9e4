//! Between columns and types. A column that does not hold what its type needs is damage, never a guess.

use schema::hash::Hash;
use uuid::Uuid;

use super::error::StoreError;

/// A column that never holds less than zero.
pub(super) fn number(column: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(|_| StoreError::Damaged(what))
}

/// A number that fits a column.
pub(super) fn column(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Damaged("a number beyond 2^63"))
}

/// A number to compare a column with. It may come from outside; beyond what a column holds, the largest compares the
/// same.
pub(super) fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A small column that never holds less than zero.
pub(super) fn small(column: i16, what: &'static str) -> Result<u8, StoreError> {
    u8::try_from(column).map_err(|_| StoreError::Damaged(what))
}

/// 32 bytes.
pub(super) fn hash(column: &[u8]) -> Result<Hash, StoreError> {
    column.try_into().map(Hash).map_err(|_| StoreError::Damaged("a hash that is not 32 bytes"))
}

/// 16 bytes.
pub(super) fn uuid(column: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(column).map_err(|_| StoreError::Damaged("an id that is not 16 bytes"))
}

/// Whether a text can stand in a column: PostgreSQL has no NUL in texts, so nothing that is stored has one.
pub(super) fn may_be_stored(text: &str) -> bool {
    !text.contains('\0')
}
