//! How often somebody guessed wrong. What follows from it is decided elsewhere.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into, update};
use schema::hash::Hash;

use super::columns::{column, number};
use super::conn::on_backend;
use super::connection::Db;
use super::error::StoreError;
use super::tables::throttle;

/// What is known of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guesses {
    /// Failures that still count.
    pub failures: u64,
    /// Nothing is looked at before this time, in ms.
    pub retry_ms: u64,
    /// When the last one was counted, in ms.
    pub at_ms: u64,
}

impl Db {
    /// What is known of a subject, locked until the end of the transaction: no two servers count at once.
    ///
    /// # Errors
    /// The database's.
    pub fn lock_guesses(&mut self, subject: &Hash) -> Result<Guesses, StoreError> {
        if let Some(known) = self.locked_guesses(subject)? {
            return Ok(known);
        }
        let fresh = (
            throttle::subject.eq(subject.0.as_slice()),
            throttle::failures.eq(0_i64),
            throttle::retry_ms.eq(0_i64),
            throttle::at_ms.eq(0_i64),
        );
        on_backend!(&mut self.conn, conn => insert_into(throttle::table).values(fresh).on_conflict_do_nothing().execute(conn))?;
        Ok(self.locked_guesses(subject)?.unwrap_or_default())
    }

    /// A row that is written is locked, on either database.
    fn locked_guesses(&mut self, subject: &Hash) -> Result<Option<Guesses>, StoreError> {
        let row: Option<(i64, i64, i64)> = update(throttle::table.find(subject.0.as_slice()))
            .set(throttle::failures.eq(throttle::failures))
            .returning((throttle::failures, throttle::retry_ms, throttle::at_ms))
            .get_result(&mut self.conn)
            .optional()?;
        row.map(|(failures, retry_ms, at_ms)| {
            Ok(Guesses {
                failures: number(failures, "failures below zero")?,
                retry_ms: number(retry_ms, "a time below zero")?,
                at_ms: number(at_ms, "a time below zero")?,
            })
        })
        .transpose()
    }

    /// Writes what is known of a subject.
    ///
    /// # Errors
    /// The database's.
    pub fn set_guesses(&mut self, subject: &Hash, guesses: &Guesses) -> Result<(), StoreError> {
        update(throttle::table.find(subject.0.as_slice()))
            .set((
                throttle::failures.eq(column(guesses.failures)?),
                throttle::retry_ms.eq(column(guesses.retry_ms)?),
                throttle::at_ms.eq(column(guesses.at_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Forgets what was counted last before a time, in ms.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_guesses(&mut self, before_ms: u64) -> Result<(), StoreError> {
        delete(throttle::table.filter(throttle::at_ms.lt(column(before_ms)?))).execute(&mut self.conn)?;
        Ok(())
    }
}
