-- Working table: figures that somebody published, as they are; never changed. `asked` tells corrections of one another.
CREATE TABLE publication (
    log BIGINT NOT NULL,
    nth BIGINT NOT NULL,
    id BYTEA NOT NULL,
    area BYTEA NOT NULL,
    asked TEXT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (log, nth)
);
CREATE UNIQUE INDEX publication_by_id ON publication (log, id);
CREATE INDEX publication_by_asked ON publication (log, asked, nth);
