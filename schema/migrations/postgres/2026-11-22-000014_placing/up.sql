-- An area tree in force whose cases are not all placed yet: the import that caused it, and the last case looked at.
CREATE TABLE area_placing (
    log BIGINT PRIMARY KEY NOT NULL,
    cause BYTEA NOT NULL,
    after_case BYTEA NOT NULL
);
