-- Who may come in: local owners, sessions, API tokens, service accounts, passkeys, and the connections to identity
-- providers that people sign in with. Whoever holds a session, token or passkey is a user of a directory, a local owner or
-- a service account (`holder_kind`); `directory_id` is set for users only. Secrets are stored as SHA-256 hashes.

-- The directory that decides who may reach machines; NULL: none yet.
ALTER TABLE teams ADD COLUMN active_directory_id TEXT;

-- Few are suspended, and few have a level above the lowest.
CREATE INDEX users_status ON users (directory_id, status, id) WHERE status <> 'active';
CREATE INDEX users_level ON users (directory_id, level, id) WHERE level <> 'user';

-- What the log is searched by: requests, people, actions, and categories that are rare beside what providers do.
CREATE INDEX events_request ON events (team_id, request_id, position) WHERE request_id IS NOT NULL;
CREATE INDEX events_actor ON events (team_id, actor_id, position) WHERE actor_kind <> 'token';
CREATE INDEX events_action ON events (team_id, action, position);
CREATE INDEX events_category ON events (team_id, category, position) WHERE category <> 'SCIM_SYNC';

-- 'test': made by a test of the connection, for as long as that takes; NULL: an ordinary token.
ALTER TABLE tokens ADD COLUMN purpose TEXT;

-- Owners that belong to no directory: the first one, and those for the day on which no provider answers.
CREATE TABLE owners (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX owners_name ON owners (team_id, name_key);

CREATE TABLE service_accounts (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  -- names of permissions, with blanks between them
  permissions TEXT NOT NULL,
  -- active or suspended
  status TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX service_accounts_name ON service_accounts (team_id, name_key);

CREATE TABLE api_tokens (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash {bytes} NOT NULL,
  holder_kind TEXT NOT NULL,
  directory_id TEXT,
  holder_id TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  last_used_at BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX api_tokens_holder ON api_tokens (team_id, holder_id, id);

CREATE TABLE sessions (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- browser or cli
  kind TEXT NOT NULL,
  hash {bytes} NOT NULL,
  holder_kind TEXT NOT NULL,
  directory_id TEXT,
  holder_id TEXT NOT NULL,
  -- how the holder signed in: oidc, link, passkey or browser (a session of the command line that a browser let in)
  method TEXT NOT NULL,
  -- the passkey that it began with, also one of the command line that a browser with such a session let in
  passkey_id TEXT,
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  -- what signing out at the provider needs, sealed
  provider {bytes},
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  -- without a request until `idle_at`, and in any case at `expires_at`, it ends
  idle_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  ended_why TEXT,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX sessions_holder ON sessions (team_id, holder_id, id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Secrets that live for minutes and are good for once: owner links, sign-ins under way, codes for the command line.
CREATE TABLE sign_ins (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  hash {bytes} NOT NULL,
  -- JSON, by purpose; sealed where it has secrets
  payload {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX sign_ins_expires_at ON sign_ins (expires_at);

CREATE TABLE passkeys (
  team_id TEXT NOT NULL,
  -- the credential's id, base64url
  id TEXT NOT NULL,
  holder_kind TEXT NOT NULL,
  directory_id TEXT,
  holder_id TEXT NOT NULL,
  name TEXT NOT NULL,
  public_key {bytes} NOT NULL,
  -- how often it had signed when it was last used; 0 where it does not count
  counter BIGINT NOT NULL,
  -- whether it may be copied to other devices of its holder
  backup_eligible BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX passkeys_holder ON passkeys (team_id, holder_id, id);

-- How the people of a directory sign in.
CREATE TABLE connections (
  directory_id TEXT NOT NULL PRIMARY KEY,
  -- what an admin declares, as JSON without its secret
  settings TEXT NOT NULL,
  secret {bytes},
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Subjects of an identity provider that have signed in as a user before.
CREATE TABLE subjects (
  directory_id TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  linked_at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, issuer, subject)
);
CREATE INDEX subjects_user ON subjects (directory_id, user_id);

-- Memberships that were added here, beside those that the provider manages.
CREATE TABLE local_members (
  directory_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  -- NULL: until somebody takes it away
  expires_at BIGINT,
  PRIMARY KEY (directory_id, group_id, member_id)
) {without_rowid};
CREATE INDEX local_members_member ON local_members (directory_id, member_id, group_id);
CREATE INDEX local_members_expires_at ON local_members (expires_at) WHERE expires_at IS NOT NULL;

-- Users whom an admin has suspended here, whatever the provider says.
CREATE TABLE suspensions (
  directory_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, user_id)
) {without_rowid};

-- Answers to requests with an `Idempotency-Key`, so that one that is sent again is not carried out again.
CREATE TABLE idempotency (
  team_id TEXT NOT NULL,
  -- hash of who asked, for what, with which key
  id TEXT NOT NULL,
  -- hash of the request's body
  fingerprint {bytes} NOT NULL,
  status BIGINT NOT NULL,
  body {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

-- Filters of the log that somebody has given a name.
CREATE TABLE saved_views (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  query TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX saved_views_name ON saved_views (team_id, name_key);

-- How many events there were in each hour (since 1970 UTC), for charts, and up to which position they are counted.
CREATE TABLE event_counts (
  team_id TEXT NOT NULL,
  hour BIGINT NOT NULL,
  category TEXT NOT NULL,
  outcome TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (team_id, hour, category, outcome)
) {without_rowid};
CREATE TABLE event_counted (
  team_id TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL
);
