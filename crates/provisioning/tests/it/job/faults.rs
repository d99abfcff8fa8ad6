//! Targets and sources that do not play along, and what becomes of the job.

use std::time::Duration;

use portreeve_provisioning::engine::quarantine::{Change, Reason, Verdict};
use portreeve_provisioning::job::{RunResult, StatusCode};
use serde_json::json;

use super::town;
use super::world::{Rules, World, is_probe};
use crate::double::Reply;

fn refused(status: u16) -> Reply {
    Reply::scim(
        status,
        &json!({"status": status.to_string(), "detail": "no"}),
    )
}

#[tokio::test]
async fn a_failed_object_is_left_alone_and_tried_again_when_its_time_has_come() {
    let mut world = World::new().await;
    world.crowd(3);
    world.fault(|request| {
        let is_it = request
            .body
            .as_ref()
            .is_some_and(|it| it["userName"] == "p0001@x");
        is_it.then(|| refused(400))
    });
    let summary = world.cycle().await;
    assert_eq!(summary.result, RunResult::EntryLevelErrors);
    assert_eq!((summary.counters.created, summary.counters.failed), (2, 1));
    assert_eq!(world.state.status().await.unwrap().escrowed, 1);
    world.mend();
    assert_eq!(world.cycle().await.requests, 0, "its time has not come");
    world.pass(Duration::from_secs(7 * 3600));
    let summary = world.cycle().await;
    assert_eq!(
        (summary.counters.created, summary.result),
        (1, RunResult::Succeeded)
    );
    assert_eq!(world.state.status().await.unwrap().escrowed, 0);
}

#[tokio::test]
async fn a_failed_object_is_tried_at_once_when_the_source_tells_a_change() {
    let mut world = World::new().await;
    world.person("ada", json!({"name": "bad"}));
    world.fault(|request| {
        let is_it = request
            .body
            .as_ref()
            .is_some_and(|it| it["displayName"] == "bad");
        is_it.then(|| refused(400))
    });
    assert_eq!(world.cycle().await.counters.failed, 1);
    world.person("ada", json!({"name": "good"}));
    assert_eq!(world.cycle().await.counters.created, 1);
    assert_eq!(world.state.status().await.unwrap().escrowed, 0);
}

#[tokio::test]
async fn credentials_that_are_revoked_stop_the_cycle_and_it_goes_on_when_they_are_back() {
    let mut world = World::new().await;
    world.crowd(300);
    let mut made = 0;
    world.fault(move |request| {
        made += usize::from(request.method == "POST");
        (made > 100).then(|| refused(401))
    });
    let summary = world.cycle().await;
    assert_eq!(summary.result, RunResult::Failed);
    assert!(summary.error.unwrap().contains("401"));
    let Change::Entered(quarantine) = summary.quarantine else {
        panic!("{:?}", summary.quarantine);
    };
    assert_eq!(quarantine.reason, Reason::EncounteredQuarantineException);
    assert_eq!(summary.next_run, Some(quarantine.next_attempt));
    let there = world.there().as_object().unwrap().len();
    assert_eq!(there, 100, "and nobody was asked for in vain afterwards");
    assert_eq!(
        world.state.status().await.unwrap().code,
        StatusCode::Quarantine
    );
    // In quarantine a cycle asks once whether it may, and ends.
    let asked = world.cycle().await;
    assert!(matches!(asked.quarantine, Change::Stays(_)));
    assert_eq!(asked.requests, 0);

    world.mend();
    let summary = world.cycle().await;
    assert_eq!(summary.quarantine, Change::Left);
    assert_eq!(world.there().as_object().unwrap().len(), 300);
    assert_eq!(summary.counters.failed, 0);
}

#[tokio::test]
async fn failures_of_most_objects_pause_an_initial_cycle_and_quarantine_a_later_one() {
    const RULES: Rules = Rules {
        top: "quarantine = { evaluated_from = 50 }",
        scope: "",
    };
    let mut world = World::with(RULES).await;
    world.crowd(100);
    world.fault(|request| {
        let body = request.body.as_ref()?;
        let name = body["userName"].as_str()?;
        (name < "p0060").then(|| refused(400))
    });
    let summary = world.cycle().await;
    let reason = Reason::EncounteredEscrowProportionThreshold;
    assert_eq!(summary.verdict, Verdict::PruneAndPause(reason));
    let status = world.state.status().await.unwrap();
    assert_eq!((status.code, status.escrowed), (StatusCode::Paused, 0));

    let now = jiff::Timestamp::from_microsecond(portreeve_directory::Clock::now(&world.clock));
    world.state.start(now.unwrap()).await.unwrap();
    for number in 0..60 {
        world.person(&format!("p{number:04}"), json!({"name": "again"}));
    }
    let summary = world.cycle().await;
    assert_eq!(summary.verdict, Verdict::Quarantine(reason));
    assert!(matches!(summary.quarantine, Change::Entered(_)));
    // Waiting makes nobody well.
    let summary = world.cycle().await;
    assert!(
        matches!(summary.quarantine, Change::Stays(_)),
        "{summary:?}"
    );
    world.mend();
    world.pass(Duration::from_secs(7 * 3600));
    let summary = world.cycle().await;
    assert_eq!(summary.quarantine, Change::Left);
    assert_eq!(summary.counters.created, 60);
}

#[tokio::test]
async fn a_job_is_disabled_after_four_weeks_in_quarantine() {
    let mut world = World::new().await;
    world.crowd(1);
    world.fault(|_| Some(refused(401)));
    world.cycle().await;
    world.pass(Duration::from_secs(29 * 24 * 3600));
    let summary = world.cycle().await;
    assert_eq!(
        (summary.quarantine, summary.next_run),
        (Change::Disabled, None)
    );
    assert_eq!(
        world.state.status().await.unwrap().code,
        StatusCode::Disabled
    );
    world.mend();
    world.restart("").await;
    assert_eq!(world.cycle().await.counters.created, 1);
}

#[tokio::test]
async fn a_target_that_does_not_filter_is_left_alone_before_anybody_is_changed() {
    let mut world = World::new().await;
    world.crowd(5);
    world.fault(|request| {
        let everybody = json!({"totalResults": 1, "Resources": [{"id": "1", "userName": "root"}]});
        is_probe(request).then(|| Reply::scim(200, &everybody))
    });
    let summary = world.cycle().await;
    assert_eq!(summary.result, RunResult::Failed);
    assert_eq!(world.asked(), [""; 0]);
}

#[tokio::test]
async fn a_source_that_cannot_be_read_takes_nothing_from_anybody() {
    let world = town().await;
    let users = world.folder.path().join("users.jsonl");
    let hidden = world.folder.path().join("away");
    let job = world.job();
    std::fs::rename(&users, &hidden).unwrap();
    let (progress, _) = tokio::sync::watch::channel(portreeve_provisioning::job::Progress::new(
        jiff::Timestamp::UNIX_EPOCH,
    ));
    let summary = job
        .cycle(&progress, &portreeve_provisioning::job::Stop::default())
        .await;
    let summary = summary.unwrap();
    assert_eq!(summary.result, RunResult::Failed);
    let Change::Entered(quarantine) = summary.quarantine else {
        panic!("{:?}", summary.quarantine);
    };
    assert_eq!(quarantine.reason, Reason::IngestionInterrupted);
    std::fs::rename(&hidden, &users).unwrap();
    let summary = world.cycle().await;
    assert_eq!((summary.quarantine, summary.requests), (Change::Left, 0));
}

#[tokio::test]
async fn two_people_with_one_name_are_one_account_and_one_failure() {
    let mut world = World::new().await;
    world.person("ada", json!({"mail": "same@x", "name": "Ada"}));
    world.cycle().await;
    world.person("bob", json!({"mail": "same@x", "name": "Bob"}));
    let summary = world.cycle().await;
    assert_eq!(summary.counters.failed, 1);
    let log = world.log().await;
    assert!(
        log.last()
            .unwrap()
            .ends_with("failure DuplicateSourceEntries"),
        "{log:?}"
    );
    assert_eq!(world.there(), json!({"same@x": {"displayName": "Ada"}}));
}

#[tokio::test]
async fn a_resource_that_somebody_deletes_is_made_anew_with_its_memberships() {
    let mut world = town().await;
    world
        .app
        .lock()
        .unwrap()
        .memory
        .users
        .retain(|it| it["userName"] != "ada@x");
    world.person("ada", json!({"name": "Ada L", "manager": "cy"}));
    world.cycle().await;
    assert_eq!(
        world.there()["ada@x"],
        json!({"displayName": "Ada L", "manager": "cy@x"})
    );
    let mut sales = world.there()["Sales"].clone();
    sales.as_array_mut().unwrap().retain(|it| it != "nobody");
    assert_eq!(sales, json!(["ada@x", "bob@x"]));

    world.app.lock().unwrap().memory.groups.clear();
    world.group("Sales", &["ada", "bob", "cy"]);
    world.cycle().await;
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x", "bob@x", "cy@x"]));
}
