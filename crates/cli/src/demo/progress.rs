//! How far the provisioning has come: bars on a terminal, a line per phase elsewhere.

use crate::output::Format;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use portreeve_provisioning::demo::{Phase, Progress};
use std::io::{IsTerminal, stderr};

pub(super) struct Shown {
    bars: bool,
    /// Nothing is shown where a program reads the output.
    silent: bool,
    current: Option<(Phase, ProgressBar)>,
}

impl Shown {
    pub(super) fn new(format: Format) -> Self {
        let silent = format != Format::Table;
        Self {
            bars: stderr().is_terminal() && !silent,
            silent,
            current: None,
        }
    }

    /// The last phase is over.
    pub(super) fn finish(&mut self) {
        let Some((phase, bar)) = self.current.take() else {
            return;
        };
        bar.finish();
        if !self.bars && !self.silent {
            eprintln!("{phase}: {} done", bar.position());
        }
    }
}

impl Progress for Shown {
    fn begin(&mut self, phase: Phase, total: u64) {
        self.finish();
        let target = match self.bars {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:24} {wide_bar} {pos:>5}/{len:<5} {elapsed:>4}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(phase.to_string());
        self.current = Some((phase, bar));
    }

    fn advance(&mut self, steps: u64) {
        if let Some((_, bar)) = &self.current {
            bar.inc(steps);
        }
    }
}
