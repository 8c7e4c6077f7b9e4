//! The cap of a device: which of the scopes that it names are more than it may hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use schema::ids::LogId;
use schema::sync::{Scope, ScopeTooLarge};

use crate::store::{Db, LogHead, ScopeNum, StoreError};

/// Counts that are remembered; beyond, all are counted anew.
const COUNTS_MAX: usize = 20_000;

/// The scopes of a log that were counted together.
type Scopes = (LogId, Vec<ScopeNum>);

/// How much a device may hold. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Room {
    entities_max: u64,
    /// How many entities lay in some scopes, at which revision. An entry brings one entity at most, so that what lies
    /// there by now has a bound, and is counted again only where the bound is beyond the cap.
    counted: Arc<Mutex<HashMap<Scopes, (u64, u64)>>>,
}

impl Room {
    /// Room for so many entities.
    pub fn new(entities_max: u64) -> Self {
        Self { entities_max, counted: Arc::default() }
    }

    /// Takes away the scopes that would bring more than a device may hold, those still to be begun before those that run,
    /// the largest first. What is taken away stays where it is on the device.
    pub(super) fn hold_back(
        &self,
        db: &mut Db,
        head: &LogHead,
        cursors: &mut BTreeMap<Scope, u64>,
    ) -> Result<Option<ScopeTooLarge>, StoreError> {
        if head.rev <= self.entities_max {
            return Ok(None);
        }
        let scopes: Vec<Scope> = cursors.keys().copied().collect();
        let numbers = db.scope_numbers(head.num, &scopes)?;
        let mut all: Vec<ScopeNum> = numbers.values().copied().collect();
        all.sort();
        let entities = self.at_most(db, head, all)?;
        if entities <= self.entities_max {
            return Ok(None);
        }
        let mut by_size = Vec::with_capacity(numbers.len());
        for (scope, num) in numbers {
            let is_new = cursors.get(&scope) == Some(&0);
            by_size.push((is_new, db.entities_in(head.num, &[num])?, scope, num));
        }
        by_size.sort();
        let (mut taken, mut held_back) = (Vec::new(), Vec::new());
        for (_, _, scope, num) in by_size {
            taken.push(num);
            if db.entities_in(head.num, &taken)? > self.entities_max {
                taken.pop();
                cursors.remove(&scope);
                held_back.push(scope);
            }
        }
        Ok(Some(ScopeTooLarge { held_back, entities, entities_max: self.entities_max }))
    }

    /// How many entities lie in some scopes: exact where it is more than the cap.
    fn at_most(&self, db: &mut Db, head: &LogHead, scopes: Vec<ScopeNum>) -> Result<u64, StoreError> {
        let key = (head.log, scopes);
        let known = self.counted.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        // A log that was set back is shorter than what was counted of it.
        let bound = known.and_then(|(count, rev)| Some(count + head.rev.checked_sub(rev)?));
        if let Some(bound) = bound.filter(|bound| *bound <= self.entities_max) {
            return Ok(bound);
        }
        let count = db.entities_in(head.num, &key.1)?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= COUNTS_MAX {
            counted.clear();
        }
        counted.insert(key, (count, head.rev));
        Ok(count)
    }
}
