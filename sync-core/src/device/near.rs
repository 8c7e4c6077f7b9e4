//! Cases near to what somebody is about to report.

use std::cmp::Reverse;

use schema::case::Position;
use schema::entity::Entity;
use schema::ids::LogId;
use schema::op::Captured;

use super::error::PhoneError;
use super::list::{CaseRow, Filter};
use super::store::{Store, log_state};
use super::view::shown;
use crate::case::near::{Near, Seen, near};

impl Store {
    /// Cases that may be what somebody is about to report: those with the same subject first, then the nearest.
    ///
    /// # Errors
    /// The store's.
    pub fn near(
        &self,
        log: LogId,
        category: &str,
        subject: Option<&str>,
        position: &Position,
        now: Captured,
    ) -> Result<Vec<(CaseRow, Near)>, PhoneError> {
        let seen = Seen { category, subject, position, now_ms: self.server_time_ms(now)? };
        let filter = Filter { log: Some(log), category: Some(category.to_owned()), ..Filter::default() };
        let mut listed = Vec::new();
        self.matching(&filter, None, &mut |row| {
            listed.push(row);
            Ok(true)
        })?;
        let mut found = Vec::new();
        for row in listed {
            if let Some(Entity::Case(case)) = shown(self.db(), log_state(self.db(), log)?.id, row.case)?
                && let Some(by) = near(&case, &seen)
            {
                found.push((row, by));
            }
        }
        found.sort_by_key(|(row, by)| (*by, Reverse(row.changed_ms)));
        Ok(found)
    }
}
