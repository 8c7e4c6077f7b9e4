//! Every limit on what comes from outside, named with its unit. Both sides of each are tested.

/// Milliseconds of a day that has 24 hours.
pub const DAY_MS: u64 = 24 * 3600 * 1000;
/// Minutes of a day that has 24 hours.
pub const DAY_MINUTES: u16 = 24 * 60;
/// The newest wire protocol spoken.
pub const PROTOCOL: u32 = 1;
/// The line format (`v`).
pub const LINE_VERSION: u32 = 1;
/// The longest op line, enforced at capture.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// The longest sealed value (UTF-8).
pub const SEALED_VALUE_BYTES_MAX: usize = 4 * 1024;
/// The longest plain text value in a line (a subject, a code).
pub const TEXT_BYTES_MAX: usize = 240;
/// Sealed values behind one op line: more than a line of [`LINE_BYTES_MAX`] can name.
pub const VALUES_PER_OP_MAX: usize = 1024;
/// Nesting of JSON in an op line.
pub const JSON_DEPTH_MAX: usize = 16;
/// Op lines in one push.
pub const BATCH_OPS_MAX: usize = 200;
/// Compressed bytes in one push.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// A push body once decompressed.
pub const BATCH_DECOMPRESSED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rows in one pull page.
pub const PAGE_ROWS_MAX: usize = 500;
/// Bytes of documents after which a pull page ends.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Scopes in one sync header.
pub const SCOPES_MAX: usize = 200;
/// The largest photo.
pub const PHOTO_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// The longest side of a photo that is decoded, in pixels.
pub const PHOTO_SIDE_PX_MAX: u32 = 12_000;
/// The most pixels of a photo that is decoded.
pub const PHOTO_PIXELS_MAX: u64 = 50_000_000;
/// Bytes between two fsyncs of an upload.
pub const UPLOAD_SYNC_BYTES: u64 = 4 * 1024 * 1024;
/// The largest file of unsent work that is taken in.
pub const EXPORT_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Days that an unfinished upload is kept.
pub const UPLOAD_KEPT_DAYS: i64 = 30;
/// Unfinished uploads of one device; beyond it the one announced longest ago begins anew.
pub const UPLOADS_PER_DEVICE_MAX: usize = 64;
/// A photo whose camera says another time than its op, by more than this, is flagged.
pub const PHOTO_TIME_FAR_MS: u64 = 2 * 3600 * 1000;
/// A photo whose camera says another place than its case, by more than this and the accuracy of both, is flagged.
pub const PHOTO_PLACE_FAR_M: u64 = 300;
/// Photos named in one op.
pub const PHOTOS_PER_OP_MAX: usize = 20;
/// Pieces of evidence in one case.
pub const EVIDENCE_PER_CASE_MAX: usize = 200;
/// Comments kept in a case document; older ones are in the entries.
pub const COMMENTS_IN_DOCUMENT_MAX: usize = 20;
/// Undecided conflicts kept in a case document.
pub const CONFLICTS_IN_DOCUMENT_MAX: usize = 50;
/// The largest catalogue, calendar or area document.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Entities a device may hold.
pub const DEVICE_ENTITIES_MAX: u64 = 100_000;
/// Bytes of documents a device may hold.
pub const DEVICE_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// Life of an access token.
pub const ACCESS_TOKEN_S: i64 = 600;
/// Life of a refresh token.
pub const REFRESH_TOKEN_DAYS: i64 = 90;
/// Life of an enrolment code.
pub const ENROL_CODE_S: i64 = 24 * 3600;
/// Shortest password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Longest wait of a long poll.
pub const WAIT_S_MAX: u64 = 25;
/// Days behind an end in which a new report may be a relapse; a case is archived no sooner.
pub const RELAPSE_WINDOW_DAYS: u16 = 180;
/// The longest restriction of a case to some roles.
pub const RESTRICTION_DAYS_MAX: u64 = 366;
/// Days that a device may stay away and still be told what left its scopes; after that it pulls them anew.
pub const EXITS_KEPT_DAYS: u64 = 400;
/// The largest incarnation: every JSON reader holds it exactly.
pub const INCARNATION_MAX: u64 = (1 << 53) - 1;
/// The longest signed note that is read: C2SP signed-note wants room for 16 signatures of up to 5 kB each.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;
/// Without a backup for so long, phones and operator are told, in ms.
pub const BACKUP_OVERDUE_MS: u64 = 7 * 24 * 3600 * 1000;
/// Days that a case may be suspended at most.
pub const SUSPENSION_DAYS_MAX: u64 = 366;

/// How long somebody may be away at a time, in days.
pub const ABSENCE_DAYS_MAX: u64 = 366;

/// Ended grants, ended memberships and predecessors that a document keeps; all of them are in the entries.
pub const PAST_MAX: usize = 100;
/// How often a clock may be extended.
pub const EXTENSIONS_MAX: usize = 2;
/// People who must grant more time, or an appeal.
pub const APPROVALS: usize = 2;
/// Hand-backs of one unit after which the next level says who has to fix a case.
pub const RETURNS_BEFORE_ARBITRATION: u32 = 3;

/// A silence of the server that is longer than this is noted in every log, in ms.
pub const SILENCE_MS: u64 = 5 * 60 * 1000;
