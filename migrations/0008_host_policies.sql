-- What hosts are told: who has which account there, as a signed document for each host.

-- The name of somebody's home, given once: it stays when the account is renamed, because files are in it.
ALTER TABLE posix_accounts ADD COLUMN home TEXT;
UPDATE posix_accounts SET home = name;
CREATE INDEX posix_accounts_home ON posix_accounts (team_id, home) WHERE home IS NOT NULL;

-- What access said of somebody and a host when it was last worked out. A row stays when access ends, because files do.
CREATE TABLE host_accounts (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  -- empty for service accounts
  directory_id TEXT NOT NULL,
  -- the name that they log in by, or did
  account TEXT NOT NULL,
  -- that account is the host's own: there is nothing to be made
  is_shared BOOLEAN NOT NULL,
  -- their own account there, now or before; NULL: they never had one
  name TEXT,
  uid BIGINT,
  gid BIGINT,
  -- the name of the home, below where homes are
  home TEXT,
  full_name TEXT NOT NULL,
  -- active or left
  state TEXT NOT NULL,
  sudo BOOLEAN NOT NULL,
  -- with blanks between them
  posix_groups TEXT NOT NULL,
  -- other accounts of the host that grants let them into, and until when, as JSON: [["deploy", null], …]
  principals TEXT NOT NULL,
  -- NULL: without end
  until_at BIGINT,
  -- since when they have had access without a break; having left: since when they had it last
  since_at BIGINT NOT NULL,
  -- since when they have not; NULL: they have
  denied_at BIGINT,
  -- the version of the host's policy that tells of it first
  version BIGINT NOT NULL,
  PRIMARY KEY (team_id, host_id, holder_id)
) {without_rowid};
CREATE INDEX host_accounts_holder ON host_accounts (team_id, holder_id, host_id);

-- The policy of each host that has asked for it.
CREATE TABLE host_policies (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  -- rises with everything that the host is to know
  version BIGINT NOT NULL,
  -- the place of that change among those of the team, so that servers find out which hosts it concerns
  wave BIGINT NOT NULL,
  -- the document that was signed last and its version; 0: none was yet, -1: the host is gone
  issued_version BIGINT NOT NULL,
  envelope TEXT,
  issued_at BIGINT,
  -- until when the host goes by it without hearing of us; NULL: for ever
  lease_until BIGINT,
  PRIMARY KEY (team_id, host_id)
);
CREATE INDEX host_policies_wave ON host_policies (team_id, wave);

-- What an admin has decided about one host's policy; a host without a row has what the team has.
CREATE TABLE host_leases (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  -- seconds; 0: never
  lease BIGINT NOT NULL,
  PRIMARY KEY (team_id, host_id)
) {without_rowid};

-- What all hosts of a team go by, and how far its changes were followed.
CREATE TABLE host_policy_feed (
  team_id TEXT NOT NULL PRIMARY KEY,
  -- up to where the feed of the team was followed; NULL: everybody is to be looked at
  position BIGINT,
  -- the time by which grants that begin and end were looked at last
  seen_at BIGINT NOT NULL,
  -- rises when policies of hosts change
  wave BIGINT NOT NULL,
  -- a hash of what all documents of the team have in common
  common TEXT NOT NULL,
  -- numbers of the groups of all who may log in, and of all who may use sudo; NULL: no host has asked yet
  people_gid BIGINT,
  sudo_gid BIGINT,
  -- what an admin has decided, as JSON
  settings TEXT NOT NULL
);
INSERT INTO host_policy_feed (team_id, seen_at, wave, common, settings) SELECT DISTINCT team_id, 0, 0, '', '{}' FROM hosts;

-- Whose access is to be worked out anew, because something has changed that concerns many.
CREATE TABLE host_policy_queue (
  team_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  -- empty for service accounts
  directory_id TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, holder_id)
) {without_rowid};
CREATE INDEX host_policy_queue_due ON host_policy_queue (team_id, due_at);

-- POSIX groups that exist on hosts because Portreeve has them made there. The number stays with the name.
CREATE TABLE posix_groups (
  team_id TEXT NOT NULL,
  name TEXT NOT NULL,
  gid BIGINT NOT NULL,
  -- whether it is made on hosts now
  is_managed BOOLEAN NOT NULL,
  PRIMARY KEY (team_id, name)
) {without_rowid};

-- How machines become hosts, and what those say that have an agent.

-- What lets machines enrol, by the hash of a secret that is shown once.
CREATE TABLE enrolment_tokens (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash {bytes} NOT NULL,
  -- tags of all that enrol with it, as a JSON object
  tags TEXT NOT NULL,
  -- what their names must be like, with * for anything
  pattern TEXT NOT NULL,
  -- whether it may take the place of a host that is enrolled
  may_replace BOOLEAN NOT NULL,
  -- how many may enrol with it, and how many have
  uses BIGINT NOT NULL,
  used BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (team_id, id)
);

-- The agent of each host that has one, or is to have one.
CREATE TABLE host_agents (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  -- registered (its key is known, and it is waited for), enrolled or left
  status TEXT NOT NULL,
  -- SHA256:… of the key by which it proves to be this host
  host_key TEXT,
  -- the identity that it has, and the one before until that is used; what has neither is not heard
  identity TEXT,
  identity_before TEXT,
  -- other names in its certificate, as a JSON array
  hostnames TEXT NOT NULL,
  enrolled_at BIGINT,
  left_at BIGINT,
  -- what it last reported, and when
  reported_at BIGINT,
  version TEXT NOT NULL,
  os TEXT NOT NULL,
  boot_id TEXT,
  applied_version BIGINT,
  applied_at BIGINT,
  lease_until BIGINT,
  -- the entity tag of the revocation list
  krl TEXT,
  certificate_serial BIGINT,
  certificate_until BIGINT,
  -- by how much its clock is ahead of ours (milliseconds)
  clock_ahead BIGINT,
  -- JSON arrays
  conflicts TEXT NOT NULL,
  doctor TEXT,
  PRIMARY KEY (team_id, host_id)
);

-- What hosts have said of people who were shut out.
CREATE TABLE host_denials (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  -- since when the host lets them in no longer
  since_at BIGINT NOT NULL,
  reported_at BIGINT NOT NULL,
  sessions_ended BIGINT NOT NULL,
  processes BIGINT NOT NULL,
  has_home BOOLEAN NOT NULL,
  has_crontab BOOLEAN NOT NULL,
  has_keys BOOLEAN NOT NULL,
  had_sudo BOOLEAN NOT NULL,
  PRIMARY KEY (team_id, host_id, holder_id)
) {without_rowid};
CREATE INDEX host_denials_holder ON host_denials (team_id, holder_id);

-- Sessions on hosts that have not ended.
CREATE TABLE host_sessions (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  -- what the host calls it
  id TEXT NOT NULL,
  account TEXT NOT NULL,
  -- whose certificate opened it; NULL: nobody's that is known
  holder_kind TEXT,
  directory_id TEXT,
  holder_id TEXT,
  serial BIGINT,
  address TEXT,
  began_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, host_id, id)
) {without_rowid};
CREATE INDEX host_sessions_began_at ON host_sessions (began_at);

-- What hosts have told of sessions, for as long as they may tell it again.
CREATE TABLE host_session_events (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  id TEXT NOT NULL,
  told_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, host_id, id)
) {without_rowid};
CREATE INDEX host_session_events_told_at ON host_session_events (told_at);

-- What of people who left is to be removed from hosts, or was: what was asked for last.
CREATE TABLE host_removals (
  team_id TEXT NOT NULL,
  host_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  -- their own account there
  account TEXT NOT NULL,
  -- since when they were shut out; who was let in again meanwhile loses nothing
  denied_at BIGINT NOT NULL,
  -- whether the host is only to say what it would remove
  is_dry_run BOOLEAN NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  -- NULL: the host has not answered
  answered_at BIGINT,
  -- what was removed, or would be: a JSON array
  paths TEXT NOT NULL,
  -- why it was not
  error TEXT,
  PRIMARY KEY (team_id, host_id, holder_id)
) {without_rowid};
CREATE INDEX host_removals_holder ON host_removals (team_id, holder_id);
