//! Lines: reading one strictly, writing one canonically, and the ids and hashes made from them.
//! It does not know what an op means.

use std::fmt;

use schema::hash::{Hash, Salt};
use schema::ids::{AccountId, BootId, DeviceId, EntityId, LogId, OpId};
use schema::limits::{JSON_DEPTH_MAX, LINE_BYTES_MAX, LINE_VERSION, SEALED_VALUE_BYTES_MAX};
use schema::op::{Body, Captured, Op, Sealed, SealedValue};
use schema::record::RefusalCode;
use schema::sync::SEALED_LINE_START;
use schema::tree::Tree;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Whether a line of a push carries a sealed value (and not an op).
pub fn is_value_line(line: &[u8]) -> bool {
    line.starts_with(SEALED_LINE_START.as_bytes())
}

/// Reads an op line. Refuses what is not JSON, has a key twice, a float, too much nesting, or not an op's members.
///
/// # Errors
/// [`RefusalCode::TooLong`] or [`RefusalCode::NotAnOp`]; the line is then kept as `unreadable`.
pub fn read(line: &[u8]) -> Result<Op, RefusalCode> {
    if line.len() > LINE_BYTES_MAX {
        return Err(RefusalCode::TooLong);
    }
    let value = strict_json(line).map_err(|_| RefusalCode::NotAnOp)?;
    let op: Op = crate::json::read_value(value).map_err(|_| RefusalCode::NotAnOp)?;
    let well_formed = op.v == LINE_VERSION
        && !op.kind.is_empty()
        && op.kind.len() <= 40
        && op.kind.bytes().all(|byte| byte.is_ascii_graphic());
    well_formed.then_some(op).ok_or(RefusalCode::NotAnOp)
}

/// Reads JSON without the two things that make equal texts unequal values: repeated keys and floats.
///
/// # Errors
/// Whatever serde_json says, with its place in the text.
pub fn strict_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without floats and repeated keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a number with a fraction or exponent"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self.deeper()?)?;
            if members.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

/// Why a value line can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueLineError {
    /// Not the three members of a sealed value.
    #[error("not a sealed value")]
    Malformed,
    /// Longer than a value may be.
    #[error("a sealed value is longer than {SEALED_VALUE_BYTES_MAX} bytes")]
    TooLong,
    /// The hash is not that of salt and value.
    #[error("a sealed value does not have its hash")]
    WrongHash,
}

/// Reads a value line and checks that the value has its hash.
///
/// # Errors
/// See [`ValueLineError`].
pub fn read_value(line: &[u8]) -> Result<SealedValue, ValueLineError> {
    let value: SealedValue = crate::json::read(line).map_err(|_| ValueLineError::Malformed)?;
    if value.value.len() > SEALED_VALUE_BYTES_MAX {
        return Err(ValueLineError::TooLong);
    }
    if seal(&value.salt, &value.value).sealed != value.sealed {
        return Err(ValueLineError::WrongHash);
    }
    Ok(value)
}

/// The place of a personal value in a line: SHA-256 of its salt and its bytes.
pub fn seal(salt: &Salt, value: &str) -> Sealed {
    let mut hasher = Sha256::new();
    hasher.update(salt.0);
    hasher.update(value.as_bytes());
    Sealed { sealed: Hash(hasher.finalize().into()) }
}

/// Writes an op as its line, without the newline. Done once, by the device that makes the op; the bytes never change.
///
/// # Errors
/// None in practice: an op's members are all writable as JSON.
pub fn write(op: &Op) -> Result<String, serde_json::Error> {
    crate::json::write(op)
}

/// The body of an op as its kind reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadBody {
    /// As it should be.
    Known(Box<Body>),
    /// The kind, or this version of it, is newer than this program.
    TooNew,
    /// The kind is known, the body does not fit; for a person to read.
    Misfit(String),
}

/// The newest version of every kind's body. A server up-casts all it ever accepted; so far there is one.
pub const KIND_VERSION: u32 = 1;

/// Reads the body by kind and version.
pub fn body(op: &Op) -> ReadBody {
    if op.kind_version != KIND_VERSION || !is_known_kind(&op.kind) {
        return ReadBody::TooNew;
    }
    let read = crate::json::tree(Value::Object(op.body.clone())).and_then(|body| Body::read(op.kind.clone(), body));
    match read {
        Ok(body) => ReadBody::Known(Box::new(body)),
        Err(error) => ReadBody::Misfit(error.to_string()),
    }
}

fn is_known_kind(kind: &str) -> bool {
    let read = Body::read(kind.to_owned(), Tree::Null);
    read.map_or_else(|error| !error.to_string().starts_with("unknown variant"), |_| true)
}

/// Kind and body of a line, from its typed form.
///
/// # Errors
/// None in practice: bodies are all writable as JSON objects.
pub fn kind_and_body(body: &Body) -> Result<(String, Map<String, Value>), serde_json::Error> {
    let tagged = crate::json::value(body)?;
    match (tagged.get("kind"), tagged.get("body")) {
        (Some(Value::String(kind)), Some(Value::Object(body))) => Ok((kind.clone(), body.clone())),
        _ => Err(serde_json::Error::custom("a body is not an object")),
    }
}

/// An op of the server: no device number, no actor; salt and id follow from its cause.
///
/// # Errors
/// As [`kind_and_body`].
pub fn server_op(
    log: LogId,
    op: OpId,
    server_device: DeviceId,
    entity: EntityId,
    body: &Body,
    received_ms: u64,
) -> Result<Op, serde_json::Error> {
    let (kind, body) = kind_and_body(body)?;
    let digest = sha256(op.bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(digest.0.split_at(16).0);
    Ok(Op {
        v: LINE_VERSION,
        log,
        op,
        device: server_device,
        actor: AccountId::NIL,
        entity,
        kind,
        kind_version: KIND_VERSION,
        base: None,
        captured: Captured {
            wall_ms: i64::try_from(received_ms).unwrap_or(i64::MAX),
            elapsed_ms: 0,
            boot: BootId::NIL,
        },
        salt: Salt(salt),
        body,
    })
}

/// The id of the `n`-th consequence of a kind of an op: UUIDv8 of SHA-256(log, cause, kind, n).
pub fn consequence_id(log: LogId, cause: OpId, kind: &str, n: u32) -> OpId {
    OpId(uuid_v8(&[log.bytes(), cause.bytes(), kind.as_bytes(), &n.to_be_bytes()]))
}

/// The id of what the server does when a time has come: UUIDv8 of SHA-256(log, entity, clock, kind, occurrence). However
/// many servers notice it, it is one op.
pub fn ticker_id(log: LogId, entity: EntityId, clock: &str, kind: &str, occurrence: u64) -> OpId {
    OpId(uuid_v8(&[log.bytes(), entity.bytes(), clock.as_bytes(), kind.as_bytes(), &occurrence.to_be_bytes()]))
}

/// The id of a line that can't be taken: UUIDv8 of SHA-256(log, device, incarnation, device_seq, line).
pub fn unreadable_id(log: LogId, device: DeviceId, incarnation: u64, device_seq: u64, line: &[u8]) -> OpId {
    OpId(uuid_v8(&[log.bytes(), device.bytes(), &incarnation.to_be_bytes(), &device_seq.to_be_bytes(), line]))
}

/// The id of the log's only entity of a kind (`areas`, `catalogue`): UUIDv8 of SHA-256(log, name).
pub fn singleton_id(log: LogId, name: &str) -> EntityId {
    EntityId(uuid_v8(&[log.bytes(), name.as_bytes()]))
}

fn uuid_v8(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(digest.split_at(16).0);
    Uuid::new_v8(bytes)
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The short code of a case: the last 50 bits of its id in Crockford's base 32. No key: several cases may share one.
pub fn short_code(case: EntityId) -> String {
    let tail = case.0.as_u128() & ((1 << 50) - 1);
    (0..10)
        .rev()
        .filter_map(|digit| usize::try_from((tail >> (digit * 5)) & 31).ok())
        .filter_map(|index| CROCKFORD.get(index))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests;
