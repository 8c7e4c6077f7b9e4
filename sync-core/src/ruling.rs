//! What a rule says about an op, before it becomes a record.

use schema::case::{Case, FieldName};
use schema::entity::Entity;
use schema::hash::Hash;
use schema::ids::AreaId;
use schema::record::{Outcome, RefusalCode, Released};
use serde_json::{Map, Value};

/// What a rule says: the outcome, what changes, and what the record has to name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ruling {
    pub(crate) outcome: Outcome,
    pub(crate) code: Option<RefusalCode>,
    pub(crate) detail: Map<String, Value>,
    pub(crate) after: Option<Entity>,
    pub(crate) flags: Vec<String>,
    pub(crate) conflicts: Vec<FieldName>,
    pub(crate) number: Option<String>,
    pub(crate) area: Option<AreaId>,
    pub(crate) catalogue: Option<Hash>,
    pub(crate) released: Vec<Released>,
}

impl Ruling {
    fn new(outcome: Outcome, code: Option<RefusalCode>, after: Option<Entity>) -> Self {
        Self {
            outcome,
            code,
            detail: Map::new(),
            after,
            flags: Vec::new(),
            conflicts: Vec::new(),
            number: None,
            area: None,
            catalogue: None,
            released: Vec::new(),
        }
    }

    /// The op takes effect and the entity becomes `after`.
    pub(crate) fn accepted(after: Entity) -> Self {
        Self::new(Outcome::Accepted, None, Some(after))
    }

    /// The op takes effect and the case becomes `after`.
    pub(crate) fn accepted_case(after: Case) -> Self {
        Self::accepted(Entity::Case(Box::new(after)))
    }

    /// The op is right and changes nothing.
    pub(crate) fn unchanged() -> Self {
        Self::new(Outcome::Accepted, None, None)
    }

    /// The op takes no effect.
    pub(crate) fn rejected(code: RefusalCode) -> Self {
        Self::new(Outcome::Rejected, Some(code), None)
    }

    /// A value does not fit.
    pub(crate) fn invalid(field: &str) -> Self {
        Self::rejected(RefusalCode::Validation).with("field", field)
    }

    /// The server takes custody.
    pub(crate) fn parked(code: RefusalCode) -> Self {
        Self::new(Outcome::Parked, Some(code), None)
    }

    /// Adds what a program needs to explain the code.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}
