//! The look-backs that this phone knows of.

use schema::entity::{Entity, LookBackTask};
use schema::ids::{EntityId, LogId};

use super::error::PhoneError;
use super::store::{Store, log_state};
use super::tables::rows::{LogState, Version};
use super::tables::{self, values};
use super::view::shown;
use crate::look_back::is_open;

impl Store {
    /// The look-backs of a log with own ops laid over them, those that are due first; all of one case, or those that
    /// somebody still has to make.
    ///
    /// # Errors
    /// The store's.
    pub fn look_backs(&self, log: LogId, case: Option<EntityId>) -> Result<Vec<LookBackTask>, PhoneError> {
        let mut found = self.all_look_backs(log_state(self.db(), log)?.id)?;
        found.retain(|task| case.map_or(is_open(task), |case| task.case == case));
        found.sort_by_key(|task| (task.due_ms, task.id));
        Ok(found)
    }

    /// The cases that somebody must look at again by now, as the server said.
    pub(super) fn to_look_at(&self, logs: &[LogState]) -> Result<Vec<(i64, EntityId)>, PhoneError> {
        let mut found = Vec::new();
        for log in logs {
            let now =
                self.all_look_backs(log.id)?.into_iter().filter(|task| is_open(task) && task.opened_rev.is_some());
            found.extend(now.map(|task| (log.id, task.case)));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn all_look_backs(&self, log: i64) -> Result<Vec<LookBackTask>, PhoneError> {
        let mut found = Vec::new();
        for version in tables::select::<Version>(self.db(), Version::BY_KIND, values!(log, "look_back_task"))? {
            if let Some(Entity::LookBackTask(task)) = shown(self.db(), log, version.entity)? {
                found.push(*task);
            }
        }
        Ok(found)
    }
}
