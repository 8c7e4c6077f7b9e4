//! What can go wrong, by what the caller can do about it. The cause is for the server's log, never for the caller.

use actix_web::http::StatusCode;
use schema::catalogue::Text;
use schema::problem::ProblemCode;

/// The result of services and routes.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong for the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A problem that the caller can do something about.
    #[error("{code:?}{}", field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default())]
    Refused {
        /// Which.
        code: ProblemCode,
        /// The member of the request that is wrong.
        field: Option<String>,
        /// When to try again, in s.
        retry_after_s: Option<u64>,
    },
    /// What was handed in can't be taken: everything that is wrong with it, for a person to mend.
    #[error("{}", .0.iter().map(|fault| fault.en.as_str()).collect::<Vec<_>>().join("; "))]
    Faults(Vec<Text>),
    /// The server failed; the chain is logged once, the caller gets `internal`.
    #[error("internal")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// A refusal without more to say.
    pub fn refused(code: ProblemCode) -> Self {
        Self::Refused { code, field: None, retry_after_s: None }
    }

    /// A refusal of one member of the request.
    pub fn invalid(field: impl Into<String>) -> Self {
        Self::Refused { code: ProblemCode::Invalid, field: Some(field.into()), retry_after_s: None }
    }

    /// A refusal that may pass later.
    pub fn later(code: ProblemCode, retry_after_s: u64) -> Self {
        Self::Refused { code, field: None, retry_after_s: Some(retry_after_s) }
    }

    /// One thing that is wrong with what was handed in.
    pub fn fault(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Faults(vec![Text { zh: zh.into(), en: en.into() }])
    }

    /// The stable name of what went wrong.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Faults(_) => ProblemCode::Invalid,
            Self::Internal(_) => ProblemCode::Internal,
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        let full = error.chain().any(|cause| match cause.downcast_ref::<std::io::Error>() {
            Some(cause) => is_storage_full(cause),
            // SQLite says it in words only.
            None => cause.to_string() == "database or disk is full",
        });
        if full {
            tracing::error!(error = %format!("{error:#}"), "the storage is full");
            return Self::refused(ProblemCode::StorageFull);
        }
        Self::Internal(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

fn is_storage_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The HTTP status of a problem.
pub fn status(code: ProblemCode) -> StatusCode {
    match code {
        ProblemCode::Unauthenticated
        | ProblemCode::WrongPassword
        | ProblemCode::WrongCode
        | ProblemCode::RefreshReused => StatusCode::UNAUTHORIZED,
        ProblemCode::DeviceRevoked | ProblemCode::Forbidden => StatusCode::FORBIDDEN,
        ProblemCode::NotFound => StatusCode::NOT_FOUND,
        ProblemCode::Invalid | ProblemCode::TamperedFile | ProblemCode::ForeignFile => StatusCode::UNPROCESSABLE_ENTITY,
        ProblemCode::Malformed | ProblemCode::Truncated => StatusCode::BAD_REQUEST,
        ProblemCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ProblemCode::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ProblemCode::ProtocolUnsupported => StatusCode::UPGRADE_REQUIRED,
        ProblemCode::OffsetMismatch
        | ProblemCode::UploadSuperseded
        | ProblemCode::Conflict
        | ProblemCode::SecondPerson => StatusCode::CONFLICT,
        // The status that tus names for it; no library knows it.
        ProblemCode::ChecksumMismatch => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
        ProblemCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ProblemCode::TooSlow => StatusCode::REQUEST_TIMEOUT,
        ProblemCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ProblemCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ProblemCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Only the status stands here: the body needs the request's language and id, and is written in `routes::problem`.
impl actix_web::ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;
    use schema::problem::ProblemCode;

    use super::Error;

    #[test]
    fn a_full_disk_is_told_from_a_failure() {
        let full = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).context("writing a part").unwrap_err();
        assert_eq!(Error::from(full).code(), ProblemCode::StorageFull);
        let full = anyhow::anyhow!("database or disk is full").context("a database statement failed");
        assert_eq!(Error::from(full).code(), ProblemCode::StorageFull);
        let other = Err::<(), _>(io::Error::from(io::ErrorKind::NotFound)).context("opening a part").unwrap_err();
        assert_eq!(Error::from(other).code(), ProblemCode::Internal);
    }
}
