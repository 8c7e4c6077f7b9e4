//! What was done at the server itself to accounts, phones, units and personal values, kept beside the signer's memory and
//! apart from the database: no phone brings it back after a restore. What takes something away is done again by itself;
//! the rest is listed for the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use schema::hash::Hash;
use schema::ids::{EntityId, LogId, OpId};
use schema::op::{Body, SealedValue};
use serde::{Deserialize, Serialize};
use sync_core::line::sha256;

use super::signer::{self, SignerError};

/// An op of the server that only the server had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Its id: done again it is the same op.
    pub op: OpId,
    /// The entity.
    pub entity: EntityId,
    /// What it does.
    #[serde(flatten)]
    pub body: Body,
    /// The values that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<SealedValue>,
}

impl Act {
    /// It takes something away: a restore must not give it back.
    pub fn takes_away(&self) -> bool {
        matches!(
            self.body,
            Body::RedactValue(_) | Body::RevokeDevice(_) | Body::DisableAccount(_) | Body::RevokeGrant(_)
        )
    }

    /// Whose it is or what it is called, for a person to read.
    pub fn about(&self) -> String {
        match &self.body {
            Body::SetAccount(set) => set.name.clone(),
            Body::SetUnit(set) => set.name.zh.clone(),
            Body::EnrolDevice(device) => format!("{} ({})", device.label, device.account),
            Body::Grant(grant) => format!("{:?}", grant.role).to_lowercase(),
            Body::SetMembership(joins) => format!("{}{}", if joins.member { "+" } else { "-" }, joins.unit),
            _ => String::new(),
        }
    }
}

/// Whether an op of the server is one that nobody else could bring back, and is not made again by itself.
pub fn is_kept(body: &Body) -> bool {
    matches!(
        body,
        Body::SetAccount(_)
            | Body::Grant(_)
            | Body::RevokeGrant(_)
            | Body::SetMembership(_)
            | Body::DisableAccount(_)
            | Body::EnrolDevice(_)
            | Body::RevokeDevice(_)
            | Body::SetUnit(_)
            | Body::RedactValue(_)
    )
}

/// What was taken away, by whom or what it was taken from.
#[derive(Debug, Clone, Default)]
pub struct TakenAway(BTreeMap<EntityId, Vec<Act>>);

impl TakenAway {
    /// The acts on an entity, in the order in which they were done.
    pub fn from(&self, entity: EntityId) -> &[Act] {
        self.0.get(&entity).map_or(&[], Vec::as_slice)
    }

    /// All entities that something was taken from.
    pub fn entities(&self) -> impl Iterator<Item = EntityId> {
        self.0.keys().copied()
    }

    /// Whether a value of an entity was redacted.
    pub fn has_value(&self, entity: EntityId, value: &Hash) -> bool {
        self.from(entity).iter().any(|act| matches!(&act.body, Body::RedactValue(it) if it.value == *value))
    }
}

impl FromIterator<Act> for TakenAway {
    fn from_iter<T: IntoIterator<Item = Act>>(acts: T) -> Self {
        let mut found = Self::default();
        for act in acts.into_iter().filter(Act::takes_away) {
            found.0.entry(act.entity).or_default().push(act);
        }
        found
    }
}

/// What is remembered of a log, in the order in which it was done.
///
/// # Errors
/// See [`SignerError`].
pub fn read(data: &Path, log: LogId) -> Result<Vec<Act>, SignerError> {
    let path = path(data, log);
    let text = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SignerError::File { path, source }),
    };
    let (mut acts, mut seen): (Vec<Act>, BTreeSet<OpId>) = (Vec::new(), BTreeSet::new());
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Some(act) = read_line(line) else {
            // Torn by a power cut before it was done.
            tracing::warn!(path = %path.display(), "a line that is not to be read as something done at the server");
            continue;
        };
        if seen.insert(act.op) {
            acts.push(act);
        }
    }
    Ok(acts)
}

fn read_line(line: &[u8]) -> Option<Act> {
    let (json, sum) = std::str::from_utf8(line).ok()?.rsplit_once(' ')?;
    let whole = sha256(json.as_bytes()).to_string() == sum;
    whole.then(|| serde_json::from_str(json).ok()).flatten()
}

/// Remembers what is about to be done: on the disk when this returns.
///
/// # Errors
/// See [`SignerError`].
pub fn remember(data: &Path, log: LogId, acts: &[Act]) -> Result<(), SignerError> {
    if acts.is_empty() {
        return Ok(());
    }
    let path = path(data, log);
    let at = |source| SignerError::File { path: path.clone(), source };
    let mut lines = String::new();
    for act in acts {
        let json = serde_json::to_string(act).map_err(|_| SignerError::Memory(path.clone()))?;
        // A line before it may be torn: a new one begins in any case.
        lines.push_str(&format!("\n{json} {}\n", sha256(json.as_bytes())));
    }
    signer::make_memory(data)?;
    let fresh = !path.exists();
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(at)?;
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(at)?;
    if fresh {
        File::open(signer::memory_folder(data)).and_then(|folder| folder.sync_all()).map_err(at)?;
    }
    Ok(())
}

fn path(data: &Path, log: LogId) -> PathBuf {
    signer::memory_folder(data).join(format!("{log}.acts"))
}

#[cfg(test)]
mod tests {
    use schema::op::RedactValue;
    use uuid::Uuid;

    use super::*;

    fn redaction(n: u128) -> Act {
        let (op, entity) = (OpId(Uuid::from_u128(n)), EntityId(Uuid::from_u128(7)));
        let body = Body::RedactValue(RedactValue { value: Hash([1; 32]), reason: "法".into() });
        Act { op, entity, body, values: Vec::new() }
    }

    #[test]
    fn a_torn_line_takes_none_with_it_and_what_was_done_twice_is_told_once() {
        let (data, log) = (tempfile::tempdir().unwrap(), LogId(Uuid::from_u128(1)));
        assert_eq!(read(data.path(), log).unwrap(), []);
        remember(data.path(), log, &[redaction(1)]).unwrap();
        let mut file = OpenOptions::new().append(true).open(path(data.path(), log)).unwrap();
        file.write_all(b"\n{\"op\":\"0000").unwrap();
        remember(data.path(), log, &[redaction(1), redaction(2)]).unwrap();
        let acts = read(data.path(), log).unwrap();
        assert_eq!(acts, [redaction(1), redaction(2)]);
        let away: TakenAway = acts.into_iter().collect();
        assert!(away.has_value(EntityId(Uuid::from_u128(7)), &Hash([1; 32])));
        assert!(!away.has_value(EntityId(Uuid::from_u128(8)), &Hash([1; 32])));
    }
}
