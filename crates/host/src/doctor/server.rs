//! Whether the host hears of changes, and for how long it could do without.

use super::ssh::left;
use super::{Facts, Finding, Verdict, fail, ok, warn};
use jiff::SignedDuration;

/// By how much clocks may differ before somebody should know: certificates are dated a minute back.
const CLOCK: SignedDuration = SignedDuration::from_secs(30);

/// By how much they may differ before people are refused.
const CLOCK_WRONG: SignedDuration = SignedDuration::from_mins(5);

/// How much of a lease should be left.
const LEASE: SignedDuration = SignedDuration::from_hours(12);

pub(super) fn examine(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![half(facts), server(facts)];
    all.extend(clock(facts));
    all.extend(identity(facts));
    all.extend([lease(facts), conflicts(facts)].into_iter().flatten());
    all
}

fn half(facts: &Facts) -> Finding {
    match &facts.state {
        Ok(_) => ok("apply", "the half with root's rights answers"),
        Err(why) => fail(
            "apply",
            format!("the half with root's rights does not answer: {why}; changes are not applied"),
            "systemctl status portreeve-host-apply, or portreeve-host run",
        ),
    }
}

fn server(facts: &Facts) -> Finding {
    match &facts.server {
        Ok(heard) if heard.has_other => warn(
            "server",
            "the server has a newer document than the one in force",
            "systemctl status portreeve-host-net; the reason is in its log",
        ),
        Ok(_) => ok(
            "server",
            "the server is reached, and the document in force is its last",
        ),
        Err(why) => warn(
            "server",
            format!(
                "the server does not answer: {why}; who may log in stays as it is until the lease is over"
            ),
            "see that this machine reaches the server's address, and that its clock is right; only root and the half on the network can ask",
        ),
    }
}

fn clock(facts: &Facts) -> Option<Finding> {
    let ahead = facts.server.as_ref().ok()?.ahead?;
    let apart = ahead.abs();
    let detail = format!(
        "the clocks of this machine and the server are {} seconds apart",
        apart.as_secs()
    );
    let remedy = "set up time synchronisation (chrony or systemd-timesyncd)";
    Some(if apart > CLOCK_WRONG {
        fail("clock", detail, remedy)
    } else if apart > CLOCK {
        warn("clock", detail, remedy)
    } else {
        ok("clock", detail)
    })
}

fn identity(facts: &Facts) -> Option<Finding> {
    let life = facts.identity?;
    let (verdict, word) = left(life, facts);
    let detail = format!("the identity of this host {word} {}", life.1);
    let remedy = "portreeve-host status; when it has run out: portreeve-host enroll --replace …";
    Some(match verdict {
        Verdict::Ok => ok("identity", detail),
        Verdict::Warn => warn("identity", detail, remedy),
        Verdict::Fail => fail("identity", detail, remedy),
    })
}

fn lease(facts: &Facts) -> Option<Finding> {
    let state = facts.state.as_ref().ok()?;
    if state.applied.is_none() {
        let detail = "no document was applied yet: nobody managed gets in";
        let remedy = "wait for the server; the reason is in the log of portreeve-host-net";
        return Some(fail("policy", detail, remedy));
    }
    let remedy = "mend the way to the server: the lease is renewed with every document";
    Some(match state.lease_until {
        None => ok("lease", "it never ends"),
        Some(until) if until <= facts.now => fail(
            "lease",
            format!("the lease was over at {until}: nobody managed gets in"),
            remedy,
        ),
        Some(until) if until.duration_since(facts.now) < LEASE => {
            warn("lease", format!("the lease is over at {until}"), remedy)
        }
        Some(until) => ok("lease", format!("it lasts until {until}")),
    })
}

fn conflicts(facts: &Facts) -> Option<Finding> {
    let state = facts.state.as_ref().ok()?;
    let all: Vec<String> = state
        .conflicts
        .iter()
        .map(|conflict| format!("{}: {}", conflict.account, conflict.detail))
        .collect();
    Some(match all.is_empty() {
        true => ok("conflicts", "everything in the document was done"),
        false => warn(
            "conflicts",
            all.join("; "),
            "rename or renumber the local account, or change the person's account in Portreeve",
        ),
    })
}
