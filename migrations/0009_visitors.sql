-- Visitors, and the people they come to see.

-- What is decided here about people whom visitors come to see, beside what their provider says of them.
CREATE TABLE visitor_hosts (
  directory_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- not to be found, although the provider would have it
  is_hidden BOOLEAN NOT NULL,
  -- further addresses that are told of visitors, as a JSON array
  alternates TEXT NOT NULL,
  -- whether only those are told
  only_alternates BOOLEAN NOT NULL,
  -- what visitors may call the person as well
  nicknames TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (directory_id, user_id)
) {without_rowid};

-- Each word that somebody who can be found is found by, without case and without marks on letters.
CREATE TABLE visitor_words (
  directory_id TEXT NOT NULL,
  word TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (directory_id, word, user_id)
) {without_rowid};
CREATE INDEX visitor_words_user ON visitor_words (directory_id, user_id, word);

-- Directories whose words are being looked for in everybody, up to and with this user.
CREATE TABLE visitor_sweeps (
  directory_id TEXT NOT NULL PRIMARY KEY,
  after TEXT NOT NULL
);

-- Where visitors are received.
CREATE TABLE visit_locations (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  -- what an admin decides about it, as JSON
  settings TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE UNIQUE INDEX visit_locations_name ON visit_locations (team_id, name_key);

-- Tablets at the door; each is of one location.
CREATE TABLE visit_devices (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  location_id TEXT NOT NULL,
  name TEXT NOT NULL,
  hash {bytes} NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX visit_devices_location ON visit_devices (team_id, location_id, id);

CREATE TABLE visits (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  location_id TEXT NOT NULL,
  -- expected, here or gone
  state TEXT NOT NULL,
  -- who is visited; NULL: whoever is told where nobody is known
  directory_id TEXT,
  host_id TEXT,
  host_name TEXT NOT NULL,
  -- empty once it is anonymous
  visitor_name TEXT NOT NULL,
  company TEXT NOT NULL,
  purpose TEXT NOT NULL,
  -- of the secret on the badge and in the mail
  hash {bytes} NOT NULL,
  -- a picture for the badge (JPEG or PNG), with the consent of the visitor
  photo {bytes},
  expected_at BIGINT,
  came_at BIGINT,
  left_at BIGINT,
  -- what the one who is visited has answered
  answer TEXT,
  answered_at BIGINT,
  -- by which it is listed: when the visitor came, or is expected
  at BIGINT NOT NULL,
  is_anonymous BOOLEAN NOT NULL,
  PRIMARY KEY (team_id, id)
);
CREATE INDEX visits_at ON visits (team_id, at, id);
CREATE INDEX visits_open ON visits (team_id, location_id, at) WHERE state <> 'gone';
CREATE INDEX visits_host ON visits (team_id, host_id) WHERE state <> 'gone';
CREATE INDEX visits_named ON visits (at) WHERE NOT is_anonymous;
