//! Both dialects, change by change, as `Dialect` describes them.

use proptest::prelude::*;

use super::*;

const EMPLOYEE_NUMBER: &str =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
const WORK_EMAIL: &str = "emails[type eq \"work\"].value";

fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

/// Checks the operations that one patch has in the two dialects.
fn check(name: &str, patch: &Patch, classic: &Value, compliant: &Value) {
    let message = |operations| json!({"schemas": [PATCH_OP], "Operations": operations});
    assert_eq!(
        patch.body(Dialect::Classic),
        message(classic),
        "{name}, classic"
    );
    assert_eq!(
        patch.body(Dialect::Compliant),
        message(compliant),
        "{name}, compliant"
    );
}

#[test]
fn attributes_are_written_one_by_one_or_together() {
    let patch = Patch::new()
        .replace(WORK_EMAIL, json!("al@contoso.example"))
        .replace("displayName", json!("Ada Lovelace"))
        .replace(EMPLOYEE_NUMBER, json!("43"))
        .add("nickName", json!("A"));
    let classic = json!([
        {"op": "Replace", "path": WORK_EMAIL, "value": "al@contoso.example"},
        {"op": "Replace", "path": "displayName", "value": "Ada Lovelace"},
        {"op": "Replace", "path": EMPLOYEE_NUMBER, "value": "43"},
        {"op": "Add", "path": "nickName", "value": "A"},
    ]);
    let compliant = json!([
        {"op": "replace", "path": WORK_EMAIL, "value": "al@contoso.example"},
        {"op": "add", "path": "nickName", "value": "A"},
        {"op": "replace", "value": {"displayName": "Ada Lovelace", EMPLOYEE_NUMBER: "43"}},
    ]);
    check("attributes", &patch, &classic, &compliant);
    assert!(!patch.is_empty());
}

#[test]
fn booleans_are_words_in_the_classic_dialect_alone() {
    for (value, word) in [(false, "False"), (true, "True")] {
        let classic = json!([{"op": "Replace", "path": "active", "value": word}]);
        let compliant = json!([{"op": "replace", "value": {"active": value}}]);
        check(
            word,
            &Patch::new().replace("active", json!(value)),
            &classic,
            &compliant,
        );
    }
}

#[test]
fn a_manager_is_an_id_or_an_object() {
    let classic = json!([{"op": "Add", "path": MANAGER, "value": "26118915"}]);
    let compliant = json!([{"op": "add", "path": MANAGER, "value": {"value": "26118915"}}]);
    check(
        "manager",
        &Patch::new().refer(MANAGER, id("26118915")),
        &classic,
        &compliant,
    );
}

#[test]
fn an_attribute_is_taken_away() {
    let classic = json!([{"op": "Remove", "path": "title"}]);
    let compliant = json!([{"op": "remove", "path": "title"}]);
    check(
        "remove",
        &Patch::new().remove("title"),
        &classic,
        &compliant,
    );
}

#[test]
fn members_join_in_one_operation() {
    let patch = Patch::new().add_members([id("U1"), id("U2")]);
    let classic = json!([
        {"op": "Add", "path": "members", "value": [{"$ref": null, "value": "U1"}, {"$ref": null, "value": "U2"}]},
    ]);
    let compliant =
        json!([{"op": "add", "path": "members", "value": [{"value": "U1"}, {"value": "U2"}]}]);
    check("join", &patch, &classic, &compliant);
}

#[test]
fn members_leave_by_value_or_by_filter() {
    let patch = Patch::new().remove_members([id("U1"), id("U\"2")]);
    let classic = json!([
        {"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "U1"}, {"$ref": null, "value": "U\"2"}]},
    ]);
    let compliant = json!([
        {"op": "remove", "path": "members[value eq \"U1\"]"},
        {"op": "remove", "path": "members[value eq \"U\\\"2\"]"},
    ]);
    check("leave", &patch, &classic, &compliant);
}

#[test]
fn a_later_change_of_a_path_takes_the_place_of_the_earlier_one() {
    let patch = Patch::new()
        .replace("title", json!("A"))
        .add("Title", json!("B"));
    assert_eq!(patch, Patch::new().add("title", json!("B")));
    assert!(Patch::new().is_empty());
}

/// Some change at some path of some form.
fn any_patch() -> impl Strategy<Value = Patch> {
    let paths = [
        "title",
        "name.givenName",
        r#"emails[type eq "work"].value"#,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    ];
    let change = (proptest::sample::select(paths.to_vec()), 0..3, "[a-z]{0,3}");
    let member = (proptest::bool::ANY, "[a-c]");
    let changes = proptest::collection::vec(change, 0..5);
    let members = proptest::collection::vec(member, 0..4);
    (changes, members).prop_map(|(changes, members)| {
        let patch =
            changes
                .into_iter()
                .fold(Patch::new(), |patch, (path, what, text)| match what {
                    0 => patch.add(path, json!(text)),
                    1 => patch.replace(path, json!(text)),
                    _ => patch.remove(path),
                });
        members.into_iter().fold(patch, |patch, (joins, id)| {
            let id = ResourceId::new(&id);
            if joins {
                patch.add_members(id)
            } else {
                patch.remove_members(id)
            }
        })
    })
}

proptest! {
    #[test]
    fn applied_twice_a_patch_does_what_it_does_once(first in any_patch(), second in any_patch()) {
        let mut once = Map::new();
        prop_assert!(first.apply(&mut once).is_some());
        prop_assert!(second.apply(&mut once).is_some());
        let mut twice = once.clone();
        prop_assert!(second.apply(&mut twice).is_some());
        prop_assert_eq!(once, twice);
    }
}
