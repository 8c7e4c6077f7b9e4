//! The demo city: an invented district with its people, units, six weeks of cases and their photos, as data.
//! Deterministic from a seed and a date, and without input or output: whoever applies it does that.

pub mod city;
mod ids;
pub mod picture;
pub mod settle;
pub mod story;
