-- When the durable mark was last confirmed: phones and operator are told when that is long ago.
ALTER TABLE durable ADD COLUMN confirmed_ms BIGINT NOT NULL DEFAULT 0;

-- What came back after a restore, by the receipts of the epoch that was lost.
CREATE TABLE returned (
    log BIGINT NOT NULL,
    epoch BYTEA NOT NULL,
    rev BIGINT NOT NULL,
    op BYTEA NOT NULL,
    PRIMARY KEY (log, epoch, rev)
);
