-- View: what somebody must hear of, one row for each entry that gave cause to it. The body is what leaves the server.
CREATE TABLE notice (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    nth SMALLINT NOT NULL,
    op BYTEA NOT NULL,
    entity BYTEA NOT NULL,
    kind TEXT NOT NULL,
    area BYTEA NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (log, rev, nth)
);
CREATE INDEX notice_by_entity ON notice (log, entity, rev);
-- Working table: notices are kept from behind this revision on. Entries from before there were notices have none.
CREATE TABLE notices_kept (
    log BIGINT PRIMARY KEY NOT NULL,
    from_rev BIGINT NOT NULL
);
INSERT INTO notices_kept (log, from_rev) SELECT num, rev FROM log WHERE rev > 0;
-- Working table: where notices of a log go. One that is removed stays, without its secret, for what was sent to it.
CREATE TABLE webhook (
    id BYTEA PRIMARY KEY NOT NULL,
    log BIGINT NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    kinds TEXT NOT NULL,
    areas TEXT NOT NULL,
    plain_http BOOLEAN NOT NULL,
    private_net BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    disabled_ms BIGINT,
    disabled_why TEXT,
    missed_from BIGINT,
    removed_ms BIGINT
);
CREATE INDEX webhook_by_log ON webhook (log);
-- Working table: how far the sending of each notice to each place is. What is being sent is next due when whoever sends
-- it would have ended long ago.
CREATE TABLE delivery (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    nth SMALLINT NOT NULL,
    webhook BYTEA NOT NULL,
    state SMALLINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    tried_ms BIGINT,
    answer TEXT,
    PRIMARY KEY (log, rev, nth, webhook)
);
CREATE INDEX delivery_by_time ON delivery (webhook, state, next_ms);
