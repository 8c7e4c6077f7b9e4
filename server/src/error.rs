//! What can go wrong, by what the caller can do about it. The cause is for the server's log, never for the caller.

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
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}
