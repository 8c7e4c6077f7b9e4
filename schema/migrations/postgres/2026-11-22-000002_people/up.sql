-- Working tables: secrets of accounts. What an account may do is in the log.
CREATE TABLE account_secret (
    account BYTEA PRIMARY KEY NOT NULL,
    login TEXT NOT NULL UNIQUE,
    password TEXT,
    failures BIGINT NOT NULL,
    retry_ms BIGINT NOT NULL,
    disabled BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL
);

-- One-time codes by their hash.
CREATE TABLE enrol_code (
    code_hash BYTEA PRIMARY KEY NOT NULL,
    account BYTEA NOT NULL,
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms BIGINT,
    device BYTEA
);

-- A login: refresh tokens that follow one another, by their hashes.
CREATE TABLE login_session (
    family BYTEA PRIMARY KEY NOT NULL,
    account BYTEA NOT NULL,
    device BYTEA,
    current_hash BYTEA NOT NULL,
    previous_hash BYTEA,
    created_ms BIGINT NOT NULL,
    renewed_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    ended_ms BIGINT
);
CREATE INDEX login_session_by_account ON login_session (account);
CREATE INDEX login_session_by_device ON login_session (device);
