//! Reading the answer to a sync request. It is taken whole or not at all: a cut answer changes nothing.

use std::collections::BTreeMap;

use schema::entity::Entity;
use schema::ids::EntityId;
use schema::limits::PROTOCOL;
use schema::record::{OutcomeLine, Record};
use schema::sync::{ExitLine, Scope, SyncEnd, SyncHead, SyncLine, ValueLine};

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its first line.
    pub head: SyncHead,
    /// Own outcomes, each with its record read.
    pub outcomes: Vec<(OutcomeLine, Record)>,
    /// Entity versions.
    pub entities: Vec<EntityVersion>,
    /// Sealed values for this reader.
    pub values: Vec<ValueLine>,
    /// Entities that left a scope.
    pub exits: Vec<ExitLine>,
    /// Scopes that may no longer be named.
    pub drops: Vec<Scope>,
    /// Its last line.
    pub end: SyncEnd,
}

/// An entity version with the scope it came by.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityVersion {
    /// The scope.
    pub scope: Scope,
    /// The entity.
    pub id: EntityId,
    /// Its revision.
    pub rev: u64,
    /// Its document as the server wrote it.
    pub document: String,
    /// The document as read; none for a kind or form that is newer than this program: it is kept and shown as such.
    pub entity: Option<Entity>,
}

/// Why an answer can't be used. Nothing of it may be used then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It ended before its last line.
    #[error("the answer was cut; it is fetched again")]
    Cut,
    /// A line is not what it should be.
    #[error("line {line} of the answer can't be read ({why}); the server or something on the way is at fault")]
    Malformed {
        /// Which line, from 1.
        line: usize,
        /// Why, for a person to read.
        why: String,
    },
    /// Another protocol.
    #[error("the server speaks protocol {0}; update this program")]
    Protocol(u32),
}

/// Reads an answer.
///
/// # Errors
/// See [`AnswerError`].
pub fn read(bytes: &[u8]) -> Result<Answer, AnswerError> {
    let mut reader = Reader::default();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if !line.is_empty() {
            reader.line(index.saturating_add(1), line)?;
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    head: Option<SyncHead>,
    outcomes: Vec<(OutcomeLine, Record)>,
    entities: Vec<EntityVersion>,
    documents: BTreeMap<(EntityId, u64), usize>,
    values: Vec<ValueLine>,
    exits: Vec<ExitLine>,
    drops: Vec<Scope>,
    end: Option<SyncEnd>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), AnswerError> {
        let malformed = |why: String| AnswerError::Malformed { line: number, why };
        if self.end.is_some() {
            return Err(malformed("there is more behind the end".into()));
        }
        // A last line without its end is a cut, not a fault: the caller just asks again.
        let line = crate::json::read::<SyncLine>(line)
            .map_err(|error| if error.is_eof() { AnswerError::Cut } else { malformed(error.to_string()) })?;
        match line {
            SyncLine::Head(head) if self.head.is_some() => {
                return Err(malformed(format!("a second head of log {}", head.log)));
            }
            SyncLine::Head(head) if head.protocol != PROTOCOL => return Err(AnswerError::Protocol(head.protocol)),
            SyncLine::Head(head) => self.head = Some(*head),
            _ if self.head.is_none() => return Err(malformed("the head is missing".into())),
            SyncLine::Outcome(outcome) => {
                let record = crate::json::read(&outcome.record).map_err(|error| malformed(error.to_string()))?;
                self.outcomes.push((*outcome, record));
            }
            SyncLine::Entity(version) => {
                let key = (version.id, version.rev);
                let (document, entity) = match (version.document, self.documents.get(&key)) {
                    (Some(document), _) => {
                        let document = document.get().to_owned();
                        let entity = crate::json::read(&document).ok();
                        self.documents.insert(key, self.entities.len());
                        (document, entity)
                    }
                    (None, Some(index)) => match self.entities.get(*index) {
                        Some(held) => (held.document.clone(), held.entity.clone()),
                        None => return Err(malformed("a document that this answer does not hold".into())),
                    },
                    (None, None) => return Err(malformed("a document that this answer does not hold".into())),
                };
                let (scope, id, rev) = (version.scope, version.id, version.rev);
                self.entities.push(EntityVersion { scope, id, rev, document, entity });
            }
            SyncLine::Value(value) => self.values.push(value),
            SyncLine::Exit(exit) => self.exits.push(exit),
            SyncLine::Drop(scope) => self.drops.push(scope),
            SyncLine::End(end) => self.end = Some(end),
        }
        Ok(())
    }

    fn finish(self) -> Result<Answer, AnswerError> {
        let (Some(head), Some(end)) = (self.head, self.end) else { return Err(AnswerError::Cut) };
        Ok(Answer {
            head,
            outcomes: self.outcomes,
            entities: self.entities,
            values: self.values,
            exits: self.exits,
            drops: self.drops,
            end,
        })
    }
}
