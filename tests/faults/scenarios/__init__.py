"""The scenarios: functions that take a `Stage` and raise `Broken` when something does not hold."""

from . import clock, crowd, disk, killed, mixed, outages, paused, replicas

# In the order in which they begin: the longest first.
ALL = {
    "paused": paused.past_its_lease,
    "clock-replicas": clock.replicas,
    "killed-embedded": killed.embedded,
    "killed-postgres": killed.postgres,
    "replica-killed": replicas.one_killed,
    "replicas-agree": replicas.agree,
    "crowd": crowd.idle_and_slow,
    "database-unplugged": outages.unplugged,
    "database-frozen": outages.frozen,
    "database-stopped": outages.stopped,
    "database-killed": outages.killed,
    "clock-embedded": clock.embedded,
    "disk-full": disk.full,
}

# Only in the long form.
LONG = {"mixed": mixed.at_random}
