//! Where notices go. A working table: a rebuild leaves it alone.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, insert_into, update};
use schema::ids::{AreaId, WebhookId};

use super::columns::{column, number, uuid};
use super::connection::Db;
use super::error::StoreError;
use super::log_tx::LogNum;
use super::tables::webhook;

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
        self.drop_unsent(id)?;
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
        let count = self.try_unsent(id, now_ms)?;
        update(webhook::table.find(id.bytes().as_slice()))
            .set((
                webhook::disabled_ms.eq(None::<i64>),
                webhook::disabled_why.eq(None::<String>),
                webhook::missed_from.eq(None::<i64>),
            ))
            .execute(&mut self.conn)?;
        Ok(count)
    }
}
