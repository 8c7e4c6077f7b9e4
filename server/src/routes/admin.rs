//! Administering people and phones, by those who administer a whole district.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use schema::admin::{AddAccount, AddedAccount, AdminAccounts, AdminDevices, Because, GiveRole, PhoneCode};
use schema::ids::{AccountId, DeviceId};
use schema::problem::{Problem, ProblemCode};

use super::body::Json;
use super::caller::SignedIn;
use crate::app::App;
use crate::error::{Error, Result};

/// The people of the districts that the caller administers.
#[utoipa::path(get, path = "/v1/admin/accounts", tag = "administration", security(("bearer" = [])), responses(
    (status = 200, body = AdminAccounts),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn accounts(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.installation.accounts_for(&caller.0).await?))
}

/// Adds somebody. `admin` and `auditor` are not given yet: a second person who administers the district gives them.
#[utoipa::path(post, path = "/v1/admin/accounts", tag = "administration", security(("bearer" = [])), request_body = AddAccount, responses(
    (status = 201, body = AddedAccount),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: `login`, `area`, `log`"),
))]
pub(crate) async fn add(app: Data<App>, caller: SignedIn, body: Json<AddAccount>) -> Result<HttpResponse> {
    Ok(HttpResponse::Created().json(app.installation.add_for(&caller.0, body.0).await?))
}

/// Gives somebody a role. Giving it again changes nothing.
#[utoipa::path(post, path = "/v1/admin/accounts/{account}/grants", tag = "administration", security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = GiveRole, responses(
    (status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`second_person`: `admin` and `auditor` are given when a second person who administers the district asks for the same within seven days; it is noted that the first one did"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: `area`, `log`"),
))]
pub(crate) async fn give(
    app: Data<App>,
    caller: SignedIn,
    account: Path<String>,
    body: Json<GiveRole>,
) -> Result<HttpResponse> {
    app.installation.give_for(&caller.0, id(&account)?, body.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A one-time code for a phone of somebody, shown this once.
#[utoipa::path(post, path = "/v1/admin/accounts/{account}/code", tag = "administration", security(("bearer" = [])), params(("account" = AccountId, Path)), responses(
    (status = 201, body = PhoneCode),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`conflict`: the account is disabled; `second_person`: somebody else's who audits or administers, noted until a second person asks for the same within seven days"),
))]
pub(crate) async fn code(app: Data<App>, caller: SignedIn, account: Path<String>) -> Result<HttpResponse> {
    let code = app.installation.code_for(&caller.0, id::<AccountId>(&account)?).await?;
    Ok(HttpResponse::Created().json(PhoneCode { code }))
}

/// Ends an account. Its phones still hand in what they hold.
#[utoipa::path(post, path = "/v1/admin/accounts/{account}/disable", tag = "administration", security(("bearer" = [])), params(("account" = AccountId, Path)), request_body = Because, responses(
    (status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`conflict`: one's own account"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: `reason`"),
))]
pub(crate) async fn disable(
    app: Data<App>,
    caller: SignedIn,
    account: Path<String>,
    body: Json<Because>,
) -> Result<HttpResponse> {
    app.installation.disable_for(&caller.0, id(&account)?, &body.0.reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The phones of the districts that the caller administers.
#[utoipa::path(get, path = "/v1/admin/devices", tag = "administration", security(("bearer" = [])), responses(
    (status = 200, body = AdminDevices),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn devices(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.installation.devices_for(&caller.0).await?))
}

/// Shuts a phone out. What it holds it still hands in.
#[utoipa::path(post, path = "/v1/admin/devices/{device}/revoke", tag = "administration", security(("bearer" = [])), params(("device" = DeviceId, Path)), request_body = Because, responses(
    (status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: `reason`"),
))]
pub(crate) async fn revoke(
    app: Data<App>,
    caller: SignedIn,
    device: Path<String>,
    body: Json<Because>,
) -> Result<HttpResponse> {
    app.installation.revoke_for(&caller.0, id(&device)?, &body.0.reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::refused(ProblemCode::NotFound))
}
