//! What one administrator asked for, and a second one must ask for as well.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, delete, insert_into};
use schema::ids::{AccountId, AreaId, LogId, PersonId};

use super::columns::{column, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::tables::proposal;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// For which account.
    pub account: AccountId,
    /// In which log; nil where it is in none.
    pub log: LogId,
    /// What: a name of the caller's.
    pub what: String,
    /// Over which area; nil where there is none.
    pub area: AreaId,
}

/// By whom and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is asked for.
    pub proposed: Proposed,
    /// Who asked.
    pub by: AccountId,
    /// The person behind it.
    pub person: PersonId,
    /// When, in ms.
    pub at_ms: u64,
}

impl Db {
    /// What was asked for since a time, in ms, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn proposals(&mut self, since_ms: u64) -> Result<Vec<Proposal>, StoreError> {
        type Row = (Vec<u8>, Vec<u8>, String, Vec<u8>, Vec<u8>, Vec<u8>, i64);
        let rows: Vec<Row> = proposal::table
            .filter(proposal::at_ms.ge(column(since_ms)?))
            .order((proposal::at_ms, proposal::account))
            .select((
                proposal::account,
                proposal::log,
                proposal::what,
                proposal::area,
                proposal::by_account,
                proposal::by_person,
                proposal::at_ms,
            ))
            .load(&mut self.conn)?;
        rows.into_iter()
            .map(|(account, log, what, area, by, person, at_ms)| {
                let (account, log) = (AccountId(uuid(&account)?), LogId(uuid(&log)?));
                let proposed = Proposed { account, log, what, area: AreaId(uuid(&area)?) };
                let (by, person) = (AccountId(uuid(&by)?), PersonId(uuid(&person)?));
                Ok(Proposal { proposed, by, person, at_ms: number(at_ms, "a time below zero")? })
            })
            .collect()
    }

    /// Forgets what was asked for. How many there were.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_proposal(&mut self, of: &Proposed) -> Result<usize, StoreError> {
        let row = proposal::table.find((
            of.account.bytes().as_slice(),
            of.log.bytes().as_slice(),
            of.what.as_str(),
            of.area.bytes().as_slice(),
        ));
        Ok(delete(row).execute(&mut self.conn)?)
    }

    /// Notes what is asked for, in place of an earlier time.
    ///
    /// # Errors
    /// The database's.
    pub fn propose(&mut self, new: &Proposal) -> Result<(), StoreError> {
        self.forget_proposal(&new.proposed)?;
        let Proposed { account, log, what, area } = &new.proposed;
        insert_into(proposal::table)
            .values((
                proposal::account.eq(account.bytes().as_slice()),
                proposal::log.eq(log.bytes().as_slice()),
                proposal::what.eq(what),
                proposal::area.eq(area.bytes().as_slice()),
                proposal::by_account.eq(new.by.bytes().as_slice()),
                proposal::by_person.eq(new.person.bytes().as_slice()),
                proposal::at_ms.eq(column(new.at_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }
}
