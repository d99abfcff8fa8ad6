//! This server among those of its database: that it lives, who else does, and which leases it has.

use super::answers;
use crate::app::App;
use crate::trouble::Trouble;
use portreeve_directory::leases::{self, Halted, LIFE, Lease, Watch};
use portreeve_directory::{Clock, Ids, Refusal};
use portreeve_store::{Scope, Store, Tx};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

/// How often guarded work that waits for something looks whether it may go on.
const LOOK: Duration = Duration::from_secs(1);

/// What this server knows of itself as a replica.
pub(crate) struct Replica {
    store: Store,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    /// Whether no other server can use the database, so that nobody waits for a beat.
    sole: bool,
    state: Mutex<State>,
    /// Held while a beat is written, so that there is one at a time.
    beating: tokio::sync::Mutex<()>,
}

struct State {
    id: Arc<str>,
    /// The time on the steady clock before the last beat was sent that was written.
    beaten: Duration,
    held: HashMap<Work, Lease>,
    /// Who has the leases that this replica has asked for and not got.
    elsewhere: HashMap<Work, String>,
}

/// A piece of work: its owner, and which of the owner's it is.
type Work = (String, &'static str);

/// A lease that this server has.
#[derive(Clone)]
pub(crate) struct Held {
    replica: Arc<Replica>,
    lease: Lease,
}

impl Replica {
    /// Lets this server live. `sole`: no other server can use the database, so all that are in it are gone.
    pub(crate) async fn start(
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
        sole: bool,
    ) -> Result<Arc<Self>, Refusal> {
        let (id, beaten) = (new_id(&*clock, &ids), clock.steady());
        let (registered, now) = (id.clone(), clock.now());
        let scope = if sole { Scope::ALL } else { Scope::of(&id) };
        let register = move |tx: &mut Tx<'_>| {
            if sole {
                leases::alone(tx)?;
            }
            leases::register(tx, &registered, now)
        };
        store.write(scope, register).await?;
        Ok(Arc::new(Self {
            store,
            clock,
            ids,
            sole,
            state: Mutex::new(State {
                id,
                beaten,
                held: HashMap::new(),
                elsewhere: HashMap::new(),
            }),
            beating: tokio::sync::Mutex::default(),
        }))
    }

    /// Its id now; another one after it was buried.
    pub(crate) fn id(&self) -> Arc<str> {
        self.lock().id.clone()
    }

    /// Whether no other server can use the database.
    pub(crate) fn is_sole(&self) -> bool {
        self.sole
    }

    /// The lease of a piece of work, if this replica has it or gets it now.
    pub(crate) async fn take(
        self: &Arc<Self>,
        owner_id: &str,
        name: &'static str,
    ) -> Result<Option<Held>, Refusal> {
        if self.left().is_zero() && !self.beat().await? {
            return Ok(None);
        }
        let work = (owner_id.to_owned(), name);
        let held = |lease| Held {
            replica: self.clone(),
            lease,
        };
        let id = {
            let state = self.lock();
            if let Some(lease) = state.held.get(&work) {
                return Ok(Some(held(lease.clone())));
            }
            if state.elsewhere.contains_key(&work) {
                return Ok(None);
            }
            state.id.clone()
        };
        let asked = work.clone();
        let holder = self
            .store
            .lookup(move |tx| leases::holder(tx, &asked.0, asked.1));
        if let Some(other) = holder.await?.filter(|holder| **holder != *id) {
            self.lock().elsewhere.insert(work, other);
            return Ok(None);
        }
        let (owner_id, holder) = (work.0.clone(), id.clone());
        let taken = self.store.write(Scope::of(&work.0), move |tx| {
            leases::acquire(tx, &owner_id, name, &holder)
        });
        let Some(lease) = taken.await? else {
            return Ok(None);
        };
        let mut state = self.lock();
        if state.id != id {
            return Ok(None);
        }
        state.held.insert(work, lease.clone());
        Ok(Some(held(lease)))
    }

    /// The lease of a piece of work for a moment, and for good that of other work, whose living holder loses it; `None` when
    /// `rests` says that the other work does not rest, or another server has the moment. Also, whether there was such a
    /// holder.
    pub(crate) async fn take_over(
        self: &Arc<Self>,
        owner_id: &str,
        (name, other): (&'static str, &'static str),
        rests: impl Fn(&mut Tx<'_>) -> Result<bool, Refusal> + Send + 'static,
    ) -> Result<Option<(Held, bool)>, Refusal> {
        if self.left().is_zero() && !self.beat().await? {
            return Ok(None);
        }
        let id = self.id();
        let (owner, holder) = (owner_id.to_owned(), id.clone());
        let taken = self.store.write(Scope::of(owner_id), move |tx| {
            if !rests(tx)? {
                return Ok::<_, Refusal>(None);
            }
            let Some(lease) = leases::acquire(tx, &owner, name, &holder)? else {
                return Ok(None);
            };
            let before = leases::holder(tx, &owner, other)?;
            leases::seize(tx, &owner, other, &holder)?;
            Ok(Some((
                lease,
                before.is_some_and(|before| before != *holder),
            )))
        });
        let Some((lease, has_moved)) = taken.await? else {
            return Ok(None);
        };
        let mut state = self.lock();
        if state.id != id {
            return Ok(None);
        }
        state.elsewhere.remove(&(owner_id.to_owned(), other));
        let held = Held {
            replica: self.clone(),
            lease: lease.clone(),
        };
        state.held.insert((owner_id.to_owned(), name), lease);
        Ok(Some((held, has_moved)))
    }

    /// Says that this server lives. `false`: the others had buried it, and it lives under another id from now on.
    async fn beat(&self) -> Result<bool, Refusal> {
        if self.sole {
            return Ok(true);
        }
        let _one = self.beating.lock().await;
        let (id, sent) = (self.id(), self.clock.steady());
        let beating = id.clone();
        let write = self
            .store
            .write(Scope::of(&id), move |tx| leases::beat(tx, &beating));
        if write.await? {
            self.lock().beaten = sent;
            return Ok(true);
        }
        self.begin_anew().await?;
        Ok(false)
    }

    async fn begin_anew(&self) -> Result<(), Refusal> {
        tracing::warn!(
            "this server did not reach the database for so long that the others have taken over its work"
        );
        let (id, beaten) = (new_id(&*self.clock, &self.ids), self.clock.steady());
        let (registered, now) = (id.clone(), self.clock.now());
        let write = self.store.write(Scope::of(&id), move |tx| {
            leases::register(tx, &registered, now)
        });
        let written: Result<(), Refusal> = write.await;
        written?;
        *self.lock() = State {
            id,
            beaten,
            held: HashMap::new(),
            elsewhere: HashMap::new(),
        };
        Ok(())
    }

    /// Looks after the others: buries those that do not beat any more. Returns whether one is gone that had work which
    /// this replica has asked for.
    async fn look(&self, watch: &mut Watch) -> Result<bool, Refusal> {
        let mut listed = self.store.lookup(leases::replicas).await?;
        let id = self.id();
        listed.retain(|replica| *replica.id != *id);
        for still in watch.look(&listed, self.clock.steady()) {
            let dead = still.clone();
            let bury = move |tx: &mut Tx<'_>| leases::bury(tx, &dead);
            let buried: Result<bool, Refusal> = self.store.write(Scope::ALL, bury).await;
            if buried? {
                tracing::warn!(
                    replica = still.id,
                    "a server does not answer any more; its work is taken over"
                );
                listed.retain(|replica| replica.id != still.id);
            }
        }
        let mut state = self.lock();
        let before = state.elsewhere.len();
        let lives = |holder: &String| listed.iter().any(|replica| replica.id == *holder);
        state.elsewhere.retain(|_, holder| lives(holder));
        Ok(state.elsewhere.len() < before)
    }

    /// Gives everything back, so that the others need not wait for this server's death.
    pub(crate) async fn leave(&self) {
        let id = self.id();
        let leave = move |tx: &mut Tx<'_>| leases::leave(tx, &id);
        let left: Result<(), Refusal> = self.store.write(Scope::ALL, leave).await;
        if let Err(error) = left {
            tracing::warn!(%error, "the other servers take over this server's work only when it has not been heard of for a while");
        }
    }

    /// How long this replica lives without another beat.
    fn left(&self) -> Duration {
        if self.sole {
            return Duration::MAX;
        }
        let age = self.clock.steady().saturating_sub(self.lock().beaten);
        LIFE.saturating_sub(age)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// How long nobody else can have this lease, by a clock that goes on while the process stands still. To be asked
    /// before every act that no transaction guards, which must not take longer.
    pub(crate) fn left(&self) -> Duration {
        let left = self.replica.left();
        let held = self
            .replica
            .lock()
            .held
            .values()
            .any(|it| *it == self.lease);
        if held { left } else { Duration::ZERO }
    }

    /// Runs `work` in one transaction, unless the lease was lost.
    pub(crate) async fn write<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Halted> {
        let lease = self.lease.clone();
        let write = self.replica.store.write(self.lease.scope(), move |tx| {
            leases::hold(tx, &lease)?;
            Ok(work(tx)?)
        });
        let done = write.await;
        if let Err(Halted::Lost(_)) = &done {
            self.forget();
        }
        done
    }

    /// Whether both are the same tenure of the same lease.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.lease == other.lease
    }

    /// What transactions check that are not written by [`write`](Self::write), as their first step.
    pub(crate) fn check(&self) -> impl Fn(&mut Tx<'_>) -> Result<(), Halted> + Send + Sync + use<> {
        let lease = self.lease.clone();
        move |tx| leases::hold(tx, &lease)
    }

    /// It was lost: when it is asked for again, the database is.
    pub(crate) fn forget(&self) {
        let mut state = self.replica.lock();
        state.held.retain(|_, lease| *lease != self.lease);
    }

    /// Gives it back. Where that fails, it is free for the others when this server is gone.
    pub(crate) async fn release(&self) {
        self.forget();
        let lease = self.lease.clone();
        let scope = self.lease.scope();
        let released = self
            .replica
            .store
            .write(scope, move |tx| leases::release(tx, &lease));
        let released: Result<(), Refusal> = released.await;
        if let Err(error) = released {
            tracing::warn!(%error, work = self.lease.name, "a lease was not given back");
        }
    }

    /// Does something that no transaction guards as long as nobody else can have the lease; `None` when it was broken
    /// off. It is asked for before each step of the work, also after the process has stood still.
    pub(crate) async fn guard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut look = pin!(tokio::time::sleep(LOOK));
        poll_fn(|context| {
            if self.left().is_zero() {
                return Poll::Ready(None);
            }
            while look.as_mut().poll(context).is_ready() {
                look.set(tokio::time::sleep(LOOK));
            }
            work.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// Beats, and looks after the other replicas, for as long as the server runs.
pub(crate) async fn beat(app: Arc<App>) {
    let replica = &app.replica;
    if replica.sole {
        return;
    }
    let (mut watch, mut trouble) = (Watch::default(), Trouble::default());
    loop {
        tokio::time::sleep(app.config.pace.beat).await;
        match round(&app, &mut watch).await {
            Ok(freed) => {
                if freed {
                    app.look_again();
                }
                if trouble.ends() {
                    tracing::info!("this server tells the others again that it lives");
                }
            }
            Err(error) => {
                watch.begin_anew();
                if trouble.begins() {
                    tracing::warn!(%error, "this server cannot tell the others that it lives; it goes on trying");
                }
            }
        }
    }
}

async fn round(app: &Arc<App>, watch: &mut Watch) -> Result<bool, Refusal> {
    app.replica.beat().await?;
    let freed = app.replica.look(watch).await?;
    answers::tell_interrupted(app).await?;
    Ok(freed)
}

fn new_id(clock: &dyn Clock, ids: &Ids) -> Arc<str> {
    ids.next(clock.now()).to_string().into()
}
