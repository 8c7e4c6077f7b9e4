-- The phone's store. One file, one person, any number of logs. Ids are 16-byte blobs, hashes 32, times ms,
-- scopes their text. Whatever can be computed from these rows (what is busy, what is sent) is not stored.

CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    install BLOB NOT NULL,          -- the marker file beside the database holds the same random bytes
    marker_inode INTEGER NOT NULL,  -- a copied or restored folder has another one
    server TEXT,                    -- base address
    device BLOB,
    secret BLOB,                    -- the device's P-256 secret key
    label TEXT,
    account BLOB,
    account_name TEXT,
    access TEXT,
    refresh TEXT,
    contact_ms INTEGER,             -- the phone's wall clock at the last answer
    offset_ms INTEGER               -- server time minus the phone's wall clock then
) STRICT;

CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    log BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,             -- {"zh","en"}
    zone TEXT NOT NULL,
    signer TEXT NOT NULL,
    epoch BLOB,
    head INTEGER NOT NULL DEFAULT 0,
    own INTEGER NOT NULL DEFAULT 0, -- own outcomes are known up to here
    durable INTEGER NOT NULL DEFAULT 0,
    durability TEXT,
    incarnation INTEGER NOT NULL,
    next_seq INTEGER NOT NULL DEFAULT 1,
    chain BLOB NOT NULL,
    pulled INTEGER NOT NULL DEFAULT 0, -- the first pull of this epoch came to its end
    forked INTEGER NOT NULL DEFAULT 0  -- a fork was seen: push only
) STRICT;

CREATE TABLE checkpoint (
    log INTEGER NOT NULL REFERENCES log,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
    log INTEGER NOT NULL REFERENCES log,
    scope TEXT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (log, scope)
) STRICT, WITHOUT ROWID;

-- What the server said last.
CREATE TABLE base (
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    kind TEXT NOT NULL,
    rev INTEGER NOT NULL,
    document TEXT NOT NULL,
    catalogue BLOB,                 -- the document that it names
    PRIMARY KEY (log, entity)
) STRICT;
CREATE INDEX base_kind ON base (log, kind);
CREATE INDEX base_catalogue ON base (catalogue) WHERE catalogue IS NOT NULL;

CREATE TABLE base_scope (
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    scope TEXT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (log, entity, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX base_scope_scope ON base_scope (log, scope);

-- The server's version with own ops laid over it; only for entities that own ops touch.
CREATE TABLE view (
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    document TEXT NOT NULL,
    provisional INTEGER NOT NULL,   -- no server version and no estimate: shown from the report alone
    PRIMARY KEY (log, entity)
) STRICT;

-- One row a case as it is shown, for lists and look-ups.
CREATE TABLE listing (
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    state INTEGER NOT NULL,
    short_code TEXT NOT NULL,
    number TEXT,
    category TEXT NOT NULL,
    subtype TEXT NOT NULL,
    subject TEXT,
    area BLOB NOT NULL,
    unit BLOB,
    reporter BLOB NOT NULL,
    changed_ms INTEGER NOT NULL,
    photos INTEGER NOT NULL,
    photos_here INTEGER NOT NULL,   -- of these, verified at the server
    conflicts INTEGER NOT NULL,
    waiting INTEGER NOT NULL,       -- own ops that its base does not hold yet
    PRIMARY KEY (log, entity)
) STRICT;
CREATE INDEX listing_changed ON listing (changed_ms DESC, entity DESC);
CREATE INDEX listing_state ON listing (state, changed_ms DESC, entity DESC);
CREATE INDEX listing_reporter ON listing (reporter, changed_ms DESC, entity DESC);
CREATE INDEX listing_unit ON listing (unit, changed_ms DESC, entity DESC);
CREATE INDEX listing_category ON listing (category, changed_ms DESC, entity DESC);
CREATE INDEX listing_code ON listing (short_code);
CREATE INDEX listing_number ON listing (number);

-- Own ops. undecided: the server has not said. decided: it has, the base has not caught up. kept: out of the overlay,
-- held until the log is durable up to it.
CREATE TABLE own_op (
    n INTEGER PRIMARY KEY,          -- the order in which they were made
    op BLOB NOT NULL UNIQUE,
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    kind TEXT NOT NULL,
    line BLOB NOT NULL,             -- the exact bytes
    line_hash BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    device_seq INTEGER NOT NULL,
    before BLOB NOT NULL,           -- the device chain before this op
    chain BLOB NOT NULL,            -- and after it
    state TEXT NOT NULL CHECK (state IN ('undecided', 'decided', 'kept')),
    estimate TEXT,                  -- what this phone thinks will become of it, while undecided
    outcome TEXT,                   -- accepted, accepted_with_conflict, rejected, parked
    rev INTEGER,
    answer TEXT,                    -- the outcome line
    second TEXT,                    -- what became of it when it was released or discarded
    second_rev INTEGER,
    UNIQUE (log, incarnation, device_seq)
) STRICT;
CREATE INDEX own_op_state ON own_op (state, n);
CREATE INDEX own_op_entity ON own_op (log, entity, n);

-- Sealed values, own ones and those the server lets this person read.
CREATE TABLE value (
    sealed BLOB PRIMARY KEY,
    salt BLOB NOT NULL,
    value TEXT NOT NULL,
    entity BLOB NOT NULL            -- it goes with the entity
) STRICT, WITHOUT ROWID;
CREATE INDEX value_entity ON value (entity);

CREATE TABLE op_value (
    op BLOB NOT NULL,
    n INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (op, n)
) STRICT, WITHOUT ROWID;

-- Photos of own ops. The file is photos/<sha256>; it goes only when `here` does.
CREATE TABLE photo (
    sha256 BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    origin TEXT,
    made INTEGER NOT NULL,          -- the order in which they are sent
    offset INTEGER NOT NULL DEFAULT 0, -- the server has this much for sure
    uploaded INTEGER NOT NULL DEFAULT 0, -- it says that it has all and the hash is right
    here INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE photo_ref (
    sha256 BLOB NOT NULL,
    op BLOB NOT NULL,
    log INTEGER NOT NULL REFERENCES log,
    entity BLOB NOT NULL,
    verified_rev INTEGER,           -- of the photo_verified entry
    PRIMARY KEY (sha256, op)
) STRICT, WITHOUT ROWID;
CREATE INDEX photo_ref_entity ON photo_ref (log, entity);

CREATE TABLE document (
    sha256 BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

-- The server's signed promises, until the log is durable up to them.
CREATE TABLE receipt (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL REFERENCES log,
    epoch BLOB NOT NULL,
    last_rev INTEGER NOT NULL,
    text TEXT NOT NULL UNIQUE,
    signature BLOB NOT NULL,
    covered INTEGER NOT NULL DEFAULT 0 -- a verified checkpoint reaches over it
) STRICT;

CREATE TABLE receipt_op (
    op BLOB NOT NULL,
    receipt INTEGER NOT NULL REFERENCES receipt ON DELETE CASCADE,
    PRIMARY KEY (op, receipt)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_op_receipt ON receipt_op (receipt);

CREATE TABLE attention (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    log INTEGER REFERENCES log,
    op BLOB,
    entity BLOB,
    detail TEXT NOT NULL,           -- JSON
    since_ms INTEGER NOT NULL,      -- the phone's wall clock
    done INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX attention_op ON attention (op);
