//! Rules, permissions and transaction boundaries. Diesel and actix are unknown here.

pub mod exif;
pub mod passwords;
pub mod pictures;
pub mod tokens;
