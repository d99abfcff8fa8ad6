//! The life of a user.

use crate::engine::{Engine, on_each_engine};
use crate::world::{World, query};
use portreeve_directory::directories::{GroupRemoval, UserRemoval};
use portreeve_directory::list::Users;
use portreeve_directory::users::{self, Status};
use portreeve_directory::{Refusal, What};
use serde_json::{Value, json};

on_each_engine! {
    user_names_are_unique_in_any_letter_case_and_belong_to_suspended_people_too
    a_refused_change_leaves_nothing_behind
    a_deactivated_user_keeps_memberships_and_comes_back_as_a_plain_user
    deletion_does_what_the_directory_says
    nobody_reports_to_somebody_who_is_gone
    one_transaction_releases_so_many_reports_and_the_caller_goes_on
    nothing_moves_when_nothing_changes
    events_tell_what_changed_from_what_to_what
    the_event_of_a_deleted_user_names_the_groups_that_were_left
    to_leave_active_out_or_to_remove_it_lets_nobody_in_again
    a_discarded_user_is_gone_whatever_the_directory_says
    values_that_are_never_returned_are_in_no_event
    whatever_is_changed_is_found_by_what_it_is_now
}

const OFF: &str = "False";

fn switch(value: impl Into<Value>) -> Value {
    json!([{"op": "Replace", "path": "active", "value": value.into()}])
}

fn user_names_are_unique_in_any_letter_case_and_belong_to_suspended_people_too(on: Engine) {
    let world = World::new(on);
    let ann = world.named("Ann@Example.com");
    world.patch_user(&ann.id, switch(OFF)).unwrap();
    let again = world.try_user(json!({"userName": "ann@example.COM"}));
    assert!(matches!(
        again,
        Err(Refusal::Conflict {
            what: What::User,
            attribute: "userName"
        })
    ));
    world.delete_user(&ann.id).unwrap();
    assert_ne!(world.named("ann@example.com").id, ann.id);
}

fn a_refused_change_leaves_nothing_behind(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    world.named("bob");
    let events = world.events().len();
    let taken = world.patch_user(
        &ann.id,
        json!([{"op": "replace", "value": {"displayName": "B", "userName": "bob"}}]),
    );
    assert!(matches!(taken, Err(Refusal::Conflict { .. })));
    assert_eq!(world.get(&ann.id).unwrap().resource, ann.resource);
    assert_eq!(world.events().len(), events);
}

fn a_deactivated_user_keeps_memberships_and_comes_back_as_a_plain_user(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    let sales = world.group("Sales", &[&ann.id]);
    let id = ann.id.clone();
    world
        .write(move |tx, call| {
            Ok(tx.exec(
                "UPDATE users SET level = 'admin' WHERE directory_id = $1 AND id = $2",
                &portreeve_store::params![&call.directory.id, &id],
            )?)
        })
        .unwrap();
    let off = world.patch_user(&ann.id, switch(OFF)).unwrap();
    assert_eq!(
        (off.status, off.level.as_str()),
        (Status::Suspended, "admin")
    );
    assert_eq!(world.members(&sales.id), std::slice::from_ref(&ann.id));
    let on = world.patch_user(&ann.id, switch(true)).unwrap();
    assert_eq!((on.status, on.level.as_str()), (Status::Active, "user"));
    assert_eq!(world.groups_of(&ann.id), ["Sales"]);
}

fn deletion_does_what_the_directory_says(on: Engine) {
    for (removal, left) in [
        (UserRemoval::Delete, None),
        (UserRemoval::Suspend, Some(Status::Suspended)),
        (UserRemoval::Hide, Some(Status::Hidden)),
    ] {
        let world = World::with(on, |settings| settings.users = removal);
        let ann = world.user(json!({"userName": "ann", "emails": [{"value": "ann@x.example"}]}));
        let sales = world.group("Sales", &[&ann.id]);
        world.delete_user(&ann.id).unwrap();
        let found = world.get(&ann.id);
        assert_eq!(
            found.as_ref().ok().map(|user| user.status),
            left,
            "{removal:?}"
        );
        match found {
            Ok(user) => {
                assert!(user.resource.contains("\"active\":false"), "{removal:?}");
                assert_eq!(world.members(&sales.id), [ann.id], "{removal:?}");
            }
            Err(_) => {
                assert_eq!(world.members(&sales.id), Vec::<String>::new());
                assert!(matches!(
                    world.delete_user(&ann.id),
                    Err(Refusal::NotFound(What::User, _))
                ));
            }
        }
    }
}

fn nobody_reports_to_somebody_who_is_gone(on: Engine) {
    let world = World::new(on);
    let boss = world.named("boss");
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let ann = world.user(
        json!({"userName": "ann", urn: {"department": "R&D", "manager": {"value": boss.id}}}),
    );
    let bob = world.user(json!({"userName": "bob", urn: {"manager": {"value": boss.id}}}));
    world.delete_user(&boss.id).unwrap();
    let ann = world.get(&ann.id).unwrap();
    assert!(ann.resource.contains("R&D") && !ann.resource.contains("manager") && ann.version == 2);
    assert!(
        !world.get(&bob.id).unwrap().resource.contains(urn),
        "an extension without data is not there"
    );
}

fn one_transaction_releases_so_many_reports_and_the_caller_goes_on(on: Engine) {
    let world = World::new(on);
    let boss = world.named("boss");
    let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let beyond = 3;
    let count = usize::try_from(users::REPORTS_AT_ONCE).unwrap() + beyond;
    let reports: Vec<_> = (0..count)
        .map(|i| {
            let manager = json!({"manager": {"value": boss.id}});
            world.parse(false, json!({"userName": format!("u{i}"), urn: manager}))
        })
        .collect();
    world
        .write(move |tx, call| {
            reports.iter().try_for_each(|user| {
                let new = users::NewUser::of(&call.directory, user.clone())?;
                users::create(tx, call, &new).map(drop)
            })
        })
        .unwrap();
    world.delete_user(&boss.id).unwrap();
    let left = || {
        let filter = format!("{urn}:manager eq \"{}\"", boss.id);
        let page = world.page::<Users>(query(&[("filter", &filter)]), None);
        page.unwrap().total
    };
    assert_eq!(left(), Some(3), "no more than the bound at once");
    let (directory, id) = (world.directory.id.clone(), boss.id.clone());
    let has_reports = world.read(move |tx| users::has_reports(tx, &directory, &id));
    assert!(has_reports.unwrap());
    let id = boss.id.clone();
    let more = world.write(move |tx, call| users::release_reports(tx, call, &id));
    assert!(!more.unwrap());
    assert_eq!(left(), Some(0));
}

fn nothing_moves_when_nothing_changes(on: Engine) {
    let world = World::new(on);
    let ann = world.user(json!({"userName": "ann", "displayName": "Ann"}));
    let events = world.events().len();
    let same = world
        .patch_user(
            &ann.id,
            json!([{"op": "Replace", "path": "displayName", "value": "Ann"}]),
        )
        .unwrap();
    assert_eq!((same.version, same.updated_at), (1, ann.created_at));
    assert_eq!(world.events().len(), events);
}

fn events_tell_what_changed_from_what_to_what(on: Engine) {
    let world = World::new(on);
    let ann = world.user(
        json!({"userName": "ann", "name": {"givenName": "A"}, "password": "hunter2-hunter2"}),
    );
    world.patch_user(&ann.id, json!([{"op": "Replace", "path": "name.givenName", "value": "Ann"}, {"op": "Add", "path": "title", "value": "Dr"}])).unwrap();
    let events = world.events();
    assert!(
        !format!("{events:?}").contains("hunter2"),
        "a password is nowhere"
    );
    let [created, patched] = &events[..] else {
        panic!("two events: {events:?}")
    };
    assert_eq!(
        (created.action.as_str(), created.object_name.as_deref()),
        ("create", Some("ann"))
    );
    assert!(
        created
            .changes
            .contains(&json!({"attribute": "userName", "new": "ann"}))
    );
    assert_eq!(
        patched.changes,
        [
            json!({"attribute": "name.givenName", "old": "A", "new": "Ann"}),
            json!({"attribute": "title", "new": "Dr"}),
        ]
    );
    assert_eq!(
        (
            patched.version,
            patched.actor_id.as_deref(),
            patched.request_id.as_deref()
        ),
        (Some(2), Some("tok"), Some("req"))
    );
    assert!(created.id < patched.id);
}

fn the_event_of_a_deleted_user_names_the_groups_that_were_left(on: Engine) {
    let world = World::with(on, |settings| settings.groups = GroupRemoval::Keep);
    let (ann, bob) = (world.named("ann"), world.named("bob"));
    let sales = world.group("Sales", &[&ann.id]);
    let kept = world.group("Kept", &[&ann.id]);
    world.group("Outer", &[&sales.id]);
    world.delete_group(&kept.id).unwrap();
    for (id, expect) in [
        (
            &ann.id,
            vec![json!({"attribute": "groups", "old": [sales.id]})],
        ),
        (&bob.id, vec![]),
    ] {
        world.delete_user(id).unwrap();
        let event = world.events().pop().unwrap();
        assert_eq!((event.action.as_str(), event.changes), ("delete", expect));
    }
}

fn to_leave_active_out_or_to_remove_it_lets_nobody_in_again(on: Engine) {
    let world = World::new(on);
    let ann = world.named("ann");
    world.patch_user(&ann.id, switch(OFF)).unwrap();
    let removed = world
        .patch_user(&ann.id, json!([{"op": "Remove", "path": "active"}]))
        .unwrap();
    assert_eq!(removed.status, Status::Suspended);
    assert!(
        !removed.resource.contains("active"),
        "what was removed is not there"
    );
    let on = world.patch_user(&ann.id, switch(true)).unwrap();
    assert_eq!(on.status, Status::Active);
}

fn a_discarded_user_is_gone_whatever_the_directory_says(on: Engine) {
    for removal in [UserRemoval::Delete, UserRemoval::Suspend, UserRemoval::Hide] {
        let world = World::with(on, |settings| settings.users = removal);
        let ann = world.user(json!({"userName": "ann", "emails": [{"value": "ann@x.example"}]}));
        let sales = world.group("Sales", &[&ann.id]);
        let id = ann.id.clone();
        world
            .write(move |tx, call| users::discard(tx, call, &id))
            .unwrap();
        assert!(
            matches!(world.get(&ann.id), Err(Refusal::NotFound(What::User, _))),
            "{removal:?}"
        );
        assert!(world.members(&sales.id).is_empty(), "{removal:?}");
        assert_eq!(
            world.events().last().map(|event| event.action.as_str()),
            Some("delete"),
            "{removal:?}"
        );
        assert_ne!(world.named("ann").id, ann.id, "{removal:?}");
    }
}

fn values_that_are_never_returned_are_in_no_event(on: Engine) {
    const URN: &str = "urn:example:badge:2.0:User";
    let world = World::with(on, |settings| {
        settings.user_extensions = vec![json!({
            "id": URN, "name": "Badge", "description": "A door badge.",
            "attributes": [
                {"name": "pin", "type": "string", "returned": "never", "mutability": "readWrite"},
                {"name": "number", "type": "string"},
            ],
        })];
    });
    let ann = world.user(json!({"userName": "ann", URN: {"number": "7", "pin": "secret-pin"}}));
    let pin = format!("{URN}:pin");
    world
        .patch_user(
            &ann.id,
            json!([{"op": "Replace", "path": pin, "value": "other-secret"}]),
        )
        .unwrap();
    let told = format!("{:?}", world.events());
    assert!(!told.contains("secret"), "{told}");
    assert!(told.contains("number"), "{told}");
}

/// A way to carry a PATCH out.
type Way = fn(&World, &str, Value) -> Result<users::User, Refusal>;

/// Each change writes the columns that it is about and no others.
fn whatever_is_changed_is_found_by_what_it_is_now(on: Engine) {
    let world = World::new(on);
    let found = |filter: &str| -> Vec<String> {
        let page = world.page::<Users>(query(&[("filter", filter)]), None);
        page.unwrap()
            .items
            .into_iter()
            .map(|user| user.id)
            .collect()
    };
    let ways: [(&str, Way); 2] = [
        ("in the transaction", World::patch_user),
        ("before it", World::plan_and_write),
    ];
    for (way, patch) in ways {
        let ann = world.named(&format!("ann {way}")).id;
        for (path, value, filter) in [
            ("title", json!("Pilot"), "title eq \"Pilot\""),
            ("active", json!(false), "active eq false"),
            ("active", json!(true), "active eq true"),
            ("externalId", json!("4711"), "externalId eq \"4711\""),
            ("displayName", json!("Ann B"), "displayName eq \"ann b\""),
            (
                "emails[type eq \"work\"].value",
                json!("ann@x.example"),
                "emails.value eq \"ann@x.example\"",
            ),
            ("userName", json!("anna"), "userName eq \"Anna\""),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
                json!({"value": "m"}),
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m\"",
            ),
        ] {
            let had = found(filter);
            assert!(path == "active" || had.is_empty(), "{way}: {filter}");
            let version = world.get(&ann).unwrap().version;
            let operations = json!([{"op": "replace", "path": path, "value": value}]);
            let changed = patch(&world, &ann, operations).unwrap();
            assert_eq!(changed.version, version + 1, "{way}: {path}");
            assert_eq!(found(filter), [ann.as_str()], "{way}: {filter}");
        }
        world.delete_user(&ann).unwrap();
    }
}
