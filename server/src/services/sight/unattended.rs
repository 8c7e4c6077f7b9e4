//! Cases that come to the next level, because nobody below can see to them.

use schema::entity::Entity;

use super::View;
use crate::error::Result;
use crate::services::notices::left_to;

/// Cases looked at for a page of them.
pub(super) const LOOKED_MAX: usize = 1000;

impl View<'_> {
    /// Whether a case is among those asked for: all, or those that come to the reader because nobody below can see to them.
    pub(super) fn wants(&mut self, unattended: bool, entity: &Entity) -> Result<bool> {
        if !unattended {
            return Ok(true);
        }
        let Entity::Case(case) = entity else { return Ok(false) };
        let directory = self.parsed.directory(self.db, self.log, self.log_id)?;
        let to = left_to(case, self.areas(), &directory);
        Ok(to.is_some_and(|to| to.accounts.iter().any(|hearer| hearer.account == self.account.id)))
    }
}
