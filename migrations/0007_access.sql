-- Access to machines: hosts, grants, accounts, and the certificates that let people in.

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
  created_at BIGINT NOT NULL,
  -- when the one that is `next` takes over; NULL: not before an admin says so
  activate_at BIGINT,
  retired_at BIGINT,
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
) {without_rowid};
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
