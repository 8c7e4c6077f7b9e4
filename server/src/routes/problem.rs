//! Every error as a problem document (RFC 9457) in the caller's language, logged once. It decides nothing.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse};
use schema::catalogue::Text;
use schema::problem::{PROBLEM_TYPE, Problem, ProblemCode};
use tracing_actix_web::RequestId;

use crate::error::Error;
use crate::language::Language;
use crate::problem_text;

/// Turns every error into a problem document, whoever made it: a handler, an extractor, the router or actix itself.
///
/// # Errors
/// None of its own.
pub(crate) async fn documents<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let language = language(request.headers());
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let response = next.call(request).await?;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_problem(response.headers()) {
        return Ok(response.map_into_boxed_body());
    }
    let known = response.response().error().and_then(|error| error.as_error::<Error>());
    if let Some(Error::Internal(cause)) = known {
        tracing::error!(request.id = %id, error = %format!("{cause:#}"), "a request failed");
    }
    let (code, field, retry_after_s) = match known {
        Some(Error::Refused { code, field, retry_after_s }) => (*code, field.clone(), *retry_after_s),
        Some(Error::Faults(_)) => (ProblemCode::Invalid, None, None),
        Some(Error::Internal(_)) => (ProblemCode::Internal, None, None),
        None => (of_status(status), None, None),
    };
    let faults = if let Some(Error::Faults(faults)) = known { faults.as_slice() } else { &[] };
    let mut document = document(code, status, (field, faults), id, language);
    for (name, value) in response.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            document.headers_mut().append(name.clone(), value.clone());
        }
    }
    if let Some(seconds) = retry_after_s {
        document.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        document.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Ok(response.into_response(document))
}

/// The language a request asks for.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    Language::accepted(headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes() == PROBLEM_TYPE.as_bytes())
}

fn document(
    code: ProblemCode,
    status: StatusCode,
    (field, faults): (Option<String>, &[Text]),
    request: String,
    language: Language,
) -> HttpResponse {
    let (title, usual) = problem_text::words(code, language);
    let said: Vec<&str> = faults.iter().map(|fault| language.of(fault)).collect();
    let problem = Problem {
        kind: format!("/problems/{}", problem_text::name(code)),
        status: status.as_u16(),
        code,
        title: title.to_owned(),
        detail: if said.is_empty() { usual.to_owned() } else { said.join("\n") },
        request,
        field,
    };
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, PROBLEM_TYPE))
        .insert_header((header::CONTENT_LANGUAGE, language.tag()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(serde_json::to_vec(&problem).unwrap_or_default())
}

/// What the router and actix itself answer with.
fn of_status(status: StatusCode) -> ProblemCode {
    match status {
        StatusCode::NOT_FOUND => ProblemCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemCode::Malformed,
        StatusCode::PRECONDITION_FAILED => ProblemCode::ProtocolUnsupported,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemCode::UnsupportedMedia,
        StatusCode::REQUEST_TIMEOUT => ProblemCode::TooSlow,
        StatusCode::SERVICE_UNAVAILABLE => ProblemCode::Unavailable,
        other if other.is_server_error() => ProblemCode::Internal,
        _ => ProblemCode::Malformed,
    }
}
