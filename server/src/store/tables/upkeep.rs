//! What a server must know of itself: when one was last at work, and what is not kept any more.

diesel::table! {
    alive (one) {
        one -> BigInt,
        at_ms -> BigInt,
    }
}

diesel::table! {
    exits_kept (log) {
        log -> BigInt,
        from_rev -> BigInt,
    }
}
