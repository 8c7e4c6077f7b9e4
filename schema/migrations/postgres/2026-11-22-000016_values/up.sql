-- A person may type any character; a text of PostgreSQL has no NUL.
ALTER TABLE sealed_value ALTER COLUMN value TYPE BYTEA USING convert_to(value, 'UTF8');
