//! People and units: who may do what, since when and until when, and who stands in for whom.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::By;
use crate::catalogue::Text;
use crate::ids::{AccountId, AreaId, GrantId, PersonId, UnitId};
use crate::op::Role;

/// What an account may do in this log. Its secrets are elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The name others see.
    pub name: String,
    /// The person behind it.
    pub person: PersonId,
    /// What it may do, oldest first.
    pub grants: Vec<Granted>,
    /// The units it belongs to.
    pub units: Vec<UnitId>,
    /// It can't act any more, since this revision.
    pub disabled_rev: Option<u64>,
    /// Those of its units that it belongs to by itself, since when and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub joined: BTreeMap<UnitId, Joined>,
    /// Those of its units that it belongs to in the place of others alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units_as_deputy: Vec<UnitId>,
    /// It is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// Whom it stands in for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stands_in: Vec<StandingIn>,
    /// Grants that ended, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_grants: Vec<PastGrant>,
    /// Memberships that ended, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past_units: Vec<PastMember>,
}

impl Account {
    /// An account that may do nothing yet.
    pub fn new(id: AccountId, name: String, person: PersonId) -> Self {
        Self {
            id,
            name,
            person,
            grants: Vec::new(),
            units: Vec::new(),
            disabled_rev: None,
            joined: BTreeMap::new(),
            units_as_deputy: Vec::new(),
            absent: None,
            stands_in: Vec::new(),
            past_grants: Vec::new(),
            past_units: Vec::new(),
        }
    }

    /// The units it belongs to by itself.
    pub fn own_units(&self) -> impl Iterator<Item = UnitId> {
        self.units.iter().copied().filter(|unit| !self.units_as_deputy.contains(unit))
    }

    /// What it may do by itself.
    pub fn own_grants(&self) -> impl Iterator<Item = &Granted> {
        self.grants.iter().filter(|grant| grant.standing_in.is_none())
    }
}

/// A membership that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Joined {
    /// The revision that gave it.
    pub rev: u64,
    /// When it ends by itself, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// Somebody is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Absence {
    /// Who stands in.
    pub deputy: AccountId,
    /// The revision since which.
    pub rev: u64,
    /// Until when at most, in ms: it then ends by itself.
    pub until_ms: u64,
}

/// Somebody whom an account stands in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StandingIn {
    /// Whom.
    pub absent: AccountId,
    /// The units of that account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitId>,
}

/// A grant that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastGrant {
    /// What it was.
    pub granted: Granted,
    /// The revision that ended it.
    pub ended_rev: u64,
}

/// A membership that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastMember {
    /// The unit.
    pub unit: UnitId,
    /// The revision that gave it, where that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_rev: Option<u64>,
    /// The revision that ended it.
    pub ended_rev: u64,
}

/// One role over one area subtree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Granted {
    /// Its id.
    pub grant: GrantId,
    /// The role.
    pub role: Role,
    /// The area subtree.
    pub area: AreaId,
    /// The revision that gave it.
    pub rev: u64,
    /// When it ends by itself, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// It is somebody else's, who is away: this account stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_in: Option<AccountId>,
}

impl Granted {
    /// A grant of an account's own, without an end.
    pub fn new(grant: GrantId, role: Role, area: AreaId, rev: u64) -> Self {
        Self { grant, role, area, rev, until_ms: None, standing_in: None }
    }
}

/// A body that must rectify (责任单位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// Its name.
    pub name: Text,
    /// The area it belongs to.
    pub area: AreaId,
    /// The revision that made it, where that was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_rev: Option<u64>,
    /// It has ended, and another one goes on in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
}

impl Unit {
    /// A unit that takes cases.
    pub fn new(id: UnitId, name: Text, area: AreaId) -> Self {
        Self { id, name, area, since_rev: None, merged: None }
    }
}

/// How a unit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Merged {
    /// The unit that goes on: what counts for the one that ended counts for it from then on.
    pub into: UnitId,
    /// Who, when.
    pub by: By,
}
