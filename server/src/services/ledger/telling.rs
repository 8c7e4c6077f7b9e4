//! Notices are kept with the entry that gave cause to them, and queued for the places that want them in the same
//! transaction: a stop in between leaves both or neither. A replay keeps them again and sends nothing.

use schema::entity::Entity;
use schema::ids::{AccountId, AreaId, OpId};
use schema::notice::DeliveryState;
use schema::op::Body;
use schema::record::{Outcome, Record};
use sync_core::line::{self, ReadBody};

use super::enter::{Desk, Incoming};
use super::facts::Facts;
use super::seen::Held;
use crate::services::notices::{Around, At, Happened, is_told, notice, notice_of_look_back};
use crate::store::{Disabled, Entry, StoreError, StoredNotice, Webhook};

/// How many notices may wait for one place. One that takes nothing any more must not fill the disk: nothing is queued
/// for it from then on, and what it missed is sent when an operator says so.
const WAITING_MAX: u64 = 10_000;

/// How many may wait for one browser: it takes nothing any more, and its person finds the cases in the page.
const PUSHES_WAITING_MAX: u64 = 200;

/// A notice, with the areas it is about: the case's and all above it.
pub(super) struct Told {
    kept: StoredNotice,
    areas: Vec<AreaId>,
    to: Vec<AccountId>,
}

impl Desk<'_, '_> {
    /// Keeps the notices that an entry gives cause to.
    pub(super) fn tell(
        &mut self,
        incoming: &Incoming,
        record: &Record,
        before: &Held,
        after: Option<&Entity>,
        (facts, entry): (&Facts, &Entry),
    ) -> Result<Vec<Told>, StoreError> {
        let area = match after {
            Some(Entity::Case(after)) => after.area,
            Some(Entity::LookBackTask(after)) => after.area,
            _ => return Ok(Vec::new()),
        };
        let happened = took_effect(incoming, record, facts);
        if happened.is_empty() {
            return Ok(Vec::new());
        }
        let directory = self.parsed.directory(self.tx.db, self.tx.head.num, self.tx.head.log)?;
        let (areas, calendar) = (facts.areas(), facts.calendar());
        let at = At { log: self.tx.head.log, rev: entry.rev, received_ms: entry.received_ms };
        let mut told = Vec::new();
        for (op, kind, body) in &happened {
            let happened = Happened { op: *op, kind, body };
            let found = match (after, before.entity.as_deref()) {
                (Some(Entity::Case(after)), was) => {
                    let before = match was {
                        Some(Entity::Case(case)) => Some(case.as_ref()),
                        _ => None,
                    };
                    notice(&happened, &at, &Around { before, after, areas, directory: &directory, calendar })
                }
                (Some(Entity::LookBackTask(task)), _) => match self.seen.held(self.tx, task.case)?.entity.as_deref() {
                    Some(Entity::Case(case)) => {
                        notice_of_look_back(&happened, &at, (task.as_ref(), case.as_ref()), areas, &directory)
                    }
                    _ => None,
                },
                _ => None,
            };
            let Some(notice) = found else { continue };
            let body = serde_json::to_string(&notice).map_err(|_| StoreError::Damaged("a notice that is no JSON"))?;
            // Nobody parks so much that a number of this width does not do.
            let Ok(nth) = u8::try_from(told.len()) else { break };
            let kind = kind.clone();
            let kept = StoredNotice { rev: entry.rev, nth, op: *op, entity: entry.entity, kind, area, body };
            self.tx.put_notice(&kept)?;
            let areas = facts.areas().map(|areas| areas.path(area)).unwrap_or_default();
            let to = notice.data.to.accounts.iter().map(|hearer| hearer.account).collect();
            told.push(Told { kept, areas, to });
        }
        Ok(told)
    }

    /// Queues notices for whoever wants them, and notes who should hear of them.
    pub(super) fn queue(&mut self, told: &[Told], now_ms: u64) -> Result<(), StoreError> {
        if told.is_empty() {
            return Ok(());
        }
        for told in told {
            self.tx.db.put_hearers(self.tx.head.num, &told.kept, &told.to)?;
            self.queue_for_browsers(told, now_ms)?;
        }
        if self.seen.webhooks.is_none() {
            self.seen.webhooks = Some(self.places()?);
        }
        let Some(places) = &mut self.seen.webhooks else { return Ok(()) };
        for told in told {
            for (webhook, waiting) in places.iter_mut() {
                if webhook.disabled.is_some() || !webhook.wants(&told.kept.kind, &told.areas) {
                    continue;
                }
                if *waiting < WAITING_MAX {
                    self.tx.db.queue_delivery(webhook.log, webhook.id, (told.kept.rev, told.kept.nth), now_ms)?;
                    *waiting = waiting.saturating_add(1);
                } else {
                    tracing::error!(webhook.id = %webhook.id, "too much waits for a webhook: it gets no more");
                    self.tx.db.disable_webhook(webhook.id, "full", now_ms, told.kept.rev)?;
                    webhook.disabled = Some(Disabled { at_ms: now_ms, why: "full".to_owned() });
                }
            }
        }
        Ok(())
    }

    /// Queues a notice for the browsers of those who should hear of it.
    fn queue_for_browsers(&mut self, told: &Told, now_ms: u64) -> Result<(), StoreError> {
        for id in self.tx.db.subscriptions_of(&told.to)? {
            if self.tx.db.deliveries_in(id, DeliveryState::Waiting)? < PUSHES_WAITING_MAX {
                self.tx.db.queue_delivery(self.tx.head.num, id, (told.kept.rev, told.kept.nth), now_ms)?;
            } else {
                self.tx.db.end_subscription(id, "full", now_ms)?;
            }
        }
        Ok(())
    }

    fn places(&mut self) -> Result<Vec<(Webhook, u64)>, StoreError> {
        let mut places = Vec::new();
        for webhook in self.tx.db.webhooks()? {
            if webhook.log == self.tx.head.num && webhook.disabled.is_none() {
                let waiting = self.tx.db.deliveries_in(webhook.id, DeliveryState::Waiting)?;
                places.push((webhook, waiting));
            }
        }
        Ok(places)
    }
}

/// What took effect by an entry: its own op, or those that it released.
fn took_effect(incoming: &Incoming, record: &Record, facts: &Facts) -> Vec<(OpId, String, Body)> {
    let accepted = |record: &Record| matches!(record.outcome, Outcome::Accepted | Outcome::AcceptedWithConflict);
    let Ok(op) = &incoming.op else { return Vec::new() };
    let own = accepted(record).then_some(op.as_ref());
    let released = record.released.iter().filter(|released| accepted(&released.record));
    let parked = released.filter_map(|released| facts.parked.iter().find(|parked| parked.rev == released.rev));
    own.into_iter()
        .chain(parked.map(|parked| &parked.op))
        .filter_map(|op| match line::body(op) {
            ReadBody::Known(body) if is_told(&op.kind, &body) => Some((op.op, op.kind.clone(), *body)),
            ReadBody::Known(_) | ReadBody::TooNew | ReadBody::Misfit(_) => None,
        })
        .collect()
}
