-- Access to machines: hosts, grants, accounts, and the certificates that let people in.

-- Hosts, grants, and the names and numbers of accounts on hosts.

-- Rises with every change to the hosts and grants of a team, so that who remembers them knows when to read them anew.
CREATE TABLE estates (
  team_id TEXT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL
);

CREATE TABLE hosts (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  -- a JSON object
  tags TEXT NOT NULL,
  -- whether others are reached through it
  is_bastion BOOLEAN NOT NULL,
  -- the id of the host through which it is reached; NULL: directly
  bastion_id TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_contact_at BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX hosts_name ON hosts (team_id, name_key);
CREATE INDEX hosts_bastion ON hosts (team_id, bastion_id) WHERE bastion_id IS NOT NULL;

CREATE TABLE grants (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- group, user or service
  subject_kind TEXT NOT NULL,
  -- of a group or user
  directory_id TEXT,
  subject_id TEXT NOT NULL,
  -- a tag expression
  hosts TEXT NOT NULL,
  -- login or login+sudo
  level TEXT NOT NULL,
  -- with blanks between them
  posix_groups TEXT NOT NULL,
  principals TEXT NOT NULL,
  from_at BIGINT,
  until_at BIGINT,
  -- why, for people
  note TEXT NOT NULL,
  -- the name of whoever made it
  made_by TEXT NOT NULL,
  -- revoked or expired; NULL: it has not ended, or its end was not told yet
  ended TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX grants_subject ON grants (team_id, subject_id, id);
CREATE INDEX grants_untold ON grants (until_at) WHERE ended IS NULL;
CREATE INDEX grants_ended ON grants (until_at) WHERE ended IS NOT NULL;

-- Account names of people on hosts that do not take the usual one. The first whose hosts fit counts.
CREATE TABLE remote_identities (
  team_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  place BIGINT NOT NULL,
  -- of a user
  directory_id TEXT,
  -- a tag expression
  hosts TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (team_id, holder_id, place)
);

-- Accounts of people and service accounts on hosts. They stay when the person is gone, because files on hosts do.
CREATE TABLE posix_accounts (
  team_id TEXT NOT NULL,
  holder_id TEXT NOT NULL,
  -- empty for service accounts
  directory_id TEXT NOT NULL,
  -- NULL: what the rule makes cannot be a name, or is another's
  name TEXT,
  uid BIGINT NOT NULL,
  -- that of the person's own group, unless the provider says another one
  gid BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  gone_at BIGINT,
  PRIMARY KEY (team_id, holder_id)
);
CREATE UNIQUE INDEX posix_accounts_name ON posix_accounts (team_id, name, directory_id) WHERE gone_at IS NULL;
CREATE INDEX posix_accounts_uid ON posix_accounts (team_id, uid);

-- Every number that was ever given; it is never given to anybody else.
CREATE TABLE posix_numbers (
  team_id TEXT NOT NULL,
  number BIGINT NOT NULL,
  PRIMARY KEY (team_id, number)
) {without_rowid};

-- Where a team's numbers come from.
CREATE TABLE posix_pools (
  team_id TEXT NOT NULL PRIMARY KEY,
  first BIGINT NOT NULL,
  last BIGINT NOT NULL,
  next BIGINT NOT NULL,
  -- up to where the feed was followed to give people accounts
  position BIGINT NOT NULL,
  -- all people are looked at, and this one was the last so far; NULL: that is done
  swept TEXT
);

-- The certificate authority of a team: its keys, what they have signed, and what of that is revoked.

-- One row for each key; of each purpose one is `current` (it signs) and at most one `next` (trusted already).
CREATE TABLE authorities (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  -- user, host (SSH), root or intermediate (X.509)
  purpose TEXT NOT NULL,
  -- ed25519 or ecdsa
  key_type TEXT NOT NULL,
  -- next, current, or old: trusted until `keep_until`
  state TEXT NOT NULL,
  -- the private key, sealed; NULL where a PKCS#11 token holds it
  sealed {bytes},
  -- what the token calls it
  token_key TEXT,
  -- SSH: the key in its form on the wire; X.509: the certificate (DER)
  public {bytes} NOT NULL,
  -- a root: its certificate by the root before it (DER), for those who know only that one
  cross_signed {bytes},
  created_at BIGINT NOT NULL,
  -- when the one that is `next` takes over; NULL: not before an admin says so
  activate_at BIGINT,
  retired_at BIGINT,
  -- old: until when it is trusted at least; otherwise when its successor is due, where it needs one by then
  keep_until BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX authorities_state ON authorities (team_id, purpose, state) WHERE state <> 'old';

-- Every SSH certificate, written before it was signed.
CREATE TABLE certificates (
  team_id TEXT NOT NULL,
  -- the certificate's own serial number: random, above 0
  serial BIGINT NOT NULL,
  -- user or host
  kind TEXT NOT NULL,
  authority_id TEXT NOT NULL,
  -- user, service or host, with their id; NULL where a provisioner vouched for a name that is nobody's here
  holder_kind TEXT,
  directory_id TEXT,
  holder_id TEXT,
  key_id TEXT NOT NULL,
  -- names, as a JSON array
  principals TEXT NOT NULL,
  key_type TEXT NOT NULL,
  -- SHA256:… of the key
  fingerprint TEXT NOT NULL,
  -- ids of the grants that it rests on, as a JSON array
  grants TEXT NOT NULL,
  provisioner TEXT,
  address TEXT NOT NULL,
  valid_after BIGINT NOT NULL,
  valid_before BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  -- the serial number of the one that it takes the place of
  replaces BIGINT,
  revoked_at BIGINT,
  revoked_why TEXT,
  PRIMARY KEY (team_id, serial)
);
CREATE INDEX certificates_issued_at ON certificates (team_id, issued_at, serial);
CREATE INDEX certificates_holder ON certificates (team_id, holder_id, valid_before) WHERE holder_id IS NOT NULL;
CREATE INDEX certificates_fingerprint ON certificates (team_id, fingerprint, valid_before);
CREATE INDEX certificates_valid_before ON certificates (team_id, valid_before);

-- What the revocation list of a team has in it, at the position of the event that tells of it.
CREATE TABLE revocations (
  team_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  -- a certificate, by who signed it and its serial number; or a key, by its fingerprint
  authority_id TEXT,
  serial BIGINT,
  fingerprint TEXT,
  at BIGINT NOT NULL,
  -- when the certificate has run out; NULL: for ever
  keep_until BIGINT,
  PRIMARY KEY (team_id, position)
) {without_rowid};
CREATE INDEX revocations_fingerprint ON revocations (team_id, fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX revocations_keep_until ON revocations (keep_until) WHERE keep_until IS NOT NULL;

-- What an admin has decided about certificates; a team without a row has the defaults.
CREATE TABLE ca_policies (
  team_id TEXT NOT NULL PRIMARY KEY,
  settings TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Hashes of tokens that were good for once.
CREATE TABLE used_tokens (
  team_id TEXT NOT NULL,
  hash {bytes} NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, hash)
) {without_rowid};
CREATE INDEX used_tokens_expires_at ON used_tokens (expires_at);

-- The API that the `step` client speaks: whose word it takes, how it is served, and who is known there by a certificate.

-- Whose tokens get certificates, beside the connections of directories and `sshpop`, which are there by themselves.
CREATE TABLE provisioners (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  -- jwk, oidc, x5c or sshpop
  kind TEXT NOT NULL,
  -- what an admin declares, as JSON
  settings TEXT NOT NULL,
  -- the private key of a JWK, encrypted with a password that is not kept (a JWE); it is shown to everybody
  encrypted_key TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX provisioners_name ON provisioners (team_id, name_key);

-- How a team is served; a team without a row has the defaults.
CREATE TABLE step_settings (
  team_id TEXT NOT NULL PRIMARY KEY,
  -- the host name that is the team's, in lower case; NULL: only the first team is reached
  ca_host TEXT,
  -- open or managed
  mode TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX step_settings_ca_host ON step_settings (ca_host) WHERE ca_host IS NOT NULL;

-- X.509 certificates that people, hosts and programs were given.
CREATE TABLE identities (
  team_id TEXT NOT NULL,
  -- hexadecimal, in lower case
  serial TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- user, service or host, with their id; NULL where a provisioner vouched for a name that is nobody's here
  holder_kind TEXT,
  directory_id TEXT,
  holder_id TEXT,
  provisioner TEXT,
  issued_at BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  revoked_at BIGINT,
  revoked_why TEXT,
  PRIMARY KEY (team_id, serial)
) {without_rowid};
CREATE INDEX identities_holder ON identities (team_id, holder_id) WHERE holder_id IS NOT NULL;
CREATE INDEX identities_not_after ON identities (not_after);
