-- Working tables: photos on their way. A row of `received_photo` is custody: the file behind it is whole and synced.
-- A row of `photo` follows when it has been looked at.
CREATE TABLE received_photo (
    sha256 BLOB PRIMARY KEY NOT NULL,
    size BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    settled_ms BIGINT,
    camera TEXT,
    perceptual BLOB
) WITHOUT ROWID;
CREATE INDEX received_photo_by_settled ON received_photo (settled_ms, received_ms);

-- What a device has sent of a photo, as far as it is synced.
CREATE TABLE upload (
    sha256 BLOB NOT NULL,
    device BLOB NOT NULL,
    size BIGINT NOT NULL,
    synced_bytes BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (sha256, device)
) WITHOUT ROWID;
CREATE INDEX upload_by_expiry ON upload (expires_ms);
