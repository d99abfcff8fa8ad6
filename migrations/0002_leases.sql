-- Who does background work where several servers use one database: the servers that live, and who has which work.
-- Neither table holds a time that anything depends on: a server lives as long as its `beat` goes on counting.

CREATE TABLE replicas (
  id TEXT NOT NULL PRIMARY KEY,
  beat BIGINT NOT NULL,
  -- for people only
  started_at BIGINT NOT NULL
);

-- `owner_id` is the team or directory whose work it is. `holder` is a server that may be gone, which frees the lease.
-- `fence` rises with each tenure.
CREATE TABLE leases (
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  PRIMARY KEY (owner_id, name)
) {without_rowid};

-- The server that has accepted the request; when it is gone before the outcome is settled, nobody will settle it.
ALTER TABLE outcomes ADD COLUMN replica_id TEXT NOT NULL DEFAULT '';
