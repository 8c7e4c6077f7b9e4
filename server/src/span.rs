//! The span of a request: its id, method, route pattern and status. Never a query, a header or a body.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use tracing::{Span, field};
use tracing_actix_web::{RequestId, RootSpanBuilder};

use actix_web::HttpMessage;

/// Builds the span.
pub(crate) struct RouteSpan;

impl RootSpanBuilder for RouteSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        let route = request.match_pattern();
        tracing::info_span!(
            "request",
            request.id = %id,
            http.method = %request.method(),
            http.route = route.as_deref().unwrap_or("none"),
            http.status = field::Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.status", status.as_u16());
        let _entered = span.enter();
        tracing::info!("request answered");
    }
}
