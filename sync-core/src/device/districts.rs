//! The districts that the person of this phone may work in. Each is a log of its own, with its own numbers and chain.

use schema::auth::LogAccess;

use super::enrolment::put_log;
use super::error::PhoneError;
use super::store::{Store, identity, logs};
use super::tables;

impl Store {
    /// Takes up the districts that the server says the person may work in. One that is not among them any more stays:
    /// it may hold what was not sent, and is answered that there is nothing more.
    ///
    /// # Errors
    /// The store's; [`PhoneError::NotEnrolled`].
    pub fn take_logs(&mut self, told: &[LogAccess]) -> Result<(), PhoneError> {
        let held = logs(self.db())?;
        let same = |access: &&LogAccess| {
            held.iter().any(|log| log.log == access.log && log.name == access.name && log.zone == access.zone)
        };
        // Most of the time nothing is new, and a write would wait for another program's.
        if told.iter().all(|access| same(&access)) {
            return Ok(());
        }
        let change = tables::write(self.tables.as_ref())?;
        let account = identity(&*change)?.account;
        for access in told {
            put_log(&*change, access, account, self.entropy.as_mut())?;
        }
        change.commit()?;
        Ok(())
    }
}
