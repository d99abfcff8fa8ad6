//! What a cycle would do.

use std::time::Duration;

use jiff::Timestamp;
use portreeve_directory::applications::records;
use portreeve_provisioning::engine::steps::Record;
use portreeve_provisioning::job::{DryRun, Progress, Stop};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::town;
use super::world::{Rules, World};
use crate::double::{Reply, Seen};

async fn dry_run(world: &World) -> (DryRun, tempfile::TempDir) {
    let scratch = tempfile::tempdir().unwrap();
    let (progress, _) = watch::channel(Progress::new(Timestamp::UNIX_EPOCH));
    world.app.lock().unwrap().asked.clear();
    let source = world.source_in(scratch.path());
    let job = world.job();
    let stop = Stop::default();
    let run = job.dry_run(scratch.path(), source, &progress, &stop).await;
    (run.unwrap(), scratch)
}

/// The log of a dry run: what would be done with whom, and which values would change.
async fn told(run: &DryRun) -> Vec<Value> {
    let rows = run
        .state
        .read(|tx, owner| records::after(tx, &owner.application_id, 0, 1_000));
    let rows = rows.await.unwrap();
    let mut told: Vec<Value> = rows
        .iter()
        .map(|row| {
            let record: Record = serde_json::from_str(&row.body).unwrap();
            json!([
                record.source_identity.id,
                record.provisioning_action,
                record.modified_properties,
            ])
        })
        .collect();
    told.sort_by_key(Value::to_string);
    told
}

#[tokio::test]
async fn a_dry_run_tells_what_a_cycle_would_do_and_leaves_no_trace() {
    let mut world = town().await;
    world.person("ada", json!({"name": "Ada L", "manager": "dan"}));
    world.person("dan", json!({"name": "Dan"}));
    world.people.remove("bob");
    world.group("Sales", &["ada", "dan"]);
    // Somebody was at the target as well, which cycles do not notice by themselves.
    world.app.lock().unwrap().memory.users[2]["displayName"] = json!("See");
    let (before, log) = (world.there(), world.log().await);
    let (run, _scratch) = dry_run(&world).await;
    assert_eq!(world.there(), before);
    assert_eq!(world.log().await, log);
    assert!(world.asked().iter().all(|line| line.starts_with("GET")));

    let counters = run.summary.counters;
    assert_eq!(
        (counters.created, counters.updated, counters.deleted),
        (1, 2, 1)
    );
    let change = |name: &str, old: Value, new: Value| json!({"displayName": name, "oldValue": old, "newValue": new});
    let told = told(&run).await;
    for expected in [
        json!([
            "ada",
            "update",
            [change("displayName", json!("Ada"), json!("Ada L"))]
        ]),
        json!([
            "cy",
            "update",
            [change("displayName", json!("See"), json!("Cy"))]
        ]),
        json!(["bob", "delete", []]),
    ] {
        assert!(told.contains(&expected), "{expected} in {told:#?}");
    }
    let members = told.iter().find(|it| it[0] == "Sales").unwrap();
    assert_eq!(
        members[2],
        json!([change("members", Value::Null, json!("dry-run-1"))])
    );

    // The cycle itself does it then.
    let summary = world.cycle().await;
    assert_eq!((summary.counters.created, summary.counters.deleted), (1, 1));
    assert_eq!(
        world.there()["Sales"],
        json!(["ada@x", "dan@x", "nobody"]),
        "this application leaves the deleted where they were"
    );
    assert_eq!(
        world.there()["ada@x"],
        json!({"displayName": "Ada L", "manager": "dan@x"})
    );
}

#[tokio::test]
async fn a_dry_run_before_the_first_cycle_makes_everybody_and_nobody() {
    let mut world = World::new().await;
    world.crowd(30);
    world.group("All", &["p0001", "p0002"]);
    let (run, _scratch) = dry_run(&world).await;
    assert_eq!(run.summary.counters.created, 31);
    assert_eq!(run.summary.counters.references_written, 2);
    assert_eq!(world.there(), json!({}));
    assert_eq!(world.cycle().await.counters.created, 31);
}

#[tokio::test]
async fn a_dry_run_leaves_alone_what_failed_and_waits() {
    let mut world = World::new().await;
    world.crowd(3);
    let is_it = |request: &Seen| {
        request
            .body
            .as_ref()
            .is_some_and(|it| it["userName"] == "p0001@x")
    };
    world.fault(move |request| is_it(request).then(|| Reply::scim(400, &json!({"detail": "no"}))));
    assert_eq!(world.cycle().await.counters.failed, 1);
    world.mend();
    let created = async |world: &World| dry_run(world).await.0.summary.counters.created;
    assert_eq!(created(&world).await, 0, "nor would the next cycle");
    assert_eq!(world.cycle().await.counters.created, 0);
    world.restart("Watermark").await;
    assert_eq!(created(&world).await, 1, "a restart tries it again");
    assert_eq!(world.cycle().await.counters.created, 1);
}

#[tokio::test]
async fn a_dry_run_tries_what_failed_and_is_due() {
    let mut world = World::new().await;
    world.crowd(1);
    world.fault(|request| {
        (request.method == "POST").then(|| Reply::scim(400, &json!({"detail": "no"})))
    });
    world.cycle().await;
    world.pass(Duration::from_secs(7 * 3600));
    let (run, _scratch) = dry_run(&world).await;
    assert_eq!(run.summary.counters.created, 1);
}

#[tokio::test]
async fn a_dry_run_tells_of_those_whom_the_guard_holds_again() {
    const RULES: Rules = Rules {
        top: "accidental_deletions = { threshold = 1 }",
        scope: "",
    };
    let mut world = World::with(RULES).await;
    world.crowd(3);
    world.cycle().await;
    world.people.retain(|key, _| key == "p0002");
    assert_eq!(world.cycle().await.counters.held, 2);
    let (run, _scratch) = dry_run(&world).await;
    assert_eq!(run.summary.counters.held, 2);
    let told = told(&run).await;
    let staged = told.iter().filter(|it| it[1] == "stagedDelete");
    assert_eq!(staged.count(), 2, "{told:#?}");
}
