//! What administrators ask for through the API. Bodies of this module refuse unknown members.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, AreaId, DeviceId, LogId, UnitId};
use crate::op::Role;

/// `GET /v1/admin/accounts`: the accounts of the districts that the caller administers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminAccounts {
    /// By login name.
    pub accounts: Vec<AdminAccount>,
}

/// An account as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminAccount {
    /// Its id.
    pub account: AccountId,
    /// Its login name.
    pub login: String,
    /// The name others see.
    pub name: String,
    /// What it may do in these districts.
    pub grants: Vec<AdminGrant>,
    /// The units it belongs to.
    pub units: Vec<UnitId>,
    /// What one administrator asked for and a second person must ask for as well.
    pub proposed: Vec<AdminProposal>,
    /// It can't log in.
    pub disabled: bool,
}

/// What waits for a second person who administers the district.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminProposal {
    /// The role to be given; a one-time code if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AdminGrant>,
    /// The login name of whoever asked first.
    pub by: String,
    /// When, in ms. It is forgotten after seven days.
    pub since_ms: u64,
}

/// A role over an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminGrant {
    /// The district.
    pub log: LogId,
    /// The role.
    pub role: Role,
    /// The area subtree.
    pub area: AreaId,
}

/// `POST /v1/admin/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddAccount {
    /// The district; needed where the caller administers several.
    #[serde(default)]
    pub log: Option<LogId>,
    /// The login name.
    pub login: String,
    /// The name others see.
    pub name: String,
    /// The first role.
    pub role: Role,
    /// The code of the area that it is for; the whole district if none.
    #[serde(default)]
    pub area: Option<String>,
    /// The units it belongs to.
    #[serde(default)]
    pub units: Vec<UnitId>,
}

/// The answer to [`AddAccount`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddedAccount {
    /// Its id.
    pub account: AccountId,
    /// A one-time code for its first phone, shown this once.
    pub code: String,
    /// Its role waits for a second administrator.
    pub waits: bool,
}

/// `POST /v1/admin/accounts/{account}/grants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GiveRole {
    /// The district; needed where the caller administers several.
    #[serde(default)]
    pub log: Option<LogId>,
    /// The role.
    pub role: Role,
    /// The code of the area that it is for; the whole district if none.
    #[serde(default)]
    pub area: Option<String>,
}

/// The body of what needs a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Why. It is kept as a sealed value of the log.
    pub reason: String,
}

/// A one-time code for a phone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhoneCode {
    /// The code, shown this once.
    pub code: String,
}

/// `GET /v1/admin/devices`: the phones of the districts that the caller administers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminDevices {
    /// By id: oldest first.
    pub devices: Vec<AdminDevice>,
}

/// A phone as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminDevice {
    /// Its id.
    pub device: DeviceId,
    /// Whose.
    pub account: AccountId,
    /// The login name of its owner.
    pub login: String,
    /// The name of its owner.
    pub name: String,
    /// What its user calls it.
    pub label: String,
    /// It is shut out of each of these districts.
    pub revoked: bool,
}
