//! Planning, which counts who would lose access, and exporting: dirty objects are brought to the target, several at a
//! time, and settled many at a time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, join, select};
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use portreeve_directory::applications::{links, references};

use super::Job;
use super::cycle::{Run, Stopped, counted};
use super::export::export;
use super::facts::{self, Page, Prepared, Which};
use super::progress::Phase;
use super::settle::{self, Done};
use super::state::{JobError, row_kind};
use super::subject::{Stamp, Subject};
use crate::engine::guard::{Guard, Losses};
use crate::engine::plan::{Action, Link, Standing, plan};
use crate::engine::quarantine::Reason;
use crate::source::Kind;

/// How many objects are read at once.
const PAGE: i64 = 256;

/// How many objects are on their way at once. The target's own settings say how many requests that are.
pub(super) const AT_ONCE: usize = 64;

/// How many outcomes are settled in one transaction.
const SETTLED: usize = 256;

/// How long outcomes wait for others to be settled with.
const PATIENCE: Duration = Duration::from_millis(250);

/// In this order, so that groups find their members.
const KINDS: [Kind; 2] = [Kind::User, Kind::Group];

impl Job {
    /// Counts who would lose access. Planning an object depends on nothing but what is known of it, so nothing of it is
    /// written down: the export works it out again.
    pub(super) async fn plan(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let guard = Guard {
            threshold: self.application.guard_threshold,
            forced: run.cycle.forced,
        };
        let mut losses = Losses::default();
        if guard.threshold.is_some() && !guard.forced {
            for kind in KINDS {
                self.count_losses(run, kind, &mut losses).await?;
            }
        }
        run.cycle.held = guard.judge(losses).is_err();
        run.losses = run.cycle.held.then_some(losses);
        self.go_on(run, Phase::Export).await
    }

    async fn count_losses(
        &self,
        run: &Run<'_>,
        kind: Kind,
        losses: &mut Losses,
    ) -> Result<(), JobError> {
        let Some(rules) = self.application.of(kind) else {
            return Ok(());
        };
        let mut after = String::new();
        loop {
            run.check()?;
            let page = Page::dirty(&self.state, kind, &after, Which::Linked, PAGE).await?;
            let Some(last) = page.last().map(str::to_owned) else {
                return Ok(());
            };
            let prepared = page.prepare(&self.application, kind);
            run.tell(|progress| progress.done += prepared.len() as u64);
            for one in prepared {
                if let Prepared::Subject(subject) = one {
                    losses.count(plan(subject.standing, subject.link, &rules.rules));
                }
            }
            after = last;
        }
    }

    /// Brings all dirty objects to the target, people first.
    pub(super) async fn export(&self, run: &mut Run<'_>) -> Result<(), JobError> {
        let due = self.state.read(|tx, owner| {
            let id = &owner.application_id;
            let dirty = links::count_dirty(tx, id)?;
            Ok((dirty, references::count_due(tx, id)?))
        });
        let (dirty, due) = due.await?;
        run.tell(|progress| progress.total = u64::try_from(dirty).ok());
        if dirty + due > 0 {
            self.probe(run).await;
        }
        for kind in KINDS {
            if dirty > 0 && run.stopped.is_none() {
                self.export_kind(run, kind).await?;
            }
        }
        match run.stopped {
            Some(_) => Ok(()),
            None => self.go_on(run, Phase::References).await,
        }
    }

    /// Finds out whether requests work at all before they are made about somebody.
    async fn probe(&self, run: &mut Run<'_>) {
        for kind in KINDS {
            if self.application.of(kind).is_none() {
                continue;
            }
            if let Err(error) = self.target.probe(kind).await {
                let message = error.to_string();
                run.stopped = Some(Stopped {
                    reason: Reason::EncounteredQuarantineException,
                    message: format!("{}. {}", message.trim_end_matches('.'), error.remedy()),
                    retry_after: None,
                });
                return;
            }
        }
    }

    async fn export_kind(&self, run: &mut Run<'_>, kind: Kind) -> Result<(), JobError> {
        let halt = Arc::new(AtomicBool::new(false));
        let (stamp, held) = (run.stamp.clone(), run.cycle.held);
        let objects = self.dirty(kind, &halt, run.stop.clone());
        let exports = objects
            .map(|prepared| {
                let (stamp, halt) = (stamp.clone(), Arc::clone(&halt));
                async move {
                    match prepared? {
                        _ if halt.load(Ordering::Relaxed) => Ok(None),
                        prepared => Ok(Some(self.bring(prepared, held, &stamp).await)),
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|done| std::future::ready(Ok(done)))
            .inspect_ok(|done| {
                if done.outcome.stop.is_some() {
                    halt.store(true, Ordering::Relaxed);
                }
            });
        let mut exports = pin!(exports);
        let mut batch = gather(&mut exports).await?;
        while !batch.is_empty() {
            // The next ones are on their way while these are written down.
            let (settled, next) = join(self.settle(run, batch), gather(&mut exports)).await;
            settled?;
            batch = next?;
        }
        run.check()
    }

    /// The dirty objects of a kind, in the order of their keys, until somebody asks to stop.
    fn dirty(
        &self,
        kind: Kind,
        halt: &Arc<AtomicBool>,
        stop: super::Stop,
    ) -> impl Stream<Item = Result<Prepared, JobError>> + use<'_> {
        let halt = Arc::clone(halt);
        let pages = stream::try_unfold(String::new(), move |after| {
            let is_over = halt.load(Ordering::Relaxed) || stop.is_asked();
            async move {
                if is_over {
                    return Ok::<_, JobError>(None);
                }
                let page = Page::dirty(&self.state, kind, &after, Which::All, PAGE).await?;
                let Some(last) = page.last().map(str::to_owned) else {
                    return Ok(None);
                };
                let objects = page.prepare(&self.application, kind);
                self.announce(kind, &objects).await?;
                Ok(Some((stream::iter(objects.into_iter().map(Ok)), last)))
            }
        });
        pages.try_flatten()
    }

    /// Notes who is about to get access. Should nobody hear what came of it, and the object leave the scope, its resource
    /// is looked for then, and does not stay behind.
    pub(super) async fn announce(&self, kind: Kind, objects: &[Prepared]) -> Result<(), JobError> {
        let Some(rules) = self.application.of(kind).filter(|_| !self.target.is_dry()) else {
            return Ok(());
        };
        let gains = |subject: &Subject| {
            let known = matches!(subject.link, Link::Managed { disabled: false } | Link::Sent);
            let action = plan(subject.standing, subject.link, &rules.rules);
            !known && subject.standing == Standing::InScope && action != Action::Adopt
        };
        let new: Vec<String> = objects
            .iter()
            .filter_map(|prepared| match prepared {
                Prepared::Subject(subject) if gains(subject) => Some(subject.key.clone()),
                _ => None,
            })
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        self.state
            .write(move |tx, owner| {
                let keys: Vec<&str> = new.iter().map(String::as_str).collect();
                links::announce(tx, &owner.application_id, row_kind(kind), &keys)
            })
            .await
    }

    pub(super) async fn bring(&self, prepared: Prepared, held: bool, stamp: &Stamp) -> Done {
        let (application, target) = (&self.application, &self.target);
        let (subject, outcome) = match prepared {
            Prepared::Subject(subject) => {
                let outcome = export(application, target, &subject, held, stamp).await;
                (subject, outcome)
            }
            Prepared::Unread(subject) => {
                let outcome = facts::unread(&subject);
                (subject, outcome)
            }
            Prepared::Undecided(subject, why) => {
                let outcome = facts::undecided(&subject, &why, stamp);
                (subject, outcome)
            }
        };
        Done::new(&subject, outcome)
    }

    /// Writes down what has become of objects.
    pub(super) async fn settle(&self, run: &mut Run<'_>, done: Vec<Done>) -> Result<(), JobError> {
        let done = Arc::new(done);
        let counters = run.counters.change(|counters| {
            done.iter().for_each(|one| counters.count(&one.outcome));
        });
        let (number, text, batch) = (run.cycle.number, counted(&counters), Arc::clone(&done));
        let refused = self
            .state
            .write(move |tx, owner| settle::settle(tx, owner, &batch, number, &text));
        let refused = refused.await?;
        run.counters.change(|counters| {
            counters.failed += refused;
        });
        let linked = done.iter().filter_map(|one| {
            let resource = one.outcome.target_id.as_ref()?;
            Some((one.outcome.kind, resource))
        });
        run.owners.settled(linked);
        let stop = done.iter().find_map(|one| one.outcome.stop.clone());
        if let (None, Some((reason, message))) = (&run.stopped, stop) {
            run.stopped = Some(Stopped {
                reason,
                message,
                retry_after: None,
            });
        }
        let requests = run.requests(&self.target);
        let over = done.iter().filter(|one| one.outcome.stop.is_none());
        let over = over.count() as u64;
        run.tell(|progress| {
            progress.done += over;
            progress.requests = requests;
        });
        Ok(())
    }
}

/// Waits for something to settle, and for a moment for more of it. Nothing at the end of the stream.
async fn gather<S>(done: &mut S) -> Result<Vec<Done>, JobError>
where
    S: Stream<Item = Result<Done, JobError>> + Unpin,
{
    let mut batch = Vec::new();
    let Some(first) = done.next().await else {
        return Ok(batch);
    };
    batch.push(first?);
    let mut patience = pin!(tokio::time::sleep(PATIENCE));
    while batch.len() < SETTLED {
        match select(done.next(), &mut patience).await {
            Either::Left((Some(one), _)) => batch.push(one?),
            Either::Left((None, _)) | Either::Right(_) => break,
        }
    }
    Ok(batch)
}
