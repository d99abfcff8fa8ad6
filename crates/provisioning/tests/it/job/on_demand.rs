//! One object at once, with every detail.

use portreeve_provisioning::engine::codes::Code;
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType, StepName};
use portreeve_provisioning::job::{Asked, OnDemand, OnDemandError, OnDemandResult};
use portreeve_provisioning::source::Kind;
use serde_json::{Value, json};

use super::town;
use super::world::{Rules, World};
use crate::double::Reply;

fn asked(kind: Kind, object: &str) -> Asked {
    serde_json::from_value(json!({"kind": kind, "object": object})).unwrap()
}

fn by(attribute: &str, value: &str) -> Asked {
    Asked {
        attribute: Some(attribute.to_owned()),
        ..asked(Kind::User, value)
    }
}

async fn try_on_demand(world: &World, asked: &Asked) -> Result<OnDemand, OnDemandError> {
    world.app.lock().unwrap().asked.clear();
    let admin = Initiator {
        id: "u9".to_owned(),
        display_name: "Grace".to_owned(),
        initiator_type: InitiatorType::User,
    };
    world.job().on_demand(asked, admin).await
}

async fn on_demand(world: &World, asked: &Asked) -> OnDemand {
    try_on_demand(world, asked).await.unwrap()
}

fn code(done: &OnDemand) -> Option<Code> {
    done.error.as_ref().map(|error| error.error_code)
}

#[tokio::test]
async fn a_person_is_provisioned_before_any_cycle_and_cycles_go_on_from_there() {
    let mut world = World::new().await;
    world.crowd(3);
    world.group("All", &["p0000", "p0001"]);
    let done = on_demand(&world, &by("mail", "p0001@x")).await;
    assert_eq!((done.result, code(&done)), (OnDemandResult::Success, None));
    assert_eq!(world.there(), json!({"p0001@x": {"displayName": "p0001"}}));
    let [record] = &*done.records else {
        panic!("{done:?}")
    };
    let steps: Vec<StepName> = record
        .provisioning_steps
        .iter()
        .map(|step| step.name)
        .collect();
    assert_eq!(
        steps,
        [
            StepName::EntryImportAdd,
            StepName::EntrySynchronizationScoping,
            StepName::EntryMatching,
            StepName::EntrySynchronizationAdd,
            StepName::EntryExportAdd,
        ]
    );
    assert_eq!(record.provisioning_steps[0].details["mail"], "p0001@x");
    assert_eq!(record.initiated_by.display_name, "Grace");
    let graph = done.to_graph(Kind::User);
    let part =
        |name: &str| -> Value { serde_json::from_str(graph[name].as_str().unwrap()).unwrap() };
    assert_eq!(part("key"), json!({"result": "Success", "details": null}));
    assert_eq!(part("value"), json!(record));
    assert_eq!(world.log().await, ["p0001 create success"]);

    let again = on_demand(&world, &asked(Kind::User, "p0001")).await;
    let skipped = (OnDemandResult::Skipped, Some(Code::RedundantExport));
    assert_eq!((again.result, code(&again)), skipped);
    let summary = world.cycle().await;
    assert_eq!(summary.counters.created, 3, "all but the one: {summary:?}");
    assert_eq!(world.there()["All"], json!(["p0000@x", "p0001@x"]));
}

#[tokio::test]
async fn a_group_goes_with_a_few_of_its_members() {
    let mut world = World::new().await;
    for key in ["ada", "bob", "cy", "dan"] {
        world.person(key, json!({"manager": "ada"}));
    }
    world.group("Sales", &["ada", "bob", "cy"]);
    let chosen = |members: &[&str], most| Asked {
        members: members.iter().map(|&key| key.to_owned()).collect(),
        most,
        ..asked(Kind::Group, "Sales")
    };
    let done = on_demand(&world, &chosen(&["ada", "bob"], 5)).await;
    assert_eq!((done.result, code(&done)), (OnDemandResult::Success, None));
    assert_eq!(done.records.len(), 4, "two people, the group, its members");
    assert_eq!(world.there()["Sales"], json!(["ada@x", "bob@x"]));
    // A person comes with the manager.
    on_demand(&world, &asked(Kind::User, "bob")).await;
    assert_eq!(world.there()["bob@x"]["manager"], "ada@x");
    on_demand(&world, &chosen(&[], 1)).await;
    assert_eq!(
        world.there().get("cy@x"),
        None,
        "only the first was taken along"
    );
    world.cycle().await;
    assert_eq!(world.there()["Sales"], json!(["ada@x", "bob@x", "cy@x"]));

    let refused = [
        (chosen(&["dan"], 5), "dan is no member"),
        (
            chosen(&["ada", "bob"], 1),
            "2 members were named, and 1 may",
        ),
        (
            asked(Kind::Group, "Nobody"),
            "the source has no group Nobody",
        ),
    ];
    for (asked, says) in refused {
        let error = try_on_demand(&world, &asked).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn whoever_is_out_of_scope_is_told_why() {
    const SALES: Rules = Rules {
        top: "",
        scope: r#"scope = { groups = [{ name = "Sellers", clauses = [{ attribute = "department", operator = "EQUALS", values = ["Sales"] }] }] }"#,
    };
    let mut world = World::with(SALES).await;
    world.person("ada", json!({"department": "Research"}));
    let done = on_demand(&world, &asked(Kind::User, "ada")).await;
    let skipped = (OnDemandResult::Skipped, Some(Code::NotEffectivelyEntitled));
    assert_eq!((done.result, code(&done)), skipped);
    let scoping = &done.records[0].provisioning_steps[1].details;
    assert_eq!(scoping["PassesScopingFilters"], false);
    assert_eq!(
        scoping["ScopeEvaluationResult"],
        json!({"Sellers department EQUALS Sales": {"value": "Research", "holds": false}})
    );
    assert_eq!(world.there(), json!({}));
}

#[tokio::test]
async fn what_goes_wrong_is_the_result_and_what_cannot_be_begun_is_an_error() {
    let mut world = town().await;
    world.person("dan", json!({"name": "Bob"}));
    let several = try_on_demand(&world, &by("name", "Bob")).await.unwrap_err();
    assert!(several.to_string().starts_with("2 objects"), "{several}");
    let nobody = try_on_demand(&world, &by("name", "Eve")).await.unwrap_err();
    assert!(nobody.to_string().contains("no user Eve"), "{nobody}");

    world.fault(|request| {
        (request.method == "POST").then(|| Reply::scim(403, &json!({"detail": "no"})))
    });
    let refused = on_demand(&world, &asked(Kind::User, "dan")).await;
    let failure = (OnDemandResult::Failure, Some(Code::InsufficientRights));
    assert_eq!((refused.result, code(&refused)), failure);
    assert_eq!(world.state.status().await.unwrap().escrowed, 1);

    world.fault(|_| Some(Reply::empty(401)));
    let untrusted = on_demand(&world, &asked(Kind::User, "dan")).await;
    let failure = (
        OnDemandResult::Failure,
        Some(Code::CredentialValidationFailure),
    );
    assert_eq!((untrusted.result, code(&untrusted)), failure);
    assert_eq!(untrusted.records, []);
    assert_eq!(
        world.asked(),
        [""; 0],
        "nothing but the test of the connection"
    );
}
