//! The browsers in which people want to be told. A working table: a rebuild leaves it alone.

use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, RunQueryDsl, insert_into, update};
use schema::ids::{AccountId, DeviceId, WebhookId};
use schema::notice::DeliveryState;

use super::columns::{bound, column, uuid};
use super::connection::Db;
use super::deliveries::state_number;
use super::entries::limit_of;
use super::error::StoreError;
use super::tables::{delivery, push_subscription};

/// A browser in which somebody wants to be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, by which deliveries go.
    pub id: WebhookId,
    /// Whose.
    pub account: AccountId,
    /// The device that the browser is.
    pub device: DeviceId,
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// Its public key: an uncompressed point of P-256.
    pub client_key: Vec<u8>,
    /// The secret that it shares with this server.
    pub auth: Vec<u8>,
}

type Row = (Vec<u8>, Vec<u8>, Vec<u8>, String, Vec<u8>, Vec<u8>);

macro_rules! columns {
    () => {
        (
            push_subscription::id,
            push_subscription::account,
            push_subscription::device,
            push_subscription::endpoint,
            push_subscription::client_key,
            push_subscription::auth,
        )
    };
}

fn read((id, account, device, endpoint, client_key, auth): Row) -> Result<Subscription, StoreError> {
    Ok(Subscription {
        id: WebhookId(uuid(&id)?),
        account: AccountId(uuid(&account)?),
        device: DeviceId(uuid(&device)?),
        endpoint,
        client_key,
        auth,
    })
}

impl Db {
    /// Keeps where somebody wants to be told. What stood for the same device, or for the same browser, ends.
    ///
    /// # Errors
    /// The database's.
    pub fn subscribe(&mut self, new: &Subscription, now_ms: u64) -> Result<(), StoreError> {
        let others: Vec<Vec<u8>> = push_subscription::table
            .filter(push_subscription::endpoint.eq(&new.endpoint))
            .filter(push_subscription::ended_ms.is_null())
            .select(push_subscription::id)
            .load(&mut self.conn)?;
        for other in others {
            self.end_subscription(WebhookId(uuid(&other)?), "replaced", now_ms)?;
        }
        self.unsubscribe(new.device, "replaced", now_ms)?;
        insert_into(push_subscription::table)
            .values((
                push_subscription::id.eq(new.id.bytes().as_slice()),
                push_subscription::account.eq(new.account.bytes().as_slice()),
                push_subscription::device.eq(new.device.bytes().as_slice()),
                push_subscription::endpoint.eq(&new.endpoint),
                push_subscription::client_key.eq(&new.client_key),
                push_subscription::auth.eq(&new.auth),
                push_subscription::created_ms.eq(column(now_ms)?),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Where a device wants to be told.
    ///
    /// # Errors
    /// The database's.
    pub fn subscription_of(&mut self, device: DeviceId) -> Result<Option<Subscription>, StoreError> {
        let row: Option<Row> = push_subscription::table
            .filter(push_subscription::device.eq(device.bytes().as_slice()))
            .filter(push_subscription::ended_ms.is_null())
            .select(columns!())
            .first(&mut self.conn)
            .optional()?;
        row.map(read).transpose()
    }

    /// A device wants to be told no more.
    ///
    /// # Errors
    /// The database's.
    pub fn unsubscribe(&mut self, device: DeviceId, why: &str, now_ms: u64) -> Result<(), StoreError> {
        match self.subscription_of(device)? {
            Some(subscription) => self.end_subscription(subscription.id, why, now_ms),
            None => Ok(()),
        }
    }

    /// Ends a subscription, with its address and keys. What was sent to it stays known, what waits for it does not.
    ///
    /// # Errors
    /// The database's.
    pub fn end_subscription(&mut self, id: WebhookId, why: &str, now_ms: u64) -> Result<(), StoreError> {
        self.drop_unsent(id)?;
        update(push_subscription::table.find(id.bytes().as_slice()))
            .set((
                push_subscription::endpoint.eq(""),
                push_subscription::client_key.eq(Vec::new()),
                push_subscription::auth.eq(Vec::new()),
                push_subscription::ended_ms.eq(Some(column(now_ms)?)),
                push_subscription::ended_why.eq(Some(why)),
            ))
            .execute(&mut self.conn)?;
        Ok(())
    }

    /// Where some people want to be told.
    ///
    /// # Errors
    /// The database's.
    pub fn subscriptions_of(&mut self, accounts: &[AccountId]) -> Result<Vec<WebhookId>, StoreError> {
        let accounts: Vec<&[u8]> = accounts.iter().map(|account| account.bytes().as_slice()).collect();
        let ids: Vec<Vec<u8>> = push_subscription::table
            .filter(push_subscription::account.eq_any(accounts))
            .filter(push_subscription::ended_ms.is_null())
            .order(push_subscription::id)
            .select(push_subscription::id)
            .load(&mut self.conn)?;
        ids.iter().map(|id| uuid(id).map(WebhookId)).collect()
    }

    /// Whose a subscription is or was; none for the id of a webhook.
    ///
    /// # Errors
    /// The database's.
    pub fn subscriber(&mut self, id: WebhookId) -> Result<Option<AccountId>, StoreError> {
        let account: Option<Vec<u8>> = push_subscription::table
            .find(id.bytes().as_slice())
            .select(push_subscription::account)
            .first(&mut self.conn)
            .optional()?;
        account.map(|account| uuid(&account).map(AccountId)).transpose()
    }

    /// The subscriptions to which something is to be sent by now, some of them.
    ///
    /// # Errors
    /// The database's.
    pub fn subscriptions_due(&mut self, now_ms: u64, limit: usize) -> Result<Vec<Subscription>, StoreError> {
        let rows: Vec<Row> = delivery::table
            .inner_join(push_subscription::table.on(push_subscription::id.eq(delivery::webhook)))
            .filter(delivery::state.eq(state_number(DeliveryState::Waiting)))
            .filter(delivery::next_ms.le(bound(now_ms)))
            .filter(push_subscription::ended_ms.is_null())
            .select(columns!())
            .distinct()
            .limit(limit_of(limit)?)
            .load(&mut self.conn)?;
        rows.into_iter().map(read).collect()
    }
}
