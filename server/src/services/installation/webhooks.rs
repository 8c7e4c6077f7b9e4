//! Where notices are sent, as the operator sees to it.

use schema::ids::{AreaId, WebhookId};
use schema::notice::{DeliveryState, NOTICE_KINDS};
use schema::problem::ProblemCode;
use serde::Serialize;
use uuid::Builder;

use super::Installation;
use crate::error::{Error, Result};
use crate::services::notices::webhook_id;
use crate::services::tokens::random;
use crate::services::webhooks::{Secret, fit};
use crate::store::{Db, LogHead, Webhook};

/// Webhooks of one district.
const WEBHOOKS_MAX: usize = 20;
/// Deliveries listed.
const LISTED_MAX: usize = 200;
/// Notices looked at in one transaction, when what was missed is made up for, and the most that are.
const MISSED_PAGE: usize = 500;
const MISSED_MAX: usize = 10_000;

/// A place to send notices to.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// The address.
    pub url: String,
    /// Only these kinds of entries; all if none.
    pub kinds: Vec<String>,
    /// Only in the areas with these codes; all if none.
    pub areas: Vec<String>,
    /// It may be spoken to without TLS.
    pub plain_http: bool,
    /// It may lie in a private network.
    pub private_net: bool,
}

/// A place that was added. The secret is shown this once.
#[derive(Debug, Clone, Serialize)]
pub struct AddedWebhook {
    /// Its id.
    pub webhook: WebhookId,
    /// What its receiver checks signatures with.
    pub secret: String,
}

/// A place as the operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ListedWebhook {
    /// Its id.
    pub webhook: WebhookId,
    /// The address.
    pub url: String,
    /// Only these kinds of entries; all if none.
    pub kinds: Vec<String>,
    /// Only in these areas; all if none.
    pub areas: Vec<AreaId>,
    /// Why nothing is sent to it: `gone` or `full`; none where it is.
    pub disabled: Option<String>,
    /// Since when, in ms.
    pub disabled_ms: Option<u64>,
    /// Notices that wait.
    pub waiting: u64,
    /// When the oldest that was not sent was entered, in ms.
    pub oldest_ms: Option<u64>,
    /// Notices that it took.
    pub sent: u64,
    /// Notices that were tried as often as they are.
    pub failed: u64,
    /// Notices that waited when the log was set back.
    pub held: u64,
}

/// A notice on its way to a place.
#[derive(Debug, Clone, Serialize)]
pub struct SentNotice {
    /// The id it travels under.
    pub webhook_id: String,
    /// The kind of entry.
    pub kind: String,
    /// The case.
    pub case: schema::ids::EntityId,
    /// The entry's revision.
    pub rev: u64,
    /// Whether it got there.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was last tried, in ms.
    pub tried_ms: Option<u64>,
    /// When it is tried next, in ms, while it waits.
    pub next_ms: Option<u64>,
    /// What the last try came to.
    pub answer: Option<String>,
}

/// All places, each with how much waits for it.
///
/// # Errors
/// The database's.
pub fn outbox(db: &mut Db) -> Result<Vec<ListedWebhook>> {
    let found = db.webhooks()?;
    found.into_iter().map(|webhook| listed(db, webhook)).collect()
}

fn listed(db: &mut Db, webhook: Webhook) -> Result<ListedWebhook> {
    let oldest_ms = match db.oldest_unsent(webhook.id)? {
        Some(rev) => db.received_ms(webhook.log, rev)?,
        None => None,
    };
    Ok(ListedWebhook {
        waiting: db.deliveries_in(webhook.id, DeliveryState::Waiting)?,
        sent: db.deliveries_in(webhook.id, DeliveryState::Sent)?,
        failed: db.deliveries_in(webhook.id, DeliveryState::Failed)?,
        held: db.deliveries_in(webhook.id, DeliveryState::Held)?,
        oldest_ms,
        webhook: webhook.id,
        url: webhook.url,
        kinds: webhook.kinds,
        areas: webhook.areas,
        disabled_ms: webhook.disabled.as_ref().map(|disabled| disabled.at_ms),
        disabled: webhook.disabled.map(|disabled| disabled.why),
    })
}

impl Installation {
    /// Adds a place, with a secret made here.
    ///
    /// # Errors
    /// An address, a kind or an area that can't be; too many places.
    pub async fn add_webhook(&self, new: NewWebhook) -> Result<AddedWebhook> {
        let head = self.only_log().await?;
        fit(&new.url, new.plain_http, new.private_net).map_err(|why| {
            Error::fault(
                format!("地址不可用（{why}）：须为 https；明文 http 仅限本机，其他机器加 --plain-http；内网地址加 --private-net"),
                format!("{why}: https, or http to this machine; --plain-http and --private-net allow more"),
            )
        })?;
        if let Some(unknown) = new.kinds.iter().find(|kind| !NOTICE_KINDS.contains(&kind.as_str())) {
            let known = NOTICE_KINDS.join(" ");
            return Err(Error::fault(
                format!("没有“{unknown}”这种提醒；可选：{known}"),
                format!("there is no kind {unknown}; there are: {known}"),
            ));
        }
        let mut areas = Vec::new();
        for code in &new.areas {
            areas.push(self.area(&head, Some(code)).await?);
        }
        let secret = Secret::new()?;
        let id = WebhookId(Builder::from_random_bytes(random()?).into_uuid());
        let webhook = Webhook {
            id,
            log: head.num,
            url: new.url,
            secret: secret.text(),
            kinds: new.kinds,
            areas,
            plain_http: new.plain_http,
            private_net: new.private_net,
            created_ms: self.clock.now_ms(),
            disabled: None,
            missed_from: None,
        };
        self.store
            .write_async(move |db| {
                let of_log = db.webhooks()?.iter().filter(|known| known.log == webhook.log).count();
                if of_log >= WEBHOOKS_MAX {
                    return Err(Error::fault(
                        format!("推送地址最多 {WEBHOOKS_MAX} 个"),
                        format!("there are {WEBHOOKS_MAX} webhooks already, which is the most"),
                    ));
                }
                Ok(db.insert_webhook(&webhook)?)
            })
            .await?;
        Ok(AddedWebhook { webhook: id, secret: secret.text() })
    }

    /// The places of the district.
    ///
    /// # Errors
    /// The server's own.
    pub async fn webhooks(&self) -> Result<Vec<ListedWebhook>> {
        let head = self.only_log().await?;
        self.store
            .read_async(move |db| {
                let found = db.webhooks()?.into_iter().filter(|webhook| webhook.log == head.num).collect::<Vec<_>>();
                found.into_iter().map(|webhook| listed(db, webhook)).collect()
            })
            .await
    }

    /// A place of the district.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook(&self, id: WebhookId) -> Result<Webhook> {
        let head = self.only_log().await?;
        self.store.read_async(move |db| of_log(db, &head, id)).await
    }

    /// Removes a place. What waits for it goes, what was sent to it stays known.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn remove_webhook(&self, id: WebhookId) -> Result<()> {
        let (head, now_ms) = (self.only_log().await?, self.clock.now_ms());
        self.store
            .write_async(move |db| {
                of_log(db, &head, id)?;
                Ok(db.remove_webhook(id, now_ms)?)
            })
            .await
    }

    /// The newest notices to a place.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn webhook_log(&self, id: WebhookId) -> Result<Vec<SentNotice>> {
        let head = self.only_log().await?;
        self.store
            .read_async(move |db| {
                of_log(db, &head, id)?;
                let mut sent = Vec::new();
                for delivery in db.deliveries_to(id, LISTED_MAX)? {
                    let Some(notice) = db.notice(head.num, delivery.rev, delivery.nth)? else { continue };
                    let waits = delivery.state == DeliveryState::Waiting;
                    sent.push(SentNotice {
                        webhook_id: webhook_id(notice.op),
                        kind: notice.kind,
                        case: notice.entity,
                        rev: delivery.rev,
                        state: delivery.state,
                        attempts: delivery.attempts,
                        tried_ms: delivery.tried_ms,
                        next_ms: waits.then_some(delivery.next_ms),
                        answer: delivery.answer,
                    });
                }
                Ok(sent)
            })
            .await
    }

    /// Sends to a place again: what failed, what was held, and what it missed while nothing was sent to it. How much.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn retry_webhook(&self, id: WebhookId) -> Result<usize> {
        let (head, now_ms) = (self.only_log().await?, self.clock.now_ms());
        let parsed = self.ledger.parsed().clone();
        self.store
            .write_async(move |db| {
                let webhook = of_log(db, &head, id)?;
                let areas = parsed.areas_in_force(db, head.num, head.log)?;
                let mut count = db.revive_webhook(id, now_ms)?;
                let Some(mut from) = webhook.missed_from else { return Ok(count) };
                let mut missed = 0;
                loop {
                    let page = db.notices_from(head.num, from, MISSED_PAGE)?;
                    let Some(last) = page.last() else { break };
                    // The next page may begin within this revision: what is known of it is not queued twice.
                    let (whole, next) = (page.len() < MISSED_PAGE, last.rev);
                    for notice in &page {
                        let path = areas.as_ref().map(|areas| areas.path(notice.area)).unwrap_or_default();
                        let known = db.deliveries(head.num, &[notice.rev])?;
                        let is_known = known.iter().any(|it| it.webhook == id && it.nth == notice.nth);
                        if !is_known && webhook.wants(&notice.kind, &path) {
                            if missed >= MISSED_MAX {
                                db.disable_webhook(id, "full", now_ms, notice.rev)?;
                                return Ok(count);
                            }
                            db.queue_delivery(webhook.log, id, (notice.rev, notice.nth), now_ms)?;
                            (missed, count) = (missed.saturating_add(1), count.saturating_add(1));
                        }
                    }
                    if whole {
                        break;
                    }
                    from = next;
                }
                Ok(count)
            })
            .await
    }
}

fn of_log(db: &mut Db, head: &LogHead, id: WebhookId) -> Result<Webhook> {
    let found = db.webhooks()?.into_iter().find(|webhook| webhook.id == id && webhook.log == head.num);
    found.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}
