//! How far hand-overs are.

diesel::table! {
    hand_over (log, rev) {
        log -> BigInt,
        rev -> BigInt,
        cause -> Binary,
        after_case -> Binary,
        done_rev -> Nullable<BigInt>,
    }
}
