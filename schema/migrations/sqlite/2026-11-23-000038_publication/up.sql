-- Working table: figures that somebody published, as they are; never changed. `asked` tells corrections of one another.
CREATE TABLE publication (
    log BIGINT NOT NULL,
    nth BIGINT NOT NULL,
    id BLOB NOT NULL,
    area BLOB NOT NULL,
    asked TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (log, nth)
) WITHOUT ROWID;
CREATE UNIQUE INDEX publication_by_id ON publication (log, id);
CREATE INDEX publication_by_asked ON publication (log, asked, nth);
