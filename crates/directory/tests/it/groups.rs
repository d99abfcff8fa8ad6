//! Groups and memberships.

use crate::engine::{Engine, on_each_engine};
use crate::world::World;
use portreeve_directory::directories::{self, GroupRemoval};
use portreeve_directory::{Refusal, What, groups};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_each_engine! {
    a_patched_group_has_the_members_that_plain_sets_would_have
    names_are_unique_only_where_the_directory_says_so
    a_member_who_does_not_exist_is_named_and_nothing_is_done
    a_member_that_is_not_what_its_type_says_is_refused_with_both_types
    nested_groups_give_indirect_membership_and_cycles_do_no_harm
    a_kept_group_is_gone_for_the_provider_and_comes_back_with_its_id
    a_kept_group_is_in_no_group_and_gives_nothing_through_nesting
    the_event_of_a_revived_group_names_its_members
    the_event_of_a_deleted_group_names_whom_and_what_it_left
    the_event_of_a_large_deleted_group_counts_those_it_does_not_name
    groups_out_of_sight_are_not_counted
    a_discarded_group_is_gone_whatever_the_directory_says
    only_real_changes_of_members_move_the_version
}

fn names_are_unique_only_where_the_directory_says_so(on: Engine) {
    let world = World::new(on);
    world.group("Sales", &[]);
    assert!(matches!(
        world.try_group("SALES", &[]),
        Err(Refusal::Conflict {
            what: What::Group,
            attribute: "displayName"
        })
    ));
    let loose = World::with(on, |settings| settings.unique_group_names = false);
    loose.group("Sales", &[]);
    loose.group("Sales", &[]);
}

fn a_member_who_does_not_exist_is_named_and_nothing_is_done(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let sales = world.group("Sales", &[]);
    let error = world.patch_group(&sales.id, json!([{"op": "Add", "path": "members", "value": [{"value": ann.id}, {"value": "nobody"}]}])).unwrap_err();
    assert!(error.to_string().contains("\"nobody\""), "{error}");
    assert_eq!(world.members(&sales.id), Vec::<String>::new());
    assert!(world.try_group("Other", &["nobody"]).is_err());
}

fn a_member_that_is_not_what_its_type_says_is_refused_with_both_types(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let inner = world.group("Inner", &[]);
    let have = world.group("Have", &[&ann.id, &inner.id]);
    let (user, group) = (("User", "Group"), ("Group", "User"));
    for (name, id, said, types) in [
        ("a new user", &bob.id, json!({"type": "Group"}), Some(user)),
        ("a member", &ann.id, json!({"type": "group"}), Some(user)),
        ("a group", &inner.id, json!({"type": "User"}), Some(group)),
        (
            "by $ref",
            &inner.id,
            json!({"$ref": "../Users/x"}),
            Some(group),
        ),
        ("right", &ann.id, json!({"type": "user"}), None),
        ("right group", &inner.id, json!({"type": "Group"}), None),
        ("not stated", &inner.id, json!({}), None),
    ] {
        let mut member = said;
        member["value"] = json!(id);
        let list = json!([member, {"value": bob.id}]);
        let given = json!([{"value": id, "type": member["type"], "$ref": member["$ref"]}]);
        let results = [
            world.try_group_of(&format!("POST {name}"), given.clone()),
            world.patch_group(
                &have.id,
                json!([{"op": "replace", "path": "members", "value": given}]),
            ),
            world.patch_group(
                &have.id,
                json!([{"op": "add", "path": "members", "value": list}]),
            ),
        ];
        for result in results {
            match types {
                None => assert!(result.is_ok(), "{name}: {result:?}"),
                Some((is, said)) => {
                    let error = result.unwrap_err().to_string();
                    let expect = format!("\"{id}\" is a {is}, but its type or $ref says {said}");
                    assert!(error.contains(&expect), "{name}: {error}");
                }
            }
        }
    }
}

fn nested_groups_give_indirect_membership_and_cycles_do_no_harm(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let inner = world.group("Inner", &[&ann.id]);
    let middle = world.group("Middle", &[&inner.id]);
    let outer = world.group("Outer", &[&middle.id, &ann.id]);
    world
        .patch_group(
            &inner.id,
            json!([{"op": "Add", "path": "members", "value": [{"value": outer.id}]}]),
        )
        .unwrap();
    assert_eq!(
        world.groups_of(&ann.id),
        ["Inner", "Middle (indirect)", "Outer"]
    );
    world.delete_group(&middle.id).unwrap();
    assert_eq!(world.groups_of(&ann.id), ["Inner", "Outer"]);
    assert_eq!(
        world.members(&outer.id),
        [ann.id],
        "a deleted group is a member of none"
    );
    assert_eq!(world.members(&inner.id).len(), 2);
}

fn a_kept_group_is_gone_for_the_provider_and_comes_back_with_its_id(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let sales = world.group("Sales", &[&ann.id]);
    world.delete_group(&sales.id).unwrap();
    assert!(matches!(
        world.delete_group(&sales.id),
        Err(Refusal::NotFound(What::Group, _))
    ));
    assert_eq!(
        world.groups_of(&ann.id),
        Vec::<String>::new(),
        "its memberships do not count"
    );
    assert_eq!(
        world.members(&sales.id),
        std::slice::from_ref(&ann.id),
        "and are kept"
    );
    let back = world.group("sales", &[&bob.id]);
    assert_eq!((back.id.as_str(), back.version), (sales.id.as_str(), 3));
    assert_eq!(
        (world.groups_of(&ann.id), world.groups_of(&bob.id)),
        (vec![], vec!["sales".to_owned()])
    );
}

fn a_kept_group_is_in_no_group_and_gives_nothing_through_nesting(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let ann = world.named("ann");
    let inner = world.group("Inner", &[&ann.id]);
    let middle = world.group("Middle", &[&inner.id]);
    let outer = world.group("Outer", &[&middle.id]);
    // A member of itself must not stand in its own way.
    let itself = json!([{"op": "Add", "path": "members", "value": [{"value": middle.id}]}]);
    world.patch_group(&middle.id, itself).unwrap();
    world.delete_group(&middle.id).unwrap();
    assert_eq!(world.groups_of(&ann.id), ["Inner"]);
    assert!(world.members(&outer.id).is_empty());
    assert_eq!(
        world.get_group(&outer.id).unwrap().version,
        2,
        "to lose a member is a change"
    );
    assert_eq!(world.members(&middle.id), [inner.id.as_str()]);

    let add = json!([{"op": "Add", "path": "members", "value": [{"value": middle.id}]}]);
    let error = world.patch_group(&outer.id, add.clone()).unwrap_err();
    assert!(error.to_string().contains(&middle.id), "{error}");
    assert!(world.try_group("Other", &[&middle.id]).is_err());

    world.group("Middle", &[&inner.id]);
    assert_eq!(
        world.groups_of(&ann.id),
        ["Inner", "Middle (indirect)"],
        "revived, it is not in Outer again"
    );
    world.patch_group(&outer.id, add).unwrap();
    assert_eq!(
        world.groups_of(&ann.id),
        ["Inner", "Middle (indirect)", "Outer (indirect)"]
    );
}

fn the_event_of_a_revived_group_names_its_members(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let (ann, bob, eve) = (world.named("ann"), world.named("bob"), world.named("eve"));
    let sales = world.group("Sales", &[&ann.id, &eve.id]);
    world.delete_group(&sales.id).unwrap();
    assert_eq!(
        world.events().last().unwrap().changes,
        [json!({"attribute": "members", "old": [ann.id, eve.id]})],
        "kept or not, they lost it"
    );
    world.group("Sales", &[&ann.id, &bob.id]);
    let revived = world.events().pop().unwrap();
    assert_eq!(
        (revived.action.as_str(), revived.object_id.as_deref()),
        ("create", Some(sales.id.as_str()))
    );
    assert_eq!(
        revived.changes,
        [json!({"attribute": "members", "new": [ann.id, bob.id]})]
    );
}

fn the_event_of_a_deleted_group_names_whom_and_what_it_left(on: Engine) {
    for removal in [GroupRemoval::Delete, GroupRemoval::Keep] {
        let world = World::with(on, |settings| settings.groups = removal);
        let ann = world.named("ann");
        let inner = world.group("Inner", &[&ann.id]);
        let outer = world.group("Outer", &[&inner.id]);
        let empty = world.group("Empty", &[]);
        for (id, expect) in [
            (
                &inner.id,
                vec![
                    json!({"attribute": "groups", "old": [outer.id]}),
                    json!({"attribute": "members", "old": [ann.id]}),
                ],
            ),
            (&empty.id, vec![]),
        ] {
            world.delete_group(id).unwrap();
            assert_eq!(world.events().pop().unwrap().changes, expect, "{removal:?}");
        }
    }
}

fn the_event_of_a_large_deleted_group_counts_those_it_does_not_name(on: Engine) {
    for members in [1000, 1001] {
        let world = World::new(on);
        let group = world.group("All", &[]);
        let id = group.id.clone();
        world
            .write(move |tx, call| {
                for i in 0..members {
                    tx.exec("INSERT INTO members (directory_id, group_id, member_id, kind, added_at) VALUES ($1, $2, $3, 'User', 1)",
                        &portreeve_store::params![&call.directory.id, &id, &format!("m{i:05}")])?;
                }
                Ok(())
            })
            .unwrap();
        world.delete_group(&group.id).unwrap();
        let changes = world.events().pop().unwrap().changes;
        let [change] = &changes[..] else {
            panic!("one change: {changes:?}")
        };
        assert_eq!(change["old"].as_array().unwrap().len(), 1000, "{members}");
        let beyond = (members > 1000).then_some(members);
        assert_eq!(change.get("count").and_then(Value::as_i64), beyond);
    }
}

fn groups_out_of_sight_are_not_counted(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let kept = world.group("Kept", &[]);
    world.group("Active", &[]);
    world.delete_group(&kept.id).unwrap();
    let directory = world.directory.id.clone();
    let counts = world
        .read(move |tx| directories::counts(tx, &directory))
        .unwrap();
    assert_eq!(counts.groups, 1);
}

fn a_discarded_group_is_gone_whatever_the_directory_says(on: Engine) {
    for removal in [GroupRemoval::Delete, GroupRemoval::Keep] {
        let world = World::with(on, |settings| settings.groups = removal);
        let ann = world.named("ann");
        let sales = world.group("Sales", &[&ann.id]);
        let id = sales.id.clone();
        world
            .write(move |tx, call| groups::discard(tx, call, &id))
            .unwrap();
        assert!(world.members(&sales.id).is_empty(), "{removal:?}");
        assert_eq!(
            world.events().last().map(|event| event.action.as_str()),
            Some("delete"),
            "{removal:?}"
        );
        assert_ne!(
            world.group("Sales", &[]).id,
            sales.id,
            "{removal:?}: there is nothing to revive"
        );
    }
}

fn only_real_changes_of_members_move_the_version(on: Engine) {
    let world = World::new(on);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let sales = world.group("Sales", &[&ann.id]);
    let list = |ids: &[&str]| -> Value { ids.iter().map(|id| json!({"value": id})).collect() };
    for (name, operations, version) in [
        (
            "present member added",
            json!([{"op": "Add", "path": "members", "value": list(&[&ann.id])}]),
            1,
        ),
        (
            "absent member removed",
            json!([{"op": "Remove", "path": "members", "value": list(&[&bob.id])}]),
            1,
        ),
        (
            "the same list",
            json!([{"op": "replace", "path": "members", "value": list(&[&ann.id])}]),
            1,
        ),
        (
            "added and removed in one",
            json!([{"op": "Add", "path": "members", "value": list(&[&bob.id])}, {"op": "Remove", "path": "members", "value": list(&[&bob.id])}]),
            1,
        ),
        (
            "added",
            json!([{"op": "Add", "path": "members", "value": list(&[&bob.id])}]),
            2,
        ),
        (
            "removed by filter",
            json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", bob.id)}]),
            3,
        ),
        (
            "removed by kind",
            json!([{"op": "remove", "path": "members[type eq \"User\"]"}]),
            4,
        ),
    ] {
        assert_eq!(
            world.patch_group(&sales.id, operations).unwrap().version,
            version,
            "{name}"
        );
    }
    assert_eq!(world.members(&sales.id), Vec::<String>::new());
}

/// One operation on members, on users by number.
#[derive(Debug, Clone)]
enum Step {
    Add(Vec<usize>),
    Remove(Vec<usize>),
    Replace(Vec<usize>),
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || proptest::collection::vec(0..8usize, 0..5);
    let step = prop_oneof![
        some().prop_map(Step::Add),
        some().prop_map(Step::Remove),
        some().prop_map(Step::Replace),
        Just(Step::Clear)
    ];
    proptest::collection::vec(step, 1..6)
}

fn a_patched_group_has_the_members_that_plain_sets_would_have(on: Engine) {
    proptest!(on.cases(48), |(requests in proptest::collection::vec(steps(), 1..5))| {
        let world = World::new(on);
        let users: Vec<String> = (0..8).map(|i| world.named(&format!("u{i}")).id).collect();
        let group = world.group("G", &[]);
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for request in requests {
            let pick = |list: &[usize]| -> Vec<String> { list.iter().map(|i| users[*i].clone()).collect() };
            let json = |ids: Vec<String>| -> Value { ids.into_iter().map(|id| json!({"value": id})).collect() };
            let mut operations = Vec::new();
            for step in &request {
                match step {
                    Step::Add(list) => { expected.extend(pick(list)); operations.push(json!({"op": "add", "path": "members", "value": json(pick(list))})); }
                    Step::Remove(list) if list.is_empty() => {}
                    Step::Remove(list) => { for id in pick(list) { expected.remove(&id); } operations.push(json!({"op": "remove", "path": "members", "value": json(pick(list))})); }
                    Step::Replace(list) => { expected = pick(list).into_iter().collect(); operations.push(json!({"op": "replace", "path": "members", "value": json(pick(list))})); }
                    Step::Clear => { expected.clear(); operations.push(json!({"op": "remove", "path": "members"})); }
                }
            }
            if operations.is_empty() { continue; }
            world.patch_group(&group.id, Value::Array(operations)).unwrap();
            prop_assert_eq!(world.members(&group.id), expected.iter().cloned().collect::<Vec<_>>());
        }
    });
}
