//! The phone's database file: its mark and its versions as SQL steps. A released step never changes.

/// `application_id` of the file: "RCTY".
pub const APPLICATION_ID: i32 = 0x5243_5459;

/// Step `n` makes version `n + 1` (`user_version`) of version `n`.
pub const STEPS: &[&str] = &[include_str!("../device/0001_start.sql"), include_str!("../device/0002_people.sql")];
