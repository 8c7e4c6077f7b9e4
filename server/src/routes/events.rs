//! Server-sent events: pokes that a log has moved, and never data.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use futures_util::{Stream, stream};
use schema::problem::Problem;
use schema::sync::HeadEvent;
use tokio::sync::watch;
use tokio::time::Instant;

use super::caller::SignedIn;
use crate::app::App;
use crate::error::Result;
use crate::services::accounts::Caller;
use crate::services::events::Place;

/// A line that says nothing, so that both ends notice a dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Pokes: `event: head`, `data: {log, epoch, rev}`. The stream closes when the token ends; three are open at most.
#[utoipa::path(get, path = "/v1/events", tag = "sync", security(("bearer" = [])), responses(
    (status = 200, content_type = "text/event-stream", body = HeadEvent),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn events(app: Data<App>, caller: SignedIn) -> Result<HttpResponse> {
    let place = app.events.place(caller.0.account)?;
    let left = Duration::from_millis(caller.0.until_ms.saturating_sub(app.clock.now_ms()));
    let listener = Listener {
        heads: app.events.subscribe(),
        told: Vec::new(),
        until: Instant::now() + left,
        caller: caller.0,
        app,
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(Box::pin(pokes(listener))))
}

struct Listener {
    heads: watch::Receiver<Vec<HeadEvent>>,
    told: Vec<HeadEvent>,
    until: Instant,
    caller: Caller,
    app: Data<App>,
    _place: Place,
}

fn pokes(listener: Listener) -> impl Stream<Item = std::result::Result<Bytes, std::io::Error>> {
    stream::unfold(listener, |mut listener| async move {
        let now = Instant::now();
        if now >= listener.until {
            return None;
        }
        let wait = HEARTBEAT.min(listener.until - now);
        let text = match tokio::time::timeout(wait, listener.heads.changed()).await {
            Ok(Ok(())) => listener.news(),
            // The server stops.
            Ok(Err(_)) => return None,
            // What the caller may do is looked at again with each heartbeat.
            Err(_) if listener.app.accounts.still_welcome(&mut listener.caller).await => String::from(":\n\n"),
            Err(_) => return None,
        };
        Some((Ok(Bytes::from(text)), listener))
    })
}

impl Listener {
    /// The heads that moved, of the logs that the caller may use.
    fn news(&mut self) -> String {
        let heads = self.heads.borrow_and_update().clone();
        let moved = heads.iter().filter(|head| !self.told.contains(head) && self.caller.in_log(head.log).is_ok());
        let text: String = moved
            .filter_map(|head| serde_json::to_string(head).ok())
            .map(|data| format!("event: head\ndata: {data}\n\n"))
            .collect();
        self.told = heads;
        if text.is_empty() { String::from(":\n\n") } else { text }
    }
}
