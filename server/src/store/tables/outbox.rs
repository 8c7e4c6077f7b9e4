//! The tables of notices and of how far each got.

diesel::table! {
    notice (log, rev, nth) {
        log -> BigInt,
        rev -> BigInt,
        nth -> SmallInt,
        op -> Binary,
        entity -> Binary,
        kind -> Text,
        area -> Binary,
        body -> Binary,
    }
}

diesel::table! {
    notices_kept (log) {
        log -> BigInt,
        from_rev -> BigInt,
    }
}

diesel::table! {
    webhook (id) {
        id -> Binary,
        log -> BigInt,
        url -> Text,
        secret -> Text,
        kinds -> Text,
        areas -> Text,
        plain_http -> Bool,
        private_net -> Bool,
        created_ms -> BigInt,
        disabled_ms -> Nullable<BigInt>,
        disabled_why -> Nullable<Text>,
        missed_from -> Nullable<BigInt>,
        removed_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    delivery (log, rev, nth, webhook) {
        log -> BigInt,
        rev -> BigInt,
        nth -> SmallInt,
        webhook -> Binary,
        state -> SmallInt,
        attempts -> BigInt,
        next_ms -> BigInt,
        tried_ms -> Nullable<BigInt>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    heard (log, rev, nth, account) {
        log -> BigInt,
        rev -> BigInt,
        nth -> SmallInt,
        account -> Binary,
        entity -> Binary,
        kept_ms -> Nullable<BigInt>,
        opened_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    push_subscription (id) {
        id -> Binary,
        account -> Binary,
        device -> Binary,
        endpoint -> Text,
        client_key -> Binary,
        auth -> Binary,
        created_ms -> BigInt,
        ended_ms -> Nullable<BigInt>,
        ended_why -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(delivery, push_subscription);
