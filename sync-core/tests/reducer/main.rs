//! The reducer as a table and as laws: every (state, op) pair has a defined outcome, and nothing is lost silently.

mod desk;
mod late_arrivals;
mod laws;
mod merging;
mod reports;
mod work_flow;
