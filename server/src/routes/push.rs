//! Web Push: the browser that a phone's page runs in wants to be told.

use actix_web::HttpResponse;
use actix_web::web::Data;
use schema::notice::{PushStanding, Subscribe};
use schema::problem::Problem;

use super::body::Json;
use super::caller::SignedIn;
use crate::app::App;
use crate::error::Result;

/// The key to subscribe with, and whether this device is subscribed.
#[utoipa::path(get, path = "/v1/push", tag = "push", security(("bearer" = [])), responses(
    (status = 200, body = PushStanding),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn standing(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.subscriptions.standing(&caller.0).await?))
}

/// This device's browser is told from now on. The same browser tells nobody else any more.
#[utoipa::path(put, path = "/v1/push", tag = "push", security(("bearer" = [])), request_body = Subscribe, responses(
    (status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "`invalid`: `endpoint`, `keys`"),
))]
pub(crate) async fn subscribe(app: Data<App>, caller: SignedIn, body: Json<Subscribe>) -> Result<HttpResponse> {
    app.subscriptions.subscribe(&caller.0, &body.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// This device's browser is told no more.
#[utoipa::path(delete, path = "/v1/push", tag = "push", security(("bearer" = [])), responses(
    (status = 204),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn unsubscribe(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    app.subscriptions.unsubscribe(&caller.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
