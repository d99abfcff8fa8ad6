//! File descriptors: each connection is one, and the usual limit of a process is far lower than what it may ask for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the database, the log, other servers that are told events, and programs need besides connections.
const OTHERS: u64 = 256;

/// Raises the process's limit as far as these connections need it. How many connections there is room for then; fewer than
/// are needed at least are worth a warning.
pub(crate) fn make_room(connections: usize, needed: usize) -> usize {
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    let raised = raised(limit.current, limit.maximum, wanted);
    let granted = match raised == limit.current {
        true => limit.current,
        false => match setrlimit(
            Resource::Nofile,
            Rlimit {
                current: raised,
                maximum: limit.maximum,
            },
        ) {
            Ok(()) => raised,
            Err(error) => {
                tracing::debug!(%error, "the limit of open files was not raised");
                limit.current
            }
        },
    };
    let room = room(connections, granted);
    if room < needed {
        tracing::warn!(
            "there is room for {room} connections instead of {needed}: this process may open too few files; raise the limit (LimitNOFILE with systemd, ulimit -n in a shell)"
        );
    }
    room
}

/// The limit to ask for; `None` is no limit.
fn raised(current: Option<u64>, maximum: Option<u64>, wanted: u64) -> Option<u64> {
    match current {
        Some(current) if current < wanted => {
            Some(wanted.min(maximum.unwrap_or(u64::MAX)).max(current))
        }
        enough => enough,
    }
}

/// How many of these connections may be open with that limit; a few always may.
fn room(connections: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else {
        return connections;
    };
    // With a very low limit the half of it is for others.
    let left = limit - OTHERS.min(limit / 2);
    usize::try_from(left).map_or(connections, |left| left.clamp(1, connections.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be_and_bounds_the_connections() {
        for (name, current, maximum, asked, connections) in [
            (
                "as most machines are",
                Some(1024),
                Some(524_288),
                Some(4352),
                4096,
            ),
            (
                "enough already",
                Some(20_000),
                Some(20_000),
                Some(20_000),
                4096,
            ),
            ("no limit", None, None, None, 4096),
            (
                "no limit but an own one",
                Some(1024),
                None,
                Some(4352),
                4096,
            ),
            (
                "not as far as wanted",
                Some(1024),
                Some(2048),
                Some(2048),
                1792,
            ),
            ("not at all", Some(1024), Some(1024), Some(1024), 768),
            ("very low", Some(64), Some(64), Some(64), 32),
        ] {
            let wanted = 4096 + OTHERS;
            assert_eq!(raised(current, maximum, wanted), asked, "{name}");
            assert_eq!(room(4096, asked), connections, "{name}");
        }
    }
}
