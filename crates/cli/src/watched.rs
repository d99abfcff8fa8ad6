//! Long work on a database: a bar on a terminal and a line per stage elsewhere, and an end in good order when somebody
//! asks for one.

use crate::failure::{Code, Failure};
use crate::output::Format;
use crate::runtime::{self, Signals};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Shows how far work has come, and knows whether it is to go on.
pub(crate) struct Watched {
    format: Format,
    cancelled: AtomicBool,
    current: Mutex<Option<Stage>>,
}

struct Stage {
    name: &'static str,
    unit: Unit,
    bar: ProgressBar,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Rows,
    /// Bytes of a file that grows to nobody knows what.
    Size,
    /// Nothing: how long it takes is not known.
    Unknown,
}

impl Watched {
    /// Tells of progress and hears whether to go on.
    pub(crate) fn at(
        &self,
        name: &'static str,
        unit: Unit,
        done: u64,
        total: u64,
    ) -> ControlFlow<()> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|stage| stage.name != name) {
            self.end(current.take());
            let bar = self.bar(name, unit);
            *current = Some(Stage { name, unit, bar });
        }
        if let Some(stage) = &*current {
            stage.bar.set_length(total);
            stage.bar.set_position(done);
        }
        match self.cancelled.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn bar(&self, name: &'static str, unit: Unit) -> ProgressBar {
        let target = match self.format == Format::Table && stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let template = match unit {
            Unit::Bytes => {
                "{prefix:10} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left"
            }
            Unit::Rows => {
                "{prefix:10} {wide_bar} {human_pos}/{human_len} rows, {per_sec}, {eta} left"
            }
            Unit::Size => "{prefix:10} {spinner} {bytes}, {bytes_per_sec}",
            Unit::Unknown => "{prefix:10} {spinner} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if unit == Unit::Unknown {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        bar.set_prefix(name);
        bar
    }

    /// A stage that is over leaves a line.
    fn end(&self, stage: Option<Stage>) {
        let Some(Stage { name, unit, bar }) = stage else {
            return;
        };
        // Finishing it sets it to its length.
        let done = bar.position();
        bar.finish_and_clear();
        if self.format != Format::Table {
            return;
        }
        match unit {
            Unit::Bytes | Unit::Size => eprintln!("{name}: {} done", HumanBytes(done)),
            Unit::Rows => eprintln!("{name}: {} rows done", HumanCount(done)),
            Unit::Unknown => eprintln!("{name}: done"),
        }
    }

    fn finish(&self, well: bool) {
        let stage = self
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match (stage, well) {
            (stage, true) => self.end(stage),
            (Some(stage), false) => stage.bar.finish_and_clear(),
            (None, false) => {}
        }
    }
}

/// Runs work that shows its progress. A signal asks it to end; it then undoes what it did and fails.
pub(crate) fn run<F, T>(format: Format, work: impl FnOnce(Arc<Watched>) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let watched = Arc::new(Watched {
        format,
        cancelled: AtomicBool::new(false),
        current: Mutex::new(None),
    });
    let mut done = Err(cancelled());
    runtime::client(async {
        let mut signals = Signals::catch()?;
        let mut work = std::pin::pin!(work(Arc::clone(&watched)));
        done = tokio::select! {
            done = &mut work => done,
            () = signals.next() => {
                watched.cancelled.store(true, Ordering::Relaxed);
                work.await
            }
        };
        Ok(())
    })?;
    watched.finish(done.is_ok());
    done
}

/// As [`run`], for work that blocks.
pub(crate) fn run_blocking<T: Send + 'static>(
    format: Format,
    work: impl FnOnce(Arc<Watched>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    run(format, |watched| async {
        tokio::task::spawn_blocking(move || work(watched))
            .await
            .unwrap_or_else(|panic| Err(Failure::plain(panic)))
    })
}

/// What is said when somebody asked for the end.
pub(crate) fn cancelled() -> Failure {
    Failure::new(Code::Cancelled, "cancelled; nothing was changed")
}
