//! Reporting how things stand, and having certificates renewed in time.

use super::identity::{Request as IdentityRequest, renewal};
use super::{Link, Trouble, lock};
use crate::facts;
use crate::wire::{Answer, Request, Sessions, State};
use crate::world::Level;
use jiff::{SignedDuration, Timestamp};
use portreeve_host_policy::api::{Conflict, Finding, Removal, Removed, Renew, Report};
use std::time::Duration;

/// How often the other half is asked how things stand when nobody has changed anything.
const LOOK: Duration = Duration::from_secs(60);

/// How often a report goes out when there is nothing new.
const REPORT: Duration = Duration::from_secs(300);

/// How often the doctor looks at the machine.
const EXAMINE: Duration = Duration::from_secs(3_600);

/// By how much the clocks of host and server may differ before somebody should know: certificates are dated a minute back.
const CLOCK: SignedDuration = SignedDuration::from_secs(30);

/// How often it is looked whether something is to be renewed, and tried again if it could not be.
const RENEW_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Tells the server.
pub struct Teller<'a> {
    link: &'a Link<'a>,
    looked: Option<Duration>,
    reported: Option<Duration>,
    examined: Option<Duration>,
    /// Whether a document was in force then: before the first one nobody can get in, which is no fault of the machine.
    examined_in_force: bool,
    has_changed: bool,
    /// What was reported last.
    said: Option<State>,
    /// Up to which session event the server has heard.
    heard: u64,
    removed: Vec<Removed>,
    /// By how much of the jitter this process is early.
    chance: f64,
    renew_after: Option<Timestamp>,
    /// Why the last attempt to renew has failed.
    not_renewed: Option<String>,
    is_clock_wrong: bool,
}

/// What a turn has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nothing was to be told.
    Quiet,
    /// A report has arrived.
    Reported,
}

impl<'a> Teller<'a> {
    /// Begins.
    pub fn new(link: &'a Link<'a>) -> Self {
        Self {
            link,
            looked: None,
            reported: None,
            examined: None,
            examined_in_force: false,
            has_changed: true,
            said: None,
            heard: 0,
            removed: Vec::new(),
            chance: link.world.chance(),
            renew_after: None,
            not_renewed: None,
            is_clock_wrong: false,
        }
    }

    /// The next turn reports, whatever it finds.
    pub fn something_has_changed(&mut self) {
        self.has_changed = true;
    }

    /// Looks whether there is something to tell, and tells it.
    ///
    /// # Errors
    /// When the server or the other half cannot be reached. Nothing is forgotten.
    pub fn turn(&mut self) -> Result<Settled, Trouble> {
        let now = self.link.world.steady();
        let is_due = |last: Option<Duration>, every: Duration| {
            last.is_none_or(|last| now.saturating_sub(last) >= every)
        };
        let sessions = self.sessions()?;
        let must = self.has_changed
            || !sessions.events.is_empty()
            || !self.removed.is_empty()
            || is_due(self.reported, REPORT);
        if !must && !is_due(self.looked, LOOK) {
            return Ok(Settled::Quiet);
        }
        // It is tried again. How things stand can be told nevertheless.
        if let Err(trouble) = self.renew() {
            let text = format!("certificates cannot be renewed yet: {trouble}");
            if self.not_renewed.as_ref() != Some(&text) {
                self.link.world.say(Level::Warning, &text);
                self.not_renewed = Some(text);
            }
        }
        let mut state = self.link.state()?;
        if self.link.krl_in_force(&state).is_none() {
            // Somebody has changed or emptied the file: an empty one revokes nothing.
            match self.link.renew_krl() {
                // That it is not taken is reported.
                Err(Trouble::Refused(refusal)) => *lock(&self.link.refused) = Some(refusal),
                done => done?,
            }
            state = self.link.state()?;
        }
        self.looked = Some(now);
        if !must && self.said.as_ref() == Some(&state) {
            return Ok(Settled::Quiet);
        }
        self.report(state, sessions)?;
        self.reported = Some(now);
        self.has_changed = false;
        Ok(Settled::Reported)
    }

    fn sessions(&self) -> Result<Sessions, Trouble> {
        match self.link.ask(&Request::Sessions { after: self.heard })? {
            Answer::Sessions(sessions) => Ok(sessions),
            _ => Err(Trouble::Confused),
        }
    }

    fn report(&mut self, state: State, sessions: Sessions) -> Result<(), Trouble> {
        let link = self.link;
        let in_force = state.applied.is_some();
        let doctor = self.findings(in_force)?;
        let asked = link.world.now();
        let report = Report {
            agent_version: facts::VERSION.to_owned(),
            os: facts::os(&link.paths),
            now: asked,
            applied: state.applied,
            lease_until: state.lease_until,
            krl: link.krl_in_force(&state),
            conflicts: self.conflicts(&state),
            certificate: state.certificate,
            denied: state.denied.clone(),
            sessions: sessions.events,
            removed: self.removed.clone(),
            doctor,
            boot_id: sessions.boot_id,
        };
        let has_examined = report.doctor.is_some();
        let heard = link.server().report(&report)?;
        self.heard = sessions.upto;
        self.removed.clear();
        self.said = Some(state);
        if has_examined {
            self.examined = Some(link.world.steady());
            self.examined_in_force = in_force;
        }
        self.compare_clocks(asked, heard.now);
        for removal in heard.removals {
            let removed = self.remove(removal)?;
            self.removed.push(removed);
        }
        Ok(())
    }

    /// What was not done of the document that is in force; and that the one after it was not taken at all.
    fn conflicts(&self, state: &State) -> Vec<Conflict> {
        let refused = lock(&self.link.refused).clone();
        let whole = refused.map(|refusal| Conflict {
            account: "*".to_owned(),
            reason: refusal.code,
            detail: refusal.detail,
        });
        whole.into_iter().chain(state.conflicts.clone()).collect()
    }

    /// What is not as it should be on this machine, when it is time to look again.
    fn findings(&self, in_force: bool) -> Result<Option<Vec<Finding>>, Trouble> {
        let now = self.link.world.steady();
        let is_new = |last: Duration| now.saturating_sub(last) < EXAMINE;
        let is_first = in_force && !self.examined_in_force;
        if !is_first && self.examined.is_some_and(is_new) {
            return Ok(None);
        }
        match self.link.ask(&Request::Doctor {})? {
            Answer::Doctor(findings) => Ok(Some(findings)),
            _ => Err(Trouble::Confused),
        }
    }

    /// Who leaves files is looked up by the other half; a refusal of its is an answer, too.
    fn remove(&self, removal: Removal) -> Result<Removed, Trouble> {
        let (id, dry_run) = (removal.id.clone(), removal.dry_run);
        match self.link.ask(&Request::Remove(removal)) {
            Ok(Answer::Removed(removed)) => Ok(removed),
            Ok(_) => Err(Trouble::Confused),
            Err(Trouble::Refused(refusal)) => Ok(Removed {
                id,
                dry_run,
                paths: Vec::new(),
                error: Some(refusal.detail),
            }),
            Err(trouble) => Err(trouble),
        }
    }

    fn compare_clocks(&mut self, ours: Timestamp, theirs: Timestamp) {
        let world = self.link.world;
        let apart = theirs.duration_since(ours);
        let is_wrong = apart.abs() > CLOCK;
        if is_wrong && !self.is_clock_wrong {
            let seconds = apart.as_secs();
            world.say(
                Level::Warning,
                &format!(
                    "the clock of this machine and the server's are {} seconds apart; certificates and leases go by this machine's. Set up time synchronisation",
                    seconds.abs()
                ),
            );
        }
        self.is_clock_wrong = is_wrong;
    }

    /// Renews what has little of its life left: the identity with a key of its own, and the certificate that `sshd` shows.
    fn renew(&mut self) -> Result<(), Trouble> {
        let link = self.link;
        let now = link.world.now();
        if self.renew_after.is_some_and(|after| now < after) {
            return Ok(());
        }
        self.renew_after = Some(now + RENEW_AGAIN);
        let server = link.server();
        let identity = server.identity()?;
        let is_identity_due = now >= renewal(identity.life()?, self.chance);
        let is_certificate_due = facts::host_certificate(&link.paths)
            .is_none_or(|certificate| now >= renewal(certificate.life, self.chance));
        if !is_identity_due && !is_certificate_due {
            return Ok(());
        }
        let request = match is_identity_due {
            true => Some(IdentityRequest::new(&identity.host.name)?),
            false => None,
        };
        let host_key = match is_certificate_due {
            true => facts::host_key(&link.paths),
            false => None,
        };
        let renewed = server.renew(&Renew {
            csr: request.as_ref().map(|request| request.csr.clone()),
            host_key,
        })?;
        if let (Some(request), Some(chain)) = (request, renewed.identity) {
            link.use_identity(identity.renewed(chain, renewed.roots, request.key))?;
            link.world
                .say(Level::Info, "the identity of this host was renewed");
        }
        if let Some(certificate) = renewed.certificate {
            link.ask(&Request::Certificate(certificate))?;
            link.world
                .say(Level::Info, "the host's certificate was renewed");
        }
        self.not_renewed = None;
        self.has_changed = true;
        Ok(())
    }
}
