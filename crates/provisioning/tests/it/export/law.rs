//! Whatever happens to a person at the source and at the target, and wherever a cycle is broken off: there is never a
//! second resource, and in the end the target has what the source says.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use portreeve_provisioning::engine::plan::{Link, Presence, Standing};
use portreeve_provisioning::job::{Counted, Outcome, Stamp, Subject, Target, export};
use proptest::prelude::*;
use serde_json::json;

use super::{FirstCome, ada, application, stamp, with_facts};
use crate::double::Double;
use crate::memory::Memory;

/// What happens before the person is brought to the target.
#[derive(Debug, Clone)]
struct Step {
    /// Their name at the source from now on.
    name: &'static str,
    presence: Presence,
    assigned: bool,
    enabled: bool,
    meddling: Meddling,
    /// Whether the outcome is lost, as when the process is killed before it is written down, and whether the person is
    /// assigned by the rules that hold when it is back.
    killed: Option<bool>,
}

/// What somebody does at the target.
#[derive(Debug, Clone, Copy)]
enum Meddling {
    Nothing,
    Renames,
    Deletes,
}

fn step() -> impl Strategy<Value = Step> {
    let presence = prop_oneof![
        6 => Just(Presence::Present),
        1 => Just(Presence::Suspended),
        1 => Just(Presence::Gone),
    ];
    let meddling = prop_oneof![
        4 => Just(Meddling::Nothing),
        1 => Just(Meddling::Renames),
        1 => Just(Meddling::Deletes),
    ];
    let name = prop::sample::select(vec!["Ada", "Ada L", "Countess"]);
    let facts = (prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    let killed = prop::option::of(any::<bool>());
    (name, presence, facts, meddling, killed).prop_map(
        |(name, presence, (assigned, enabled), meddling, killed)| Step {
            name,
            presence,
            assigned,
            enabled,
            meddling,
            killed,
        },
    )
}

/// What is known of the person between steps.
struct Known {
    subject: Subject,
}

impl Known {
    /// The person as the source has them now; compared anew where `compared` says so.
    fn now(&self, step: &Step, compared: bool) -> Subject {
        let mut subject = with_facts(self.subject.clone(), |facts| {
            facts.presence = step.presence;
            facts.assigned = step.assigned;
            facts.enabled = step.enabled;
        });
        let name = json!(step.name);
        subject.attributes.insert("displayName".to_owned(), name);
        if compared {
            subject.exported = None;
        }
        subject
    }

    /// Somebody is about to get access, perhaps with a new resource in place of one that is gone.
    fn announce(&mut self, replaced: bool) {
        self.subject.exported = None;
        self.subject.target_id.take_if(|_| replaced);
        self.subject.link = match self.subject.target_id {
            Some(_) => Link::Managed { disabled: false },
            None => Link::Sent,
        };
    }

    fn learn(&mut self, outcome: &Outcome) {
        self.subject.link = outcome.link;
        self.subject.target_id.clone_from(&outcome.target_id);
        self.subject.exported.clone_from(&outcome.exported);
    }
}

fn meddle(memory: &mut Memory, meddling: Meddling) {
    match meddling {
        Meddling::Nothing => {}
        Meddling::Renames => {
            for user in &mut memory.users {
                user["displayName"] = json!("Somebody");
            }
        }
        Meddling::Deletes => memory.users.clear(),
    }
}

async fn live(steps: &[Step], last: &Step) -> Result<(), TestCaseError> {
    let memory: Arc<Mutex<Memory>> = Arc::default();
    let behind = Arc::clone(&memory);
    let double = Double::start(move |request| behind.lock().unwrap().answer(request)).await;
    let target = Target::new(double.open("").unwrap().0);
    let (app, claims) = (application(|text| text), Arc::new(FirstCome::default()));
    let stamp = Stamp {
        claims: claims.clone(),
        ..stamp()
    };
    let mut known = Known { subject: ada() };
    for step in steps.iter().chain([last]) {
        meddle(&mut memory.lock().unwrap(), step.meddling);
        let subject = known.now(step, true);
        claims.replaced.store(false, Ordering::Relaxed);
        let outcome = export(&app, &target, &subject, false, &stamp).await;
        prop_assert_ne!(outcome.counted, Counted::Failed, "{:?}", outcome);
        prop_assert!(memory.lock().unwrap().users.len() <= 1, "made twice");
        let Some(assigned) = step.killed else {
            known.learn(&outcome);
            continue;
        };
        // What a cycle has noted before it sends anything. What it had in hand it brings again, before the source is read
        // anew, perhaps under other rules.
        if subject.standing == Standing::InScope {
            known.announce(claims.replaced.load(Ordering::Relaxed));
        }
        let back = Step {
            assigned: step.assigned && assigned,
            ..step.clone()
        };
        known.learn(&export(&app, &target, &known.now(&back, true), false, &stamp).await);
    }
    // Once more without an accident, and then there is nothing to do.
    let subject = known.now(last, true);
    known.learn(&export(&app, &target, &subject, false, &stamp).await);
    let there = memory.lock().unwrap().users.clone();
    double.lines();
    let again = export(&app, &target, &known.now(last, false), false, &stamp).await;
    prop_assert_eq!(double.lines(), Vec::<String>::new(), "{:?}", again);
    if !known.now(last, false).standing.is_soft_deleted() {
        prop_assert_eq!(known.subject.link, Link::Managed { disabled: false });
        prop_assert_eq!(there.len(), 1);
        prop_assert_eq!(&there[0]["displayName"], &json!(last.name));
        prop_assert_ne!(&there[0]["active"], &json!(false));
    } else {
        let active = there.iter().any(|user| user["active"] != false);
        prop_assert!(!active, "access was not taken: {:?}", there);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_person_is_at_the_target_once_and_as_the_source_says(
        steps in prop::collection::vec(step(), 0..8),
        last in step(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let last = Step { killed: None, meddling: Meddling::Nothing, ..last };
        runtime.block_on(live(&steps, &last))?;
    }
}
