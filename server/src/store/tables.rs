//! The tables, of three kinds. The **log** is exported and verified; **views** are folds of it, rebuilt and compared
//! row by row; **working tables** are facts about this installation and neither.
#![allow(missing_docs, unreachable_pub, reason = "written by the table macro")]

mod figures;
mod handing;
mod outbox;
mod upkeep;

pub use figures::*;
pub use handing::*;
pub use outbox::*;
pub use upkeep::*;

/// The tables that are the truth.
pub const LOG_TABLES: &[&str] =
    &["log", "epoch", "reference", "entry", "batch", "replay", "sealed_value", "document", "checkpoint"];
/// The tables that `rebuild` makes again from the log.
pub const VIEW_TABLES: &[&str] =
    &["entity", "entity_scope", "scope_exit", "photo_ref", "parked", "due", "tile_hash", "notice"];
/// The tables that are neither.
pub const WORKING_TABLES: &[&str] = &[
    "photo",
    "durable",
    "returned",
    "account_secret",
    "enrol_code",
    "login_session",
    "received_photo",
    "throttle",
    "upload",
    "area_placing",
    "hand_over",
    "exits_kept",
    "alive",
    "value_read",
    "photo_holder",
    "photo_look",
    "photo_alike",
    "proposal",
    "notices_kept",
    "webhook",
    "delivery",
    "heard",
    "push_subscription",
    "publication",
];

diesel::table! {
    log (num) {
        num -> BigInt,
        id -> Binary,
        epoch -> Binary,
        rev -> BigInt,
        root -> Binary,
        frontier -> Binary,
        last_received_ms -> BigInt,
        number_year -> Integer,
        next_serial -> BigInt,
        next_ref -> BigInt,
    }
}

diesel::table! {
    epoch (log, first_rev) {
        log -> BigInt,
        first_rev -> BigInt,
        id -> Binary,
        kept_rev -> BigInt,
    }
}

diesel::table! {
    reference (log, num) {
        log -> BigInt,
        num -> BigInt,
        id -> Binary,
    }
}

diesel::table! {
    entry (log, rev) {
        log -> BigInt,
        rev -> BigInt,
        op -> Binary,
        device -> BigInt,
        incarnation -> Nullable<BigInt>,
        device_seq -> Nullable<BigInt>,
        actor -> Nullable<BigInt>,
        entity -> Binary,
        kind -> Text,
        outcome -> SmallInt,
        state_after -> SmallInt,
        received_ms -> BigInt,
        first_received_ms -> BigInt,
        prev_leaf -> Binary,
        leaf -> Binary,
        line -> Binary,
        record -> Binary,
    }
}

diesel::table! {
    batch (log, device, incarnation, last_seq) {
        log -> BigInt,
        device -> BigInt,
        incarnation -> BigInt,
        last_seq -> BigInt,
        first_seq -> BigInt,
        chain -> Binary,
        signature -> Binary,
        clock_wall_ms -> BigInt,
        clock_elapsed_ms -> BigInt,
        clock_boot -> Binary,
        received_ms -> BigInt,
    }
}

diesel::table! {
    replay (log, device, incarnation, device_seq) {
        log -> BigInt,
        device -> BigInt,
        incarnation -> BigInt,
        device_seq -> BigInt,
        op -> Binary,
    }
}

diesel::table! {
    sealed_value (log, entity, hash) {
        log -> BigInt,
        entity -> Binary,
        hash -> Binary,
        rev -> BigInt,
        class -> SmallInt,
        salt -> Binary,
        value -> Binary,
    }
}

diesel::table! {
    document (log, sha256) {
        log -> BigInt,
        sha256 -> Binary,
        bytes -> Binary,
    }
}

diesel::table! {
    checkpoint (log, epoch, size) {
        log -> BigInt,
        epoch -> Binary,
        size -> BigInt,
        signed_ms -> BigInt,
        root -> Binary,
        note -> Text,
    }
}

diesel::table! {
    entity (log, id) {
        log -> BigInt,
        id -> Binary,
        rev -> BigInt,
        state -> SmallInt,
        head_leaf -> Binary,
        kind -> Nullable<Text>,
        scopes -> Text,
        short_code -> Nullable<Text>,
        number -> Nullable<Text>,
        area -> Nullable<BigInt>,
        category -> Nullable<Text>,
        subtype -> Nullable<Text>,
        changed_ms -> BigInt,
        doc -> Nullable<Binary>,
    }
}

diesel::table! {
    entity_scope (log, scope, rev, entity) {
        log -> BigInt,
        scope -> BigInt,
        rev -> BigInt,
        entity -> Binary,
    }
}

diesel::table! {
    scope_exit (log, scope, rev, entity) {
        log -> BigInt,
        scope -> BigInt,
        rev -> BigInt,
        entity -> Binary,
    }
}

diesel::table! {
    photo_ref (log, sha256, entity) {
        log -> BigInt,
        sha256 -> Binary,
        entity -> Binary,
        verified -> Bool,
    }
}

diesel::table! {
    parked (log, rev) {
        log -> BigInt,
        rev -> BigInt,
        op -> Binary,
        entity -> Binary,
        device -> BigInt,
        code -> Text,
        unreadable -> Bool,
        decided_rev -> Nullable<BigInt>,
    }
}

diesel::table! {
    due (log, entity, kind, occurrence) {
        log -> BigInt,
        entity -> Binary,
        kind -> SmallInt,
        due_ms -> BigInt,
        occurrence -> BigInt,
    }
}

diesel::table! {
    value_read (log, nth) {
        log -> BigInt,
        nth -> BigInt,
        read_ms -> BigInt,
        account -> Binary,
        device -> Nullable<Binary>,
        entity -> Binary,
        way -> Text,
        hashes -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(due, log);

diesel::table! {
    tile_hash (log, level, idx) {
        log -> BigInt,
        level -> SmallInt,
        idx -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    photo (sha256) {
        sha256 -> Binary,
        size -> BigInt,
        width -> Nullable<BigInt>,
        height -> Nullable<BigInt>,
        flags -> Text,
        verified_ms -> BigInt,
    }
}

diesel::table! {
    durable (log) {
        log -> BigInt,
        rev -> BigInt,
        confirmed_ms -> BigInt,
    }
}

diesel::table! {
    returned (log, epoch, rev) {
        log -> BigInt,
        epoch -> Binary,
        rev -> BigInt,
        op -> Binary,
    }
}

diesel::table! {
    area_placing (log) {
        log -> BigInt,
        cause -> Binary,
        after_case -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(entity, entity_scope);
diesel::allow_tables_to_appear_in_same_query!(entity, photo_ref);
diesel::allow_tables_to_appear_in_same_query!(photo, photo_ref, log);

diesel::table! {
    account_secret (account) {
        account -> Binary,
        login -> Text,
        password -> Nullable<Text>,
        disabled -> Bool,
        created_ms -> BigInt,
    }
}

diesel::table! {
    throttle (subject) {
        subject -> Binary,
        failures -> BigInt,
        retry_ms -> BigInt,
        at_ms -> BigInt,
    }
}

diesel::table! {
    enrol_code (code_hash) {
        code_hash -> Binary,
        account -> Binary,
        created_ms -> BigInt,
        expires_ms -> BigInt,
        used_ms -> Nullable<BigInt>,
        device -> Nullable<Binary>,
    }
}

diesel::table! {
    login_session (family) {
        family -> Binary,
        account -> Binary,
        device -> Nullable<Binary>,
        current_hash -> Binary,
        previous_hash -> Nullable<Binary>,
        created_ms -> BigInt,
        renewed_ms -> BigInt,
        expires_ms -> BigInt,
        ended_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    received_photo (sha256) {
        sha256 -> Binary,
        size -> BigInt,
        received_ms -> BigInt,
        settled_ms -> Nullable<BigInt>,
        camera -> Nullable<Text>,
        perceptual -> Nullable<Binary>,
    }
}

diesel::table! {
    upload (sha256, device) {
        sha256 -> Binary,
        device -> Binary,
        size -> BigInt,
        synced_bytes -> BigInt,
        expires_ms -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(received_photo, photo);
diesel::allow_tables_to_appear_in_same_query!(entity, log);

diesel::table! {
    photo_holder (sha256, device) {
        sha256 -> Binary,
        device -> Binary,
    }
}

diesel::table! {
    photo_look (piece, sha256) {
        piece -> BigInt,
        sha256 -> Binary,
    }
}

diesel::table! {
    photo_alike (sha256, other) {
        sha256 -> Binary,
        other -> Binary,
        distance -> BigInt,
    }
}

diesel::table! {
    proposal (account, log, what, area) {
        account -> Binary,
        log -> Binary,
        what -> Text,
        area -> Binary,
        by_account -> Binary,
        by_person -> Binary,
        at_ms -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(photo_look, received_photo);
diesel::allow_tables_to_appear_in_same_query!(photo_alike, photo_ref);
