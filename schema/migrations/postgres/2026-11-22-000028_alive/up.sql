-- Working table: when a server of this installation was last at work.
CREATE TABLE alive (
    one BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL
);
