-- Working table: how often somebody guessed wrong, by the hash of a login name or of an address. Names that belong to
-- nobody are counted like those that do.
CREATE TABLE throttle (
    subject BLOB PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    retry_ms BIGINT NOT NULL,
    at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX throttle_at ON throttle (at_ms);
ALTER TABLE account_secret DROP COLUMN failures;
ALTER TABLE account_secret DROP COLUMN retry_ms;
