//! .NET regular expressions on a backtracking engine, with limits.
//!
//! What is written differently in .NET is translated (`translate`); what it means differently is done here: named
//! groups are numbered after the others, a group may be named twice, and an empty match may follow right after one
//! that is not empty. Matching from right to left, balancing groups and conditions that are expressions are refused.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use fancy_regex::{Captures, Regex, RegexBuilder};

mod class;
mod template;
mod translate;

pub(crate) use template::Template;
use translate::{CaptureName, Translation};

/// How many steps back one search may take.
const MAX_STEPS: usize = 50_000;
/// What all searches of one evaluation may cost together, in steps and bytes.
const MAX_WORK: u64 = 50_000_000;
/// What compiling a pattern during an evaluation costs.
const COMPILATION: u64 = 1_000_000;
/// The most memory that a compiled pattern may take, in bytes, and the longest program of the engine.
const MAX_SIZE: usize = 2 << 20;
const MAX_PROGRAM: usize = 20_000;

/// Why a regular expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, at character {position} of it")]
pub struct PatternError {
    /// Where in the regular expression, in characters from 1.
    pub position: usize,
    /// What is wrong.
    pub problem: String,
}

/// A compiled regular expression; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// For texts that end with a line feed, when `$` or `\Z` is used: those match before it, too.
    before_line_feed: Option<Regex>,
    numbers: BTreeMap<u32, Vec<usize>>,
    names: BTreeMap<String, u32>,
    backtracks: bool,
}

/// A group: the engine's slots that belong to it, by the number that .NET gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(u32);

impl Group {
    pub(crate) const WHOLE: Self = Self(0);
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Result<Self, PatternError> {
        let translation = Translation::of(text)?;
        let (numbers, names) = numbered(&translation.captures);
        let slots = |name: &str| -> Option<&[usize]> {
            let number = name.parse().ok().or_else(|| names.get(name).copied())?;
            numbers.get(&number).map(Vec::as_slice)
        };
        let regex = compile(&translation.text(&slots, r"\z")?)?;
        let before_line_feed = match translation.has_end {
            true => Some(compile(&translation.text(&slots, r"(?=\n?\z)")?)?),
            false => None,
        };
        Ok(Self(Arc::new(Compiled {
            regex,
            before_line_feed,
            backtracks: translation.backtracks,
            numbers,
            names,
        })))
    }

    /// The group of that name or number; `""` is the whole match.
    pub(crate) fn group(&self, name: &str) -> Option<Group> {
        if name.is_empty() || name == "0" {
            return Some(Group::WHOLE);
        }
        let number = self.0.names.get(name).copied();
        let number = number.or_else(|| name.parse().ok())?;
        self.0
            .numbers
            .contains_key(&number)
            .then_some(Group(number))
    }

    pub(crate) fn group_names(&self) -> impl Iterator<Item = &str> {
        self.0.names.keys().map(String::as_str)
    }

    /// The group with the highest number.
    fn last_group(&self) -> Group {
        Group(self.0.numbers.keys().next_back().copied().unwrap_or(0))
    }

    /// All matches, one after the other. Groups can be asked for only when `with_groups` says so.
    pub(crate) fn matches<'m>(
        &'m self,
        text: &'m str,
        work: &'m Work,
        with_groups: bool,
    ) -> Matches<'m> {
        let before_line_feed = self.0.before_line_feed.as_ref();
        let before_line_feed = before_line_feed.filter(|_| text.ends_with('\n'));
        Matches {
            pattern: &self.0,
            // A look-ahead stands for the end there.
            backtracks: self.0.backtracks || before_line_feed.is_some(),
            regex: before_line_feed.unwrap_or(&self.0.regex),
            text,
            work,
            with_groups: with_groups && !self.0.numbers.is_empty(),
            from: Some(0),
        }
    }

    /// Whether there is a match anywhere.
    pub(crate) fn is_match(&self, text: &str, work: &Work) -> Result<bool, Exhausted> {
        let found = self.matches(text, work, false).next();
        found.transpose().map(|found| found.is_some())
    }
}

/// .NET's numbers for the groups: those without a name first, then the names in the order of their first use.
fn numbered(captures: &[CaptureName]) -> (BTreeMap<u32, Vec<usize>>, BTreeMap<String, u32>) {
    let mut numbers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut next = 1;
    for (slot, capture) in (1..).zip(captures) {
        let number = match capture {
            CaptureName::None => {
                next += 1;
                next - 1
            }
            CaptureName::Number(number) => *number,
            CaptureName::Name(_) => continue,
        };
        numbers.entry(number).or_default().push(slot);
    }
    for (slot, capture) in (1..).zip(captures) {
        if let CaptureName::Name(name) = capture {
            let number = *names.entry(name.clone()).or_insert_with(|| {
                while numbers.contains_key(&next) {
                    next += 1;
                }
                next
            });
            numbers.entry(number).or_default().push(slot);
        }
    }
    (numbers, names)
}

fn compile(text: &str) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(text);
    builder
        .backtrack_limit(MAX_STEPS)
        .delegate_size_limit(MAX_SIZE)
        .delegate_dfa_size_limit(MAX_SIZE)
        .max_prog_size(MAX_PROGRAM);
    builder.build().map_err(|error| PatternError {
        position: 1,
        problem: match error {
            fancy_regex::Error::CompileError(inner) => {
                format!("it is too large, or uses what is not supported ({inner})")
            }
            other => other.to_string(),
        },
    })
}

/// What regular expressions may still cost in one evaluation.
#[derive(Debug)]
pub(crate) struct Work(Cell<u64>);

impl Default for Work {
    fn default() -> Self {
        Self(Cell::new(MAX_WORK))
    }
}

/// A limit on regular expressions was reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exhausted;

impl Work {
    pub(crate) fn charge_compilation(&self) -> Result<(), Exhausted> {
        self.charge(COMPILATION)
    }

    fn charge(&self, cost: u64) -> Result<(), Exhausted> {
        let left = self.0.get().checked_sub(cost).ok_or(Exhausted)?;
        self.0.set(left);
        Ok(())
    }
}

/// Matches from left to right, as .NET finds them.
pub(crate) struct Matches<'m> {
    pattern: &'m Compiled,
    regex: &'m Regex,
    backtracks: bool,
    text: &'m str,
    work: &'m Work,
    with_groups: bool,
    from: Option<usize>,
}

impl<'m> Matches<'m> {
    fn search(&self, from: usize) -> Result<Option<Found<'m>>, Exhausted> {
        let length = u64::try_from(self.text.len() - from).unwrap_or(u64::MAX);
        // A step of the backtracking engine may look at the whole text.
        let cost = match self.backtracks {
            true => MAX_STEPS as u64 * (1 + length / 1024),
            false => 1 + length,
        };
        self.work.charge(cost)?;
        if !self.with_groups {
            let found = self
                .regex
                .find_from_pos(self.text, from)
                .map_err(|_| Exhausted)?;
            return Ok(found.map(|found| Found {
                start: found.start(),
                end: found.end(),
                pattern: self.pattern,
                captures: None,
            }));
        }
        let captures = self
            .regex
            .captures_from_pos(self.text, from)
            .map_err(|_| Exhausted)?;
        Ok(captures.and_then(|captures| {
            let whole = captures.get(0)?;
            Some(Found {
                start: whole.start(),
                end: whole.end(),
                pattern: self.pattern,
                captures: Some(captures),
            })
        }))
    }
}

impl<'m> Iterator for Matches<'m> {
    type Item = Result<Found<'m>, Exhausted>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.search(self.from?).transpose();
        self.from = match &found {
            Some(Ok(found)) if found.end > found.start => Some(found.end),
            Some(Ok(found)) => {
                let next = self
                    .text
                    .get(found.end..)
                    .and_then(|rest| rest.chars().next());
                next.map(|c| found.end + c.len_utf8())
            }
            _ => None,
        };
        found
    }
}

/// One match.
pub(crate) struct Found<'m> {
    start: usize,
    end: usize,
    pattern: &'m Compiled,
    captures: Option<Captures<'m, str>>,
}

impl Found<'_> {
    /// Where the match starts, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Where the match ends, in bytes.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// Where the group matched; `None` when it took no part in the match. Of a group that is named twice, the
    /// later one counts.
    pub(crate) fn group(&self, group: Group) -> Option<(usize, usize)> {
        if group == Group::WHOLE {
            return Some((self.start, self.end));
        }
        let (slots, captures) = (self.pattern.numbers.get(&group.0)?, self.captures.as_ref()?);
        let found = slots.iter().rev().find_map(|&slot| captures.get(slot))?;
        Some((found.start(), found.end()))
    }
}
