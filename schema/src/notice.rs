//! What leaves the server when somebody must hear of a case, as a signed webhook. It holds ids and codes, never a name,
//! a text or another personal value: whoever relays it knows how to reach an account.

use serde::{Deserialize, Serialize};

use crate::catalogue::Code;
use crate::ids::{AccountId, AreaId, EntityId, LogId, OpId, PersonId, UnitId, WebhookId};

/// The kinds of entries that somebody must hear of.
pub const NOTICE_KINDS: &[&str] = &[
    "assign",
    "take_over",
    "return_assignment",
    "finish_help",
    "ask_interim_check",
    "interim_check",
    "issue_deadline",
    "mark_due_soon",
    "mark_overdue",
    "escalate",
    "urge",
    "supervise",
    "request_extension",
    "decide_extension",
    "relapse",
];

/// The body of a webhook, in the form of Standard Webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// `case.` and the kind of the entry.
    #[serde(rename = "type")]
    pub kind: String,
    /// When the entry was received, as RFC 3339 has it.
    pub timestamp: String,
    /// What happened.
    pub data: Noticed,
}

/// What happened to a case, and who should hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Noticed {
    /// The log.
    pub log: LogId,
    /// The entry's revision: of two notices of a case the later one has the higher.
    pub rev: u64,
    /// The case.
    pub case: EntityId,
    /// The code by which people know it.
    pub short_code: String,
    /// Its official number, once it is filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Where it lies.
    pub area: AreaId,
    /// The unit that has it, or has just handed it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// The stage, where it is about a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Code>,
    /// When that clock is due, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_ms: Option<u64>,
    /// How high it was escalated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Who should hear of it.
    pub to: Addressed,
}

/// Who should hear of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Addressed {
    /// Which step of the ladder was reached: a step with nobody on it is passed over.
    pub step: Step,
    /// The area whose supervisors they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<AreaId>,
    /// The people.
    pub accounts: Vec<Hearer>,
}

/// A step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The person who has the case.
    Holder,
    /// The members of the unit.
    Unit,
    /// The supervisors of an area.
    Area,
    /// Nobody, up to the top.
    Nobody,
}

/// Somebody who should hear of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hearer {
    /// The account.
    pub account: AccountId,
    /// The person behind it.
    pub person: PersonId,
}

/// The notices of a case, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticePage {
    /// The notices.
    pub notices: Vec<NoticeRow>,
    /// Ask with `before` this for the next page; none on the last page.
    pub next: Option<u64>,
}

/// A notice, and how far it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoticeRow {
    /// The op that gave cause to it.
    pub op: OpId,
    /// The `webhook-id` that it travels under.
    pub webhook_id: String,
    /// The body.
    pub notice: Notice,
    /// To each place it is sent to; none where no webhook wanted it.
    pub deliveries: Vec<DeliveryRow>,
    /// Who should hear of it, and since when it is known that they could; none of notices from before this was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hearers: Vec<HearerRow>,
}

/// Since when somebody could hear of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HearerRow {
    /// Who.
    pub account: AccountId,
    /// A device of theirs said that it has the case, as it stood by then or later (送达手机): the first time, in ms. It had
    /// it at this time at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_ms: Option<u64>,
    /// They opened the case on a device (首次查看): when the server was first told so, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_ms: Option<u64>,
}

/// How far the sending of a notice to one place is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryRow {
    /// The webhook, or the browser of a person.
    pub webhook: WebhookId,
    /// Whose browser it is; none for a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Whether it got there.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u64,
    /// When it was last tried, or the answer came, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried_ms: Option<u64>,
    /// When it is tried next, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<u64>,
    /// What the last try came to: an HTTP status, or why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Whether a notice got to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Not yet.
    Waiting,
    /// The place took it.
    Sent,
    /// It was tried as often as it is.
    Failed,
    /// It waited when the log was set back: it may have been sent since, so a person decides.
    Held,
}

/// `PUT /v1/push`: where a browser wants to be told, as `PushSubscription.toJSON()` has it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// What messages are sealed with.
    pub keys: SubscribeKeys,
}

/// What messages to a browser are sealed with, in base64url.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SubscribeKeys {
    /// Its public key: an uncompressed point of P-256.
    pub p256dh: String,
    /// 16 secret bytes.
    pub auth: String,
}

/// Whether a device is subscribed, and what with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushStanding {
    /// The installation's public key, in base64url: `applicationServerKey`.
    pub key: String,
    /// This device is told.
    pub subscribed: bool,
}

/// What a browser is told, sealed. No name, no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// `case.` and the kind of the entry.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code by which people know the case.
    pub code: String,
    /// The log.
    pub log: LogId,
    /// The case.
    pub case: EntityId,
}
