//! Restarts with their scopes, pause and start.

use portreeve_provisioning::job::{JobError, Reset, StatusCode, Stop};
use serde_json::json;

use super::town;
use super::world::{Rules, World};

impl World {
    pub(crate) async fn restart(&self, scopes: &str) {
        let reset: Reset = scopes.parse().unwrap();
        let now = jiff::Timestamp::from_microsecond(self.now()).unwrap();
        self.state.restart(&reset, now).await.unwrap();
    }

    fn now(&self) -> i64 {
        portreeve_directory::Clock::now(&self.clock)
    }
}

/// Somebody renames Ada at the application; no scope but those that compare notices.
#[tokio::test]
async fn scopes_that_read_anew_compare_everything_with_the_application() {
    for (scopes, compares) in [
        ("Watermark", true),
        ("Full", true),
        ("ConnectorDataStore", true),
        ("", true),
        ("None", false),
        ("Escrows", false),
        ("QuarantineState", false),
        ("ForceDeletes", false),
    ] {
        let world = town().await;
        for user in &mut world.app.lock().unwrap().memory.users {
            user["displayName"] = json!("Somebody");
        }
        world.restart(scopes).await;
        let summary = world.cycle().await;
        let name = &world.there()["ada@x"]["displayName"];
        assert_eq!(name == "Ada", compares, "{scopes}: {summary:?}");
        assert_eq!(
            summary.counters.created, 0,
            "{scopes}: nothing is made twice"
        );
        assert_eq!(world.cycle().await.requests, 0, "{scopes}: once");
    }
}

#[tokio::test]
async fn a_word_that_is_no_scope_is_named() {
    let error = "Watermark, Everything".parse::<Reset>().unwrap_err();
    assert!(error.to_string().contains("\"Everything\""), "{error}");
}

#[tokio::test]
async fn links_that_are_dropped_are_found_again_with_their_members() {
    let world = town().await;
    let before = world.there();
    world.restart("ConnectorDataStore").await;
    let summary = world.cycle().await;
    assert_eq!(summary.counters.created, 0);
    assert_eq!(world.there(), before);
    let status = world.state.status().await.unwrap();
    assert_eq!((status.users, status.groups), (3, 1));
}

#[tokio::test]
async fn a_paused_job_runs_no_cycle_and_goes_on_where_it_stood() {
    let mut world = town().await;
    world.state.pause().await.unwrap();
    assert!(matches!(world.try_cycle().await, Err(JobError::Paused)));
    assert_eq!(world.state.status().await.unwrap().code, StatusCode::Paused);
    world.person("dee", json!({}));
    let now = jiff::Timestamp::from_microsecond(world.now()).unwrap();
    world.state.start(now).await.unwrap();
    let summary = world.cycle().await;
    assert_eq!(
        (summary.counters.imported, summary.counters.created),
        (1, 1)
    );
}

#[tokio::test]
async fn a_cycle_that_is_asked_to_stop_goes_on_later() {
    let mut world = World::new().await;
    world.crowd(50);
    let stop = Stop::default();
    stop.ask();
    let (progress, _) = tokio::sync::watch::channel(portreeve_provisioning::job::Progress::new(
        jiff::Timestamp::UNIX_EPOCH,
    ));
    let stopped = world.job().cycle(&progress, &stop).await;
    assert!(matches!(stopped, Err(JobError::Stopped)), "{stopped:?}");
    let summary = world.cycle().await;
    assert_eq!((summary.number, summary.counters.created), (1, 50));
}

#[tokio::test]
async fn other_rules_hold_for_everybody_after_a_restart() {
    const SALES: Rules = Rules {
        top: "",
        scope: r#"scope = { groups = [{ clauses = [{ attribute = "name", operator = "NOT EQUALS", values = ["Bob"] }] }] }"#,
    };
    let mut world = town().await;
    world.rule(SALES);
    assert_eq!(world.cycle().await.requests, 0, "not before anybody looks");
    world.restart("Watermark").await;
    let summary = world.cycle().await;
    assert_eq!(summary.counters.disabled, 1);
    assert_eq!(world.there()["bob@x"]["active"], false);
    world.rule(Rules::default());
    world.restart("Watermark").await;
    world.cycle().await;
    assert_eq!(world.there()["bob@x"], json!({"displayName": "Bob"}));
}
