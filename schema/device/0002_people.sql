-- The server's public key for files of unsent work; and what a PIN wraps (`secret`, `access`, `refresh`) says so itself.
ALTER TABLE meta ADD COLUMN export_key TEXT;
