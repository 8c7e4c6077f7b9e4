//! Every query. Diesel lives here only; rules live elsewhere.
//!
//! One set of queries serves SQLite and PostgreSQL. Where diesel can't say a statement for both at once,
//! `on_backend!` compiles the same tokens for each.

mod accounts;
mod batches;
mod checkpoints;
mod columns;
mod conn;
mod connection;
mod copying;
mod deliveries;
mod documents;
mod dues;
mod durable;
mod entities;
mod entries;
mod error;
mod handing;
mod listing;
mod log_tx;
mod looks;
mod notices;
mod packed;
mod parked;
mod photos;
mod placing;
mod proposals;
mod reads;
mod references;
mod scopes;
mod sqlite;
mod standby;
mod standing;
mod tables;
mod throttle;
mod upkeep;
mod uploads;
mod values;
mod views;
mod webhooks;

pub use accounts::{AccountSecret, EnrolCode, Session};
pub use batches::Batch;
pub use checkpoints::{LogHashes, StoredCheckpoint};
pub use connection::{Alone, Db, Store};
pub use deliveries::{Claimed, Delivery};
pub use durable::{Durable, Returned};
pub use entities::{Listed, NewVersion, StoredEntity};
pub use entries::Entry;
pub use error::StoreError;
pub use handing::Handing;
pub use listing::CaseFilter;
pub use log_tx::{Epoch, Head, LogHead, LogNum, LogTx};
pub use notices::StoredNotice;
pub use parked::ParkedRow;
pub use placing::Placing;
pub use proposals::{Proposal, Proposed};
pub use reads::{Read, ReadOf};
pub use scopes::{ScopeNum, ScopeRow};
pub use standby::Standby;
pub use standing::InLog;
pub use tables::{LOG_TABLES, VIEW_TABLES, WORKING_TABLES};
pub use throttle::Guesses;
pub use uploads::{ReceivedPhoto, Upload};
pub use values::{KeptValue, is_named_in};
pub use views::{Key, View, ViewRow};
pub use webhooks::{Disabled, Webhook};
