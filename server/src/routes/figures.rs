//! Figures of a period, the cases behind each, and what was published of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use schema::calendar::Day;
use schema::figures::{
    FiguresAnswer, FiguresAsked, FiguresCases, GroupBy, Measure, Publication, PublicationView, Publications,
    PublishFigures,
};
use schema::ids::{AreaId, EntityId, LogId, PublicationId};
use schema::problem::Problem;
use serde::Deserialize;

use super::body::Json;
use super::caller::SignedIn;
use super::log::id;
use crate::app::App;
use crate::error::Result;
use crate::services::sight::CountedQuery;

/// Which figures, and which of their cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CasesAsked {
    from: Day,
    until: Day,
    by: GroupBy,
    area: Option<AreaId>,
    measure: Measure,
    group: Option<String>,
    #[serde(default)]
    ungrouped: bool,
    after: Option<EntityId>,
}

/// Which page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageAsked {
    before: Option<u64>,
}

/// The figures of a period, as they stand now, of the cases that the caller oversees. With what each counts.
#[utoipa::path(get, path = "/v1/logs/{log}/figures", tag = "figures", security(("bearer" = [])), params(
    ("log" = LogId, Path),
    ("from" = String, Query, description = "The first day, in the district's time zone"),
    ("until" = String, Query, description = "The day behind the last one: today at the latest"),
    ("by" = GroupBy, Query, description = "What they are told apart by"),
    ("area" = Option<AreaId>, Query, description = "Only this area and below"),
), responses(
    (status = 200, body = FiguresAnswer),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn figures(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Query<FiguresAsked>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.sight.figures(&caller.0, id(&log)?, asked.into_inner()).await?))
}

/// The cases of one count.
#[utoipa::path(get, path = "/v1/logs/{log}/figures/cases", tag = "figures", security(("bearer" = [])), params(
    ("log" = LogId, Path),
    ("from" = String, Query, description = "As of the figures"),
    ("until" = String, Query, description = "As of the figures"),
    ("by" = GroupBy, Query, description = "As of the figures"),
    ("area" = Option<AreaId>, Query, description = "As of the figures"),
    ("measure" = Measure, Query, description = "The count"),
    ("group" = Option<String>, Query, description = "Only of this group"),
    ("ungrouped" = Option<bool>, Query, description = "Only of what belongs to no group"),
    ("after" = Option<EntityId>, Query, description = "`next` of the page before"),
), responses(
    (status = 200, body = FiguresCases),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn cases(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Query<CasesAsked>,
) -> Result<HttpResponse> {
    let CasesAsked { from, until, by, area, measure, group, ungrouped, after } = asked.into_inner();
    let group = if ungrouped { Some(None) } else { group.map(Some) };
    let query = CountedQuery { asked: FiguresAsked { from, until, by, area }, measure, group, after };
    Ok(HttpResponse::Ok().json(app.sight.figures_cases(&caller.0, id(&log)?, query).await?))
}

/// Publishes the figures of a period and an area, as they stand now. For supervisors of the area. What was published is
/// never changed: a second time is a correction, says why, and names what is other than before.
#[utoipa::path(post, path = "/v1/logs/{log}/figures/published", tag = "figures", security(("bearer" = [])), params(("log" = LogId, Path)), request_body = PublishFigures, responses(
    (status = 201, body = Publication),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn publish(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Json<PublishFigures>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Created().json(app.sight.publish_figures(&caller.0, id(&log)?, asked.0).await?))
}

/// What was published of the areas that the caller oversees, newest first.
#[utoipa::path(get, path = "/v1/logs/{log}/figures/published", tag = "figures", security(("bearer" = [])), params(
    ("log" = LogId, Path),
    ("before" = Option<u64>, Query, description = "`next` of the page before"),
), responses(
    (status = 200, body = Publications),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn published(
    app: Data<App>,
    caller: SignedIn,
    log: Path<String>,
    asked: Query<PageAsked>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.sight.published_figures(&caller.0, id(&log)?, asked.before).await?))
}

/// One publication as it was made, and the reports that came too late for it.
#[utoipa::path(get, path = "/v1/logs/{log}/figures/published/{publication}", tag = "figures", security(("bearer" = [])), params(("log" = LogId, Path), ("publication" = PublicationId, Path)), responses(
    (status = 200, body = PublicationView),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn publication(
    app: Data<App>,
    caller: SignedIn,
    path: Path<(String, String)>,
) -> Result<HttpResponse> {
    let (log, publication) = path.into_inner();
    Ok(HttpResponse::Ok().json(app.sight.publication(&caller.0, id(&log)?, id(&publication)?).await?))
}
