-- What visits need besides: answers from whoever is visited, what became of them, and programs that are told.

-- Of the secret in the mail to whoever is visited. Another one than on the badge: visitors do not answer for them.
ALTER TABLE visits ADD COLUMN answer_hash {bytes};
-- Since when whoever is visited cannot be found any more; NULL: they can.
ALTER TABLE visits ADD COLUMN host_gone_at BIGINT;

-- What is still to be told to programs.
CREATE TABLE webhooks (
  team_id TEXT NOT NULL,
  id TEXT NOT NULL,
  location_id TEXT NOT NULL,
  url TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- microseconds since 1970 UTC, as the following one
  next_attempt_at BIGINT NOT NULL,
  last_error TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (team_id, id)
);
