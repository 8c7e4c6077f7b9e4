//! Logging in, enrolling a phone, renewing tokens, logging out.

use actix_web::HttpResponse;
use actix_web::web::Data;
use schema::auth::{Enrol, Enrolled, Login, Refresh, Tokens};
use schema::problem::Problem;

use super::body::Json;
use super::caller::CameFrom;
use crate::app::App;
use crate::error::Result;

/// Logs a person in by password, at a desk.
#[utoipa::path(post, path = "/v1/login", tag = "accounts", request_body = Login, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`wrong_password`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many`: see Retry-After"),
))]
pub(crate) async fn login(app: Data<App>, from: CameFrom, body: Json<Login>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.accounts.login(body.0, from.0).await?))
}

/// Makes a phone a device of the person that a one-time code is for. The same phone may ask again.
#[utoipa::path(post, path = "/v1/enrol", tag = "accounts", request_body = Enrol, responses(
    (status = 200, body = Enrolled),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`wrong_code`"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`"),
    (status = 429, body = Problem, content_type = "application/problem+json", description = "`too_many`: see Retry-After"),
))]
pub(crate) async fn enrol(app: Data<App>, from: CameFrom, body: Json<Enrol>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.accounts.enrol(body.0, from.0).await?))
}

/// New tokens for a refresh token. Asking again after a lost answer gives the same refresh token.
#[utoipa::path(post, path = "/v1/token", tag = "accounts", request_body = Refresh, responses(
    (status = 200, body = Tokens),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`unauthenticated`, `refresh_reused`"),
    (status = 403, body = Problem, content_type = "application/problem+json", description = "`device_revoked`"),
))]
pub(crate) async fn token(app: Data<App>, body: Json<Refresh>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.accounts.renew(body.0).await?))
}

/// Ends a login. Ending it again is fine.
#[utoipa::path(post, path = "/v1/logout", tag = "accounts", request_body = Refresh, responses((status = 204)))]
pub(crate) async fn logout(app: Data<App>, body: Json<Refresh>) -> Result<HttpResponse> {
    app.accounts.logout(body.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
