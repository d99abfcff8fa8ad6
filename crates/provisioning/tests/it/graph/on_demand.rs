//! Single objects, members, and the test of the connection.

use portreeve_provisioning::source::{Error, Kind, Member};
use portreeve_provisioning::target::Limits;
use serde_json::{Value, json};

use super::world::World;

const GUEST: &str = "eve_fabrikam.example#EXT#@contoso.example";

/// Ada, a guest, and a group with both; their keys.
async fn world() -> (World, [String; 3]) {
    let names = [
        "manager",
        "mobile",
        "telephoneNumber",
        "extensionAttribute1",
        "mail",
    ];
    let world = World::new().await.asking(&names, &["objectId"]);
    let keys = world.graph.directory(|directory| {
        let (ada, eve) = (directory.add_user("ada"), directory.add_user("eve"));
        let crew = directory.add_group("the crew's");
        directory.set(&ada, "mobilePhone", json!("+1 309 555 0104"));
        directory.set(&ada, "businessPhones", json!(["+1", "+2"]));
        directory.set(
            &ada,
            "onPremisesExtensionAttributes",
            json!({"extensionAttribute1": "one"}),
        );
        directory.set(&ada, "mail", json!("O'Neil@contoso.example"));
        directory.set(&ada, "accountEnabled", json!(false));
        directory.set_manager(&ada, Some(&eve));
        directory.set(&eve, "userPrincipalName", json!(GUEST));
        for member in [&ada, &eve, "a-device", &crew] {
            directory.add_member(&crew, member);
        }
        [ada, eve, crew]
    });
    (world, keys)
}

#[tokio::test]
async fn one_object_is_read_by_its_key_or_a_users_name() {
    let (world, [ada, eve, crew]) = world().await;
    let gone = world.graph.directory(|directory| {
        let gone = directory.add_user("gone");
        directory.delete(&gone);
        gone
    });
    let cases = [
        (Kind::User, &*ada, Some(&ada)),
        (Kind::User, "ada@contoso.example", Some(&ada)),
        (Kind::User, GUEST, Some(&eve)),
        (Kind::Group, &crew, Some(&crew)),
        (Kind::Group, &ada, None),
        (Kind::User, &gone, None),
        (Kind::User, "nobody", None),
        (Kind::User, "", None),
        (Kind::User, "..", None),
        (Kind::User, "../groups", None),
        (Kind::User, "a/b?c#d", None),
    ];
    for (kind, key, expected) in cases {
        let found = world.source.one(kind, key).await.unwrap();
        assert_eq!(found.map(|object| object.key).as_ref(), expected, "{key}");
    }
    let object = world.source.one(Kind::User, &ada).await.unwrap().unwrap();
    assert_eq!(object.attributes["manager"], json!(eve));
    let object = world.source.one(Kind::User, &eve).await.unwrap().unwrap();
    assert_eq!(object.attributes.get("manager"), None);
    let _ = world.graph.requests();
}

#[tokio::test]
async fn people_are_found_by_any_name_that_a_mapping_may_use() {
    let (world, [ada, eve, crew]) = world().await;
    let cases: [(Kind, &str, &str, Option<&String>); 14] = [
        (
            Kind::User,
            "userPrincipalName",
            "ADA@contoso.example",
            Some(&ada),
        ),
        (
            Kind::User,
            "userPrincipalName",
            "eve@fabrikam.example",
            Some(&eve),
        ),
        (Kind::User, "originalUserPrincipalName", GUEST, Some(&eve)),
        (Kind::User, "objectId", &ada, Some(&ada)),
        (Kind::User, "mail", "O'Neil@contoso.example", Some(&ada)),
        (Kind::User, "mail", "' or displayName eq 'ada", None),
        (Kind::User, "telephoneNumber", "+2", Some(&ada)),
        (Kind::User, "mobile", "+1 309 555 0104", Some(&ada)),
        (Kind::User, "extensionAttribute1", "one", Some(&ada)),
        (Kind::User, "extensionAttribute1", "two", None),
        (Kind::User, "accountEnabled", "False", Some(&ada)),
        (Kind::Group, "displayName", "the crew's", Some(&crew)),
        (Kind::Group, "displayName", "+", None),
        (Kind::Group, "objectId", &crew, Some(&crew)),
    ];
    for (kind, attribute, value, expected) in cases {
        let found = world.source.find(kind, attribute, value).await.unwrap();
        let keys: Vec<_> = found.iter().map(|object| &object.key).collect();
        assert_eq!(keys, Vec::from_iter(expected), "{attribute} {value}");
    }
    let found = world
        .source
        .find(Kind::User, "mobile", "+1 309 555 0104")
        .await
        .unwrap();
    assert_eq!(
        found[0].attributes["manager"],
        json!(eve),
        "an index brings no references"
    );
    let error = world
        .source
        .find(Kind::User, "manager", &eve)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    let _ = world.graph.requests();
}

#[tokio::test]
async fn members_are_read_up_to_a_limit_over_pages() {
    let (world, [ada, eve, crew]) = world().await;
    world.graph.manner(|manner| manner.list_size = 2);
    let member = |kind, key: &String| Member {
        kind: Some(kind),
        key: key.clone(),
    };
    let all = [
        member(Kind::User, &ada),
        member(Kind::User, &eve),
        member(Kind::Group, &crew),
    ];
    for (limit, expected) in [(0, 0), (1, 1), (2, 2), (3, 3), (5, 3), (5_000, 3)] {
        let members = world.source.members(&crew, limit).await.unwrap();
        assert_eq!(members, all[..expected], "up to {limit}");
    }
    for group in ["nobody", "", ".."] {
        let error = world.source.members(group, 5).await.unwrap_err();
        assert!(error.to_string().contains("no group"), "{error}");
    }
    let _ = world.graph.requests();
}

#[tokio::test]
async fn the_test_of_the_connection_says_what_is_there() {
    let (world, [ada, _, crew]) = world().await;
    world.graph.directory(|directory| {
        directory.assign(&ada, None);
        directory.assign(&crew, None);
    });
    assert_eq!(
        world.source.check().await.unwrap(),
        "Microsoft Graph shows 2 users and 1 group of the tenant contoso.example; 2 assignments lead to \"Port office\"."
    );
    let more = [("scope", json!("all")), ("service_principal", Value::Null)];
    let all = World::with(&more, Limits::default()).await;
    assert_eq!(
        all.source.check().await.unwrap(),
        "Microsoft Graph shows 0 users and 0 groups of the tenant contoso.example; all are provisioned."
    );
}
