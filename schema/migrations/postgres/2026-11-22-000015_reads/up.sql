-- Readings are numbered within their log, by whoever holds that log's readings: a number is seen only when all below it
-- are. The numbers of a sequence come to light in any order, and a reader that goes on behind the last one skips some.
CREATE TABLE numbered_read (
    log BIGINT NOT NULL,
    nth BIGINT NOT NULL,
    read_ms BIGINT NOT NULL,
    account BYTEA NOT NULL,
    device BYTEA,
    entity BYTEA NOT NULL,
    way TEXT NOT NULL,
    hashes TEXT NOT NULL,
    PRIMARY KEY (log, nth)
);
INSERT INTO numbered_read (log, nth, read_ms, account, device, entity, way, hashes)
    SELECT log, id, read_ms, account, device, entity, way, hashes FROM value_read;
DROP TABLE value_read;
ALTER TABLE numbered_read RENAME TO value_read;
ALTER INDEX numbered_read_pkey RENAME TO value_read_pkey;
