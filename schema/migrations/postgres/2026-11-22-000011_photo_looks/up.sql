-- Who has shown the bytes of a photo: naming a hash in a case is no proof of having had the photo.
CREATE TABLE photo_holder (
    sha256 BYTEA NOT NULL,
    device BYTEA NOT NULL,
    PRIMARY KEY (sha256, device)
);
INSERT INTO photo_holder (sha256, device) SELECT sha256, device FROM received_photo WHERE device IS NOT NULL;
ALTER TABLE received_photo DROP COLUMN device;

-- What photos look like: each key is a piece of a perceptual hash with its place, so that photos that look alike share
-- at least one, and looking for them is a look-up.
CREATE TABLE photo_look (
    piece BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    PRIMARY KEY (piece, sha256)
);

-- Pairs of photos that look alike, both ways round.
CREATE TABLE photo_alike (
    sha256 BYTEA NOT NULL,
    other BYTEA NOT NULL,
    distance BIGINT NOT NULL,
    PRIMARY KEY (sha256, other)
);

CREATE INDEX upload_by_device ON upload (device, expires_ms);
