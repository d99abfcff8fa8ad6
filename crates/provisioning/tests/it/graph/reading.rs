//! What is told in which order, and by which requests.

use std::time::Duration;

use portreeve_provisioning::source::{Change, Error, Kind, Member, Next, Object, Place};
use portreeve_provisioning::target::Limits;
use portreeve_testbed::graph::{Directory, Fault};
use serde_json::{Value, json};

use super::world::{Known, World};

const USERS: &str =
    "GET /v1.0/users/delta?$select=id,accountEnabled,userPrincipalName,displayName,mail";
const GROUPS: &str = "GET /v1.0/groups/delta?$select=id,displayName,securityEnabled,members";
const ROLES: &str = "GET /v1.0/servicePrincipals/f3a8cc6e-8d4b-4a4a-9d1b-0c7c0f6d8f11?$select=id,displayName,appRoles";
const ASSIGNED: &str =
    "GET /v1.0/servicePrincipals/f3a8cc6e-8d4b-4a4a-9d1b-0c7c0f6d8f11/appRoleAssignedTo?$top=999";

async fn small_world() -> World {
    World::new().await.asking(&["mail"], &[])
}

fn altered(kind: Kind, key: &str, attributes: Value) -> Change {
    let Value::Object(attributes) = attributes else {
        panic!("{attributes} is no object");
    };
    let key = key.to_owned();
    Change::Altered(Object {
        kind,
        key,
        attributes,
    })
}

fn member(kind: Kind, key: &str) -> Member {
    let key = key.to_owned();
    Member {
        kind: Some(kind),
        key,
    }
}

#[tokio::test]
async fn everything_is_told_users_first_and_assignments_last() {
    let world = small_world().await;
    let (ada, eve, crew) = world.graph.directory(|directory| {
        let (ada, eve) = (directory.add_user("ada"), directory.add_user("eve"));
        directory.set(&ada, "mail", json!("ada@contoso.example"));
        directory.set(&ada, "jobTitle", json!("not asked for"));
        directory.delete(&eve);
        let crew = directory.add_group("crew");
        directory.add_member(&crew, &ada);
        directory.add_member(&crew, "a-device");
        let admin = directory.add_role(Some("admin"), "Administrators");
        directory.assign(&crew, None);
        directory.assign(&ada, Some(&admin));
        (ada, eve, crew)
    });
    let (changes, _) = world.read(&Place::Everything).await.unwrap();
    let user = json!({"accountEnabled": true, "userPrincipalName": "ada@contoso.example", "displayName": "ada", "mail": "ada@contoso.example"});
    let expected = [
        altered(Kind::User, &ada, user),
        Change::Suspended {
            kind: Kind::User,
            key: eve,
        },
        altered(
            Kind::Group,
            &crew,
            json!({"displayName": "crew", "securityEnabled": true}),
        ),
        Change::Members {
            group: crew.clone(),
            added: vec![member(Kind::User, &ada)],
            removed: Vec::new(),
        },
        Change::AssignmentsAnew,
        Change::Assigned {
            kind: Kind::User,
            key: ada,
            roles: vec!["admin".to_owned()],
        },
        Change::Assigned {
            kind: Kind::Group,
            key: crew,
            roles: Vec::new(),
        },
    ];
    assert_eq!(changes, expected);
    let expected = [
        "POST /contoso.example/oauth2/v2.0/token",
        "GET /v1.0/users?$count=true&$top=1&$select=id",
        "GET /v1.0/groups?$count=true&$top=1&$select=id",
        USERS,
        "GET /v1.0/directory/deletedItems/microsoft.graph.user?$select=id&$top=999",
        GROUPS,
        "GET /v1.0/directory/deletedItems/microsoft.graph.group?$select=id&$top=999",
        ROLES,
        ASSIGNED,
    ];
    assert_eq!(world.graph.requests(), expected);
}

#[tokio::test]
async fn a_read_without_changes_asks_four_things_and_tells_nothing() {
    let world = small_world().await;
    world.graph.directory(|directory| {
        let ada = directory.add_user("ada");
        directory.assign(&ada, None);
    });
    let (_, watermark) = world.everything().await;
    let _ = world.graph.requests();
    let (changes, after) = world.read(&watermark).await.unwrap();
    assert_eq!(changes, []);
    let requests = world.graph.requests();
    assert_eq!(requests.len(), 4, "{requests:?}");
    assert!(
        requests[0].starts_with("GET /v1.0/users/delta?$deltatoken="),
        "{requests:?}"
    );
    assert!(
        requests[1].starts_with("GET /v1.0/groups/delta?$deltatoken="),
        "{requests:?}"
    );
    assert_eq!(requests[2..], [ROLES, ASSIGNED]);
    assert_eq!(world.read(&after).await.unwrap().0, []);
}

/// One thing that happens between two reads, and what the second one tells of it.
struct Event {
    name: &'static str,
    happens: fn(&mut Directory, &str, &str),
    told: fn(&str, &str) -> Vec<Change>,
}

fn whole(key: &str, change: &Value) -> Change {
    let mut attributes = json!({"accountEnabled": true, "userPrincipalName": "ada@contoso.example", "displayName": "ada", "mail": "ada@contoso.example"});
    for (name, value) in change.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    altered(Kind::User, key, attributes)
}

fn values_change() -> Vec<Event> {
    vec![
        Event {
            name: "a value changes",
            happens: |directory, ada, _| directory.set(ada, "displayName", json!("Ada")),
            told: |ada, _| vec![whole(ada, &json!({"displayName": "Ada"}))],
        },
        Event {
            name: "a value goes away",
            happens: |directory, ada, _| directory.set(ada, "mail", Value::Null),
            told: |ada, _| vec![whole(ada, &json!({"mail": null}))],
        },
        Event {
            name: "a value that is not asked for changes",
            happens: |directory, ada, _| directory.set(ada, "jobTitle", json!("Smith")),
            told: |_, _| Vec::new(),
        },
        Event {
            name: "sign-in is blocked",
            happens: |directory, ada, _| directory.set(ada, "accountEnabled", json!(false)),
            told: |ada, _| vec![whole(ada, &json!({"accountEnabled": false}))],
        },
    ]
}

fn objects_end() -> Vec<Event> {
    vec![
        Event {
            name: "a user is deleted",
            happens: |directory, ada, _| directory.delete(ada),
            told: |ada, _| {
                let key = ada.to_owned();
                vec![Change::Suspended {
                    kind: Kind::User,
                    key,
                }]
            },
        },
        Event {
            name: "a user is purged",
            happens: |directory, ada, _| {
                directory.delete(ada);
                directory.purge(ada);
            },
            told: |ada, _| {
                let key = ada.to_owned();
                vec![Change::Gone {
                    kind: Kind::User,
                    key,
                }]
            },
        },
        Event {
            name: "a group is purged",
            happens: |directory, _, crew| directory.purge(crew),
            told: |_, crew| {
                let key = crew.to_owned();
                vec![Change::Gone {
                    kind: Kind::Group,
                    key,
                }]
            },
        },
    ]
}

#[tokio::test]
async fn what_happens_between_two_reads_is_told_by_the_second() {
    for case in values_change().into_iter().chain(objects_end()) {
        let world = small_world().await;
        let (ada, crew) = world.graph.directory(|directory| {
            let ada = directory.add_user("ada");
            directory.set(&ada, "mail", json!("ada@contoso.example"));
            (ada, directory.add_group("crew"))
        });
        let (_, watermark) = world.everything().await;
        world
            .graph
            .directory(|directory| (case.happens)(directory, &ada, &crew));
        let (changes, _) = world.read(&watermark).await.unwrap();
        assert_eq!(changes, (case.told)(&ada, &crew), "{}", case.name);
        let _ = world.graph.requests();
    }
}

#[tokio::test]
async fn somebody_restored_is_there_again_with_groups_and_reports() {
    let world = World::new().await.asking(&["manager"], &[]);
    let (ada, eve, crew) = world.graph.directory(|directory| {
        let (ada, eve) = (directory.add_user("ada"), directory.add_user("eve"));
        let crew = directory.add_group("crew");
        directory.add_member(&crew, &ada);
        directory.set_manager(&eve, Some(&ada));
        (ada, eve, crew)
    });
    let (mut known, watermark) = world.everything().await;
    let before = known.view();
    world.graph.directory(|directory| directory.delete(&ada));
    let (changes, watermark) = world.read(&watermark).await.unwrap();
    known.hear(&changes);
    assert!(known.view().suspended.contains(&(Kind::User, ada.clone())));
    assert_eq!(known.view().members.len(), 0);
    world.graph.directory(|directory| directory.restore(&ada));
    let (changes, _) = world.read(&watermark).await.unwrap();
    known.hear(&changes);
    assert_eq!(known.view(), before);
    assert!(known.view().members.contains(&(crew, ada.clone())));
    assert_eq!(known.value(Kind::User, &eve, "manager"), json!(ada));
}

#[tokio::test]
async fn a_manager_is_told_when_it_changes_and_kept_when_something_else_does() {
    let world = World::new().await.asking(&["manager"], &[]);
    let [ada, eve, bob] = world.graph.directory(|directory| {
        let people = ["ada", "eve", "bob"].map(|name| directory.add_user(name));
        directory.set_manager(&people[0], Some(&people[1]));
        people
    });
    let (mut known, mut watermark) = world.everything().await;
    assert_eq!(known.value(Kind::User, &ada, "manager"), json!(eve));
    type Step<'a> = (&'a str, Option<Option<&'a str>>, Value);
    let steps: [Step<'_>; 3] = [
        ("another value changes", None, json!(eve)),
        ("another manager", Some(Some(&bob)), json!(bob)),
        ("no manager", Some(None), Value::Null),
    ];
    for (name, manager, expected) in steps {
        world.graph.directory(|directory| match manager {
            Some(manager) => directory.set_manager(&ada, manager),
            None => directory.set(&ada, "displayName", json!("Ada")),
        });
        let (changes, after) = world.read(&watermark).await.unwrap();
        watermark = after;
        assert!(!changes.is_empty(), "{name}");
        known.hear(&changes);
        assert_eq!(known.value(Kind::User, &ada, "manager"), expected, "{name}");
    }
}

#[tokio::test]
async fn members_of_one_group_may_be_spread_over_many_pages() {
    let world = World::new().await.asking(&[], &[]);
    world.graph.manner(|manner| {
        manner.page_size = 2;
        manner.members_per_entry = 3;
        manner.empty_pages = true;
        manner.repeats = true;
        manner.order = 7;
    });
    let (crew, inner, people) = world.graph.directory(|directory| {
        let people: Vec<_> = (0..20)
            .map(|number| directory.add_user(&format!("user{number}")))
            .collect();
        let (crew, inner) = (directory.add_group("crew"), directory.add_group("inner"));
        for person in &people {
            directory.add_member(&crew, person);
        }
        directory.add_member(&crew, &inner);
        (crew, inner, people)
    });
    let (mut known, watermark) = world.everything().await;
    let expected: Vec<_> = people
        .iter()
        .chain([&inner])
        .map(|key| (crew.clone(), key.clone()))
        .collect();
    assert_eq!(known.view().members, expected.iter().cloned().collect());
    assert_eq!(
        known.value(Kind::Group, &crew, "displayName"),
        json!("crew")
    );
    world.graph.directory(|directory| {
        for person in &people[..15] {
            directory.remove_member(&crew, person);
        }
    });
    let (changes, _) = world.read(&watermark).await.unwrap();
    known.hear(&changes);
    assert_eq!(
        known.view().members,
        expected[15..].iter().cloned().collect()
    );
    assert_eq!(
        known.value(Kind::Group, &crew, "displayName"),
        json!("crew")
    );
}

#[tokio::test]
async fn values_come_under_the_names_of_entras_mappings() {
    let names = [
        "objectId",
        "userPrincipalName",
        "originalUserPrincipalName",
        "physicalDeliveryOfficeName",
        "telephoneNumber",
        "mobile",
        "extensionAttribute3",
        "extension_0123_badge",
    ];
    let world = World::new().await.asking(&names, &["objectId"]);
    let guest = "ada_fabrikam.example#EXT#@contoso.example";
    let ada = world.graph.directory(|directory| {
        let ada = directory.add_user("ada");
        directory.set(&ada, "userPrincipalName", json!(guest));
        directory.set(&ada, "officeLocation", json!("19/2109"));
        directory.set(&ada, "businessPhones", json!(["+1", "+2"]));
        directory.set(&ada, "mobilePhone", json!("+3"));
        directory.set(
            &ada,
            "onPremisesExtensionAttributes",
            json!({"extensionAttribute3": "three"}),
        );
        directory.set(&ada, "extension_0123_badge", json!("B7"));
        ada
    });
    let expected = json!({
        "accountEnabled": true, "displayName": "ada", "extensionAttribute3": "three", "extension_0123_badge": "B7",
        "mobile": "+3", "objectId": ada, "originalUserPrincipalName": guest, "physicalDeliveryOfficeName": "19/2109",
        "telephoneNumber": "+1", "userPrincipalName": "ada@fabrikam.example"
    });
    let (known, _) = world.everything().await;
    let told = &known.view().objects[&(Kind::User, ada.clone())];
    assert_eq!(&Value::Object(told.clone()), &expected);
    let mut one = world.source.one(Kind::User, &ada).await.unwrap().unwrap();
    one.attributes.sort_keys();
    assert_eq!(&Value::Object(one.attributes), &expected);
}

/// The roles of everybody, as a text.
fn assigned(known: &Known) -> String {
    let lines = known
        .view()
        .assigned
        .into_iter()
        .map(|((kind, key), roles)| {
            let roles: Vec<_> = roles.into_iter().collect();
            format!("{kind:?} {} {}", &key[35..], roles.join("+"))
        });
    lines.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn assignments_are_told_anew_when_one_of_them_has_changed() {
    let world = small_world().await;
    world.graph.manner(|manner| manner.list_size = 2);
    let (ada, eve, crew, roles) = world.graph.directory(|directory| {
        let (ada, eve) = (directory.add_user("ada"), directory.add_user("eve"));
        let crew = directory.add_group("crew");
        let roles = [
            directory.add_role(Some("admin"), "Administrators"),
            directory.add_role(None, "Guests"),
        ];
        for role in &roles {
            directory.assign(&ada, Some(role));
        }
        directory.assign(&eve, None);
        directory.assign(&crew, Some(&roles[0]));
        directory.assign("an-application", None);
        (ada, eve, crew, roles)
    });
    let (mut known, mut watermark) = world.everything().await;
    assert_eq!(
        assigned(&known),
        "User 1 Guests+admin, User 2 , Group 3 admin"
    );
    type Step<'a> = (&'a str, Box<dyn Fn(&mut Directory) + 'a>, &'a str);
    let steps: [Step<'_>; 4] = [
        (
            "somebody leaves",
            Box::new(|directory| directory.unassign(&eve)),
            "User 1 Guests+admin, Group 3 admin",
        ),
        (
            "somebody comes",
            Box::new(|directory| directory.assign(&eve, Some(&roles[1]))),
            "User 1 Guests+admin, User 2 Guests, Group 3 admin",
        ),
        (
            "a role is taken away",
            Box::new(|directory| {
                directory.unassign(&ada);
                directory.assign(&ada, Some(&roles[1]));
            }),
            "User 1 Guests, User 2 Guests, Group 3 admin",
        ),
        (
            "a group leaves",
            Box::new(|directory| directory.unassign(&crew)),
            "User 1 Guests, User 2 Guests",
        ),
    ];
    for (name, happens, expected) in steps {
        world.graph.directory(happens);
        let (changes, after) = world.read(&watermark).await.unwrap();
        assert_eq!(changes.first(), Some(&Change::AssignmentsAnew), "{name}");
        known.hear(&changes);
        assert_eq!(assigned(&known), expected, "{name}");
        assert_eq!(world.read(&after).await.unwrap().0, [], "{name}: told once");
        watermark = after;
    }
    let _ = world.graph.requests();
}

#[tokio::test]
async fn with_the_scope_all_nobody_asks_for_assignments() {
    let more = [("scope", json!("all")), ("service_principal", Value::Null)];
    let world = World::with(&more, Limits::default())
        .await
        .asking(&["mail"], &[]);
    world.graph.directory(|directory| {
        let ada = directory.add_user("ada");
        directory.assign(&ada, None);
    });
    let (changes, watermark) = world.read(&Place::Everything).await.unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(world.read(&watermark).await.unwrap().0, []);
    let requests = world.graph.requests();
    assert!(
        !requests
            .iter()
            .any(|request| request.contains("servicePrincipals")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_read_of_everything_says_how_much_there_is() {
    let world = small_world().await;
    world.graph.manner(|manner| manner.page_size = 1);
    world.graph.directory(|directory| {
        directory.add_user("ada");
        directory.add_user("eve");
        directory.add_group("crew");
    });
    let mut place = Place::Everything;
    loop {
        let page = world.source.read(&place).await.unwrap();
        assert_eq!(page.total, Some(3));
        match page.next {
            Next::Page(text) => place = Place::Page(text),
            Next::Watermark(text) => {
                let page = world.source.read(&Place::Since(text)).await.unwrap();
                assert_eq!(page.total, None);
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_watermark_that_graph_has_forgotten_makes_everything_be_read_anew() {
    let day = Duration::from_secs(24 * 60 * 60);
    type Case<'a> = (&'a str, Box<dyn Fn(&World) + 'a>);
    let cases: [Case<'_>; 5] = [
        (
            "older than seven days",
            Box::new(|world| {
                world
                    .graph
                    .clock()
                    .advance(day * 7 + Duration::from_secs(1))
            }),
        ),
        (
            "forgotten by Graph",
            Box::new(|world| world.graph.forget_links()),
        ),
        (
            "410",
            Box::new(|world| world.graph.fail("$deltatoken", 1, Fault::Lost)),
        ),
        (
            "syncStateNotFound",
            Box::new(|world| {
                world
                    .graph
                    .fail("$deltatoken", 1, Fault::Refused(400, "syncStateNotFound"))
            }),
        ),
        (
            "syncStateInvalid",
            Box::new(|world| {
                world
                    .graph
                    .fail("$deltatoken", 1, Fault::Refused(404, "SyncStateInvalid"))
            }),
        ),
    ];
    for (name, happens) in cases {
        let world = small_world().await;
        let ada = world.graph.directory(|directory| directory.add_user("ada"));
        let (_, watermark) = world.everything().await;
        happens(&world);
        let error = world.read(&watermark).await.unwrap_err();
        assert!(matches!(error, Error::Expired(_)), "{name}: {error:?}");
        let (known, _) = world.everything().await;
        assert!(
            known.view().objects.contains_key(&(Kind::User, ada)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_watermark_younger_than_seven_days_is_good() {
    let world = small_world().await;
    let (_, watermark) = world.everything().await;
    world
        .graph
        .clock()
        .advance(Duration::from_secs(7 * 24 * 60 * 60));
    assert_eq!(world.read(&watermark).await.unwrap().0, []);
}

#[tokio::test]
async fn other_attributes_make_everything_be_read_anew() {
    let world = small_world().await;
    let (_, watermark) = world.everything().await;
    let world = world.asking(&["mail", "department"], &[]);
    let error = world.read(&watermark).await.unwrap_err();
    assert!(matches!(error, Error::Expired(_)), "{error:?}");
    let _ = world.graph.requests();
}
