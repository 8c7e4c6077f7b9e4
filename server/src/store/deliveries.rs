//! How far each notice got to each place. A working table: a rebuild leaves it alone.

use diesel::dsl::{count_star, min};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, delete, insert_into, update};
use schema::ids::WebhookId;
use schema::notice::DeliveryState;

use super::columns::{bound, column, number, small, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::delivery;
use super::webhooks::Webhook;

/// How far a notice got with a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The notice's revision.
    pub rev: u64,
    /// Which of that revision.
    pub nth: u8,
    /// The webhook.
    pub webhook: WebhookId,
    /// How far.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// When it is tried next, in ms.
    pub next_ms: u64,
    /// When it was tried last, in ms.
    pub tried_ms: Option<u64>,
    /// What came of that.
    pub answer: Option<String>,
}

/// A delivery that somebody has in hand until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The log.
    pub log: LogNum,
    /// The notice's revision.
    pub rev: u64,
    /// Which of that revision.
    pub nth: u8,
    /// The webhook.
    pub webhook: WebhookId,
    /// Which try it is, from 1 on.
    pub attempt: u64,
}

pub(super) fn state_number(state: DeliveryState) -> i16 {
    match state {
        DeliveryState::Waiting => 0,
        DeliveryState::Sent => 1,
        DeliveryState::Failed => 2,
        DeliveryState::Held => 3,
    }
}

fn state_of(number: i16) -> Result<DeliveryState, StoreError> {
    match number {
        0 => Ok(DeliveryState::Waiting),
        1 => Ok(DeliveryState::Sent),
        2 => Ok(DeliveryState::Failed),
        3 => Ok(DeliveryState::Held),
        _ => Err(StoreError::Damaged("a delivery in no known state")),
    }
}

/// Log, revision, number, time of the next try, tries.
type NextColumns = (i64, i64, i16, i64, i64);

type DeliveryColumns = (i64, i16, Vec<u8>, i16, i64, i64, Option<i64>, Option<String>);

macro_rules! delivery_columns {
    () => {
        (
            delivery::rev,
            delivery::nth,
            delivery::webhook,
            delivery::state,
            delivery::attempts,
            delivery::next_ms,
            delivery::tried_ms,
            delivery::answer,
        )
    };
}

fn read_delivery(row: DeliveryColumns) -> Result<Delivery, StoreError> {
    let (rev, nth, webhook, state, attempts, next_ms, tried_ms, answer) = row;
    Ok(Delivery {
        rev: number(rev, "a revision below zero")?,
        nth: small(nth, "a notice's number below zero")?,
        webhook: WebhookId(uuid(&webhook)?),
        state: state_of(state)?,
        attempts: number(attempts, "attempts below zero")?,
        next_ms: number(next_ms, "a time below zero")?,
        tried_ms: tried_ms.map(|ms| number(ms, "a time below zero")).transpose()?,
        answer,
    })
}

impl LogTx<'_> {
    /// What waits is held from now on: the log was set back, and it may have been sent since.
    ///
    /// # Errors
    /// The database's.
    pub fn hold_waiting(&mut self) -> Result<(), StoreError> {
        let waiting = delivery::table
            .filter(delivery::log.eq(self.head.num.0))
            .filter(delivery::state.eq(state_number(DeliveryState::Waiting)));
        update(waiting).set(delivery::state.eq(state_number(DeliveryState::Held))).execute(&mut self.db.conn)?;
        Ok(())
    }
}

impl Db {
    /// Forgets what was not sent to a webhook.
    pub(super) fn drop_unsent(&mut self, id: WebhookId) -> Result<(), StoreError> {
        let unsent = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.ne(state_number(DeliveryState::Sent)))
            .filter(delivery::state.ne(state_number(DeliveryState::Failed)));
        delete(unsent).execute(&mut self.conn)?;
        Ok(())
    }

    /// What was not sent to a webhook is tried anew, at once. How much.
    pub(super) fn try_unsent(&mut self, id: WebhookId, now_ms: u64) -> Result<usize, StoreError> {
        let unsent = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.ne(state_number(DeliveryState::Sent)));
        Ok(update(unsent)
            .set((
                delivery::state.eq(state_number(DeliveryState::Waiting)),
                delivery::attempts.eq(0),
                delivery::next_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?)
    }

    /// Notes that a notice is to be sent.
    ///
    /// # Errors
    /// The database's.
    pub fn queue_delivery(
        &mut self,
        log: LogNum,
        to: WebhookId,
        (rev, nth): (u64, u8),
        now_ms: u64,
    ) -> Result<(), StoreError> {
        insert_into(delivery::table)
            .values((
                delivery::log.eq(log.0),
                delivery::rev.eq(column(rev)?),
                delivery::nth.eq(i16::from(nth)),
                delivery::webhook.eq(to.bytes().as_slice()),
                delivery::state.eq(state_number(DeliveryState::Waiting)),
                delivery::attempts.eq(0),
                delivery::next_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// The webhooks for which something is to be sent by now.
    ///
    /// # Errors
    /// The database's.
    pub fn webhooks_due(&mut self, now_ms: u64) -> Result<Vec<Webhook>, StoreError> {
        let mut found = self.webhooks()?;
        found.retain(|it| it.disabled.is_none());
        let mut due = Vec::new();
        for webhook in found {
            if self.next_delivery(webhook.id, now_ms)?.is_some() {
                due.push(webhook);
            }
        }
        Ok(due)
    }

    fn next_delivery(&mut self, id: WebhookId, now_ms: u64) -> Result<Option<NextColumns>, StoreError> {
        Ok(delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.eq(state_number(DeliveryState::Waiting)))
            .filter(delivery::next_ms.le(bound(now_ms)))
            .order((delivery::next_ms, delivery::rev, delivery::nth))
            .select((delivery::log, delivery::rev, delivery::nth, delivery::next_ms, delivery::attempts))
            .first(&mut self.conn)
            .optional()?)
    }

    /// Takes the next delivery of a webhook in hand. Until the lease ends nobody else does; if whoever has it dies,
    /// somebody does then. None where nothing is due, or another server was quicker.
    ///
    /// # Errors
    /// The database's.
    pub fn claim_delivery(&mut self, id: WebhookId, now_ms: u64, lease_ms: u64) -> Result<Option<Claimed>, StoreError> {
        let Some((log, rev, nth, next_ms, attempts)) = self.next_delivery(id, now_ms)? else { return Ok(None) };
        let row = delivery::table.find((log, rev, nth, id.bytes().as_slice()));
        let taken = update(row.filter(delivery::next_ms.eq(next_ms)))
            .set((
                delivery::attempts.eq(attempts + 1),
                delivery::next_ms.eq(column(now_ms.saturating_add(lease_ms))?),
                delivery::tried_ms.eq(Some(column(now_ms)?)),
            ))
            .execute(&mut self.conn)?;
        let attempt = number(attempts + 1, "attempts below zero")?;
        let (rev, nth) = (number(rev, "a revision below zero")?, small(nth, "a notice's number below zero")?);
        Ok((taken == 1).then_some(Claimed { log: LogNum(log), rev, nth, webhook: id, attempt }))
    }

    /// Notes what came of a try: sent, failed for good, or to be tried again at a time.
    ///
    /// # Errors
    /// The database's.
    pub fn settle_delivery(
        &mut self,
        claimed: &Claimed,
        state: DeliveryState,
        (now_ms, next_ms): (u64, u64),
        answer: &str,
    ) -> Result<(), StoreError> {
        let id = claimed.webhook.bytes().as_slice();
        let row = delivery::table.find((claimed.log.0, column(claimed.rev)?, i16::from(claimed.nth), id));
        // Held meanwhile, or sent by somebody else: then that stands.
        update(row.filter(delivery::state.eq(state_number(DeliveryState::Waiting))))
            .set((
                delivery::state.eq(state_number(state)),
                delivery::next_ms.eq(column(next_ms)?),
                delivery::tried_ms.eq(Some(column(now_ms)?)),
                delivery::answer.eq(Some(answer)),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// How far notices of a log got, between two revisions.
    ///
    /// # Errors
    /// The database's.
    pub fn deliveries(&mut self, of: LogNum, revs: &[u64]) -> Result<Vec<Delivery>, StoreError> {
        let revs: Vec<i64> = revs.iter().map(|rev| bound(*rev)).collect();
        let rows: Vec<DeliveryColumns> = delivery::table
            .filter(delivery::log.eq(of.0))
            .filter(delivery::rev.eq_any(revs))
            .order((delivery::rev, delivery::nth, delivery::webhook))
            .select(delivery_columns!())
            .load(&mut self.conn)?;
        rows.into_iter().map(read_delivery).collect()
    }

    /// The newest deliveries of a webhook.
    ///
    /// # Errors
    /// The database's.
    pub fn deliveries_to(&mut self, id: WebhookId, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let rows: Vec<DeliveryColumns> = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .order((delivery::rev.desc(), delivery::nth.desc()))
            .limit(limit_of(limit)?)
            .select(delivery_columns!())
            .load(&mut self.conn)?;
        rows.into_iter().map(read_delivery).collect()
    }

    /// How many deliveries of a webhook are in a state.
    ///
    /// # Errors
    /// The database's.
    pub fn deliveries_in(&mut self, id: WebhookId, state: DeliveryState) -> Result<u64, StoreError> {
        let count: i64 = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.eq(state_number(state)))
            .select(count_star())
            .first(&mut self.conn)?;
        number(count, "a count below zero")
    }

    /// The oldest notice that is not sent to a webhook yet, by revision.
    ///
    /// # Errors
    /// The database's.
    pub fn oldest_unsent(&mut self, id: WebhookId) -> Result<Option<u64>, StoreError> {
        let rev: Option<i64> = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.ne(state_number(DeliveryState::Sent)))
            .select(min(delivery::rev))
            .first(&mut self.conn)?;
        rev.map(|rev| number(rev, "a revision below zero")).transpose()
    }
}
