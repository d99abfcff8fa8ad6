//! Members and managers at the target.

use std::collections::HashSet;

use portreeve_provisioning::engine::codes::Code;
use portreeve_provisioning::job::{
    Change, Due, MEMBERS, ReferencesOutcome, Target, write_references,
};
use portreeve_provisioning::source::Kind;
use serde_json::{Value, json};

use super::{MANAGER, application, id, refusal, stamp};
use crate::double::{Double, Reply, Seen};

fn change(name: &str, wanted: bool) -> Change {
    Change {
        other_key: format!("key of {name}"),
        other: id(name),
        wanted,
    }
}

fn due(kind: Kind, attribute: &str, changes: Vec<Change>) -> Due {
    Due {
        kind,
        key: "k1".to_owned(),
        name: Some("Sales".to_owned()),
        target_id: id("g1"),
        attribute: attribute.to_owned(),
        changes,
        escrow: None,
    }
}

async fn write(due: &Due, double: &Double, settings: &str) -> ReferencesOutcome {
    let target = Target::new(double.open(settings).unwrap().0);
    write_references(&application(|text| text), &target, due, &stamp()).await
}

fn operations(seen: &Seen) -> Value {
    seen.body.as_ref().unwrap()["Operations"].clone()
}

/// References that are due, settings of the target, and the operations that they take.
fn written() -> Vec<(&'static str, Due, &'static str, Value)> {
    let coming_and_going = || vec![change("u1", true), change("u2", true), change("u3", false)];
    let compliant = "url = \"http://HERE/scim?aadOptscim062020\"";
    vec![
        (
            "members",
            due(Kind::Group, MEMBERS, coming_and_going()),
            "",
            json!([
                {"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}, {"$ref": null, "value": "u2"}]},
                {"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u3"}]},
            ]),
        ),
        (
            "members, compliant",
            due(Kind::Group, MEMBERS, coming_and_going()),
            compliant,
            json!([
                {"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u2"}]},
                {"op": "remove", "path": "members[value eq \"u3\"]"},
            ]),
        ),
        (
            "a manager",
            due(Kind::User, MANAGER, vec![change("u2", true)]),
            "",
            json!([{"op": "Add", "path": MANAGER, "value": "u2"}]),
        ),
        (
            "another manager, compliant",
            due(
                Kind::User,
                MANAGER,
                vec![change("u1", false), change("u2", true)],
            ),
            compliant,
            json!([{"op": "add", "path": MANAGER, "value": {"value": "u2"}}]),
        ),
        (
            "no manager any more",
            due(Kind::User, MANAGER, vec![change("u1", false)]),
            "",
            json!([{"op": "Remove", "path": MANAGER}]),
        ),
    ]
}

#[tokio::test]
async fn members_and_managers_are_written_in_the_dialect_of_the_target() {
    for (name, due, settings, expected) in written() {
        let double = Double::script(vec![Reply::empty(204)]).await;
        let outcome = write(&due, &double, settings).await;
        let requests = double.requests();
        assert_eq!(requests.len(), 1, "{name}");
        assert_eq!(operations(&requests[0]), expected, "{name}");
        let applied: HashSet<_> = outcome.applied.into_iter().collect();
        let all = due
            .changes
            .iter()
            .map(|it| (it.other_key.clone(), it.wanted));
        assert_eq!(applied, all.collect(), "{name}");
        assert_eq!(
            (outcome.escrow, outcome.failed, outcome.gone),
            (None, 0, false),
            "{name}"
        );
        assert_eq!(
            outcome.record.unwrap().modified_properties.len(),
            due.changes.len(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn members_go_in_hundreds() {
    let double = Double::start(|_| Reply::empty(204)).await;
    let changes = (0..250)
        .map(|n| change(&format!("u{n}"), n % 2 == 0))
        .collect();
    let outcome = write(&due(Kind::Group, MEMBERS, changes), &double, "").await;
    let sizes: Vec<usize> = double
        .requests()
        .iter()
        .map(|seen| {
            let operations = operations(seen);
            let operations = operations.as_array().unwrap().iter();
            operations
                .map(|it| it["value"].as_array().unwrap().len())
                .sum()
        })
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(outcome.applied.len(), 250);
    // The log stays readable.
    assert_eq!(outcome.record.unwrap().modified_properties.len(), 101);
}

/// The target knows the group, and none of these.
fn without(unknown: &'static [&'static str], status: u16) -> impl FnMut(&Seen) -> Reply + Send {
    move |seen| {
        let text = seen.text.clone();
        let names = |name: &&str| text.contains(&format!("\"{name}\""));
        match &*seen.method {
            "GET" => Reply::scim(200, &json!({"id": "g1", "displayName": "Sales"})),
            _ if unknown.iter().any(names) => refusal(status, None),
            _ => Reply::empty(204),
        }
    }
}

#[tokio::test]
async fn a_member_whom_the_target_does_not_take_keeps_nobody_else_out() {
    for status in [400, 404, 409, 422] {
        let double = Double::start(without(&["u7", "u30"], status)).await;
        let changes = (0..40).map(|n| change(&format!("u{n}"), true)).collect();
        let outcome = write(&due(Kind::Group, MEMBERS, changes), &double, "").await;
        let applied: HashSet<String> = outcome.applied.into_iter().map(|(key, _)| key).collect();
        assert_eq!(applied.len(), 38, "{status}");
        assert!(!applied.contains("key of u7") && !applied.contains("key of u30"));
        assert_eq!(
            (outcome.failed, outcome.gone, &outcome.stop),
            (2, false, &None),
            "{status}"
        );
        assert!(outcome.escrow.is_some(), "{status}");
        let told = serde_json::to_string(&outcome.record).unwrap();
        assert!(told.contains("key of u30"), "{status}: {told}");
    }
}

#[tokio::test]
async fn a_refusal_that_no_member_causes_is_not_divided() {
    let everybody: Vec<Change> = (0..40).map(|n| change(&format!("u{n}"), true)).collect();
    let group = |changes| due(Kind::Group, MEMBERS, changes);
    for (status, code, requests) in [
        (403, Code::InsufficientRights, 1),
        // PATCH is refused as such, and so is reading what would be put in its place.
        (501, Code::NotImplemented, 2),
    ] {
        let double = Double::start(move |_| refusal(status, None)).await;
        let outcome = write(&group(everybody.clone()), &double, "").await;
        assert_eq!(double.requests().len(), requests, "{status}");
        assert_eq!(outcome.escrow.map(|it| it.code), Some(code), "{status}");
        assert_eq!((outcome.applied.len(), outcome.failed), (0, 40), "{status}");
    }
    // A target that refuses each of many is not asked for all of them.
    let many = (0..2_000).map(|n| change(&format!("u{n}"), true)).collect();
    let double = Double::start(|_| refusal(400, None)).await;
    let outcome = write(&group(many), &double, "").await;
    assert!(double.requests().len() < 100);
    assert_eq!(outcome.failed, 2_000);
    // A manager stands alone.
    let manager = due(Kind::User, MANAGER, vec![change("u1", true)]);
    let double = Double::start(without(&["u1"], 404)).await;
    let outcome = write(&manager, &double, "").await;
    let code = outcome.escrow.map(|it| it.code);
    assert_eq!(code, Some(Code::UnableToResolveReferenceAttributeValue));
}

#[tokio::test]
async fn a_group_that_is_gone_is_told_apart_from_a_member_who_is() {
    let double = Double::start(|_| refusal(404, None)).await;
    let changes = (0..40).map(|n| change(&format!("u{n}"), true)).collect();
    let outcome = write(&due(Kind::Group, MEMBERS, changes), &double, "").await;
    assert_eq!(
        double.lines(),
        [
            "PATCH /scim/Groups/g1",
            "GET /scim/Groups/g1?excludedAttributes=members"
        ]
    );
    assert!(outcome.gone);
    assert_eq!((outcome.escrow, outcome.applied.len()), (None, 0));
}

#[tokio::test]
async fn a_revoked_token_ends_the_cycle_after_what_was_written() {
    let mut requests = 0;
    let double = Double::start(move |_| {
        requests += 1;
        match requests {
            1 => Reply::empty(204),
            _ => refusal(401, None),
        }
    })
    .await;
    let changes = (0..250).map(|n| change(&format!("u{n}"), true)).collect();
    let outcome = write(&due(Kind::Group, MEMBERS, changes), &double, "").await;
    assert_eq!(double.requests().len(), 2);
    assert_eq!(outcome.applied.len(), 100);
    assert!(outcome.stop.is_some() && outcome.escrow.is_none());
}
