//! Members come out as steps that need none of the stored members.

use super::*;
use crate::resource::MemberKind;

fn steps(profile: Profile, operations: Value) -> Result<Vec<MemberStep>, Error> {
    let catalog = Catalog::standard();
    let patch = Patch::parse(
        message(operations),
        catalog.group(),
        ID,
        profile,
        &mut Notes::default(),
    )?;
    Ok(patch.members().to_vec())
}

fn add(ids: &[&str]) -> MemberStep {
    MemberStep::Add(
        ids.iter()
            .map(|id| MemberRef {
                value: (*id).into(),
                kind: None,
            })
            .collect(),
    )
}

fn remove(ids: &[&str]) -> MemberStep {
    MemberStep::Remove(ids.iter().map(|id| (*id).into()).collect())
}

#[test]
fn by_the_rfc() {
    let remove_where = |text: &str| MemberStep::RemoveWhere(Filter::parse(text).unwrap());
    for (case, operation, expected) in [
        (
            "add a list",
            json!({ "op": "add", "path": "members", "value": [{ "value": "1" }, { "value": "2"}] }),
            vec![add(&["1", "2"])],
        ),
        (
            "add one",
            json!({ "op": "add", "path": "Members", "value": { "value": "1" } }),
            vec![add(&["1"])],
        ),
        (
            "add without path",
            json!({ "op": "add", "value": { "members": [{ "value": "1" }] } }),
            vec![add(&["1"])],
        ),
        (
            "add none",
            json!({ "op": "add", "path": "members", "value": [] }),
            vec![],
        ),
        (
            "replace",
            json!({ "op": "replace", "path": "members", "value": [{ "value": "1" }] }),
            vec![MemberStep::Clear, add(&["1"])],
        ),
        (
            "replace by none",
            json!({ "op": "replace", "path": "members", "value": [] }),
            vec![MemberStep::Clear],
        ),
        (
            "replace by null",
            json!({ "op": "replace", "path": "members", "value": null }),
            vec![MemberStep::Clear],
        ),
        (
            "replace without path",
            json!({ "op": "replace", "value": { "members": [] } }),
            vec![MemberStep::Clear],
        ),
        (
            "remove all",
            json!({ "op": "remove", "path": "members" }),
            vec![MemberStep::Clear],
        ),
        (
            "remove one",
            json!({ "op": "remove", "path": "members[value eq \"1\"]" }),
            vec![remove(&["1"])],
        ),
        (
            "remove one, no blank",
            json!({ "op": "remove", "path": "members[VALUE eq\"1\"]" }),
            vec![remove(&["1"])],
        ),
        (
            "remove two",
            json!({ "op": "remove", "path": "members[value eq \"1\" or value eq \"2\"]" }),
            vec![remove(&["1", "2"])],
        ),
        (
            "by URN",
            json!({ "op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"1\"]" }),
            vec![remove(&["1"])],
        ),
        (
            "remove by type",
            json!({ "op": "remove", "path": "members[type eq \"Group\"]" }),
            vec![remove_where("type eq \"Group\"")],
        ),
        (
            "remove all but one",
            json!({ "op": "remove", "path": "members[not (value eq \"1\")]" }),
            vec![remove_where("not (value eq \"1\")")],
        ),
    ] {
        let result = steps(Profile::Strict, json!([operation]))
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(result, expected, "{case}");
    }
}

#[test]
fn in_order() {
    let operations = json!([
        { "op": "add", "path": "members", "value": [{ "value": "1" }] },
        { "op": "replace", "path": "displayName", "value": "x" },
        { "op": "remove", "path": "members[value eq \"1\"]" }
    ]);
    assert_eq!(
        steps(Profile::Strict, operations).unwrap(),
        [add(&["1"]), remove(&["1"])]
    );
}

#[test]
fn what_a_member_is_comes_from_type_or_reference() {
    let operations = json!([{ "op": "add", "path": "members", "value": [
        { "value": "1", "type": "user" },
        { "value": "2", "$ref": "https://example.com/scim/v2/Groups/2" }
    ] }]);
    let expected = MemberStep::Add(vec![
        MemberRef {
            value: "1".into(),
            kind: Some(MemberKind::User),
        },
        MemberRef {
            value: "2".into(),
            kind: Some(MemberKind::Group),
        },
    ]);
    assert_eq!(steps(Profile::Strict, operations).unwrap(), [expected]);
}

#[test]
fn remove_by_value_never_empties_the_group() {
    for (case, value, expected) in [
        (
            "one",
            json!([{ "$ref": null, "value": "1" }]),
            vec![remove(&["1"])],
        ),
        (
            "two",
            json!([{ "value": "1" }, { "value": "2" }]),
            vec![remove(&["1", "2"])],
        ),
        ("an object", json!({ "value": "1" }), vec![remove(&["1"])]),
        ("none", json!([]), vec![]),
    ] {
        let operations = json!([{ "op": "Remove", "path": "members", "value": value }]);
        assert_eq!(
            steps(Profile::Lenient, operations).unwrap(),
            expected,
            "{case}"
        );
        let operations = json!([{ "op": "remove", "path": "members", "value": value }]);
        assert_eq!(
            steps(Profile::Strict, operations).unwrap_err().kind,
            ErrorKind::InvalidValue,
            "{case}"
        );
    }
}

#[test]
fn bare_ids_by_leniency_only() {
    for (op, value, expected) in [
        ("add", json!(["1", "2"]), add(&["1", "2"])),
        ("add", json!("1"), add(&["1"])),
        ("remove", json!(["1"]), remove(&["1"])),
    ] {
        let operations = json!([{ "op": op, "path": "members", "value": value }]);
        assert_eq!(
            steps(Profile::Entra, operations.clone()).unwrap(),
            [expected]
        );
        assert_eq!(
            steps(Profile::Lenient, operations).unwrap_err().kind,
            ErrorKind::InvalidValue
        );
    }
}

#[test]
fn a_member_is_not_changed() {
    for (case, operation, kind) in [
        (
            "its value",
            json!({ "op": "replace", "path": "members[value eq \"1\"].value", "value": "2" }),
            ErrorKind::Mutability,
        ),
        (
            "all values",
            json!({ "op": "replace", "path": "members.value", "value": "2" }),
            ErrorKind::Mutability,
        ),
        (
            "a part taken away",
            json!({ "op": "remove", "path": "members.type" }),
            ErrorKind::Mutability,
        ),
        (
            "a member replaced",
            json!({ "op": "replace", "path": "members[value eq \"1\"]", "value": { "value": "2" } }),
            ErrorKind::Mutability,
        ),
        (
            "a member added at a filter",
            json!({ "op": "add", "path": "members[value eq \"1\"]", "value": { "value": "1" } }),
            ErrorKind::Mutability,
        ),
        (
            "a member without id",
            json!({ "op": "add", "path": "members", "value": [{ "display": "x" }] }),
            ErrorKind::InvalidValue,
        ),
        (
            "a number",
            json!({ "op": "add", "path": "members", "value": [5] }),
            ErrorKind::InvalidValue,
        ),
        (
            "unknown in brackets",
            json!({ "op": "remove", "path": "members[shoeSize eq 5]" }),
            ErrorKind::InvalidFilter,
        ),
        (
            "a number in brackets",
            json!({ "op": "remove", "path": "members[value eq 5]" }),
            ErrorKind::InvalidFilter,
        ),
    ] {
        let error = steps(Profile::Entra, json!([operation]))
            .err()
            .unwrap_or_else(|| panic!("{case}"));
        assert_eq!(error.kind, kind, "{case}: {error}");
    }
}

#[test]
fn renaming_a_group_leaves_its_members_alone() {
    let catalog = Catalog::standard();
    let rename = message(json!([{ "op": "replace", "value": { "id": ID, "displayName": "n" } }]));
    let patch = Patch::parse(
        rename,
        catalog.group(),
        ID,
        Profile::Okta,
        &mut Notes::default(),
    )
    .unwrap();
    assert_eq!(patch.members(), []);
    assert!(patch.changes_attributes());
    let mut group = resource(
        catalog.group(),
        json!({ "displayName": "o", "externalId": "e" }),
    );
    patch.apply(catalog.group(), &mut group).unwrap();
    assert_eq!(
        (group.display_name(), group.external_id()),
        (Some("n"), Some("e"))
    );
}

#[test]
fn members_alone_change_no_attribute() {
    let catalog = Catalog::standard();
    let body = message(json!([{ "op": "add", "path": "members", "value": [{ "value": "1" }] }]));
    let patch = Patch::parse(
        body,
        catalog.group(),
        ID,
        Profile::Strict,
        &mut Notes::default(),
    )
    .unwrap();
    assert!(!patch.changes_attributes());
}
