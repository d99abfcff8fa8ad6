//! The half on the network: it has the host's identity, no rights, and is believed by nobody. It waits for documents and
//! revocation lists and hands them to the other half as they are, and reports how things stand.

mod follow;
mod half;
mod identity;
mod server;
mod tell;

pub use follow::Follower;
pub use half::{Half, Socket};
pub use identity::{Identity, Request as IdentityRequest};
pub use server::{Fault, Server, fetch_root};
pub use tell::{Settled, Teller};

use crate::paths::Paths;
use crate::wire::{Answer, Refusal, Request, State};
use crate::world::{Level, World};
use portreeve_host_policy::api::Krl;
use serde::{Deserialize, Serialize};
use std::fs;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the other half is asked for session events, and that is also how late one is reported.
const TICK: Duration = Duration::from_secs(5);

/// The first wait after a failure; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait, so that a server that comes back has its hosts again after a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What both threads of this half share.
pub struct Link<'a> {
    paths: Paths,
    half: &'a dyn Half,
    world: &'a dyn World,
    server: Mutex<Arc<Server>>,
    krl: Mutex<Option<KnownKrl>>,
    /// Why the other half did not take what came last.
    refused: Mutex<Option<Refusal>>,
}

/// The revocation list that was handed over last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownKrl {
    /// Its entity tag at the server, with quotation marks.
    tag: String,
    /// SHA-256 of the file, in lower-case hexadecimal digits.
    sha256: String,
}

/// Why something is not handed over or reported. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server.
    #[error("{0}")]
    Server(#[from] Fault),
    /// The other half cannot be reached.
    #[error("the half with root's rights cannot be reached: {0}; is portreeve-host-apply running?")]
    Half(std::io::Error),
    /// The other half does not take what the server has sent.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It answers something else.
    #[error(
        "the half with root's rights gives an answer to another question; are both of one version?"
    )]
    Confused,
}

impl<'a> Link<'a> {
    /// Begins with the identity on disk.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn open(paths: &Paths, half: &'a dyn Half, world: &'a dyn World) -> Result<Self, Fault> {
        let server = Server::with_identity(Identity::load(paths)?)?;
        let krl = fs::read(paths.net_state().join(KRL)).ok();
        Ok(Self {
            paths: paths.clone(),
            half,
            world,
            server: Mutex::new(Arc::new(server)),
            krl: Mutex::new(krl.and_then(|bytes| serde_json::from_slice(&bytes).ok())),
            refused: Mutex::new(None),
        })
    }

    fn server(&self) -> Arc<Server> {
        lock(&self.server).clone()
    }

    /// Goes on with another identity.
    fn use_identity(&self, identity: Identity) -> Result<(), Fault> {
        let server = Server::with_identity(identity)?;
        server.identity()?.save(&self.paths)?;
        *lock(&self.server) = Arc::new(server);
        Ok(())
    }

    /// Somebody may have enrolled this host anew while this ran.
    fn look_again(&self) {
        let known = Identity::load(&self.paths).and_then(Server::with_identity);
        if let Ok(server) = known {
            *lock(&self.server) = Arc::new(server);
        }
    }

    /// What is behind a trouble: where a certificate has run out, TLS says little or nothing (RFC 8446 section 6.2).
    fn explained(&self, trouble: Trouble) -> Trouble {
        let server = self.server();
        match (&trouble, server.identity()) {
            (Trouble::Server(Fault::Unreachable(url, _)), Ok(identity)) => match identity.life() {
                Ok((_, end)) if end < self.world.now() => Fault::RunOut(url.clone(), end).into(),
                _ => trouble,
            },
            _ => trouble,
        }
    }

    fn ask(&self, request: &Request) -> Result<Answer, Trouble> {
        match self.half.ask(request).map_err(Trouble::Half)? {
            Answer::Refused(refusal) => Err(Trouble::Refused(refusal)),
            answer => Ok(answer),
        }
    }

    fn state(&self) -> Result<State, Trouble> {
        match self.ask(&Request::State {})? {
            Answer::State(state) => Ok(*state),
            _ => Err(Trouble::Confused),
        }
    }

    /// The entity tag of the revocation list that is on disk; `None`: it is not one that we have handed over.
    fn krl_in_force(&self, state: &State) -> Option<String> {
        let known = lock(&self.krl);
        let known = known.as_ref()?;
        (state.krl.as_ref() == Some(&known.sha256)).then(|| known.tag.clone())
    }

    /// Fetches the revocation list and hands it over.
    fn renew_krl(&self) -> Result<(), Trouble> {
        // Held all the while: of the two threads one fetches.
        let mut known = lock(&self.krl);
        let (krl, tag) = self.server().krl()?;
        let sha256 = server::sha256_of(&krl)?;
        let Krl { krl, signature } = krl;
        self.ask(&Request::Krl(Krl { krl, signature }))?;
        let new = KnownKrl { tag, sha256 };
        // Without it the list is fetched once more after a start.
        if let Ok(text) = serde_json::to_vec(&new) {
            let _ = crate::undo::replace(&self.paths.net_state().join(KRL), &text, 0o600);
        }
        *known = Some(new);
        Ok(())
    }
}

/// What is remembered of the revocation list.
const KRL: &str = "krl.json";

/// Runs this half; it does not end by itself.
///
/// # Errors
/// When there is no identity.
pub fn run(paths: &Paths, half: &dyn Half, world: &dyn World) -> Result<(), Fault> {
    let link = &Link::open(paths, half, world)?;
    let (wake, woken) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || follow(link, &wake));
        tell(link, &woken);
    });
    Ok(())
}

fn follow(link: &Link<'_>, wake: &Sender<()>) {
    let mut follower = Follower::new(link);
    let mut failures = Failures::default();
    loop {
        match follower.turn() {
            Ok(has_changed) => {
                failures.over(link.world);
                if has_changed {
                    // Whoever would hear it is there as long as this runs.
                    let _ = wake.send(());
                }
            }
            Err(trouble) => {
                let trouble = link.explained(trouble);
                let wait = failures.another(link.world, &trouble);
                match &trouble {
                    // What the other half does not take is reported.
                    Trouble::Refused(_) => drop(wake.send(())),
                    Trouble::Server(fault) if fault.is_final() => link.look_again(),
                    _ => {}
                }
                link.world.sleep(wait);
            }
        }
    }
}

fn tell(link: &Link<'_>, woken: &Receiver<()>) {
    let mut teller = Teller::new(link);
    let mut failures = Failures::default();
    let mut wait = Duration::ZERO;
    loop {
        match woken.recv_timeout(wait) {
            Ok(()) => {
                // Several changes are one report.
                while woken.try_recv().is_ok() {}
                teller.something_has_changed();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        wait = match teller.turn() {
            Ok(_) => {
                failures.over(link.world);
                TICK
            }
            Err(trouble) => {
                let trouble = link.explained(trouble);
                failures.another(link.world, &trouble).max(TICK)
            }
        };
    }
}

/// Failures one after another: how long to wait, and what to say.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    said: String,
}

impl Failures {
    /// It works again.
    fn over(&mut self, world: &dyn World) {
        if self.count > 0 {
            world.say(Level::Info, "it works again");
        }
        *self = Self::default();
    }

    /// One more; the wait before the next attempt. Hosts that lost their server at one moment do not come back at one.
    fn another(&mut self, world: &dyn World, trouble: &Trouble) -> Duration {
        let text = trouble.to_string();
        if text != self.said {
            world.say(Level::Warning, &text);
            self.said = text;
        }
        let doubled = FIRST_WAIT.saturating_mul(1_u32 << self.count.min(10));
        self.count = self.count.saturating_add(1);
        let longest = match trouble {
            Trouble::Server(fault) if fault.is_final() => LONGEST_WAIT * 10,
            _ => LONGEST_WAIT,
        };
        doubled.min(longest).mul_f64(0.5 + world.chance() / 2.0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
