-- Working table: who should hear of each notice, when a device of theirs had the case at the latest, and when they first
-- opened it. Reading is no act on the case: it is in no log.
CREATE TABLE heard (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    nth SMALLINT NOT NULL,
    account BLOB NOT NULL,
    entity BLOB NOT NULL,
    kept_ms BIGINT,
    opened_ms BIGINT,
    PRIMARY KEY (log, rev, nth, account)
) WITHOUT ROWID;
CREATE INDEX heard_not_kept ON heard (log, account, rev) WHERE kept_ms IS NULL;
CREATE INDEX heard_not_opened ON heard (log, account, entity) WHERE opened_ms IS NULL;
