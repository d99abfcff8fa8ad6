//! The figures, as a table for people and as JSON for comparison.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::database::Kind;
use crate::limits::Limits;
use crate::load::Measured;
use crate::machine::Machine;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) limits: Limits,
    pub(crate) connections: usize,
    pub(crate) database: Kind,
    pub(crate) figures: Vec<Figure>,
    pub(crate) walks: Vec<Walk>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) groups: Vec<GroupFigure>,
}

/// One kind of request at one size.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    users: u64,
    name: &'static str,
    measured: Measured,
    beside: Option<Beside>,
}

/// What stands beside a figure: what is wanted, and the limits.
#[derive(Debug, Serialize)]
pub(crate) struct Beside {
    pub(crate) goal: Goal,
    /// The bare handler.
    pub(crate) bare: Measured,
    /// The bare handler over SQLite.
    pub(crate) floor: Option<Measured>,
}

/// What the project wants to reach on a quiet machine.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Goal {
    /// Of the bare handler's throughput in the same run.
    pub(crate) share: Option<f64>,
    /// An order of magnitude.
    pub(crate) per_second: f64,
}

/// Reading everything by cursor.
#[derive(Debug, Serialize)]
pub(crate) struct Walk {
    pub(crate) users: u64,
    pub(crate) pages: u64,
    pub(crate) seconds: f64,
    /// How long the last page took.
    pub(crate) last_page: Duration,
}

/// Memory of the server after reading and changing at one size.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) users: u64,
    pub(crate) now_mib: u64,
    pub(crate) most_mib: u64,
}

/// Adding and removing one member of a group.
#[derive(Debug, Serialize)]
pub(crate) struct GroupFigure {
    pub(crate) members: u64,
    pub(crate) measured: Measured,
}

impl Figure {
    pub(crate) fn new(
        users: u64,
        name: &'static str,
        measured: Measured,
        beside: Option<Beside>,
    ) -> Self {
        Self {
            users,
            name,
            measured,
            beside,
        }
    }
}

impl Beside {
    /// Cells of the table: the limits, and how much of each the server reaches.
    fn cells(&self, measured: &Measured) -> String {
        let Self { goal, bare, floor } = self;
        let share = |limit: &Measured| 100.0 * measured.per_second / limit.per_second;
        let floor = floor.as_ref().map_or(" | ".to_owned(), |floor| {
            format!(
                "{:.0} ({:.0} %) | {:.0} %",
                floor.per_second,
                100.0 * floor.per_second / bare.per_second,
                share(floor)
            )
        });
        let wanted = goal
            .share
            .map_or(String::new(), |share| format!("{:.0} %, ", share * 100.0));
        format!(
            "{:.0} | {:.0} % | {wanted}{:.0} | {floor}",
            bare.per_second,
            share(bare),
            goal.per_second
        )
    }
}

impl Report {
    /// Writes `results.json` and `results.md`.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        save(folder, "results", self, &self.markdown()?)
    }

    pub(crate) fn print(&self) -> Result<()> {
        Ok(std::io::stdout().write_all(self.markdown()?.as_bytes())?)
    }

    fn markdown(&self) -> Result<String> {
        let mut text = String::new();
        self.describe(&mut text)?;
        self.requests(&mut text)?;
        self.growth(&mut text)?;
        Ok(text)
    }

    fn describe(&self, text: &mut String) -> Result<()> {
        writeln!(text, "{}", self.machine)?;
        writeln!(
            text,
            "Database: {}. {} connections; the generator runs on the same cores.\n",
            self.database.name(),
            self.connections
        )?;
        writeln!(text, "| limit | per second |\n|---|---:|")?;
        writeln!(
            text,
            "| fdatasync of 4 KiB | {:.0} |",
            self.limits.fdatasync
        )?;
        for inserts in &self.limits.inserts {
            writeln!(
                text,
                "| SQLite insert of 1.2 kB, {} per commit | {:.0} |",
                inserts.per_commit, inserts.per_second
            )?;
        }
        Ok(())
    }

    fn requests(&self, text: &mut String) -> Result<()> {
        writeln!(
            text,
            "\n| users | request | per second | p50 ms | p99 ms | bare handler | share | wanted | bare over SQLite | share |"
        )?;
        writeln!(text, "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for figure in &self.figures {
            let Measured {
                per_second,
                p50_ms,
                p99_ms,
                ..
            } = &figure.measured;
            let beside = figure.beside.as_ref();
            let beside = beside.map_or(" |  |  |  | ".to_owned(), |it| it.cells(&figure.measured));
            writeln!(
                text,
                "| {} | {} | {per_second:.0} | {p50_ms:.1} | {p99_ms:.1} | {beside} |",
                figure.users, figure.name
            )?;
        }
        Ok(())
    }

    fn growth(&self, text: &mut String) -> Result<()> {
        writeln!(
            text,
            "\n| users | all by cursor, s | µs per user | memory MiB | most MiB |\n|---:|---:|---:|---:|---:|"
        )?;
        for (walk, memory) in self.walks.iter().zip(&self.memory) {
            let each = walk.seconds * 1e6 / walk.users as f64;
            writeln!(
                text,
                "| {} | {:.2} | {each:.1} | {} | {} |",
                walk.users, walk.seconds, memory.now_mib, memory.most_mib
            )?;
        }
        writeln!(
            text,
            "\n| members of the group | add or remove one, per second | p50 ms | p99 ms |\n|---:|---:|---:|---:|"
        )?;
        for GroupFigure { members, measured } in &self.groups {
            let Measured {
                per_second,
                p50_ms,
                p99_ms,
                ..
            } = measured;
            writeln!(
                text,
                "| {members} | {per_second:.0} | {p50_ms:.1} | {p99_ms:.1} |"
            )?;
        }
        Ok(())
    }
}

/// Writes figures to a folder, as JSON and as a table for people.
pub(crate) fn save(folder: &Path, name: &str, figures: &impl Serialize, table: &str) -> Result<()> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(figures)? + "\n";
        std::fs::write(folder.join(format!("{name}.json")), json)?;
        std::fs::write(folder.join(format!("{name}.md")), table)?;
        anyhow::Ok(())
    };
    write().with_context(|| format!("cannot write to {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64) -> Measured {
        Measured {
            requests: 9,
            per_second,
            p50_ms: 1.0,
            p99_ms: 2.0,
            max_ms: 3.0,
        }
    }

    #[test]
    fn a_figure_stands_beside_its_limit() {
        let goal = Goal {
            share: Some(0.5),
            per_second: 10_000.0,
        };
        let report = Report {
            machine: Machine {
                processor: "Abacus".into(),
                cores: 2,
                kernel: "6.1".into(),
                memory_gib: 24,
            },
            limits: Limits {
                fdatasync: 260.0,
                inserts: vec![],
            },
            connections: 32,
            database: Kind::Sqlite,
            figures: vec![
                Figure::new(
                    1000,
                    "lookup",
                    measured(6000.0),
                    Some(Beside {
                        goal,
                        bare: measured(8000.0),
                        floor: Some(measured(7500.0)),
                    }),
                ),
                Figure::new(1000, "get", measured(7000.0), None),
            ],
            walks: vec![Walk {
                users: 1000,
                pages: 1,
                seconds: 0.01,
                last_page: Duration::from_millis(1),
            }],
            memory: vec![Memory {
                users: 1000,
                now_mib: 40,
                most_mib: 50,
            }],
            groups: vec![GroupFigure {
                members: 10,
                measured: measured(5.0),
            }],
        };
        let text = report.markdown().unwrap();
        for line in [
            "Machine: Abacus, 2 cores, 24 GiB, Linux 6.1.",
            "| 1000 | lookup | 6000 | 1.0 | 2.0 | 8000 | 75 % | 50 %, 10000 | 7500 (94 %) | 80 % |",
            "| 1000 | get | 7000 | 1.0 | 2.0 |  |  |  |  |  |",
            "| 1000 | 0.01 | 10.0 | 40 | 50 |",
            "| 10 | 5 | 1.0 | 2.0 |",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
