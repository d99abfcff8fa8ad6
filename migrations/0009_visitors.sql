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
