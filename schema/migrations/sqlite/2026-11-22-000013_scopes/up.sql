-- What the server must do to an entity when a time has come: a view.
CREATE TABLE due (
    log BIGINT NOT NULL,
    entity BLOB NOT NULL,
    kind SMALLINT NOT NULL,
    due_ms BIGINT NOT NULL,
    occurrence BIGINT NOT NULL,
    PRIMARY KEY (log, entity, kind)
) WITHOUT ROWID;
CREATE INDEX due_by_time ON due (log, due_ms);

-- Below this revision nobody is told any more what left a scope: a device that was away so long pulls its scopes anew.
CREATE TABLE exits_kept (
    log BIGINT PRIMARY KEY NOT NULL,
    from_rev BIGINT NOT NULL
);

-- Who read which personal or restricted things, and when.
CREATE TABLE value_read (
    id INTEGER PRIMARY KEY NOT NULL,
    log BIGINT NOT NULL,
    read_ms BIGINT NOT NULL,
    account BLOB NOT NULL,
    device BLOB,
    entity BLOB NOT NULL,
    way TEXT NOT NULL,
    hashes TEXT NOT NULL
);
CREATE INDEX value_read_by_log ON value_read (log, id);
