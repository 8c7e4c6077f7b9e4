//! What `tests/phone` asks of the rules, asked of them on the page's tables: the same tests, the same names.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a town that can't be laid out is a failed test"
)]

#[path = "../phone/answering.rs"]
mod answering;
mod kept;
#[path = "../phone/network.rs"]
mod network;
#[path = "../phone/rules.rs"]
mod rules;
mod saving;
#[path = "../phone/scopes.rs"]
mod scopes;
#[path = "../phone/server.rs"]
mod server;
#[path = "../phone/story.rs"]
mod story;
#[path = "../phone/town.rs"]
mod town;
#[path = "../phone/trust.rs"]
mod trust;

mod handset {
    pub(crate) use super::kept::Phone;
}
