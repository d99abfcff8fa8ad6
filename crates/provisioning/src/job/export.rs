//! Bringing one object to the target: it is matched or made, compared and changed, disabled or deleted.

mod end;
mod make;

use portreeve_mapping::mapping::Evaluated;

use self::end::{End, not_provisioned};
use super::evaluation::{self, Evaluation};
use super::failure::Failure;
use super::matching::{self, Searched};
use super::record::{self, Log};
use super::subject::{Counted, Outcome, Stamp, Subject};
use super::target::{Shown, Target};
use crate::application::{Application, ObjectRules};
use crate::engine::codes::{Code, During};
use crate::engine::plan::{Action, Link, Matched, Standing, plan};
use crate::engine::steps::{Identity, RecordAction, Status, Step, StepName};
use crate::target::ResourceId;

/// Brings one object to the target as its standing and its link ask for, and says what has become of it. `held`: the
/// guard against accidental deletions lets nobody lose access in this cycle.
///
/// It can be done any number of times, and broken off anywhere: a resource that was made without anybody hearing of it
/// is found again by its matching attributes, and what was changed is found equal.
///
/// A resource that was linked and is gone at the target is looked for and made anew at once, if the object is in scope.
/// Entra gives such an object up as `InvalidAnchor` until the links are dropped.
pub async fn export(
    application: &Application,
    target: &Target,
    subject: &Subject,
    held: bool,
    stamp: &Stamp,
) -> Outcome {
    let Some(rules) = application.of(subject.kind) else {
        return not_provisioned(subject);
    };
    let domain = application.default_domain.as_deref();
    let evaluation = Evaluation::new(rules, subject, stamp.now(), domain);
    let mut export = Export {
        target,
        subject,
        rules,
        evaluation: &evaluation,
        stamp,
        log: Log::begin(stamp),
        known: Known {
            link: subject.link,
            target_id: subject.target_id.clone(),
            exported: subject.exported.clone(),
            references: None,
        },
        identity: None,
        looks_for_drift: application.drift || stamp.tells_all,
        shown_references: None,
    };
    let action = plan(subject.standing, subject.link, &rules.rules);
    let end = match held && action.takes_access() {
        true => Ok(export.hold(action)),
        false => export.carry_out(action).await,
    };
    let end = end.unwrap_or_else(|failure| End::failed(&export.failed_action(action), failure));
    export.finish(application, end)
}

struct Export<'a> {
    target: &'a Target,
    subject: &'a Subject,
    rules: &'a ObjectRules,
    evaluation: &'a Evaluation<'a>,
    stamp: &'a Stamp,
    log: Log<'a>,
    known: Known,
    identity: Option<Identity>,
    looks_for_drift: bool,
    shown_references: Option<Vec<(String, Vec<String>)>>,
}

/// What is known of the object at the target, as far as things have come.
struct Known {
    link: Link,
    target_id: Option<ResourceId>,
    exported: Option<String>,
    references: Option<Vec<(String, Vec<String>)>>,
}

type Ended = Result<End, Failure>;

impl Export<'_> {
    async fn carry_out(&mut self, action: Action) -> Ended {
        match action {
            Action::Create => self.join(action).await,
            Action::Adopt if self.known.target_id.is_some() => Ok(self.take_back(action)),
            Action::Adopt => self.join(action).await,
            Action::Update | Action::Disable { .. } | Action::Delete
                if self.known.link.is_in_doubt() =>
            {
                self.clear_up(action).await
            }
            Action::Update | Action::Disable { .. } => self.bring_up_to_date(action).await,
            Action::Delete => self.delete().await,
            Action::Release => Ok(self.release(action)),
            Action::Skip(code) => Ok(self.skip(code)),
        }
    }

    /// The guard holds it: it stays as it is and as it is to be done.
    fn hold(&mut self, action: Action) -> End {
        let reason = "the guard against accidental deletions holds this: more objects would lose access in this cycle than may";
        self.log.step(
            Step::new(StepName::EntrySynchronizationSkip, Status::Skipped, "Held.")
                .with("SkipReason", "TooManyDeletes"),
        );
        End {
            action: RecordAction::of(action, true),
            ..End::skipped(Counted::Held, Code::TooManyDeletes, reason, true)
        }
    }

    fn skip(&mut self, code: Code) -> End {
        let reason = match code {
            Code::NotEffectivelyEntitled => {
                "it is not in scope or not active at the source, and the target does not have it from here"
            }
            _ => "the flow types of the mapping do not allow what would be done",
        };
        self.skip_step(code, reason);
        End::skipped(Counted::Skipped, code, reason, false)
    }

    /// Out of scope, and what is at the target is left alone from now on.
    fn release(&mut self, action: Action) -> End {
        self.known.link = action.settled(self.subject.standing, self.subject.link);
        let reason = "it is no longer managed; its resource stays as it is";
        self.skip_step(Code::NotEffectivelyEntitled, reason);
        End::skipped(
            Counted::Released,
            Code::NotEffectivelyEntitled,
            reason,
            true,
        )
    }

    /// In scope again, and nothing may be changed: the resource only counts as this object again.
    fn take_back(&mut self, action: Action) -> End {
        self.known.link = action.settled(self.subject.standing, self.subject.link);
        let description = "The resource is managed again, and is not changed.";
        self.log.step(Step::new(
            StepName::EntrySynchronizationUpdate,
            Status::Success,
            description,
        ));
        End::done(Counted::Updated, RecordAction::Other, Vec::new())
    }

    async fn delete(&mut self) -> Ended {
        if let Some(id) = self.known.target_id.clone() {
            self.processing(
                StepName::EntrySynchronizationDelete,
                "The resource is deleted.",
            );
            let kind = self.subject.kind;
            self.identity = Some(record::target_identity(kind, &id, &[]));
            let there = self.target.delete(kind, &id).await;
            let there = self.answered(there, During::Linked).await?;
            let description = match there {
                true => "The target deleted it.",
                false => "The target did not have it any more.",
            };
            self.exported(StepName::EntryExportDelete, &id, description);
        }
        self.forget();
        let counted = Counted::Deleted;
        Ok(End::done(counted, RecordAction::Delete, Vec::new()))
    }

    /// A linked resource gets the values that it should have.
    async fn bring_up_to_date(&mut self, action: Action) -> Ended {
        let evaluation = self.evaluation;
        let evaluated = evaluation.update();
        if evaluated.ignored {
            return Ok(self.left_out());
        }
        match evaluation::failure(&evaluated) {
            // Nobody keeps access because another of their attributes cannot be worked out.
            Some(failure) if action.takes_access() && !evaluation::lacks_active(&evaluated) => {
                let text = format!("Left out: {}", failure.detail);
                let name = StepName::EntrySynchronizationUpdate;
                self.log.step(Step::new(name, Status::Warning, text));
            }
            Some(failure) => return Err(failure),
            None => {}
        }
        let Some(id) = self.known.target_id.clone() else {
            return self.lost().await;
        };
        let fingerprint = evaluation::fingerprint(&evaluated);
        if self.known.exported.as_ref() == Some(&fingerprint) && !evaluation.flows_always() {
            self.settle(action, id, fingerprint, &evaluated);
            let reason = "the target was given these values before";
            self.skip_step(Code::RedundantExport, reason);
            let code = Code::RedundantExport;
            return Ok(End::skipped(Counted::Unchanged, code, reason, false));
        }
        let shown = self.target.get(self.subject.kind, &id).await;
        match self.answered(shown, During::Linked).await {
            Ok(Some(shown)) => match self.change(action, &shown, &evaluated).await {
                Err(failure) if failure.is_gone() => self.lost().await,
                ended => ended,
            },
            Ok(None) => self.lost().await,
            Err(failure) if failure.is_gone() => self.lost().await,
            Err(failure) => Err(failure),
        }
    }

    /// Sends the difference between what a resource shows and what it should have.
    async fn change(&mut self, action: Action, shown: &Shown, evaluated: &Evaluated<'_>) -> Ended {
        let (kind, id) = (self.subject.kind, shown.id().clone());
        self.identity = Some(record::target_identity(kind, &id, &evaluated.assigned));
        let difference = shown.difference(&evaluated.assigned);
        if self.looks_for_drift {
            self.shown_references = shown.references(self.evaluation.reference_targets());
        }
        let fingerprint = evaluation::fingerprint(evaluated);
        if difference.patch.is_empty() {
            let is_new = self.subject.target_id.as_ref() != Some(&id);
            self.settle(action, id, fingerprint, evaluated);
            let reason = "the target has every value already";
            self.skip_step(Code::RedundantExport, reason);
            let code = Code::RedundantExport;
            let moved = is_new || self.known.link != self.subject.link;
            return Ok(End::skipped(Counted::Unchanged, code, reason, moved));
        }
        let count = difference.modified.len();
        let description = format!("{count} attributes differ from what the target shows.");
        self.processing(StepName::EntrySynchronizationUpdate, &description);
        // From here on, nobody knows what the resource has until an answer says so. It may give access.
        self.known.exported = None;
        if self.subject.standing == Standing::InScope {
            self.known.link = Link::Managed { disabled: false };
        }
        let sent = self.target.patch(kind, &id, &difference.patch).await;
        self.answered(sent, During::Linked).await?;
        self.exported(StepName::EntryExportUpdate, &id, "The target changed it.");
        self.settle(action, id, fingerprint, evaluated);
        let counted = match action {
            Action::Disable { .. } => Counted::Disabled,
            _ => Counted::Updated,
        };
        // What was looked for to be made, and was found, was changed.
        let action = match action {
            Action::Create => RecordAction::Update,
            action => RecordAction::of(action, false),
        };
        Ok(End::done(counted, action, difference.modified))
    }

    /// The linked resource is gone. Whoever is in scope is looked for and made anew in the same breath.
    async fn lost(&mut self) -> Ended {
        self.forget();
        let gone = self.subject.target_id.as_ref().map(ToString::to_string);
        let step = Step::new(
            StepName::EntryMatching,
            Status::Warning,
            "The linked resource is not at the target any more (InvalidAnchor).",
        );
        self.log.step(match gone {
            Some(gone) => step.with("targetId", gone),
            None => step,
        });
        match plan(self.subject.standing, Link::None, &self.rules.rules) {
            action @ (Action::Create | Action::Adopt) => {
                let noted = self
                    .stamp
                    .claims
                    .replaces(self.subject.kind, &self.subject.key);
                let failed = |why| Failure::new(Code::InternalError, why);
                noted.await.map_err(failed)?;
                self.join(action).await
            }
            _ => {
                let reason = "the linked resource is not at the target any more (InvalidAnchor), and nothing is to be made";
                let code = Code::EntrySynchronizationSkipped;
                self.skip_step(code, reason);
                Ok(End::skipped(Counted::Skipped, code, reason, true))
            }
        }
    }

    /// Nobody knows whether it has a resource, and none is to be made: whatever is found was its own, and is treated so.
    async fn clear_up(&mut self, action: Action) -> Ended {
        let Searched { found, .. } = self.search().await?;
        let Some(shown) = found else {
            self.forget();
            let reason = "the target does not have it, and nothing is to be made";
            let code = Code::NotEffectivelyEntitled;
            self.skip_step(code, reason);
            return Ok(End::skipped(Counted::Skipped, code, reason, false));
        };
        self.claim(shown.id()).await?;
        let disabled = self.subject.link.is_disabled();
        self.link(&shown);
        self.known.link = Link::Managed { disabled };
        match action {
            Action::Delete => self.delete().await,
            _ => self.bring_up_to_date(action).await,
        }
    }

    async fn search(&mut self) -> Result<Searched, Failure> {
        let kind = self.subject.kind;
        matching::search(self.target, kind, self.evaluation, &mut self.log).await
    }

    /// An object without a resource: it is looked for, and linked and changed, or made.
    async fn join(&mut self, action: Action) -> Ended {
        let evaluation = self.evaluation;
        let evaluated = evaluation.update();
        if evaluated.ignored {
            return Ok(self.left_out());
        }
        let Searched { found, keys } = self.search().await?;
        match found {
            Some(shown) => self.take(action, &shown, &evaluated).await,
            None => {
                self.forget();
                match action.matched(false, &self.rules.rules) {
                    Matched::Make => self.make(&keys, &evaluated).await,
                    _ => Ok(self.skip(Code::EntrySynchronizationSkipped)),
                }
            }
        }
    }

    /// Links what was found, and brings it up to date where that may be done.
    async fn take(&mut self, action: Action, shown: &Shown, evaluated: &Evaluated<'_>) -> Ended {
        self.claim(shown.id()).await?;
        self.link(shown);
        if action.matched(true, &self.rules.rules) == Matched::Change {
            return match evaluation::failure(evaluated) {
                Some(failure) => Err(failure),
                None => self.change(action, shown, evaluated).await,
            };
        }
        self.known.references = Some(self.evaluation.references(evaluated));
        Ok(End::done(Counted::Updated, RecordAction::Other, Vec::new()))
    }

    /// Makes sure that no other object has this resource.
    async fn claim(&self, id: &ResourceId) -> Result<(), Failure> {
        let subject = self.subject;
        let claim = self.stamp.claims.claim(subject.kind, id, &subject.key);
        claim.await.map_err(|other| {
            let detail = format!(
                "the resource {id} at the target belongs to another object of the source already, {other}: both have the same value of a matching attribute"
            );
            Failure::new(Code::DuplicateSourceEntries, detail)
        })
    }

    /// Links what was found. That holds even if bringing it up to date should fail.
    fn link(&mut self, shown: &Shown) {
        self.known.link = Link::Managed { disabled: false };
        self.known.target_id = Some(shown.id().clone());
        self.known.exported = None;
        let kind = self.subject.kind;
        self.identity = Some(record::target_identity(kind, shown.id(), &[]));
    }

    fn forget(&mut self) {
        self.known = Known {
            link: Link::None,
            target_id: None,
            exported: None,
            references: None,
        };
    }

    /// The resource has every value now.
    fn settle(
        &mut self,
        action: Action,
        id: ResourceId,
        fingerprint: String,
        evaluated: &Evaluated<'_>,
    ) {
        let standing = self.subject.standing;
        let is_whole = evaluated.failed.is_empty();
        self.known = Known {
            link: action.settled(standing, self.subject.link),
            target_id: Some(id),
            exported: is_whole.then_some(fingerprint),
            references: matches!(standing, Standing::InScope | Standing::Disabled)
                .then(|| self.evaluation.references(evaluated)),
        };
    }

    fn left_out(&mut self) -> End {
        let (code, reason) = evaluation::LEFT_OUT;
        self.skip_step(code, reason);
        End::skipped(Counted::Skipped, code, reason, false)
    }

    async fn answered<T>(
        &self,
        answer: Result<T, crate::target::Error>,
        during: During,
    ) -> Result<T, Failure> {
        match answer {
            Ok(told) => Ok(told),
            Err(error) => Err(Failure::of(self.target, self.subject.kind, error, during).await),
        }
    }

    fn processing(&mut self, name: StepName, description: &str) {
        self.log.step(Step::new(name, Status::Success, description));
    }

    fn exported(&mut self, name: StepName, id: &ResourceId, description: &str) {
        let description = match self.target.is_dry() {
            true => "Nothing was sent: this is a dry run.",
            false => description,
        };
        let step = Step::new(name, Status::Success, description);
        self.log.step(step.with("targetId", id.as_str()));
    }

    fn skip_step(&mut self, code: Code, reason: &str) {
        let code = serde_json::to_value(code).unwrap_or_default();
        let step = Step::new(StepName::EntrySynchronizationSkip, Status::Skipped, reason);
        self.log.step(step.with("SkipReason", code));
    }

    /// What a failed object was to be: made, where it has no resource yet.
    fn failed_action(&self, action: Action) -> RecordAction {
        match action {
            Action::Create if self.known.target_id.is_some() => RecordAction::Update,
            action => RecordAction::of(action, false),
        }
    }
}
