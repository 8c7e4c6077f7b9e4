//! Rules, permissions and transaction boundaries. Diesel and actix are unknown here.

pub mod passwords;
pub mod tokens;
