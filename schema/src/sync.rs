//! `POST /v1/sync`: one request pushes and pulls. NDJSON both ways.
//!
//! Request: one [`SyncHeader`] line, then the op lines, each followed by the [`crate::op::SealedValue`] lines of the
//! values it names. A line whose first bytes are [`SEALED_LINE_START`] is a value line and belongs to the op line
//! before it; every other line is an op line and takes the next `device_seq`, whatever it holds.
//!
//! Response: [`SyncLine`]s: `head` first, `end` last. A response without `end` was cut and is thrown away whole.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::hash::{Hash, Signature};
use crate::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, UnitId};
use crate::op::{Captured, Role, SealedValue};
use crate::record::OutcomeLine;
use crate::tree::flat;

mod receipt;

pub use receipt::{RECEIPT_CONTEXT, Receipt, ReceiptOp, SignedReceipt};

/// How a value line begins.
pub const SEALED_LINE_START: &str = "{\"sealed\":\"";

/// The first line of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncHeader {
    /// The lowest and highest protocol the device speaks.
    pub protocol: (u32, u32),
    /// The log.
    pub log: LogId,
    /// The device.
    pub device: DeviceId,
    /// The epoch the device last saw; none before its first sync.
    pub epoch: Option<EpochId>,
    /// Program and version, e.g. `rectify-phone/0.1.0`.
    pub app: String,
    /// The incarnation of the ops that follow: random, 1 to 2^53 − 1.
    pub incarnation: u64,
    /// `device_seq` of the first op line.
    pub first_seq: u64,
    /// How many op lines follow: a body cut short is refused whole.
    pub count: u32,
    /// The device chain after the last op line (`sync_core::log::chain`).
    pub chain: Hash,
    /// ES256 over the batch (`sync_core::log::chain::batch_message`); none where `count` is 0.
    pub signature: Option<Signature>,
    /// The device's clocks now.
    pub clock: Captured,
    /// Cursor by scope. A scope not named is not pulled.
    pub scopes: BTreeMap<Scope, u64>,
    /// Own outcomes are known up to this revision.
    pub own: u64,
    /// The newest checkpoint the device verified.
    pub checkpoint: Option<TreeHead>,
    /// The newest checkpoint it verified at or below `durable`.
    pub durable_checkpoint: Option<TreeHead>,
    /// The most rows it wants in the answer; 0 where it has no room for any: then it is told only what it must drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
    /// After a restore of the server: the signed receipts of what is pushed again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<SignedReceipt>,
}

/// A size and root of a log's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// What a device may subscribe to: an area subtree, the units it works for, the account's own, the log's own things.
/// Written `area:ID`, `unit:ID`, `account:ID`, `log`; a class other than `normal` stands behind it: `area:ID:auditor`,
/// `log:restricted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Whose.
    pub node: Node,
    /// Which visibility class.
    pub class: Class,
}

/// The node of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// Catalogue, area tree, units, the log itself.
    Log,
    /// Everything in an area and below.
    Area(AreaId),
    /// What is assigned to a unit.
    Unit(UnitId),
    /// What an account made and what is assigned to it.
    Account(AccountId),
}

/// Visibility class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Everybody of the node.
    Normal,
    /// What few may know of: of the log, accounts and devices, for administrators; of an area, when somebody looks again
    /// at what was closed there, for those who are of no unit.
    Restricted,
    /// What is restricted to some roles for a time, for those who have this one.
    For(Role),
}

impl Class {
    /// All classes, each told by its suffix.
    const ALL: [Self; 7] = [
        Self::Normal,
        Self::Restricted,
        Self::For(Role::Auditor),
        Self::For(Role::Crew),
        Self::For(Role::Inspector),
        Self::For(Role::Supervisor),
        Self::For(Role::Admin),
    ];

    /// What stands behind the node in a scope's text.
    fn suffix(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Restricted => "restricted",
            Self::For(Role::Auditor) => "auditor",
            Self::For(Role::Crew) => "crew",
            Self::For(Role::Inspector) => "inspector",
            Self::For(Role::Supervisor) => "supervisor",
            Self::For(Role::Admin) => "admin",
        }
    }
}

impl Scope {
    /// The normal class of a node.
    pub fn normal(node: Node) -> Self {
        Self { node, class: Class::Normal }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Node::Log => f.write_str("log")?,
            Node::Area(id) => write!(f, "area:{id}")?,
            Node::Unit(id) => write!(f, "unit:{id}")?,
            Node::Account(id) => write!(f, "account:{id}")?,
        }
        match self.class.suffix() {
            "" => Ok(()),
            suffix => write!(f, ":{suffix}"),
        }
    }
}

/// Why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAScope(pub String);

impl fmt::Display for NotAScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a scope: {:?} (log, area:ID, unit:ID or account:ID)", self.0)
    }
}

impl std::error::Error for NotAScope {}

impl FromStr for Scope {
    type Err = NotAScope;
    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let wrong = || NotAScope(text.to_owned());
        let suffixed = text.rsplit_once(':').and_then(|(name, suffix)| {
            let class = Class::ALL.into_iter().find(|class| !suffix.is_empty() && class.suffix() == suffix)?;
            Some((name, class))
        });
        let (name, class) = suffixed.unwrap_or((text, Class::Normal));
        let node = match name.split_once(':') {
            None if name == "log" => Node::Log,
            Some(("area", id)) => Node::Area(id.parse().map_err(|_| wrong())?),
            Some(("unit", id)) => Node::Unit(id.parse().map_err(|_| wrong())?),
            Some(("account", id)) => Node::Account(id.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        };
        Ok(Self { node, class })
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A line of the response, in the order: `head`, `outcome`s, then `entity` (each with its `value`s), `exit` and
/// `drop` lines, and `end`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncLine {
    /// The first line.
    Head(Box<SyncHead>),
    /// The outcome of an op of this device: pushed now, or entered since `own`.
    Outcome(Box<OutcomeLine>),
    /// An entity in its newest version.
    Entity(EntityLine),
    /// A sealed value that the entity line before names and this reader may read.
    Value(ValueLine),
    /// An entity left a scope.
    Exit(ExitLine),
    /// A scope that the device may no longer name: it drops what it holds by it alone.
    Drop(Scope),
    /// The last line.
    End(SyncEnd),
}

/// The first line of a response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncHead {
    /// The protocol of this answer.
    pub protocol: u32,
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision in this answer's snapshot.
    pub head: u64,
    /// Everything up to this revision survives the loss of the server.
    pub durable: u64,
    /// How `durable` comes about: `backup`, `replica` or `local`.
    pub durability: Durability,
    /// When `durable` was last confirmed; when the log began, if it never was.
    #[serde(default)]
    pub durable_ms: u64,
    /// The server's time.
    pub now_ms: u64,
    /// What became of the pushed lines as a batch.
    pub batch: BatchAnswer,
    /// The signed receipt of the batch.
    pub receipt: Option<SignedReceipt>,
    /// The newest checkpoint, as a C2SP signed note.
    pub checkpoint: Option<String>,
    /// Consistency proof from the header's `checkpoint` to it.
    pub consistency: Vec<Hash>,
    /// The scopes the server thinks this device should name.
    pub default_scopes: Vec<Scope>,
    /// To a device that last saw another epoch: how this one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_start: Option<Box<EpochStart>>,
}

/// How an epoch began, with all that is needed to check it against `checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EpochStart {
    /// The exact line of its first entry, a `start_epoch`.
    pub line: String,
    /// That entry.
    pub outcome: OutcomeLine,
    /// Inclusion proof of it in the tree of `checkpoint`.
    pub inclusion: Vec<Hash>,
    /// Consistency proof from what was kept of the epoch before to `checkpoint`.
    pub kept: Vec<Hash>,
    /// Consistency proof from the header's `durable_checkpoint` to `checkpoint`.
    pub durable: Vec<Hash>,
}

/// How an acknowledged op survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// By the last backup that was read back.
    Backup,
    /// By a synchronous standby.
    Replica,
    /// By this server's disk alone.
    Local,
}

crate::tagged! { "answer" "BatchAnswer";
/// What became of a batch as a whole: taken, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum BatchAnswer {
    /// Nothing was pushed.
    Nothing,
    /// Each line is an entry, or was one before.
    Taken,
    /// A number is missing: send from `expected`, or renumber under a new incarnation.
    Gap {
        /// The next number of this incarnation.
        expected: u64,
    },
    /// A number was used for another op: this is a copy of another phone's store. Take a new incarnation, renumber
    /// what is undecided (bytes unchanged) and go on.
    Reused {
        /// The first number that was used before.
        device_seq: u64,
    },
    /// The signature does not fit the lines.
    BadSignature,
}
}

/// An entity in its newest version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntityLine {
    /// The scope it came by.
    pub scope: Scope,
    /// The entity.
    pub id: EntityId,
    /// The revision of its last change.
    pub rev: u64,
    /// Its document ([`crate::entity::Entity`]); none where this answer holds it already.
    #[serde(default, deserialize_with = "crate::tree::raw")]
    pub document: Option<Box<RawValue>>,
}

/// A sealed value for this reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueLine {
    /// The entity that names it.
    pub entity: EntityId,
    /// The value.
    #[serde(flatten)]
    pub value: SealedValue,
}

flat!(ValueLine: value, entity: EntityId);

/// An entity left a scope at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExitLine {
    /// The scope.
    pub scope: Scope,
    /// The entity.
    pub entity: EntityId,
    /// When.
    pub rev: u64,
}

/// The last line of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncEnd {
    /// The new cursor of each scope that was pulled.
    pub scopes: BTreeMap<Scope, u64>,
    /// Own outcomes are complete up to here.
    pub own: u64,
    /// There is more: sync again.
    pub more: bool,
    /// Scopes that were held back, because the device would hold more than it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_too_large: Option<ScopeTooLarge>,
}

/// More is in a device's scopes than it may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopeTooLarge {
    /// The scopes that were not begun.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub held_back: Vec<Scope>,
    /// How many entities the device would hold, or more.
    pub entities: u64,
    /// How many it may.
    pub entities_max: u64,
}

/// An event of `GET /v1/events`, and the answer of the long poll: never data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeadEvent {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision.
    pub rev: u64,
}
