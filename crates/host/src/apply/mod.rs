//! The half with root's rights: a function from signed bytes to files.
//!
//! [`Half::handle`] answers each request of the other half. It believes nothing that the team's key has not signed, holds
//! every account to the limits of [`portreeve_host_policy::check()`], and writes files in an order in which nobody is let in
//! at any moment who is let in neither by the old document nor by the new one: first everything is taken away that the new
//! one does not have (principals, accounts, memberships, then sessions), then everything is given that it has (groups,
//! accounts, memberships, principals last). What was begun and not ended is begun again at the next start. Nothing here
//! touches a local account.

mod certificate;
mod denied;
mod files;
mod greeting;
mod image;
mod krl;
mod principals;
mod serve;
mod snapshot;
mod store;
mod survey;
mod userdb;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::io;

use jiff::Timestamp;
use portreeve_host_policy::api::{self, Applied};
use portreeve_host_policy::{Checked, Document, Expect, Local, Verified, check, verify};

pub use certificate::shown;
pub use files::{Disk, Files};
pub use greeting::{Greeter, NoGreeter, Silence};
pub use image::{Image, Principals, User};
pub use krl::ensure as ensure_krl;
pub use serve::{Listener, serve};

use crate::config::{Config, PEOPLE, SUDO};
use crate::doctor;
use crate::log;
use crate::paths::Paths;
use crate::sessions::{self, Sessions};
use crate::sshd::{self, Sshd};
use crate::wire::{Answer, Refusal, Request, State};
use principals::Clock;
use store::{Denial, Known, Outcome, Store};
use survey::Survey;

/// What the half with root's rights acts on.
pub struct Machine {
    /// Its files.
    pub files: Box<dyn Files + Send>,
    /// Its processes.
    pub sessions: Box<dyn Sessions + Send>,
    /// Its `sshd`, to be told of a new certificate.
    pub sshd: Box<dyn Sshd + Send>,
    /// What its `sshd` says to clients.
    pub greeter: Box<dyn Greeter + Send>,
}

/// The half with root's rights.
pub struct Half {
    paths: Paths,
    machine: Machine,
}

impl Machine {
    /// The machine whose files these are: with its processes and its `sshd` if that is this one.
    pub fn below(paths: &Paths) -> Self {
        let files = Box::new(Disk);
        match paths.is_live() {
            true => Self {
                files,
                sessions: Box::new(sessions::Machine::default()),
                sshd: Box::new(sshd::Installed::new(paths)),
                greeter: Box::new(greeting::Installed::new(paths)),
            },
            false => Self {
                files,
                sessions: Box::new(sessions::Nobody),
                sshd: Box::new(sshd::Absent),
                greeter: Box::new(NoGreeter),
            },
        }
    }
}

impl Half {
    /// The half of one machine.
    pub fn new(paths: Paths, machine: Machine) -> Self {
        Self { paths, machine }
    }

    /// Makes the files what the last document says, as they have to be before `sshd` starts: those below `/run` are gone
    /// after a start of the machine, and whoever was killed in the middle of something has left it half done.
    ///
    /// # Errors
    /// When that cannot be done. A host that is not enrolled, or has no document yet, has nothing to be done.
    pub fn start(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let config = match Config::load(&self.paths) {
            Err(crate::config::Error::NotEnrolled) => return Ok(()),
            config => config.map_err(|error| refused("config", error))?,
        };
        let paths = &self.paths;
        let folders = [
            paths.userdb(),
            paths.nss(),
            paths.principals(),
            paths.run(),
            paths.ssh(),
            paths.state(),
        ];
        for folder in folders {
            files::tidy(&mut *self.machine.files, &folder)?;
        }
        ensure_krl(&mut *self.machine.files, paths)?;
        let known = self.known(&config)?;
        match &known.document {
            // Where a newer one was followed and could not be kept, this one gives nothing back.
            Some(verified) => {
                let is_last = verified.document().version == known.highest;
                self.follow(&config, verified, is_last, now)
            }
            None => Ok(()),
        }
    }

    /// Answers one request.
    pub fn handle(&mut self, request: Request, now: Timestamp) -> Answer {
        let done = match request {
            Request::Apply(envelope) => self.apply(&envelope.to_bytes(), now),
            Request::Krl(signed) => self.revoke(&signed),
            Request::Certificate(line) => self.certify(&line, now),
            Request::State {} => return self.state(now),
            Request::Sessions { after } => return log::answer(&self.paths, after),
            Request::Doctor {} => return doctor::answer(&self.paths, &*self.machine.sshd, now),
            Request::Remove(removal) => match self.remove(&removal) {
                Ok(removed) => return Answer::Removed(removed),
                Err(refusal) => Err(refusal),
            },
        };
        match done {
            Ok(()) => Answer::Done,
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Takes away everything that documents have made, when the host leaves its team. Files of people stay.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn withdraw(&mut self, config: &Config) -> Result<(), Refusal> {
        let mut survey = self.survey(config)?;
        let (nothing, files) = (Image::default(), &mut *self.machine.files);
        survey.shut(files, &nothing)?;
        Ok(survey.open(files, &nothing, &Local::default())?)
    }

    fn config(&self) -> Result<Config, Refusal> {
        Config::load(&self.paths).map_err(|error| refused("config", error))
    }

    fn known(&self, config: &Config) -> Result<Known, Refusal> {
        Ok(Store(&self.paths).known(config)?)
    }

    fn apply(&mut self, envelope: &[u8], now: Timestamp) -> Result<(), Refusal> {
        let config = self.config()?;
        let known = self.known(&config)?;
        let seen = known.document.as_ref();
        let seen = seen.filter(|verified| verified.document().version == known.highest);
        let expect = Expect {
            team: &config.team,
            host_id: &config.host.id,
            above_or_same: known.highest,
            seen: seen.map(|verified| verified.envelope().document.as_str()),
        };
        let verified = verify(envelope, known.trusted(&config), &expect)
            .map_err(|refusal| refused(refusal.code(), refusal))?;
        let rules = &verified.document().rules;
        // Our part of sshd's configuration and the rule of sudo go by these names.
        if rules.people.name != PEOPLE || rules.sudo.name != SUDO {
            let detail = format!(
                "the document has the groups {} and {} in place of {PEOPLE} and {SUDO}, which this agent knows; update the agent",
                rules.people.name, rules.sudo.name
            );
            return Err(refused("rules", detail));
        }
        // One that could not be kept would be forgotten at the next start: of such a one only what it takes away is done.
        let kept = Store(&self.paths).keep(&mut *self.machine.files, &verified);
        self.follow(&config, &verified, kept.is_ok(), now)?;
        Ok(kept?)
    }

    /// Takes away what a document does not give and, if it is to be, gives what it does.
    fn follow(
        &mut self,
        config: &Config,
        verified: &Verified,
        gives: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let document = verified.document();
        let mut survey = self.survey(config)?;
        let local = self.local(&survey)?;
        let checked = check(verified, &local);
        let (old, new) = (survey.image()?, Image::of(document, &checked));
        // Who was open and is not any more is noted first, so that whoever is killed now ends their sessions later.
        let mut denials = self.denials(&checked, (&old, &new), now)?;
        let noted = self.note(&denials);
        let shut = survey.shut(&mut *self.machine.files, &old.tightened(&new));
        let trust = self.trust(document);
        self.end_sessions(document, &mut denials, &local, now);
        let noted = noted.and_then(|()| self.note(&denials));
        shut.and(trust).and(noted)?;
        if !gives {
            return Ok(());
        }
        survey.open(&mut *self.machine.files, &new, &local)?;
        Ok(self.conclude(document, &checked, now)?)
    }

    fn survey(&self, config: &Config) -> io::Result<Survey> {
        Survey::read(&self.paths, config.backend, self.clock())
    }

    /// Has `sshd` trust the keys that the document names.
    fn trust(&mut self, document: &Document) -> io::Result<()> {
        let mut text = document.user_keys.join("\n");
        text.push('\n');
        files::folder(&self.paths.ssh(), 0o755)?;
        let path = self.paths.user_ca();
        files::put(&mut *self.machine.files, &path, text.as_bytes(), 0o644)
    }

    /// What the machine has of its own.
    fn local(&self, survey: &Survey) -> io::Result<Local> {
        let read = |path: &str| -> io::Result<String> {
            Ok(files::text(&self.paths.at(path))?.unwrap_or_default())
        };
        let local = Local::parse(
            &read("/etc/passwd")?,
            &read("/etc/group")?,
            &read("/etc/shells")?,
        );
        let local = local.with_subordinate(&read("/etc/subuid")?, &read("/etc/subgid")?);
        let (users, groups) = survey.foreign(&self.paths)?;
        Ok(local.with_records(&users, &groups))
    }

    /// In which time this machine's `sshd` reads the ends of lines.
    fn clock(&self) -> Clock {
        /// The first version of OpenSSH that reads them in UTC.
        const UTC_SINCE: (u32, u32) = (9, 1);
        match self.machine.greeter.version() {
            Some(version) if version < UTC_SINCE => {
                let localtime = std::fs::read(self.paths.at("/etc/localtime"));
                Clock::local(localtime.ok().as_deref())
            }
            _ => Clock::utc(),
        }
    }

    /// Who has no access any more, as far as the host had them: those who have left by the document, and those whose sessions
    /// are still to be ended because it does not name them any more, or because they cannot have their account any more.
    fn denials(
        &self,
        checked: &Checked<'_>,
        (old, new): (&Image, &Image),
        now: Timestamp,
    ) -> io::Result<Vec<Denial>> {
        let before = Store(&self.paths).denials()?;
        let known = before.iter().map(|denial| (denial.id.as_str(), denial));
        let known: BTreeMap<&str, &Denial> = known.collect();
        let accounts = checked.accept.iter().map(|accepted| accepted.account);
        let left = accounts.filter(|account| account.access.is_none());
        let left = left.map(|account| {
            let known = known.get(account.id.as_str()).copied().cloned();
            known.unwrap_or_else(|| Denial::new(account, old, now))
        });
        let mut denials: Vec<Denial> = left.collect();
        let mut settled = new.open();
        settled.extend(denials.iter().map(|denial| denial.uid));
        let pending = before.into_iter().filter(|denial| denial.ended.is_none());
        let gone = old.users.iter().filter(|(_, user)| !user.locked);
        let gone = gone.map(|(name, user)| Denial::gone(name, user, old, now));
        for denial in pending.chain(gone) {
            if settled.insert(denial.uid) {
                denials.push(denial);
            }
        }
        Ok(denials)
    }

    fn note(&mut self, denials: &[Denial]) -> io::Result<()> {
        let store = Store(&self.paths);
        match store.denials()? == denials {
            true => Ok(()),
            false => store.set_denials(&mut *self.machine.files, denials),
        }
    }

    /// Ends the sessions of everybody who is out. A local account's are not touched, whatever number it has. What cannot be
    /// ended is tried again whenever somebody asks how things stand, and only then reported as done.
    fn end_sessions(
        &mut self,
        document: &Document,
        denials: &mut Vec<Denial>,
        local: &Local,
        now: Timestamp,
    ) {
        for denial in denials.iter_mut().filter(|denial| denial.ended.is_none()) {
            let ended = match document.rules.end_sessions && !local.has_uid(denial.uid) {
                true => self.machine.sessions.end(&denial.account, denial.uid),
                false => Ok(0),
            };
            if let Ok(ended) = ended {
                denial.ended = Some(ended);
                denial.since = now;
            }
        }
        // Of whom the document does not say that they have left, nothing is reported.
        let left = document.accounts.iter();
        let left = left.filter(|account| account.access.is_none());
        let left: BTreeSet<&str> = left.map(|account| account.id.as_str()).collect();
        denials.retain(|denial| denial.ended.is_none() || left.contains(denial.id.as_str()));
    }

    /// Last of all: the document is in force.
    fn conclude(
        &mut self,
        document: &Document,
        checked: &Checked<'_>,
        now: Timestamp,
    ) -> io::Result<()> {
        let store = Store(&self.paths);
        let version = document.version;
        let before = store.outcome()?.map(|outcome| outcome.applied);
        let applied = before.filter(|applied| applied.version == version);
        let conflicts = checked.conflicts.iter().cloned();
        let outcome = Outcome {
            applied: applied.unwrap_or(Applied { version, at: now }),
            conflicts: conflicts.map(api::Conflict::from).collect(),
        };
        store.set_outcome(&mut *self.machine.files, &outcome)
    }

    fn revoke(&mut self, signed: &api::Krl) -> Result<(), Refusal> {
        let config = self.config()?;
        let known = self.known(&config)?;
        krl::install(
            &mut *self.machine.files,
            &self.paths,
            &config,
            &known,
            signed,
        )
    }

    fn certify(&mut self, line: &str, now: Timestamp) -> Result<(), Refusal> {
        let config = self.config()?;
        let known = self.known(&config)?;
        certificate::install(&mut self.machine, &self.paths, &config, &known, line, now)
    }

    fn remove(&mut self, removal: &api::Removal) -> Result<api::Removed, Refusal> {
        let config = self.config()?;
        let known = self.known(&config)?;
        denied::remove(&mut self.machine, &self.paths, &known, removal)
    }

    fn state(&mut self, now: Timestamp) -> Answer {
        match self.look(now) {
            Ok(state) => Answer::State(Box::new(state)),
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    fn look(&mut self, now: Timestamp) -> Result<State, Refusal> {
        let config = self.config()?;
        let known = self.known(&config)?;
        // Whatever became of the list on disk meanwhile.
        ensure_krl(&mut *self.machine.files, &self.paths)?;
        let pending = |denials: Vec<Denial>| denials.iter().any(|denial| denial.ended.is_none());
        if let Some(verified) = &known.document
            && pending(Store(&self.paths).denials()?)
        {
            let is_last = verified.document().version == known.highest;
            self.follow(&config, verified, is_last, now)?;
        }
        let store = Store(&self.paths);
        let outcome = store.outcome()?;
        let denials = store.denials()?;
        Ok(State {
            applied: outcome.as_ref().map(|outcome| outcome.applied),
            lease_until: known.document().and_then(|document| document.lease_until),
            krl: krl::on_disk(&self.paths).map(|bytes| krl::tag(&bytes)),
            conflicts: outcome.map(|outcome| outcome.conflicts).unwrap_or_default(),
            certificate: shown(&self.paths),
            denied: denied::facts(&*self.machine.sessions, &self.paths, &denials),
        })
    }
}

fn refused(code: &str, detail: impl Display) -> Refusal {
    Refusal {
        code: code.to_owned(),
        detail: detail.to_string(),
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        refused("disk", format!("a file cannot be read or written: {error}"))
    }
}
