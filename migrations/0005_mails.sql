-- Mails that are still to be sent. Each is written with the change that it tells of, and gone once it was sent.
CREATE TABLE mails (
  team_id TEXT NOT NULL REFERENCES teams (id),
  id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
) {without_rowid};
