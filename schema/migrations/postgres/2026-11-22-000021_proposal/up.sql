-- Working table: what one administrator asked for over the network and a second one must ask for as well. `what` is the
-- role to be given over an area, or `code` for a one-time code, with ids of zeros for log and area.
CREATE TABLE proposal (
    account BYTEA NOT NULL,
    log BYTEA NOT NULL,
    what TEXT NOT NULL,
    area BYTEA NOT NULL,
    by_account BYTEA NOT NULL,
    by_person BYTEA NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, log, what, area)
);
