//! An order in which the operations of a bulk request can be run.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::reference::leave_out;
use super::{Entry, Error, Method, Operation, Refusal};

/// One step of a plan. `index` is the place of the operation in the request.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Run the operation with [`Operation::resolved`].
    Run {
        /// Which operation.
        index: usize,
        /// `bulkId`s of resources that are made later only, because they refer to this one in turn; a
        /// [`Step::Complete`] follows.
        omit: BTreeSet<String>,
    },
    /// Patch the resource that a POST made, now that those it refers to are there. The result counts as the result
    /// of the operation. When it fails, the resource has to be removed again: a failed operation leaves nothing.
    Complete {
        /// Which operation made the resource.
        index: usize,
        /// The body of the PATCH, with references still to be substituted.
        patch: Value,
    },
    /// Report an error; there is nothing to run.
    Refuse {
        /// Which operation.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
}

/// Orders operations: as in the request, but a POST comes before the first operation that refers to what it makes.
/// Where POSTs refer to one another in a circle, the circle is broken by creating one of them without the reference
/// and completing it as soon as the other is there (RFC 7644 section 3.7.1).
///
/// Each operation is run or refused exactly once.
pub fn plan(entries: &[Entry]) -> Vec<Step> {
    let mut planner = Planner::new(entries);
    for index in 0..entries.len() {
        planner.visit(index);
    }
    planner.steps
}

struct Planner<'e> {
    entries: &'e [Entry],
    /// The POST behind each `bulkId`.
    made_by: HashMap<&'e str, usize>,
    state: Vec<State>,
    /// POSTs to complete once the operation of this index has run.
    unfinished: HashMap<usize, Vec<(usize, Value)>>,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    /// Waits, at this place of the stack, for the operations above it.
    Waiting(usize),
    Done,
}

/// An operation whose references are being looked after.
struct Frame<'e> {
    index: usize,
    operation: &'e Operation,
    references: Vec<String>,
    omit: BTreeSet<String>,
}

impl<'e> Planner<'e> {
    fn new(entries: &'e [Entry]) -> Self {
        let is_post = |entry: &Entry| matches!(&entry.operation, Ok(o) if o.method == Method::Post);
        let posts = entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| is_post(entry));
        Self {
            entries,
            made_by: posts
                .filter_map(|(index, entry)| Some((entry.bulk_id.as_deref()?, index)))
                .collect(),
            state: vec![State::New; entries.len()],
            unfinished: HashMap::new(),
            steps: Vec::with_capacity(entries.len()),
        }
    }

    /// Plans an operation after those it refers to: a depth-first walk with a stack of its own, because a chain of
    /// references may be as long as the request.
    fn visit(&mut self, index: usize) {
        let mut stack = Vec::new();
        self.open(index, &mut stack);
        while let Some(frame) = stack.last_mut() {
            let Some(bulk_id) = frame.references.pop() else {
                if let Some(frame) = stack.pop() {
                    self.close(frame);
                }
                continue;
            };
            let Some(&made_by) = self.made_by.get(bulk_id.as_str()) else {
                continue;
            };
            match self.state[made_by] {
                State::New => self.open(made_by, &mut stack),
                State::Waiting(_) => _ = frame.omit.insert(bulk_id),
                State::Done => {}
            }
        }
    }

    fn open(&mut self, index: usize, stack: &mut Vec<Frame<'e>>) {
        if self.state[index] != State::New {
            return;
        }
        match self.check(index) {
            Ok((operation, references)) => {
                self.state[index] = State::Waiting(stack.len());
                // Taken from the end, so that they are looked after in order.
                let references = references.into_iter().rev().collect();
                stack.push(Frame {
                    index,
                    operation,
                    references,
                    omit: BTreeSet::new(),
                });
            }
            Err(refusal) => {
                self.state[index] = State::Done;
                self.steps.push(Step::Refuse { index, refusal });
            }
        }
    }

    /// The operation and its references, each of which is the `bulkId` of a POST.
    fn check(&self, index: usize) -> Result<(&'e Operation, BTreeSet<String>), Refusal> {
        let operation = self.entries[index]
            .operation
            .as_ref()
            .map_err(Refusal::clone)?;
        let references = operation.references();
        let Some(lost) = references
            .iter()
            .find(|bulk_id| !self.made_by.contains_key(bulk_id.as_str()))
        else {
            return Ok((operation, references));
        };
        Err(match self.entries.iter().any(|e| e.operation.is_err() && e.bulk_id.as_ref() == Some(lost)) {
            true => super::UnresolvedRef { bulk_id: lost.clone() }.into(),
            false => Error::invalid_value(format!(
                "The operation refers to bulkId:{lost}, but no POST of this request has that bulkId"
            ))
            .into(),
        })
    }

    fn close(&mut self, frame: Frame<'e>) {
        let Frame {
            index,
            operation,
            omit,
            ..
        } = frame;
        self.state[index] = State::Done;
        if let Some(last) = omit
            .iter()
            .filter_map(|bulk_id| self.last_to_run(bulk_id, index))
            .min()
        {
            let patch = leave_out(&mut operation.data.clone(), &omit);
            self.unfinished
                .entry(last.1)
                .or_default()
                .push((index, patch));
        }
        self.steps.push(Step::Run { index, omit });
        for (index, patch) in self.unfinished.remove(&index).unwrap_or_default() {
            self.steps.push(Step::Complete { index, patch });
        }
    }

    /// Where the maker of an omitted resource waits in the stack; the lowest place is the last to run.
    fn last_to_run(&self, bulk_id: &str, index: usize) -> Option<(usize, usize)> {
        let made_by = *self.made_by.get(bulk_id)?;
        match self.state[made_by] {
            State::Waiting(place) => Some((place, made_by)),
            // An operation that refers to itself: it has just been closed and nothing is waited for after it.
            _ => (made_by == index).then_some((usize::MAX, index)),
        }
    }
}
