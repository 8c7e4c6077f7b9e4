//! What an op is decided by, beside the entity's own state: read under the head lock, and recorded with the decision.

use std::collections::{BTreeMap, BTreeSet};

use schema::catalogue::Catalogue;
use schema::entity::{Account, Entity};
use schema::hash::Hash;
use schema::ids::{AccountId, EpochId, UnitId};
use schema::op::Op;
use schema::record::{Interval, Record};

use crate::area::AreaIndex;
use crate::time::WorkingCalendar;

/// The flag of a record whose official number was given before a restore already.
pub const NUMBER_GIVEN_BACK: &str = "number_given_back";

/// The rules that this program decides new ops by. A replay uses the number that the entry names.
///
/// Since 2: a line with a personal value in plain text is parked, and no record repeats what a body held.
/// Since 3: clocks run on cases; what has a deadline is voided or linked one level up; units, grants and memberships have
/// dates, people have deputies, and what somebody has is handed over.
pub const RULES: u32 = 3;

/// The first rules that know of clocks.
pub(crate) const RULES_WITH_CLOCKS: u32 = 3;

/// The first rules by which people and units change over time.
pub(crate) const RULES_WITH_PEOPLE: u32 = 3;

/// A document in force with its hash.
#[derive(Debug)]
pub struct InForce<'a, T> {
    /// SHA-256 of the document.
    pub sha256: Hash,
    /// The document.
    pub document: &'a T,
}

impl<T> Clone for InForce<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for InForce<'_, T> {}

/// A photo whose bytes are here and have their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPhoto {
    /// Size of the file.
    pub size: u64,
    /// Width and height in pixels as shown; none if it does not decode.
    pub pixels: Option<(u32, u32)>,
    /// What people should know about it.
    pub flags: Vec<String>,
}

/// A parked op with what was frozen when it was parked.
#[derive(Debug, Clone)]
pub struct ParkedOp {
    /// The op.
    pub op: Op,
    /// Its revision.
    pub rev: u64,
    /// Receipt and first receipt.
    pub received_ms: (u64, u64),
    /// What was decided then.
    pub record: Record,
}

/// Everything that a decision may rest on.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The log's epoch.
    pub epoch: EpochId,
    /// Epochs before it, each with the last revision kept of it.
    pub earlier_epochs: &'a [(EpochId, u64)],
    /// The revision this op will have.
    pub rev: u64,
    /// Receipt, in ms.
    pub received_ms: u64,
    /// First receipt by any server, in ms.
    pub first_received_ms: u64,
    /// When it was captured, in server time, where that is known.
    pub captured: Option<Interval>,
    /// The rules to decide by.
    pub rules: u32,
    /// The actor's account in this log; none for the server itself.
    pub actor: Option<&'a Account>,
    /// The op came from the server (actor nil, server device).
    pub by_server: bool,
    /// The device is revoked.
    pub device_revoked: bool,
    /// An earlier op of this device on this entity is parked and undecided.
    pub behind_parked: bool,
    /// The catalogue in force.
    pub catalogue: Option<InForce<'a, Catalogue>>,
    /// Other catalogues that the op or the case names, by hash.
    pub catalogues: &'a BTreeMap<Hash, Catalogue>,
    /// The area tree in force.
    pub areas: Option<InForce<'a, AreaIndex>>,
    /// The working calendar in force, in the log's zone.
    pub calendar: Option<InForce<'a, WorkingCalendar>>,
    /// Photos named by the op, or by the case where the op may end it, whose bytes are here.
    pub verified: &'a BTreeMap<Hash, VerifiedPhoto>,
    /// Documents named by the op whose bytes are here.
    pub documents: &'a BTreeSet<Hash>,
    /// Units named by the op that exist and take cases.
    pub units: &'a BTreeSet<UnitId>,
    /// Accounts named by the op that exist, beside the actor.
    pub accounts: &'a BTreeMap<AccountId, Account>,
    /// The other entity that the op names (`link_duplicate`), if it exists.
    pub other: Option<&'a Entity>,
    /// For `release` and `discard`: all that the device of the parked op has in custody on the entity, in order.
    pub parked: &'a [ParkedOp],
    /// Year and serial of the next official number, in the log's zone.
    pub next_number: (i16, u64),
    /// The official number that this op gave before a restore, as its receipt says.
    pub earlier_number: Option<&'a str>,
}
