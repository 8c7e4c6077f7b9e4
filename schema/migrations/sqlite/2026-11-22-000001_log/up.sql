-- The log: exported and verified. Ids are 16 bytes; device, account, area and scope are numbers of `reference`.
-- Lines, records and documents are packed: schema/dictionaries/README.md.
CREATE TABLE log (
    num INTEGER PRIMARY KEY NOT NULL,
    id BLOB NOT NULL UNIQUE,
    epoch BLOB NOT NULL,
    rev BIGINT NOT NULL,
    root BLOB NOT NULL,
    frontier BLOB NOT NULL,
    last_received_ms BIGINT NOT NULL,
    number_year INTEGER NOT NULL,
    next_serial BIGINT NOT NULL,
    next_ref BIGINT NOT NULL
);

CREATE TABLE epoch (
    log BIGINT NOT NULL,
    first_rev BIGINT NOT NULL,
    id BLOB NOT NULL,
    kept_rev BIGINT NOT NULL,
    PRIMARY KEY (log, first_rev)
) WITHOUT ROWID;

CREATE TABLE reference (
    log BIGINT NOT NULL,
    num BIGINT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (log, num),
    UNIQUE (log, id)
) WITHOUT ROWID;

CREATE TABLE entry (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    op BLOB NOT NULL,
    device BIGINT NOT NULL,
    incarnation BIGINT,
    device_seq BIGINT,
    actor BIGINT,
    entity BLOB NOT NULL,
    kind TEXT NOT NULL,
    outcome SMALLINT NOT NULL,
    state_after SMALLINT NOT NULL,
    received_ms BIGINT NOT NULL,
    first_received_ms BIGINT NOT NULL,
    prev_leaf BLOB NOT NULL,
    leaf BLOB NOT NULL,
    line BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (log, rev),
    UNIQUE (log, op),
    UNIQUE (log, device, incarnation, device_seq)
);
CREATE INDEX entry_by_entity ON entry (log, entity, rev);
CREATE INDEX entry_by_device ON entry (log, device, rev);

CREATE TABLE batch (
    log BIGINT NOT NULL,
    device BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    chain BLOB NOT NULL,
    signature BLOB NOT NULL,
    clock_wall_ms BIGINT NOT NULL,
    clock_elapsed_ms BIGINT NOT NULL,
    clock_boot BLOB NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (log, device, incarnation, last_seq)
) WITHOUT ROWID;

CREATE TABLE replay (
    log BIGINT NOT NULL,
    device BIGINT NOT NULL,
    incarnation BIGINT NOT NULL,
    device_seq BIGINT NOT NULL,
    op BLOB NOT NULL,
    PRIMARY KEY (log, device, incarnation, device_seq)
) WITHOUT ROWID;

CREATE TABLE sealed_value (
    log BIGINT NOT NULL,
    entity BLOB NOT NULL,
    hash BLOB NOT NULL,
    rev BIGINT NOT NULL,
    class SMALLINT NOT NULL,
    salt BLOB NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (log, entity, hash)
) WITHOUT ROWID;

CREATE TABLE document (
    log BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (log, sha256)
);

CREATE TABLE checkpoint (
    log BIGINT NOT NULL,
    epoch BLOB NOT NULL,
    size BIGINT NOT NULL,
    signed_ms BIGINT NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (log, epoch, size)
) WITHOUT ROWID;

-- Views: a fold of the log, rebuilt from it and compared row by row.
CREATE TABLE entity (
    log BIGINT NOT NULL,
    id BLOB NOT NULL,
    rev BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    head_leaf BLOB NOT NULL,
    kind TEXT,
    scopes TEXT NOT NULL,
    short_code TEXT,
    number TEXT,
    area BIGINT,
    category TEXT,
    subtype TEXT,
    changed_ms BIGINT NOT NULL,
    doc BLOB,
    PRIMARY KEY (log, id)
);
CREATE INDEX entity_by_short_code ON entity (log, short_code);
CREATE INDEX entity_by_number ON entity (log, number);

CREATE TABLE entity_scope (
    log BIGINT NOT NULL,
    scope BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    entity BLOB NOT NULL,
    PRIMARY KEY (log, scope, rev, entity)
) WITHOUT ROWID;

CREATE TABLE scope_exit (
    log BIGINT NOT NULL,
    scope BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    entity BLOB NOT NULL,
    PRIMARY KEY (log, scope, rev, entity)
) WITHOUT ROWID;
CREATE INDEX scope_exit_by_entity ON scope_exit (log, entity);

CREATE TABLE photo_ref (
    log BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    entity BLOB NOT NULL,
    verified BOOLEAN NOT NULL,
    PRIMARY KEY (log, sha256, entity)
) WITHOUT ROWID;

CREATE TABLE parked (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    op BLOB NOT NULL,
    entity BLOB NOT NULL,
    device BIGINT NOT NULL,
    code TEXT NOT NULL,
    unreadable BOOLEAN NOT NULL,
    decided_rev BIGINT,
    PRIMARY KEY (log, rev)
) WITHOUT ROWID;
CREATE INDEX parked_by_entity ON parked (log, entity, device);
CREATE INDEX parked_by_decision ON parked (log, device, decided_rev);
CREATE INDEX parked_by_op ON parked (log, op);

CREATE TABLE tile_hash (
    log BIGINT NOT NULL,
    level SMALLINT NOT NULL,
    idx BIGINT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (log, level, idx)
) WITHOUT ROWID;

-- Working tables: facts about this installation, neither log nor view.
CREATE TABLE photo (
    sha256 BLOB PRIMARY KEY NOT NULL,
    size BIGINT NOT NULL,
    width BIGINT,
    height BIGINT,
    flags TEXT NOT NULL,
    verified_ms BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE durable (
    log BIGINT PRIMARY KEY NOT NULL,
    rev BIGINT NOT NULL
) WITHOUT ROWID;
