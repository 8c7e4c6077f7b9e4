-- Hand-overs and mergers of units, each with the last case looked at; `done_rev` is the head when all had been.
CREATE TABLE hand_over (
    log BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    cause BLOB NOT NULL,
    after_case BLOB NOT NULL,
    done_rev BIGINT,
    PRIMARY KEY (log, rev)
) WITHOUT ROWID;
