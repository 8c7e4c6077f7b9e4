//! Whether a case may be the problem that somebody is about to report: the same subject, or, where nothing has one, the
//! same category close by and not long ago.

use schema::case::{Case, FieldName, Position, State};

use super::kind_of;
use crate::area::distance_m;

/// How far away a case may be.
pub const NEAR_M: u64 = 50;
/// How long ago it may have been reported.
pub const NEAR_MS: u64 = 24 * 3_600_000;

/// What is about to be reported.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its category.
    pub category: &'a str,
    /// What or who it is about, where that has a name.
    pub subject: Option<&'a str>,
    /// Where.
    pub position: &'a Position,
    /// When, in server time.
    pub now_ms: u64,
}

/// Why a case may be the same problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Near {
    /// It has the same subject, in the same category.
    Subject,
    /// It is so many metres away.
    Distance(u64),
}

/// Why a case may be the same problem, if it may.
pub fn near(case: &Case, seen: &Seen<'_>) -> Option<Near> {
    let goes_on = !matches!(case.state, State::Declined | State::Duplicate | State::Void);
    let (category, _) = kind_of(case)?;
    if !goes_on || category.as_str() != seen.category {
        return None;
    }
    let held = case.fields.get(&FieldName::Subject).and_then(|held| held.value.as_str());
    let subject = seen.subject.map(str::trim).filter(|subject| !subject.is_empty());
    if let (Some(subject), Some(held)) = (subject, held.map(str::trim)) {
        return (subject == held).then_some(Near::Subject);
    }
    let value = &case.fields.get(&FieldName::Position)?.value;
    let position: Position = crate::json::read_value(value.clone()).ok()?;
    let metres = distance_m(seen.position, &position);
    let recent = seen.now_ms.saturating_sub(case.reporter.received_ms) <= NEAR_MS;
    (recent && metres <= NEAR_M).then_some(Near::Distance(metres))
}
