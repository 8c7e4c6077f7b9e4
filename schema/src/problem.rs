//! RFC 9457 problem documents. `code` is stable; `title` and `detail` are in the language asked for.

use serde::{Deserialize, Serialize};

/// Media type of [`Problem`].
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// What went wrong for the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `/problems/CODE`, a page that explains it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable name.
    pub code: ProblemCode,
    /// One sentence.
    pub title: String,
    /// What to do about it.
    pub detail: String,
    /// The id under which the server logged it.
    pub request: String,
    /// The member of the request that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Stable names of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// No token, or one that is not good (any more).
    Unauthenticated,
    /// The login name or the password is wrong.
    WrongPassword,
    /// The enrolment code is wrong, used or too old.
    WrongCode,
    /// The refresh token was used before: its family is ended.
    RefreshReused,
    /// The device is revoked.
    DeviceRevoked,
    /// Known, but not allowed.
    Forbidden,
    /// No such thing, or none that the caller may see.
    NotFound,
    /// A value does not fit.
    Invalid,
    /// The body is not what it should be.
    Malformed,
    /// The body ended before its time.
    Truncated,
    /// A file of unsent work was changed after its phone had signed it.
    TamperedFile,
    /// A file of unsent work is of another installation, or of a phone that is unknown to the caller's districts.
    ForeignFile,
    /// Larger than it may be.
    TooLarge,
    /// The media type or the content coding is not supported.
    UnsupportedMedia,
    /// The protocol of the device is too old or too new.
    ProtocolUnsupported,
    /// The upload is elsewhere than the caller thinks.
    OffsetMismatch,
    /// The bytes do not have the hash they should.
    ChecksumMismatch,
    /// A newer request took the upload over.
    UploadSuperseded,
    /// What is asked can't be done as things stand.
    Conflict,
    /// It is noted, and takes effect when a second administrator asks for the same.
    SecondPerson,
    /// Too many requests.
    TooMany,
    /// The body came too slowly.
    TooSlow,
    /// The disk is full.
    StorageFull,
    /// Not now.
    Unavailable,
    /// The server failed; nothing was changed.
    Internal,
}
