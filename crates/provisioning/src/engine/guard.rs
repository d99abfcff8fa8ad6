//! The guard against accidental deletions.

use super::plan::Action;

/// How many may lose their access in one cycle: Entra's `QuarantineTooManyDeletesThreshold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// As many are let through; `None` where there is no guard.
    pub threshold: Option<u64>,
    /// Whether somebody has looked at what is held and lets it through: a restart with `ForceDeletes`.
    pub forced: bool,
}

/// What a cycle is about to take away, of users and groups together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// Resources to be deleted.
    pub deletes: u64,
    /// Resources to be disabled.
    pub disables: u64,
}

impl Losses {
    /// Counts an action.
    pub fn count(&mut self, action: Action) {
        match action {
            Action::Delete => self.deletes += 1,
            Action::Disable { .. } => self.disables += 1,
            _ => {}
        }
    }

    /// Deletes and disables.
    #[must_use]
    pub fn total(self) -> u64 {
        self.deletes.saturating_add(self.disables)
    }
}

impl Extend<Action> for Losses {
    fn extend<I: IntoIterator<Item = Action>>(&mut self, actions: I) {
        actions.into_iter().for_each(|action| self.count(action));
    }
}

/// Nothing of what a cycle would take away is done: every such action is logged as `stagedDelete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this cycle would delete {} and disable {} objects, and at most {threshold} may lose their access at once; allow it with a restart that has ForceDeletes, or repair assignments and scoping filters and restart",
    .losses.deletes, .losses.disables
)]
pub struct Held {
    /// What would have been taken away.
    pub losses: Losses,
    /// What may be.
    pub threshold: u64,
}

impl Guard {
    /// Lets a whole cycle's losses through, or holds all of them. The threshold itself is let through.
    ///
    /// # Errors
    /// They are held.
    pub fn judge(&self, losses: Losses) -> Result<(), Held> {
        match self.threshold {
            Some(threshold) if !self.forced && losses.total() > threshold => {
                Err(Held { losses, threshold })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn more_than_the_threshold_is_held_whole() {
        let cases = [
            ("nothing", Some(500), false, 0, 0, true),
            ("the threshold itself", Some(500), false, 300, 200, true),
            ("one more, deletes alone", Some(500), false, 501, 0, false),
            ("one more, disables alone", Some(500), false, 0, 501, false),
            ("one more, of both", Some(500), false, 300, 201, false),
            ("a threshold of none", Some(0), false, 0, 1, false),
            ("allowed", Some(500), true, 600, 600, true),
            ("no guard", None, false, u64::MAX, u64::MAX, true),
        ];
        for (name, threshold, forced, deletes, disables, passes) in cases {
            let verdict = Guard { threshold, forced }.judge(Losses { deletes, disables });
            assert_eq!(verdict.is_ok(), passes, "{name}");
        }
    }

    #[test]
    fn what_is_held_says_how_much_and_what_to_do() {
        let guard = Guard {
            threshold: Some(500),
            forced: false,
        };
        let losses = Losses {
            deletes: 590,
            disables: 10,
        };
        let message = guard.judge(losses).unwrap_err().to_string();
        for part in ["590", "10 objects", "500", "ForceDeletes"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_the_actions_that_take_access(
            actions in prop::collection::vec(super::super::plan::tests::action(), 0..200)
        ) {
            let mut losses = Losses::default();
            losses.extend(actions.iter().copied());
            let taking = actions.iter().filter(|action| action.takes_access()).count();
            prop_assert_eq!(losses.total(), taking as u64);
        }
    }
}
