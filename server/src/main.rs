//! The `rectify` program.
fn main() {}
