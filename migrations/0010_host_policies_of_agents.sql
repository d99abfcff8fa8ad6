-- Who may do what is worked out for the hosts that ask, and a host hears nothing before that was done.

-- A policy in version 0 is not worked out yet.
CREATE INDEX host_policies_new ON host_policies (team_id) WHERE version = 0;
DELETE FROM host_accounts WHERE NOT EXISTS (SELECT 1 FROM host_policies p WHERE p.team_id = host_accounts.team_id AND p.host_id = host_accounts.host_id);
