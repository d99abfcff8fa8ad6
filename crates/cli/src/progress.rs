//! How far long work has come, for people: a bar on a terminal; elsewhere a line every few seconds, and one for each stage
//! that is over. Nothing is shown where a program reads the output.

use crate::output::Format;
use crate::time;
use indicatif::{
    HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState,
    ProgressStyle,
};
use portreeve_provisioning::job::{Phase, Progress};
use std::fmt::Write;
use std::future::Future;
use std::io::{IsTerminal, stderr};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;

/// How often a line is written where there is no terminal, and a bar drawn where there is one.
const LINES: Duration = Duration::from_secs(5);
const FRAMES: Duration = Duration::from_millis(100);

/// How often a stage of which nothing new is heard is shown again, because time passes.
const TICK: Duration = Duration::from_secs(1);

/// How far a stage has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) unit: Unit,
    pub(crate) done: u64,
    /// `None` where nobody knows.
    pub(crate) total: Option<u64>,
    pub(crate) failed: u64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    /// Things of that name, in the plural; of none where the stage's says it.
    Things(&'static str),
    /// Nothing: how long it takes is not known.
    Nothing,
}

/// Shows stages of work, one after the other.
pub(crate) struct Shown {
    manner: Manner,
    stage: Option<Stage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Bar,
    Lines,
    Silent,
}

struct Stage {
    name: String,
    /// Where it stood when it was heard of first, and when that was on the steady clock.
    first: (u64, Duration),
    reached: Reached,
    /// When it was shown last.
    shown: Duration,
    bar: ProgressBar,
}

impl Shown {
    pub(crate) fn new(format: Format) -> Self {
        let manner = match (format, stderr().is_terminal()) {
            (Format::Table, true) => Manner::Bar,
            (Format::Table, false) => Manner::Lines,
            _ => Manner::Silent,
        };
        Self {
            manner,
            stage: None,
        }
    }

    /// A stage has come so far. The one before it, if it has another name, is over.
    pub(crate) fn at(&mut self, name: &str, reached: Reached) {
        let now = time::steady();
        if self.stage.as_ref().is_none_or(|stage| stage.name != name) {
            self.end(true);
            self.stage = Some(Stage::begin(name, reached, now, self.manner));
        }
        let Some(stage) = &mut self.stage else {
            return;
        };
        stage.reached = reached;
        let pause = match self.manner {
            Manner::Bar => FRAMES,
            Manner::Lines => LINES,
            Manner::Silent => return,
        };
        if now.saturating_sub(stage.shown) < pause {
            return;
        }
        stage.shown = now;
        match self.manner {
            Manner::Bar => stage.draw(now),
            _ => eprintln!("{name}: {}", stage.line(now)),
        }
    }

    /// The last stage is over. One that went well and had something to do leaves a line.
    pub(crate) fn end(&mut self, well: bool) {
        let Some(stage) = self.stage.take() else {
            return;
        };
        stage.bar.finish_and_clear();
        let idle = stage.reached.done == 0 && matches!(stage.reached.unit, Unit::Things(_));
        if well && !idle && self.manner != Manner::Silent {
            eprintln!("{}: {}", stage.name, stage.reached.at_its_end());
        }
    }
}

impl Stage {
    fn begin(name: &str, reached: Reached, now: Duration, manner: Manner) -> Self {
        let target = match manner {
            Manner::Bar => ProgressDrawTarget::stderr(),
            Manner::Lines | Manner::Silent => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target).with_prefix(name.to_owned());
        Self {
            name: name.to_owned(),
            first: (reached.done, now),
            reached,
            shown: now,
            bar,
        }
    }

    fn draw(&self, now: Duration) {
        let template = match self.reached.total {
            Some(_) => "{prefix:12} {wide_bar} {line}",
            None => "{prefix:12} {spinner} {line}",
        };
        let line = self.line(now);
        if let Ok(style) = ProgressStyle::with_template(template) {
            // A message would be drawn by itself, beside a bar that stands elsewhere.
            let write = move |_: &ProgressState, out: &mut dyn Write| {
                let _ = out.write_str(&line);
            };
            self.bar.set_style(style.with_key("line", write));
        }
        self.bar.update(|state| {
            if let Some(total) = self.reached.total {
                state.set_len(total);
            }
            state.set_pos(self.reached.done);
        });
    }

    fn line(&self, now: Duration) -> String {
        let (done, since) = self.first;
        self.reached.line(done, now.saturating_sub(since))
    }
}

impl Reached {
    /// How far, how fast, how long still, and what failed. `before` of it were done before that time began.
    fn line(&self, before: u64, elapsed: Duration) -> String {
        let count = |count| self.unit.count(count);
        let mut parts = match (self.unit, self.total) {
            (Unit::Nothing, _) => vec![HumanDuration(elapsed).to_string()],
            (Unit::Bytes, Some(total)) => vec![format!("{} of {}", count(self.done), count(total))],
            (Unit::Things(_), Some(total)) => {
                vec![format!("{} of {}", HumanCount(self.done), count(total))]
            }
            (_, None) => vec![count(self.done)],
        };
        let since = self.done.saturating_sub(before);
        let rate = since as f64 / elapsed.as_secs_f64().max(0.001);
        if since > 0 && elapsed >= Duration::from_secs(1) && self.unit != Unit::Nothing {
            parts.push(self.unit.rate(rate));
            let left = self
                .total
                .map_or(0, |total| total.saturating_sub(self.done));
            if left > 0 {
                let left = Duration::from_secs_f64((left as f64 / rate).min(1e9));
                parts.push(format!("{} left", HumanDuration(left)));
            }
        }
        parts.extend(self.failures());
        parts.join(", ")
    }

    fn at_its_end(&self) -> String {
        let done = match self.unit {
            Unit::Nothing => "done".to_owned(),
            Unit::Bytes | Unit::Things(_) => format!("{} done", self.unit.count(self.done)),
        };
        let parts: Vec<String> = std::iter::once(done).chain(self.failures()).collect();
        parts.join(", ")
    }

    fn failures(&self) -> Option<String> {
        (self.failed > 0).then(|| format!("{} failed", HumanCount(self.failed)))
    }
}

impl Unit {
    fn count(self, count: u64) -> String {
        match self {
            Self::Bytes => HumanBytes(count).to_string(),
            Self::Things("") => HumanCount(count).to_string(),
            Self::Things(things) => format!("{} {things}", HumanCount(count)),
            Self::Nothing => String::new(),
        }
    }

    fn rate(self, rate: f64) -> String {
        match self {
            Self::Bytes => format!("{}/s", HumanBytes(rate as u64)),
            Self::Things(_) | Self::Nothing if rate < 10.0 => format!("{rate:.1}/s"),
            Self::Things(_) | Self::Nothing => format!("{}/s", HumanCount(rate as u64)),
        }
    }
}

/// Does the work of a cycle and shows meanwhile how far it has come.
pub(crate) async fn of_cycle<T, E>(
    format: Format,
    mut progress: watch::Receiver<Progress>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut shown = Shown::new(format);
    let mut work = pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            Ok(()) = progress.changed() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        let now = *progress.borrow_and_update();
        if let Some((name, unit)) = stage(now.phase).filter(|_| now.number > 0) {
            let Progress {
                done,
                total,
                failed,
                ..
            } = now;
            shown.at(
                name,
                Reached {
                    unit,
                    done,
                    total,
                    failed,
                },
            );
        }
    };
    shown.end(done.is_ok());
    done
}

/// A phase and what it counts, for people; `None` for the end, which is over in a moment.
fn stage(phase: Phase) -> Option<(&'static str, Unit)> {
    const OBJECTS: Unit = Unit::Things("users and groups");
    Some(match phase {
        Phase::Import => ("Reading", OBJECTS),
        Phase::Absent => ("Comparing", OBJECTS),
        Phase::Plan => ("Planning", OBJECTS),
        Phase::Export => ("Writing", OBJECTS),
        Phase::References => ("Linking", Unit::Things("members and managers")),
        Phase::End => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: Unit = Unit::Things("users and groups");

    fn of(done: u64, total: u64, failed: u64) -> Reached {
        let total = Some(total).filter(|total| *total != u64::MAX);
        Reached {
            unit: OBJECTS,
            done,
            total,
            failed,
        }
    }

    #[test]
    fn a_line_says_how_far_how_fast_how_long_still_and_what_failed() {
        let unknown = u64::MAX;
        let cases = [
            (
                "nothing yet",
                of(0, 1000, 0),
                0,
                0,
                "0 of 1,000 users and groups",
            ),
            (
                "on its way",
                of(25_000, 100_000, 0),
                0,
                10,
                "25,000 of 100,000 users and groups, 2,500/s, 30 seconds left",
            ),
            (
                "resumed",
                of(60_000, 100_000, 3),
                50_000,
                10,
                "60,000 of 100,000 users and groups, 1,000/s, 40 seconds left, 3 failed",
            ),
            (
                "slow",
                of(30, 1800, 1),
                0,
                60,
                "30 of 1,800 users and groups, 0.5/s, 59 minutes left, 1 failed",
            ),
            (
                "to no known end",
                of(5000, unknown, 0),
                0,
                10,
                "5,000 users and groups, 500/s",
            ),
            (
                "at its end",
                of(1000, 1000, 0),
                0,
                10,
                "1,000 of 1,000 users and groups, 100/s",
            ),
            ("of nothing", of(0, 0, 0), 0, 10, "0 of 0 users and groups"),
            (
                "standing still",
                of(7, 9, 0),
                7,
                10,
                "7 of 9 users and groups",
            ),
        ];
        for (name, reached, before, seconds, expected) in cases {
            let line = reached.line(before, Duration::from_secs(seconds));
            assert_eq!(line, expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_counted_in_things_has_its_own_words() {
        let line = |unit, done, total, seconds| {
            let reached = Reached {
                unit,
                done,
                total,
                failed: 0,
            };
            reached.line(0, Duration::from_secs(seconds))
        };
        let bytes = line(Unit::Bytes, 1 << 20, Some(4 << 20), 2);
        assert_eq!(bytes, "1.00 MiB of 4.00 MiB, 512.00 KiB/s, 6 seconds left");
        assert_eq!(line(Unit::Bytes, 2048, None, 2), "2.00 KiB, 1.00 KiB/s");
        assert_eq!(line(Unit::Nothing, 0, None, 42), "42 seconds");
        assert_eq!(
            line(Unit::Things(""), 1500, Some(3000), 1),
            "1,500 of 3,000, 1,500/s, 1 second left"
        );
    }

    #[test]
    fn a_stage_that_is_over_says_what_it_came_to() {
        for (unit, done, failed, expected) in [
            (
                OBJECTS,
                100_000,
                3,
                "100,000 users and groups done, 3 failed",
            ),
            (Unit::Things(""), 3000, 0, "3,000 done"),
            (Unit::Bytes, 2048, 0, "2.00 KiB done"),
            (Unit::Nothing, 0, 0, "done"),
        ] {
            let reached = Reached {
                unit,
                done,
                total: None,
                failed,
            };
            assert_eq!(reached.at_its_end(), expected);
        }
    }
}
