-- The roll: teams, their directories and tokens, users, groups, memberships, and the events that say how it came to be.
-- One text for every database. Times are microseconds since 1970 UTC; ids are UUIDv7 as text; `…_key` columns hold the
-- folded form that case-insensitive comparison needs, made by the program. The names of unique indexes are part of the
-- contract with crates/directory/src/refusal.rs.

CREATE TABLE teams (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX teams_name ON teams (name_key);

-- Where the feed of a team ends. The row is the last that a transaction which records events locks, and stays locked
-- until it has committed; so positions rise in the order of commits, whichever server the writer is on.
CREATE TABLE feeds (
  team_id TEXT NOT NULL PRIMARY KEY REFERENCES teams (id),
  position BIGINT NOT NULL,
  -- the highest position of a change that is not kept any more
  floor BIGINT NOT NULL
);

CREATE TABLE directories (
  id TEXT NOT NULL PRIMARY KEY,
  team_id TEXT NOT NULL REFERENCES teams (id),
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  provider TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_contact_at BIGINT,
  -- when the provider first sent `active`; a provider that never does cannot deactivate anybody
  active_sent_at BIGINT
);
CREATE UNIQUE INDEX directories_name ON directories (team_id, name_key);

CREATE TABLE tokens (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT,
  PRIMARY KEY (directory_id, id)
);

CREATE TABLE users (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  id TEXT NOT NULL,
  user_name_key TEXT NOT NULL,
  external_id TEXT,
  display_name_key TEXT,
  manager_id TEXT,
  status TEXT NOT NULL,
  level TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  resource TEXT NOT NULL,
  PRIMARY KEY (directory_id, id)
);
-- Indexes that answer a list end in the id, because lists go by id where nothing else is asked for.
CREATE UNIQUE INDEX users_user_name ON users (directory_id, user_name_key);
CREATE INDEX users_external_id ON users (directory_id, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX users_display_name ON users (directory_id, display_name_key, id) WHERE display_name_key IS NOT NULL;
CREATE INDEX users_manager ON users (directory_id, manager_id, id) WHERE manager_id IS NOT NULL;

-- Only an index: the addresses themselves are in users.resource.
CREATE TABLE user_emails (
  directory_id TEXT NOT NULL,
  value_key TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (directory_id, value_key, user_id)
) {without_rowid};

CREATE TABLE groups (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  id TEXT NOT NULL,
  display_name TEXT NOT NULL,
  display_name_key TEXT NOT NULL,
  -- equals display_name_key where the directory wants names to be unique, else NULL
  unique_name_key TEXT,
  external_id TEXT,
  status TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  resource TEXT NOT NULL,
  PRIMARY KEY (directory_id, id)
);
CREATE UNIQUE INDEX groups_display_name ON groups (directory_id, unique_name_key);
CREATE INDEX groups_display_name_key ON groups (directory_id, display_name_key, id);
CREATE INDEX groups_external_id ON groups (directory_id, external_id, id) WHERE external_id IS NOT NULL;

-- A member is a user or a group of the same directory; which one is in `kind`, so there is no foreign key on member_id.
CREATE TABLE members (
  directory_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, group_id, member_id)
) {without_rowid};
CREATE INDEX members_member ON members (directory_id, member_id, group_id);

-- The audit log, and at the same time the feed of committed changes: positions rise in commit order, without gaps.
CREATE TABLE events (
  team_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  id TEXT NOT NULL,
  directory_id TEXT,
  at BIGINT NOT NULL,
  category TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  object_kind TEXT,
  object_id TEXT,
  object_name TEXT,
  actor_kind TEXT NOT NULL,
  actor_id TEXT,
  request_id TEXT,
  duration_us BIGINT,
  version BIGINT,
  reason TEXT,
  detail TEXT,
  changes TEXT,
  PRIMARY KEY (team_id, position)
);
CREATE UNIQUE INDEX events_id ON events (team_id, id);
CREATE INDEX events_object ON events (team_id, object_id, position) WHERE object_id IS NOT NULL;
-- Refusals are not kept as long as the rest, and found among it without passing over it.
CREATE INDEX events_refused ON events (team_id, position) WHERE outcome = 'refused';

-- Attributes that a provider sends and no schema of the directory knows: ignored, and named once.
CREATE TABLE unknown_attributes (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  name TEXT NOT NULL,
  first_seen_at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, name)
);

-- Receivers of security events (RFC 9967): each has all events up to `position`, and beyond it those in event_acks.
-- `secret` is the hash of the secret that a poll must carry, or the sealed Authorization value that a push carries.
CREATE TABLE event_streams (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  id TEXT NOT NULL,
  delivery TEXT NOT NULL,
  endpoint TEXT,
  secret {bytes},
  audience TEXT NOT NULL,
  content TEXT NOT NULL,
  position BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT,
  last_delivered_at BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, id)
);
CREATE TABLE event_acks (
  directory_id TEXT NOT NULL,
  stream_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (directory_id, stream_id, position)
) {without_rowid};

-- Outcomes of requests that were answered before they were carried out (RFC 9967, `Prefer: respond-async`). Until
-- `settled_at` is set, `results` holds what was asked for instead of what it came to.
CREATE TABLE outcomes (
  directory_id TEXT NOT NULL REFERENCES directories (id),
  id TEXT NOT NULL,
  bulk BOOLEAN NOT NULL,
  results TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  settled_at BIGINT,
  PRIMARY KEY (directory_id, id)
);
CREATE INDEX outcomes_expires_at ON outcomes (expires_at);
CREATE INDEX outcomes_unsettled ON outcomes (directory_id, id) WHERE settled_at IS NULL;
