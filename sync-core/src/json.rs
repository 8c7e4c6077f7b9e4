//! JSON, read and written in one way each. A second way is compiled for every type once more, and the page has to load
//! that over slow links, so it reads everything from a [`Tree`]; natively the direct way is the faster one, and nothing has
//! to be loaded.

use schema::tree::Tree;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};
use serde_json::{Error, Value};

/// Reads a text.
///
/// # Errors
/// It is not that.
#[cfg(not(target_arch = "wasm32"))]
pub fn read<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, Error> {
    serde_json::from_slice(text.as_ref())
}

/// Reads a text.
///
/// # Errors
/// It is not that.
#[cfg(target_arch = "wasm32")]
pub fn read<T: DeserializeOwned>(text: impl AsRef<[u8]>) -> Result<T, Error> {
    T::deserialize(serde_json::from_slice::<Tree>(text.as_ref())?)
}

/// Writes a text.
///
/// # Errors
/// The value has no form in JSON.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    String::from_utf8(serde_json::to_vec(value)?).map_err(serde::ser::Error::custom)
}

/// A value as a type.
///
/// # Errors
/// It is not that.
pub fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(tree(value)?)
}

/// A value as a tree.
///
/// # Errors
/// None: both are JSON.
pub fn tree(value: Value) -> Result<Tree, Error> {
    Tree::deserialize(value)
}

/// A type as a value.
///
/// # Errors
/// It has no form in JSON.
#[cfg(not(target_arch = "wasm32"))]
pub fn value<T: Serialize>(value: T) -> Result<Value, Error> {
    serde_json::to_value(value)
}

/// A type as a value.
///
/// # Errors
/// It has no form in JSON.
#[cfg(target_arch = "wasm32")]
pub fn value<T: Serialize>(value: T) -> Result<Value, Error> {
    read(serde_json::to_vec(&value)?)
}
