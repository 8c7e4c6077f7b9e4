//! What was published of figures.

diesel::table! {
    publication (log, nth) {
        log -> BigInt,
        nth -> BigInt,
        id -> Binary,
        area -> Binary,
        asked -> Text,
        body -> Binary,
    }
}
