//! Every query. Diesel lives here only; rules live elsewhere.
//!
//! One set of queries serves SQLite and PostgreSQL. Where diesel can't say a statement for both at once,
//! `on_backend!` compiles the same tokens for each.

mod accounts;
mod columns;
mod conn;
mod connection;
mod error;
mod log_tx;
mod sqlite;
mod standing;
mod tables;
mod uploads;

pub use accounts::{AccountSecret, EnrolCode, Session};
pub use connection::{Db, Store};
pub use error::StoreError;
pub use log_tx::{Epoch, Head, LogHead, LogTx};
pub use standing::InLog;
pub use uploads::{ReceivedPhoto, Upload};
