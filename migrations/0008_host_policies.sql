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
  -- the document that was signed last and its version; 0: none was yet
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
  -- numbers of the groups of all who may log in, and of all who may use sudo
  people_gid BIGINT NOT NULL,
  sudo_gid BIGINT NOT NULL,
  -- what an admin has decided, as JSON
  settings TEXT NOT NULL
);

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
