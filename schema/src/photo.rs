//! Photos on the wire. Bytes travel by tus 1.0 at `/v1/photos/{sha256}`.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::ids::{EntityId, LogId};

/// `POST /v1/photos/have`: which of these are here?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Have {
    /// Up to 200 photos.
    pub photos: Vec<Hash>,
}

/// The answer, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HaveAnswer {
    /// One by one.
    pub photos: Vec<PhotoState>,
}

crate::tagged! { "state" "PhotoState";
/// How much of a photo is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PhotoState {
    /// Nothing.
    Absent,
    /// This device has sent this much.
    Partial {
        /// Bytes that survive a power cut.
        offset: u64,
    },
    /// All, and the hash is right.
    Verified,
}
}

/// `GET /v1/photos/{sha256}/alike`: where else this photo, or one that looks like it, is evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlikeAnswer {
    /// Only cases that the caller may see, the most alike first; the case that was looked at among them.
    pub cases: Vec<AlikeCase>,
}

/// A case with such a photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlikeCase {
    /// Its log.
    pub log: LogId,
    /// Its id.
    pub case: EntityId,
    /// What people call it.
    pub short_code: String,
    /// Its official number, if it has one.
    pub number: Option<String>,
    /// The photo there.
    pub photo: Hash,
    /// How many bits of the two pictures' perceptual hashes differ; 0 for the same file, too.
    pub bits: u64,
}
