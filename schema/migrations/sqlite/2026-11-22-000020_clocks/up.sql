-- A case has several clocks, each of which is due on its own: what gave cause to it is part of the key.
CREATE TABLE due_by_occurrence (
    log BIGINT NOT NULL,
    entity BLOB NOT NULL,
    kind SMALLINT NOT NULL,
    due_ms BIGINT NOT NULL,
    occurrence BIGINT NOT NULL,
    PRIMARY KEY (log, entity, kind, occurrence)
) WITHOUT ROWID;
INSERT INTO due_by_occurrence SELECT log, entity, kind, due_ms, occurrence FROM due;
DROP TABLE due;
ALTER TABLE due_by_occurrence RENAME TO due;
CREATE INDEX due_by_time ON due (log, due_ms);
