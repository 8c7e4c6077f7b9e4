-- A case has several clocks, each of which is due on its own: what gave cause to it is part of the key.
ALTER TABLE due DROP CONSTRAINT due_pkey;
ALTER TABLE due ADD PRIMARY KEY (log, entity, kind, occurrence);
