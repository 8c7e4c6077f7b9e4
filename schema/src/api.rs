//! What a page or a program reads beside the feed: lists, one case with its values, entries, proofs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::case::State;
use crate::catalogue::Code;
use crate::hash::Hash;
use crate::ids::{AccountId, DeviceId, EntityId, EpochId, LogId, OpId};
use crate::op::SealedValue;
use crate::record::OutcomeLine;

/// A page of a log's cases, newest change first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<CaseRow>,
    /// Ask with `before` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// A case in its newest version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseRow {
    /// The revision of its last change.
    pub rev: u64,
    /// The case document ([`crate::case::Case`]) as stored.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::entity::Entity))]
    pub document: Box<RawValue>,
    /// In a list: the personal fields that its reader may read, by code, as the catalogue masks them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, String>))]
    pub masked: BTreeMap<Code, String>,
}

/// One case with the sealed values that its reader may read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CaseView {
    /// The case.
    #[serde(flatten)]
    pub row: CaseRow,
    /// The values that its document names.
    pub values: Vec<SealedValue>,
}

/// A page of entries, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<EntryRow>,
    /// Ask with `after` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntryRow {
    /// Who asked; nil for the server.
    pub actor: AccountId,
    /// The device.
    pub device: DeviceId,
    /// Its leaf.
    pub leaf: Hash,
    /// The op's line, verbatim; none where it is no UTF-8 text, or where nobody has checked what it holds and its reader
    /// neither wrote it nor handles the case.
    pub line: Option<String>,
    /// What became of it, and all that its leaf is made of.
    pub outcome: OutcomeLine,
}

/// A page of ops that wait for a person, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParkedPage {
    /// The ops.
    pub parked: Vec<ParkedRow>,
    /// Ask with `after` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// An op in the server's custody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParkedRow {
    /// Its revision.
    pub rev: u64,
    /// The op.
    pub op: OpId,
    /// The entity it names.
    pub entity: EntityId,
    /// The device it came from.
    pub device: DeviceId,
    /// Why it is parked: a [`crate::record::RefusalCode`].
    pub code: String,
    /// The line as it came, for whoever may read it; none if it is no UTF-8.
    pub line: Option<String>,
    /// The line in base64, if it is no UTF-8.
    pub line_base64: Option<String>,
    /// The values behind it that the reader may read.
    #[serde(default)]
    pub values: Vec<SealedValue>,
}

/// A page of readings of personal and restricted things, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadPage {
    /// The readings.
    pub reads: Vec<ReadRow>,
    /// Ask with `after` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// Somebody read personal or restricted things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadRow {
    /// When, in ms.
    pub read_ms: u64,
    /// Who.
    pub account: AccountId,
    /// By which phone; none for a login by password.
    pub device: Option<DeviceId>,
    /// How: `case`, `entries`, `notices`, `parked` and `photo` through the API, `sync` to a phone.
    pub way: String,
    /// The case.
    pub entity: EntityId,
    /// The values read, by hash; none where it is the case that is restricted.
    pub values: Vec<Hash>,
}

/// A proof over a log's tree: that one tree begins another, or that a leaf is in a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proof {
    /// The log.
    pub log: LogId,
    /// The hashes, as RFC 6962 orders them.
    pub hashes: Vec<Hash>,
}

/// `GET /readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ready {
    /// Everything that is needed to answer is there.
    pub ready: bool,
    /// The logs of this installation.
    pub logs: usize,
}

/// How a log stands: how far it survives the loss of the server, and what it went through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogStanding {
    /// The log.
    pub log: LogId,
    /// Its epoch.
    pub epoch: EpochId,
    /// Its newest revision.
    pub head: u64,
    /// What a backup or a standby has, as was noted last.
    pub durable: u64,
    /// When that was last confirmed; when the log began, if it never was.
    pub durable_ms: u64,
    /// That is too long ago.
    pub overdue: bool,
    /// The epochs that began because it was set back, oldest first.
    pub restored: Vec<RestoredEpoch>,
}

/// An epoch that began because the log was set back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoredEpoch {
    /// The epoch.
    pub epoch: EpochId,
    /// The revision of its first entry.
    pub rev: u64,
    /// When.
    pub began_ms: u64,
    /// The last revision kept.
    pub kept_rev: u64,
    /// How far the log is known to have gone before: by what was remembered, and by receipts that came back.
    pub last_known_rev: u64,
    /// Lost entries that phones brought back.
    pub returned: u64,
    /// Ranges of lost revisions that nobody brought back: what the server itself had made, and what phones still hold.
    pub not_returned: Vec<(u64, u64)>,
    /// An auditor or administrator took note of it.
    pub acknowledged: bool,
}

/// What a hand-over would move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandOverPreview {
    /// How many cases.
    pub cases: u64,
    /// How many of them in each state.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, u64>))]
    pub states: BTreeMap<State, u64>,
}

/// What a hand-over or a merger of units has moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandOverReceipt {
    /// The op.
    pub op: OpId,
    /// Its revision.
    pub rev: u64,
    /// Who asked for it; nil for the server's command line.
    pub by: AccountId,
    /// When it was received, in ms.
    pub received_ms: u64,
    /// Whose the cases were: an account, a unit, or the areas.
    pub from: EntityId,
    /// Whose they are.
    pub to: EntityId,
    /// How many cases have moved.
    pub moved: u64,
    /// How many are still to move.
    pub left: u64,
    /// Every case was looked at.
    pub done: bool,
    /// Those that have moved and that its reader may see, in order.
    pub cases: Vec<HandedCase>,
}

/// A case that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandedCase {
    /// The case.
    pub case: EntityId,
    /// Its short code.
    pub short_code: String,
    /// The revision that moved it.
    pub rev: u64,
    /// When, in ms.
    pub received_ms: u64,
    /// When whoever has it now signed for it, in ms.
    pub accepted_ms: Option<u64>,
}
