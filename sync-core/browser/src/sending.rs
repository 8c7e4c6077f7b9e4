//! The session with the server: what to do next, what to send, what came of it. Signatures are made by the browser,
//! whose key nobody can read, in its own time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::hash::{Hash, Signature};
use schema::ids::LogId;
use schema::op::Captured;
use schema::photo::PhotoState;
use schema::problem::ProblemCode;
use serde::Serialize;
use serde_json::{Value, json};
use sync_core::device::answers::Progress;
use sync_core::device::error::PhoneError;
use sync_core::device::export::Exporting;
use sync_core::json;
use sync_core::log::chain::photo_message;
use sync_core::sealed_file::Sealer;
use sync_core::sync::course;
use sync_core::sync::session::{Event, Failure, Session};

use crate::call::{Answer, Refusal, give, nothing, read, text};
use crate::page::Page;

/// The program, as it names itself in an export.
const APP: &str = concat!("rectify-page/", env!("CARGO_PKG_VERSION"));

/// Answers a call of this part; none for another's.
pub(crate) fn call(page: &mut Page, name: &str, arguments: &str) -> Option<Answer> {
    Some(match name {
        "begin_session" => begin_session(page),
        "step" => read(arguments).and_then(|(event,): (Event,)| step(page, event)),
        "failed" => failed(page, arguments),
        "photo_failed" => photo_failed(page, arguments),
        "refresh_failed" => read(arguments).and_then(|(status,): (u16,)| give(course::ends_the_login(status))),
        "request" => request(page, arguments),
        "signed" => signed(page, arguments),
        "answer" => answer(page, arguments),
        "documents_to_fetch" => page.store().and_then(|store| give(store.documents_to_fetch()?)),
        "take_document" => read(arguments).and_then(|(hash, text, now): (Hash, String, Captured)| {
            give(page.store()?.take_document(hash, text.as_bytes(), now)?)
        }),
        "photos_to_offer" => page.store().and_then(|store| photos(&store.photos_to_offer()?)),
        "photos_to_send" => page.store().and_then(|store| photos(&store.photos_to_send()?)),
        "photo_answer" => {
            read(arguments).and_then(|(hash, state): (Hash, PhotoState)| give(page.store()?.photo_answer(hash, state)?))
        }
        "photo_gone" => {
            read(arguments).and_then(|(hash, now): (Hash, Captured)| give(page.store()?.photo_gone(hash, now)?))
        }
        "photo_message" => read(arguments)
            .and_then(|(hash,): (Hash,)| give(STANDARD.encode(photo_message(page.store()?.identity()?.device, &hash)))),
        "free_photos" => free_photos(page),
        "last_checkpoints" => page.store().and_then(|store| give(store.last_checkpoints()?)),
        "export" => export(page, arguments),
        "export_signed" => export_signed(page, arguments),
        "export_photo" => export_photo(page, arguments),
        "export_end" => export_end(page, arguments),
        _ => return None,
    })
}

fn begin_session(page: &mut Page) -> Answer {
    let logs = page.store()?.log_ids()?;
    page.session = Some(Session::new(logs.into_iter().collect(), true));
    nothing()
}

/// Says what to do: the effects.
fn step(page: &mut Page, event: Event) -> Answer {
    let logs = page.store()?.log_ids()?;
    let session = page.session.as_mut().ok_or_else(|| Refusal::defect("no session"))?;
    // Districts that were taken up since are synced behind the round under way.
    session.add_logs(logs);
    give(session.step(event))
}

/// `[status or null, code or null, retry_after_ms or null, timed out]`: the event that a call that brought nothing is.
fn failed(page: &mut Page, arguments: &str) -> Answer {
    let (status, code, retry, timed_out): (Option<u16>, Option<String>, Option<u64>, bool) = read(arguments)?;
    if code.as_deref() == Some("device_revoked") {
        return give(Event::Revoked);
    }
    let failure = match status {
        Some(status) => course::failure(status, retry),
        None if timed_out => Failure::TimedOut,
        None => Failure::Later { retry_after_ms: None },
    };
    let random = page.store()?.random().map_err(PhoneError::from)?;
    give(Event::Failed { failure, random: random >> 11 })
}

/// `[status, code or null, more]`: the event of a photo that was refused for a reason of its own; null where the refusal
/// is of everything.
fn photo_failed(page: &mut Page, arguments: &str) -> Answer {
    let (status, code, more): (u16, Option<String>, bool) = read(arguments)?;
    let code: Option<ProblemCode> = code.and_then(|code| json::read_value(Value::String(code)).ok());
    if !course::is_of_the_photo(status, code) {
        return nothing();
    }
    let random = page.store()?.random().map_err(PhoneError::from)?;
    give(Event::PhotoFailed { more, random: random >> 11 })
}

/// What to ask a log next; gives what is to be signed, or null where nothing is.
fn request(page: &mut Page, arguments: &str) -> Answer {
    let (log, ops_max, now): (LogId, usize, Captured) = read(arguments)?;
    let unsigned = page.store()?.unsigned_request(log, ops_max, now)?;
    let message = unsigned.message().map(|message| STANDARD.encode(message));
    page.unsigned = Some(unsigned);
    give(message)
}

fn signed(page: &mut Page, arguments: &str) -> Answer {
    let (signature,): (Option<Signature>,) = read(arguments)?;
    let unsigned = page.unsigned.take().ok_or_else(|| Refusal::defect("a signature of nothing"))?;
    let request = unsigned.signed(signature)?;
    let body = text(&request.body)?;
    page.asked = Some(request);
    give(body)
}

/// `[body, now, with rows]`: gives the progress, and the event that it is or why it is none.
#[derive(Serialize)]
struct Taken {
    progress: Progress,
    event: Option<Event>,
    why: Option<&'static str>,
}

fn answer(page: &mut Page, arguments: &str) -> Answer {
    let (body, now, with_rows): (String, Captured, bool) = read(arguments)?;
    let request = page.asked.take().ok_or_else(|| Refusal::defect("an answer to nothing"))?;
    let taken = page.store()?.take_part(&request, body.as_bytes(), now, with_rows);
    let sent = request.header.count;
    // What can't be kept for want of room is taken again without its rows.
    page.asked = Some(request);
    let progress = taken?;
    let (event, why) = match progress.event(sent) {
        Ok(event) => (Some(event), None),
        Err(why) => (None, Some(why)),
    };
    give(Taken { progress, event, why })
}

fn photos(photos: &[sync_core::device::photos::PhotoToSend]) -> Answer {
    let rows: Vec<Value> = photos
        .iter()
        .map(|photo| json!({ "sha256": photo.sha256, "size": photo.size, "offset": photo.offset }))
        .collect();
    give(rows)
}

/// Gives the photos whose bytes are to go in the same save.
fn free_photos(page: &mut Page) -> Answer {
    let mut freed = Vec::new();
    page.store()?.free_photos(&mut |hash| {
        freed.push(*hash);
        Ok(())
    })?;
    give(freed)
}

/// Begins an export; gives what is to be signed, a message a batch.
fn export(page: &mut Page, arguments: &str) -> Answer {
    let (now,): (Captured,) = read(arguments)?;
    let store = page.store()?;
    let head = store.export_head(APP, now)?;
    let batches = store.export_batches(now)?;
    let messages: Vec<Option<String>> =
        batches.iter().map(|batch| batch.message().map(|message| STANDARD.encode(message))).collect();
    let sealer = store.export_sealer(Vec::new())?;
    page.batches = batches;
    page.export = Some(Exporting::begin(sealer, &head).map_err(defect)?);
    give(messages)
}

fn export_signed(page: &mut Page, arguments: &str) -> Answer {
    let (signatures,): (Vec<Signature>,) = read(arguments)?;
    let batches = std::mem::take(&mut page.batches);
    let export = exporting(page)?;
    for (batch, signature) in batches.into_iter().zip(signatures) {
        export.batch(&batch.signed(Some(signature))?).map_err(defect)?;
    }
    nothing()
}

fn export_photo(page: &mut Page, arguments: &str) -> Answer {
    let (photo, base64): (Hash, String) = read(arguments)?;
    let bytes = STANDARD.decode(base64).map_err(|error| Refusal::defect(&error.to_string()))?;
    exporting(page)?.photo(photo, &bytes).map_err(defect)?;
    nothing()
}

/// Without a signature: gives what is to be signed. With it: gives the file, in base64.
fn export_end(page: &mut Page, arguments: &str) -> Answer {
    let (signature,): (Option<Signature>,) = read(arguments)?;
    let Some(signature) = signature else { return give(STANDARD.encode(exporting(page)?.message())) };
    let export = page.export.take().ok_or_else(|| Refusal::defect("no export"))?;
    let (sealer, _) = export.end(signature).map_err(defect)?;
    give(STANDARD.encode(sealer.finish().map_err(defect)?))
}

fn exporting(page: &mut Page) -> Result<&mut Exporting<Sealer<Vec<u8>>>, Refusal> {
    page.export.as_mut().ok_or_else(|| Refusal::defect("no export"))
}

fn defect(error: std::io::Error) -> Refusal {
    Refusal::defect(&error.to_string())
}
