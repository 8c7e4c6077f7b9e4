-- A person may type any character; a text of PostgreSQL has no NUL.
CREATE TABLE kept_value (
    log BIGINT NOT NULL,
    entity BLOB NOT NULL,
    hash BLOB NOT NULL,
    rev BIGINT NOT NULL,
    class SMALLINT NOT NULL,
    salt BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (log, entity, hash)
) WITHOUT ROWID;
INSERT INTO kept_value (log, entity, hash, rev, class, salt, value)
    SELECT log, entity, hash, rev, class, salt, CAST(value AS BLOB) FROM sealed_value;
DROP TABLE sealed_value;
ALTER TABLE kept_value RENAME TO sealed_value;
