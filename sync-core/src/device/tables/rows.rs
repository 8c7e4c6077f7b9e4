//! The rows of each table, as `schema/device` lays them out and says what they are.

use schema::case::State;
use schema::catalogue::Text;
use schema::hash::{Hash, Salt, Signature};
use schema::ids::{AccountId, AreaId, DeviceId, EntityId, EpochId, LogId, OpId, UnitId};
use schema::sync::{Durability, Scope};

use super::{Column, Index, Record, Row, Table};

macro_rules! row {
    (
        $(#[$about:meta])* $shown:vis $name:ident in $table:literal key [$($key:ident)+]
        $(by { $($index:ident [$($column:ident)+])+ })?
        { $($(#[$what:meta])* $visible:vis $field:ident: $type:ty,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        $shown struct $name {
            $($(#[$what])* $visible $field: $type,)+
        }

        impl $name {
            $($(pub(crate) const $index: Index = Index(&[$(stringify!($column)),+]);)+)?
        }

        impl Row for $name {
            const TABLE: &'static Table = &Table {
                name: $table,
                columns: &[$(stringify!($field)),+],
                key: &[$(stringify!($key)),+],
                indexes: &[$($(Self::$index),+)?],
            };

            fn record(&self) -> Record {
                vec![$(self.$field.value()),+]
            }

            fn of(record: Record) -> Option<Self> {
                let mut values = record.into_iter();
                Some(Self { $($field: Column::of(values.next()?)?),+ })
            }
        }
    };
}

row! {
    pub(crate) Meta in "meta" key [one] {
        pub(crate) one: i64,
        pub(crate) install: Vec<u8>,
        pub(crate) marker_inode: i64,
        pub(crate) server: Option<String>,
        pub(crate) device: Option<DeviceId>,
        pub(crate) secret: Option<Vec<u8>>,
        pub(crate) label: Option<String>,
        pub(crate) account: Option<AccountId>,
        pub(crate) account_name: Option<String>,
        pub(crate) access: Option<String>,
        pub(crate) refresh: Option<String>,
        pub(crate) contact_ms: Option<i64>,
        pub(crate) offset_ms: Option<i64>,
        pub(crate) export_key: Option<String>,
    }
}

row! {
    /// A log as the phone knows it.
    pub LogState in "log" key [id] by { BY_LOG [log] } {
        pub(crate) id: i64,
        /// The log.
        pub log: LogId,
        /// The district's name.
        pub name: Text,
        /// Its time zone.
        pub zone: String,
        /// Verifier key of its checkpoints.
        pub signer: String,
        /// Its epoch; none before the first sync.
        pub epoch: Option<EpochId>,
        /// Its newest revision, as heard last.
        pub head: u64,
        /// Own outcomes are known up to here.
        pub own: u64,
        /// What survives the loss of the server.
        pub durable: u64,
        /// How.
        pub durability: Option<Durability>,
        /// The incarnation that ops are numbered under.
        pub incarnation: u64,
        /// The number of the next op.
        pub next_seq: u64,
        /// The device chain after the last op.
        pub chain: Hash,
        /// The first pull of this epoch came to its end: what is shown is not half of it.
        pub pulled: bool,
        /// A fork was seen: the phone delivers, and believes nothing.
        pub forked: bool,
    }
}

row! {
    pub(crate) Checkpoint in "checkpoint" key [log size] {
        pub(crate) log: i64,
        pub(crate) size: u64,
        pub(crate) root: Hash,
        pub(crate) note: String,
    }
}

row! {
    pub(crate) Cursor in "cursor" key [log scope] {
        pub(crate) log: i64,
        pub(crate) scope: Scope,
        pub(crate) rev: u64,
    }
}

row! {
    pub(crate) Version in "base" key [log entity]
    by { BY_KIND [log kind] BY_CATALOGUE [catalogue log] }
    {
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) kind: String,
        pub(crate) rev: u64,
        pub(crate) document: String,
        pub(crate) catalogue: Option<Hash>,
    }
}

row! {
    pub(crate) InScope in "base_scope" key [log entity scope] by { BY_SCOPE [log scope] } {
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) scope: Scope,
        pub(crate) rev: u64,
    }
}

row! {
    pub(crate) Laid in "view" key [log entity] {
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) document: String,
        pub(crate) provisional: bool,
    }
}

row! {
    pub(crate) Listing in "listing" key [log entity]
    by {
        BY_CHANGED [changed_ms entity]
        BY_STATE [state changed_ms entity]
        BY_REPORTER [reporter changed_ms entity]
        BY_UNIT [unit changed_ms entity]
        BY_CATEGORY [category changed_ms entity]
        BY_CODE [short_code]
        BY_NUMBER [number]
        BY_ENTITY [entity]
    }
    {
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) state: State,
        pub(crate) short_code: String,
        pub(crate) number: Option<String>,
        pub(crate) category: String,
        pub(crate) subtype: String,
        pub(crate) subject: Option<String>,
        pub(crate) area: AreaId,
        pub(crate) unit: Option<UnitId>,
        pub(crate) reporter: AccountId,
        pub(crate) changed_ms: u64,
        pub(crate) photos: u64,
        pub(crate) photos_here: u64,
        pub(crate) conflicts: u64,
        pub(crate) waiting: u64,
    }
}

row! {
    /// An own op.
    pub(crate) StoredOp in "own_op" key [n]
    by {
        BY_OP [op]
        BY_STATE [state n]
        BY_LOG_STATE [log state n]
        BY_ENTITY [log entity n]
        BY_NUMBER [log incarnation device_seq]
    }
    {
        pub(crate) n: i64,
        pub(crate) op: OpId,
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) kind: String,
        pub(crate) line: Vec<u8>,
        pub(crate) line_hash: Hash,
        pub(crate) incarnation: u64,
        pub(crate) device_seq: u64,
        pub(crate) before: Hash,
        pub(crate) chain: Hash,
        pub(crate) state: String,
        pub(crate) estimate: Option<String>,
        pub(crate) outcome: Option<String>,
        pub(crate) rev: Option<u64>,
        pub(crate) answer: Option<String>,
        pub(crate) second: Option<String>,
        pub(crate) second_rev: Option<u64>,
    }
}

row! {
    pub(crate) HeldValue in "value" key [sealed] by { BY_ENTITY [entity] } {
        pub(crate) sealed: Hash,
        pub(crate) salt: Salt,
        pub(crate) value: String,
        pub(crate) entity: EntityId,
    }
}

row! {
    pub(crate) OpValue in "op_value" key [op n] by { BY_SEALED [sealed] } {
        pub(crate) op: OpId,
        pub(crate) n: i64,
        pub(crate) sealed: Hash,
    }
}

row! {
    pub(crate) Photo in "photo" key [sha256] by { BY_HERE [here] BY_MADE [made] } {
        pub(crate) sha256: Hash,
        pub(crate) size: u64,
        pub(crate) origin: Option<String>,
        pub(crate) made: i64,
        pub(crate) offset: u64,
        pub(crate) uploaded: bool,
        pub(crate) here: bool,
    }
}

row! {
    pub(crate) PhotoRef in "photo_ref" key [sha256 op] by { BY_LOG [log] BY_ENTITY [log entity] } {
        pub(crate) sha256: Hash,
        pub(crate) op: OpId,
        pub(crate) log: i64,
        pub(crate) entity: EntityId,
        pub(crate) verified_rev: Option<u64>,
    }
}

row! {
    pub(crate) Document in "document" key [sha256] {
        pub(crate) sha256: Hash,
        pub(crate) bytes: Vec<u8>,
    }
}

row! {
    pub(crate) HeldReceipt in "receipt" key [id] by { BY_LOG [log] BY_TEXT [text] } {
        pub(crate) id: i64,
        pub(crate) log: i64,
        pub(crate) epoch: EpochId,
        pub(crate) last_rev: u64,
        pub(crate) text: String,
        pub(crate) signature: Signature,
        pub(crate) covered: bool,
    }
}

row! {
    pub(crate) ReceiptOp in "receipt_op" key [op receipt] by { BY_RECEIPT [receipt] } {
        pub(crate) op: OpId,
        pub(crate) receipt: i64,
    }
}

row! {
    pub(crate) Attention in "attention" key [id] by { BY_DONE [done] BY_OP [op] } {
        pub(crate) id: i64,
        pub(crate) kind: String,
        pub(crate) log: Option<i64>,
        pub(crate) op: Option<OpId>,
        pub(crate) entity: Option<EntityId>,
        pub(crate) detail: String,
        pub(crate) since_ms: i64,
        pub(crate) done: bool,
    }
}

/// Every table, so that rows can be read back by the name of theirs.
pub(crate) const ALL: &[&Table] = &[
    Meta::TABLE,
    LogState::TABLE,
    Checkpoint::TABLE,
    Cursor::TABLE,
    Version::TABLE,
    InScope::TABLE,
    Laid::TABLE,
    Listing::TABLE,
    StoredOp::TABLE,
    HeldValue::TABLE,
    OpValue::TABLE,
    Photo::TABLE,
    PhotoRef::TABLE,
    Document::TABLE,
    HeldReceipt::TABLE,
    ReceiptOp::TABLE,
    Attention::TABLE,
];
