//! Notices on their way out: each is tried until its place takes it, by whichever server gets there first. What is being
//! sent is leased: if a server dies in the middle of it, another one sends it again, under the same id.

mod address;
mod sending;
mod signature;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use schema::ids::WebhookId;
use schema::notice::DeliveryState;
use tokio::sync::watch;
use tokio::task::JoinSet;
use ureq::http::Uri;

pub(super) use address::stays_here;
pub use address::{Unfit, fit};
pub use sending::{Answer, Sender};
pub use signature::{Secret, sign};

use super::notices::webhook_id;
use super::photos::causes;
use super::push::{PushKey, fit_for_a_browser, is_welcome, sealed};
use crate::clock::Clock;
use crate::error::Result;
use crate::store::{Claimed, Db, Store, StoredNotice, Subscription, Webhook};

/// How long each try is waited for after the one before, in s: the schedule that Standard Webhooks names.
const WAITS_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How often it is looked whether something is due, where no commit of this server says so.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Browsers that are sent to at a time.
const BUSY_MAX: usize = 32;

/// How often at most.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(50);

/// Notices on their way out. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    store: Store,
    clock: Clock,
    sender: Arc<Sender>,
    key: PushKey,
    /// Where a browser's push service may be.
    fit: fn(&str) -> Option<Uri>,
}

/// Where a notice goes.
#[derive(Clone)]
enum Place {
    /// To a webhook.
    Webhook(Webhook),
    /// To a person's browser.
    Browser(Subscription),
}

impl Place {
    fn id(&self) -> WebhookId {
        match self {
            Self::Webhook(webhook) => webhook.id,
            Self::Browser(subscription) => subscription.id,
        }
    }
}

impl Webhooks {
    /// Sending from a store, each try within a time, to browsers by a key.
    pub fn new(store: Store, clock: Clock, within: Duration, key: PushKey) -> Self {
        Self { store, clock, sender: Arc::new(Sender::new(within)), key, fit: fit_for_a_browser }
    }

    /// What sends.
    pub fn sender(&self) -> Arc<Sender> {
        Arc::clone(&self.sender)
    }

    /// Sends what is due, for as long as the server runs. A slow place holds up no other.
    pub async fn run(self, mut commits: watch::Receiver<u64>) {
        let mut at_work = JoinSet::new();
        let mut busy: BTreeSet<WebhookId> = BTreeSet::new();
        loop {
            let now_ms = self.clock.now_ms();
            match self.store.read_async(move |db| due(db, now_ms)).await {
                Ok(due) => {
                    for place in due {
                        let is_free = matches!(place, Place::Webhook(_)) || busy.len() < BUSY_MAX;
                        if is_free && busy.insert(place.id()) {
                            let this = self.clone();
                            at_work.spawn_blocking(move || this.work_off(&place));
                        }
                    }
                }
                Err(error) => tracing::error!(error = %causes(&error), "what is to be sent is not known"),
            }
            tokio::select! {
                Some(done) = at_work.join_next() => match done {
                    Ok(webhook) => drop(busy.remove(&webhook)),
                    Err(error) => {
                        // Whose it was is not known: claims keep two from sending the same.
                        tracing::error!(%error, "sending notices failed");
                        busy.clear();
                    }
                },
                Ok(()) = commits.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            // Under load commits follow each other faster than it is worth looking.
            tokio::time::sleep(LOOK_AT_MOST_EVERY).await;
        }
    }

    /// Sends all that is due to one place.
    fn work_off(&self, place: &Place) -> WebhookId {
        loop {
            match self.send_next(place) {
                Ok(true) => {}
                Ok(false) => return place.id(),
                Err(error) => {
                    tracing::error!(error = %causes(&error), webhook.id = %place.id(), "a notice was not sent");
                    return place.id();
                }
            }
        }
    }

    /// Sends the next notice to a place. Whether there may be more.
    fn send_next(&self, place: &Place) -> Result<bool> {
        let lease_ms = self.sender.lease_ms();
        let now_ms = self.clock.now_ms();
        let Some(claimed) =
            self.store.write(|db| -> Result<_> { Ok(db.claim_delivery(place.id(), now_ms, lease_ms)?) })?
        else {
            return Ok(false);
        };
        let notice = self.store.read(|db| -> Result<_> { Ok(db.notice(claimed.log, claimed.rev, claimed.nth)?) })?;
        let answer = match (&notice, place) {
            (Some(StoredNotice { op, body, .. }), Place::Webhook(webhook)) => {
                self.sender.send(webhook, &webhook_id(*op), body, now_ms)
            }
            (Some(StoredNotice { body, .. }), Place::Browser(subscription)) => {
                self.push((&claimed, subscription), body, now_ms)?
            }
            (None, _) => Answer::Failed("its notice is not kept any more".to_owned()),
        };
        let now_ms = self.clock.now_ms();
        self.store.write(|db| settle(db, place, &claimed, &answer, now_ms))?;
        Ok(!matches!(answer, Answer::Gone(_)))
    }
}

impl Webhooks {
    fn push(&self, (claimed, to): (&Claimed, &Subscription), notice: &str, now_ms: u64) -> Result<Answer> {
        if !self.store.read(|db| is_welcome(db, claimed.log, to))? {
            return Ok(Answer::Gone("its person or device was shut out".to_owned()));
        }
        let Some(service) = (self.fit)(&to.endpoint) else {
            return Ok(Answer::Failed("an address that nothing is sent to".to_owned()));
        };
        Ok(match sealed(notice, to)? {
            Some(sealed) => self.sender.push(service, &self.key, &sealed, now_ms),
            None => Answer::Failed("its keys are none".to_owned()),
        })
    }
}

/// The places to which something is to be sent by now.
fn due(db: &mut Db, now_ms: u64) -> Result<Vec<Place>> {
    let webhooks = db.webhooks_due(now_ms)?.into_iter().map(Place::Webhook);
    let browsers = db.subscriptions_due(now_ms, BUSY_MAX)?.into_iter().map(Place::Browser);
    Ok(webhooks.chain(browsers).collect())
}

fn settle(db: &mut Db, place: &Place, claimed: &Claimed, answer: &Answer, now_ms: u64) -> Result<()> {
    let (state, next_ms) = match answer {
        Answer::Took(_) => (DeliveryState::Sent, now_ms),
        Answer::Gone(_) => (DeliveryState::Failed, now_ms),
        Answer::Failed(_) => match wait_s(claimed.attempt) {
            Some(wait_s) => (DeliveryState::Waiting, now_ms.saturating_add(wait_s.saturating_mul(1_000))),
            None => (DeliveryState::Failed, now_ms),
        },
    };
    if state == DeliveryState::Failed {
        tracing::warn!(webhook.id = %place.id(), rev = claimed.rev, answer = %answer, "a notice did not get there");
    }
    db.settle_delivery(claimed, state, (now_ms, next_ms), &answer.to_string())?;
    match place {
        Place::Webhook(webhook) if matches!(answer, Answer::Gone(_)) => {
            let head = db.heads()?.into_iter().find(|head| head.num == webhook.log);
            let missed_from = head.map_or(1, |head| head.rev.saturating_add(1));
            db.disable_webhook(webhook.id, "gone", now_ms, missed_from)?;
            tracing::warn!(webhook.id = %webhook.id, "a webhook says that it is gone: nothing more is sent to it");
        }
        Place::Browser(subscription) if matches!(answer, Answer::Gone(_)) => {
            db.end_subscription(subscription.id, "gone", now_ms)?;
        }
        Place::Webhook(_) | Place::Browser(_) => {}
    }
    Ok(())
}

/// How long to wait after a try that failed; none after the last.
fn wait_s(attempt: u64) -> Option<u64> {
    let nth = usize::try_from(attempt).ok()?.checked_sub(1)?;
    WAITS_S.get(nth).copied()
}

#[cfg(test)]
mod browser_tests;
#[cfg(test)]
mod tests;
