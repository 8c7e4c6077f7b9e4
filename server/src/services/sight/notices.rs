//! What somebody had to hear of a case, and how far it got.

use std::collections::BTreeMap;

use anyhow::Context;
use schema::entity::Entity;
use schema::ids::{AccountId, EntityId, LogId, WebhookId};
use schema::notice::{DeliveryRow, DeliveryState, HearerRow, NoticePage, NoticeRow};
use schema::op::Role;
use schema::problem::ProblemCode;
use sync_core::permission::reaches;

use super::{PAGE_MAX, Sight};
use crate::error::{Error, Result};
use crate::services::accounts::Caller;
use crate::services::notices::webhook_id;
use crate::store::{Delivery, Heard, StoredNotice};

impl Sight {
    /// Notes that a caller opened a case. It is known only of those who should hear of it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn opened(&self, caller: &Caller, log: LogId, case: EntityId) -> Result<()> {
        let account = caller.account;
        let (num, waits) = self
            .noting(caller, log, "opened", move |view| {
                let (_, _, entity) = view.entity(case)?;
                if !matches!(entity, Entity::Case(_)) {
                    return Err(Error::refused(ProblemCode::NotFound));
                }
                Ok((view.log, view.db.is_unopened(view.log, account, case)?))
            })
            .await?;
        if waits {
            let now_ms = self.clock.now_ms();
            self.store.write_async(move |db| -> Result<()> { Ok(db.note_opened(num, account, case, now_ms)?) }).await?;
        }
        Ok(())
    }

    /// A page of a case's notices, newest first, for those who supervise or audit where it lies.
    ///
    /// # Errors
    /// `not_found`, also for a case that the caller does not oversee.
    pub async fn notices(
        &self,
        caller: &Caller,
        log: LogId,
        case: EntityId,
        before: Option<u64>,
    ) -> Result<NoticePage> {
        self.noting(caller, log, "notices", move |view| {
            let (_, _, entity) = view.entity(case)?;
            let Entity::Case(found) = &entity else { return Err(Error::refused(ProblemCode::NotFound)) };
            let oversees = view.account.grants.iter().any(|grant| {
                matches!(grant.role, Role::Supervisor | Role::Auditor) && reaches(grant, found.area, view.areas())
            });
            if !oversees {
                return Err(Error::refused(ProblemCode::NotFound));
            }
            view.note_restricted(case, &entity);
            let before = before.unwrap_or(u64::MAX);
            let mut notices = view.db.notices_of(view.log, case, before, PAGE_MAX.saturating_add(1))?;
            let more = notices.len() > PAGE_MAX;
            if more {
                // What belongs to one entry stays on one page.
                let cut = notices.last().map_or(0, |notice| notice.rev);
                notices.retain(|notice| notice.rev > cut);
            }
            let next = notices.last().map(|notice| notice.rev).filter(|_| more);
            let revs: Vec<u64> = notices.iter().map(|notice| notice.rev).collect();
            let deliveries = view.db.deliveries(view.log, &revs)?;
            let mut whose = BTreeMap::new();
            for delivery in &deliveries {
                if let Some(account) = view.db.subscriber(delivery.webhook)? {
                    whose.insert(delivery.webhook, account);
                }
            }
            let hearers = view.db.hearers(view.log, &revs)?;
            let notices = notices
                .into_iter()
                .map(|notice| row(notice, (&deliveries, &whose), &hearers))
                .collect::<Result<_>>()?;
            Ok(NoticePage { notices, next })
        })
        .await
    }
}

type Whose = BTreeMap<WebhookId, AccountId>;

fn row(notice: StoredNotice, (deliveries, whose): (&[Delivery], &Whose), hearers: &[Heard]) -> Result<NoticeRow> {
    let of_it = deliveries.iter().filter(|it| it.rev == notice.rev && it.nth == notice.nth);
    let by = hearers.iter().filter(|it| it.rev == notice.rev && it.nth == notice.nth);
    Ok(NoticeRow {
        op: notice.op,
        webhook_id: webhook_id(notice.op),
        deliveries: of_it.map(|it| delivery_row(it, whose)).collect(),
        hearers: by.map(hearer_row).collect(),
        notice: serde_json::from_str(&notice.body).context("a stored notice that can't be read")?,
    })
}

fn hearer_row(heard: &Heard) -> HearerRow {
    HearerRow { account: heard.account, kept_ms: heard.kept_ms, opened_ms: heard.opened_ms }
}

fn delivery_row(delivery: &Delivery, whose: &Whose) -> DeliveryRow {
    DeliveryRow {
        webhook: delivery.webhook,
        account: whose.get(&delivery.webhook).copied(),
        state: delivery.state,
        attempts: delivery.attempts,
        tried_ms: delivery.tried_ms,
        next_ms: (delivery.state == DeliveryState::Waiting).then_some(delivery.next_ms),
        answer: delivery.answer.clone(),
    }
}
