//! The reducer as a table and as laws: every (state, op) pair has a defined outcome, and nothing is lost silently.

#![expect(clippy::expect_used, reason = "a desk that can't be laid out is a failed test")]

mod bodies;
mod clocks;
mod course;
mod definitions;
mod desk;
mod estimates;
mod figures;
mod golden;
mod helping;
mod late_arrivals;
mod laws;
mod looking_back;
mod merging;
mod people;
mod registry;
mod reports;
mod restricting;
mod work_flow;
