-- Working table: what one administrator asked for over the network and a second one must ask for as well. `what` is the
-- role to be given over an area, or `code` for a one-time code, with ids of zeros for log and area.
CREATE TABLE proposal (
    account BLOB NOT NULL,
    log BLOB NOT NULL,
    what TEXT NOT NULL,
    area BLOB NOT NULL,
    by_account BLOB NOT NULL,
    by_person BLOB NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, log, what, area)
) WITHOUT ROWID;
