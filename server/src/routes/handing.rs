//! What a hand-over would move, and what it has moved.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use schema::api::{HandOverPreview, HandOverReceipt};
use schema::ids::{AreaId, EntityId, LogId, OpId};
use schema::problem::Problem;
use serde::Deserialize;

use super::caller::SignedIn;
use super::log::id;
use crate::app::App;
use crate::error::Result;

/// Which hand-over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOverAsked {
    /// Whose cases: an account, a unit, or the log's areas.
    from: EntityId,
    /// Who has them afterwards: an account, or a unit.
    to: EntityId,
    /// Only those in this area and below.
    area: Option<AreaId>,
}

/// What a `hand_over` by the caller would move by now. For supervisors, in their areas, and administrators of the whole
/// district.
#[utoipa::path(get, path = "/v1/logs/{log}/hand-overs", tag = "reading", security(("bearer" = [])), params(
    ("log" = LogId, Path),
    ("from" = EntityId, Query, description = "Whose cases: an account, a unit, or the log's areas"),
    ("to" = EntityId, Query, description = "Who has them afterwards: an account, or a unit"),
    ("area" = Option<AreaId>, Query, description = "Only those in this area and below"),
), responses(
    (status = 200, body = HandOverPreview),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn preview(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Query<HandOverAsked>,
) -> Result<HttpResponse> {
    let HandOverAsked { from, to, area } = asked.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.hand_over_preview(&caller.0, id(&log)?, from, (to, area)).await?))
}

/// What a `hand_over` or `merge_unit` has moved so far, and who has signed for it since.
#[utoipa::path(get, path = "/v1/logs/{log}/hand-overs/{op}", tag = "reading", security(("bearer" = [])), params(("log" = LogId, Path), ("op" = OpId, Path)), responses(
    (status = 200, body = HandOverReceipt),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn receipt(app: Data<App>, caller: SignedIn, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (log, op) = path.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.hand_over_receipt(&caller.0, id(&log)?, id(&op)?).await?))
}
