-- Who uploaded a photo: naming its hash in a case is no proof of having taken it.
ALTER TABLE received_photo ADD COLUMN device BYTEA;
