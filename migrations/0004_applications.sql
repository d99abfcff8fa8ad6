-- Outbound provisioning: the applications of a team, what their jobs know of each object of the source and of its
-- resource at the target, what failed, what was done, and how far a cycle has come. Everything but `applications` is keyed
-- by the application, because one job at a time works on it.

CREATE TABLE applications (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  -- what an admin declares, as JSON without its secrets
  definition TEXT NOT NULL,
  -- running, paused or disabled
  status TEXT NOT NULL,
  -- where the next incremental cycle begins to read; NULL: everything is read
  watermark TEXT,
  -- JSON; NULL: the job is not in quarantine
  quarantine TEXT,
  -- the scopes of a restart that the next cycle takes up
  reset TEXT,
  next_run_at BIGINT,
  -- the numbers of the latest cycle, full read (or telling anew of all assignments) and record
  cycle BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  record BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX applications_name ON applications (team_id, name_key);

CREATE TABLE application_secrets (
  application_id TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed {bytes} NOT NULL,
  PRIMARY KEY (application_id, name)
);

-- An object of the source, and the resource that it is linked with.
CREATE TABLE links (
  application_id TEXT NOT NULL,
  -- user or group
  kind TEXT NOT NULL,
  source_key TEXT NOT NULL,
  -- present, suspended or gone
  presence TEXT NOT NULL,
  -- all that the source has told, as a canonical JSON object
  attributes TEXT NOT NULL,
  -- a JSON list; NULL: not assigned directly
  roles TEXT,
  -- the full read, and the telling of all assignments, that saw it last
  seen BIGINT NOT NULL,
  roles_seen BIGINT NOT NULL,
  -- of a group: its members through nested groups are to be worked out anew
  stale BOOLEAN NOT NULL,
  -- something has changed since it was last settled
  dirty BOOLEAN NOT NULL,
  -- none, managed, disabled or released
  state TEXT NOT NULL,
  target_id TEXT,
  -- the fingerprint of the values last written or found equal
  exported TEXT,
  PRIMARY KEY (application_id, kind, source_key)
);
CREATE INDEX links_dirty ON links (application_id, kind, source_key) WHERE dirty;
CREATE INDEX links_stale ON links (application_id, kind, source_key) WHERE stale;
CREATE INDEX links_roles ON links (application_id, kind, source_key) WHERE roles IS NOT NULL;
-- Two objects are never one resource.
CREATE UNIQUE INDEX links_target ON links (application_id, kind, target_id) WHERE target_id IS NOT NULL;

-- What refers from one object to another: `members` of a group, or an attribute of the target such as the manager.
CREATE TABLE link_references (
  application_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_key TEXT NOT NULL,
  attribute TEXT NOT NULL,
  other_key TEXT NOT NULL,
  -- user, group, or empty where nobody has said
  other_kind TEXT NOT NULL,
  -- the source says so
  told BOOLEAN NOT NULL,
  -- the target is to have it
  wanted BOOLEAN NOT NULL,
  -- the target has it
  applied BOOLEAN NOT NULL,
  -- work for the next cycle that writes references; what is wanted and neither applied nor due waits for the other end
  due BOOLEAN NOT NULL,
  seen BIGINT NOT NULL,
  PRIMARY KEY (application_id, kind, source_key, attribute, other_key, other_kind)
) {without_rowid};
-- Both hold all that their questions need. Without that SQLite, which keeps no statistics here, reads the whole table
-- instead, because it is in the order of a longer key.
CREATE INDEX link_references_due ON link_references (application_id, kind, source_key, attribute, other_key, other_kind, due, told, wanted, applied, seen) WHERE due;
CREATE INDEX link_references_other ON link_references (application_id, other_key, kind, source_key, attribute, other_kind, told, wanted);

-- What failed and is tried again; `attribute` is empty for the object itself.
CREATE TABLE escrows (
  application_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_key TEXT NOT NULL,
  attribute TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  -- NULL: only a change can help
  next_at BIGINT,
  PRIMARY KEY (application_id, kind, source_key, attribute)
);
CREATE INDEX escrows_next_at ON escrows (application_id, next_at) WHERE next_at IS NOT NULL;

CREATE TABLE cycles (
  application_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  id TEXT NOT NULL,
  -- initial or incremental
  kind TEXT NOT NULL,
  -- import, absent, plan, export, references or end
  phase TEXT NOT NULL,
  -- where the import reads on; NULL: where it begins
  place TEXT,
  -- the number of its full read and of its telling of all assignments; 0: it has none
  epoch BIGINT NOT NULL,
  roles_epoch BIGINT NOT NULL,
  -- somebody has looked at what would be lost, and lets it through
  forced BOOLEAN NOT NULL,
  -- the guard against accidental deletions holds what would be lost
  held BOOLEAN NOT NULL,
  -- JSON
  counters TEXT NOT NULL,
  began_at BIGINT NOT NULL,
  ended_at BIGINT,
  result TEXT,
  error TEXT,
  PRIMARY KEY (application_id, number)
);

-- The provisioning log.
CREATE TABLE provisioning_records (
  application_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  id TEXT NOT NULL,
  cycle_id TEXT NOT NULL,
  change_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  status TEXT NOT NULL,
  error_code TEXT,
  source_key TEXT NOT NULL,
  target_id TEXT,
  -- for people
  name TEXT NOT NULL,
  -- the whole record as JSON
  body TEXT NOT NULL,
  PRIMARY KEY (application_id, position)
);
