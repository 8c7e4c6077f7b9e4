-- Working tables: secrets of accounts. What an account may do is in the log.
CREATE TABLE account_secret (
    account BLOB PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    password TEXT,
    failures BIGINT NOT NULL,
    retry_ms BIGINT NOT NULL,
    disabled BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- One-time codes by their hash.
CREATE TABLE enrol_code (
    code_hash BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT,
    device BLOB
) WITHOUT ROWID;

-- A login: refresh tokens that follow one another, by their hashes.
CREATE TABLE login_session (
    family BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL,
    device BLOB,
    current_hash BLOB NOT NULL,
    previous_hash BLOB,
    created_ms BIGINT NOT NULL,
    renewed_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    ended_ms BIGINT
) WITHOUT ROWID;
CREATE INDEX login_session_by_account ON login_session (account);
CREATE INDEX login_session_by_device ON login_session (device);
