-- Facts about all servers of the database together, such as which master key they have.
CREATE TABLE installation (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
