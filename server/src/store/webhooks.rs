//! Where notices go, and how far each got. Working tables: a rebuild leaves them alone.

use diesel::dsl::{count_star, min};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::ids::{AreaId, WebhookId};
use schema::notice::DeliveryState;

use super::columns::{bound, column, number, small, uuid};
use super::connection::Db;
use super::entries::limit_of;
use super::error::StoreError;
use super::log_tx::{LogNum, LogTx};
use super::tables::{delivery, webhook};

/// Where notices of a log go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The log.
    pub log: LogNum,
    /// The address.
    pub url: String,
    /// The secret that signs.
    pub secret: String,
    /// Only these kinds of entries; all if none.
    pub kinds: Vec<String>,
    /// Only cases of these areas and below; all if none.
    pub areas: Vec<AreaId>,
    /// It may be spoken to without TLS.
    pub plain_http: bool,
    /// It may lie in a private network.
    pub private_net: bool,
    /// When it was added, in ms.
    pub created_ms: u64,
    /// Nothing is sent to it.
    pub disabled: Option<Disabled>,
    /// The first notice that it would have got since then.
    pub missed_from: Option<u64>,
}

impl Webhook {
    /// Whether it is for a kind of entry, about a case that lies in these areas.
    pub fn wants(&self, kind: &str, areas: &[AreaId]) -> bool {
        let of_kind = self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind);
        of_kind && (self.areas.is_empty() || self.areas.iter().any(|wanted| areas.contains(wanted)))
    }
}

/// Since when nothing is sent, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// Since when, in ms.
    pub at_ms: u64,
    /// `gone`: it answered 410. `full`: too much waited for it.
    pub why: String,
}

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

fn state_number(state: DeliveryState) -> i16 {
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

type WebhookRow =
    (Vec<u8>, i64, String, String, String, String, bool, bool, i64, Option<i64>, Option<String>, Option<i64>);

macro_rules! webhook_columns {
    () => {
        (
            webhook::id,
            webhook::log,
            webhook::url,
            webhook::secret,
            webhook::kinds,
            webhook::areas,
            webhook::plain_http,
            webhook::private_net,
            webhook::created_ms,
            webhook::disabled_ms,
            webhook::disabled_why,
            webhook::missed_from,
        )
    };
}

fn read_webhook(row: WebhookRow) -> Result<Webhook, StoreError> {
    let (id, log, url, secret, kinds, areas, plain_http, private_net, created_ms, disabled_ms, why, missed_from) = row;
    let damaged = |_| StoreError::Damaged("an area that is no id");
    Ok(Webhook {
        id: WebhookId(uuid(&id)?),
        log: LogNum(log),
        url,
        secret,
        kinds: kinds.split_ascii_whitespace().map(str::to_owned).collect(),
        areas: areas.split_ascii_whitespace().map(|area| area.parse().map_err(damaged)).collect::<Result<_, _>>()?,
        plain_http,
        private_net,
        created_ms: number(created_ms, "a time below zero")?,
        disabled: match disabled_ms {
            Some(at_ms) => Some(Disabled { at_ms: number(at_ms, "a time below zero")?, why: why.unwrap_or_default() }),
            None => None,
        },
        missed_from: missed_from.map(|rev| number(rev, "a revision below zero")).transpose()?,
    })
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
    /// Adds a webhook.
    ///
    /// # Errors
    /// The database's.
    pub fn insert_webhook(&mut self, new: &Webhook) -> Result<(), StoreError> {
        let areas: Vec<String> = new.areas.iter().map(AreaId::to_string).collect();
        insert_into(webhook::table)
            .values((
                webhook::id.eq(new.id.bytes().as_slice()),
                webhook::log.eq(new.log.0),
                webhook::url.eq(&new.url),
                webhook::secret.eq(&new.secret),
                webhook::kinds.eq(new.kinds.join(" ")),
                webhook::areas.eq(areas.join(" ")),
                webhook::plain_http.eq(new.plain_http),
                webhook::private_net.eq(new.private_net),
                webhook::created_ms.eq(column(new.created_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// The webhooks that were not removed, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn webhooks(&mut self) -> Result<Vec<Webhook>, StoreError> {
        let rows: Vec<WebhookRow> = webhook::table
            .filter(webhook::removed_ms.is_null())
            .order((webhook::created_ms, webhook::id))
            .select(webhook_columns!())
            .load(&mut self.conn)?;
        rows.into_iter().map(read_webhook).collect()
    }

    /// Removes a webhook and its secret. What was sent to it stays; what waits does not.
    ///
    /// # Errors
    /// The database's.
    pub fn remove_webhook(&mut self, id: WebhookId, now_ms: u64) -> Result<(), StoreError> {
        let unsent = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.ne(state_number(DeliveryState::Sent)))
            .filter(delivery::state.ne(state_number(DeliveryState::Failed)));
        diesel::delete(unsent).execute(&mut self.conn)?;
        update(webhook::table.find(id.bytes().as_slice()))
            .set((webhook::secret.eq(""), webhook::removed_ms.eq(Some(column(now_ms)?))))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Sends nothing more to a webhook. What it misses is counted from a revision on.
    ///
    /// # Errors
    /// The database's.
    pub fn disable_webhook(
        &mut self,
        id: WebhookId,
        why: &str,
        now_ms: u64,
        missed_from: u64,
    ) -> Result<(), StoreError> {
        let enabled =
            webhook::table.filter(webhook::id.eq(id.bytes().as_slice())).filter(webhook::disabled_ms.is_null());
        update(enabled)
            .set((
                webhook::disabled_ms.eq(Some(column(now_ms)?)),
                webhook::disabled_why.eq(Some(why)),
                webhook::missed_from.eq(Some(column(missed_from)?)),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Sends to a webhook again: what failed or was held is tried anew, at once. Returns how much.
    ///
    /// # Errors
    /// The database's.
    pub fn revive_webhook(&mut self, id: WebhookId, now_ms: u64) -> Result<usize, StoreError> {
        let unsent = delivery::table
            .filter(delivery::webhook.eq(id.bytes().as_slice()))
            .filter(delivery::state.ne(state_number(DeliveryState::Sent)));
        let count = update(unsent)
            .set((
                delivery::state.eq(state_number(DeliveryState::Waiting)),
                delivery::attempts.eq(0),
                delivery::next_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?;
        update(webhook::table.find(id.bytes().as_slice()))
            .set((
                webhook::disabled_ms.eq(None::<i64>),
                webhook::disabled_why.eq(None::<String>),
                webhook::missed_from.eq(None::<i64>),
            ))
            .execute(&mut self.conn)?;
        Ok(count)
    }

    /// Notes that a notice is to be sent.
    ///
    /// # Errors
    /// The database's.
    pub fn queue_delivery(&mut self, to: &Webhook, rev: u64, nth: u8, now_ms: u64) -> Result<(), StoreError> {
        insert_into(delivery::table)
            .values((
                delivery::log.eq(to.log.0),
                delivery::rev.eq(column(rev)?),
                delivery::nth.eq(i16::from(nth)),
                delivery::webhook.eq(to.id.bytes().as_slice()),
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
