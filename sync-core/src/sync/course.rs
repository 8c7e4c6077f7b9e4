//! What an HTTP status means for the session: the same on a phone and in the page.

use schema::problem::ProblemCode;

use super::session::Failure;

/// How the session takes a refusal.
pub fn failure(status: u16, retry_after_ms: Option<u64>) -> Failure {
    match status {
        401 => Failure::Unauthorized,
        413 => Failure::TooLarge,
        _ => Failure::Later { retry_after_ms },
    }
}

/// Whether a refusal is of this photo or its bytes on the way, so that the others go on, and it is tried again in the
/// next round. Login, pace, a gateway and a full or closed server are the same for all of them.
pub fn is_of_the_photo(status: u16, code: Option<ProblemCode>) -> bool {
    code != Some(ProblemCode::DeviceRevoked) && matches!(status, 400 | 402..=428 | 430..=500)
}

/// Whether a refusal of new tokens is final.
pub fn ends_the_login(status: u16) -> bool {
    matches!(status, 400..=403)
}
