//! LDAP as a source, against a real slapd.

mod double;
mod faults;
mod law;
mod microsoft;
mod refusals;
mod town;

use portreeve_provisioning::source::{Error, Kind, Place};
use serde_json::{Value, json};

use portreeve_testbed::slapd::{add, set};
use town::{Ear, Town, group, person};

#[tokio::test]
async fn everything_is_read_then_only_what_has_changed() {
    let mut town = Town::new().await;
    for more in ["page_size = 2\n", "changes = \"compare\"\n"] {
        let source = town.source(more);
        let (mut ear, mut place) = (Ear::default(), Place::Everything);
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(
            told,
            [
                "ada",
                "all",
                "all +cy +gang",
                "bob",
                "cy",
                "gang",
                "gang +ada +bob"
            ],
            "{more}"
        );
        let same = place.clone();
        assert!(ear.hear(&source, &mut place).await.is_empty(), "{more}");
        assert_eq!(place, same, "nothing has changed, {more}");

        set(&mut town.admin, &person("bob"), "title", &["Builder"]).await;
        town.person("dee", "Dee").await;
        set(
            &mut town.admin,
            &group("gang"),
            "member",
            &[&person("bob"), &person("dee")],
        )
        .await;
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(told, ["bob", "dee", "gang +dee", "gang -ada"], "{more}");

        town.admin
            .delete(&person("dee"))
            .await
            .unwrap()
            .success()
            .unwrap();
        set(
            &mut town.admin,
            &group("gang"),
            "member",
            &[&person("ada"), &person("bob")],
        )
        .await;
        set(&mut town.admin, &person("bob"), "title", &[]).await;
        let told = ear.hear(&source, &mut place).await;
        assert_eq!(
            told,
            ["bob", "dee is gone", "gang +ada", "gang -dee"],
            "{more}"
        );
        assert!(ear.hear(&source, &mut place).await.is_empty(), "{more}");
    }
}

#[tokio::test]
async fn an_entry_is_found_by_key_and_by_attribute_in_either_name() {
    let mut town = Town::new().await;
    set(&mut town.admin, &person("cy"), "title", &["(*) \\ chief"]).await;
    let source = town.source("");
    let find = async |kind, attribute: &'static str, value: &str| {
        let found = source.find(kind, attribute, value).await.unwrap();
        let uid = |object: &portreeve_provisioning::source::Object| object.attributes["cn"].clone();
        found.iter().map(uid).collect::<Vec<_>>()
    };
    let ada = source
        .find(Kind::User, "mail", "ADA@contoso.example")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        source.one(Kind::User, &ada.key).await.unwrap().as_ref(),
        Some(&ada)
    );
    assert_eq!(source.one(Kind::Group, &ada.key).await, Ok(None));
    assert_eq!(source.one(Kind::User, "no key").await, Ok(None));
    assert_eq!(
        find(Kind::User, "userPrincipalName", "ada@contoso.example").await,
        ["Ada"]
    );
    assert_eq!(find(Kind::User, "jobTitle", "(*) \\ chief").await, ["Cy"]);
    assert_eq!(find(Kind::User, "title", "*").await, [""; 0]);
    assert_eq!(find(Kind::User, "objectId", &ada.key).await, ["Ada"]);
    assert_eq!(find(Kind::Group, "displayName", "gang").await, ["gang"]);
    assert_eq!(find(Kind::User, "cn=*)(uid", "x").await, [""; 0]);

    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    let expected = json!({
        "objectClass": "inetOrgPerson", "cn": "Bob", "sn": "Bob", "mail": "bob@contoso.example", "uid": "bob",
        "userPrincipalName": "bob@contoso.example", "displayName": "Bob", "surname": "Bob", "mailNickname": "bob",
        "manager": ada.key, "objectId": bob.key,
    });
    let mut attributes = bob.attributes;
    attributes.retain(|name, _| name != "entryUUID");
    assert_eq!(Value::Object(attributes), expected);
}

#[tokio::test]
async fn only_the_attributes_that_were_asked_for_are_read() {
    let town = Town::new().await;
    let source = town.source("attributes = [\"mail\"]\n");
    let bob = source
        .find(Kind::User, "uid", "bob")
        .await
        .unwrap()
        .remove(0);
    assert!(bob.attributes.contains_key("manager") && bob.attributes.contains_key("mail"));
    let source = town.source("membership = [\"member\"]\nattributes = [\"description\"]\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert!(told.contains(&"gang +ada +bob".to_owned()), "{told:?}");
}

#[tokio::test]
async fn who_comes_later_is_found_by_those_who_named_them_before() {
    let mut town = Town::new().await;
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &person("zoe")],
    )
    .await;
    set(&mut town.admin, &person("cy"), "manager", &[&person("zoe")]).await;
    let source = town.source("");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert!(told.contains(&"gang +ada".to_owned()), "{told:?}");

    town.person("zoe", "Zoe").await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["cy", "gang +zoe", "zoe"]);
    let key = |ear: &Ear, name: &str| {
        let found = ear.names.iter().filter(|(key, known)| {
            *known == name && ear.told.objects.contains_key(&(Kind::User, (*key).clone()))
        });
        found.map(|(key, _)| key.clone()).next().unwrap()
    };
    let zoe = key(&ear, "zoe");
    assert_eq!(
        ear.told.objects[&(Kind::User, key(&ear, "cy"))]["manager"],
        json!(zoe)
    );

    // The same name, another person.
    town.admin
        .delete(&person("zoe"))
        .await
        .unwrap()
        .success()
        .unwrap();
    town.person("zoe", "Zoe the Second").await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["cy", "gang +zoe", "gang -zoe", "zoe", "zoe is gone"]);
    assert_ne!(key(&ear, "zoe"), zoe);
}

#[tokio::test]
async fn a_key_outlives_a_new_name_and_ends_where_the_filter_ends() {
    let mut town = Town::new().await;
    let source = town.source("user_filter = \"(&(objectClass=inetOrgPerson)(!(title=gone)))\"\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    ear.hear(&source, &mut place).await;
    town.admin
        .modifydn(&person("cy"), "uid=cyril", true, None)
        .await
        .unwrap()
        .success()
        .unwrap();
    set(
        &mut town.admin,
        &group("all"),
        "member",
        &[&person("cyril"), &group("gang")],
    )
    .await;
    assert_eq!(ear.hear(&source, &mut place).await, ["cyril"]);

    set(&mut town.admin, &person("bob"), "title", &["gone"]).await;
    assert_eq!(ear.hear(&source, &mut place).await, ["bob is gone"]);
    set(&mut town.admin, &person("bob"), "title", &[]).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["bob"],
        "the membership was never ended"
    );
}

#[tokio::test]
async fn groups_in_groups_are_expanded_when_asked_for_even_in_a_circle() {
    let mut town = Town::new().await;
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &person("bob"), &group("all")],
    )
    .await;
    let source = town.source("expand_nested_groups = true\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(
        told,
        [
            "ada",
            "all",
            "all +ada +bob +cy",
            "bob",
            "cy",
            "gang",
            "gang +ada +bob +cy"
        ]
    );
    assert!(ear.hear(&source, &mut place).await.is_empty());

    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("ada"), &group("all")],
    )
    .await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["all -bob", "gang -bob"]);
    // Somebody whom a nested group named before counts in the groups around it.
    let members = [&*person("ada"), &person("zoe"), &group("all")];
    set(&mut town.admin, &group("gang"), "member", &members).await;
    assert!(ear.hear(&source, &mut place).await.is_empty());
    town.person("zoe", "Zoe").await;
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["all +zoe", "gang +zoe", "zoe"]);
    town.admin
        .delete(&group("gang"))
        .await
        .unwrap()
        .success()
        .unwrap();
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(told, ["all -ada -zoe", "gang is gone"]);
}

#[tokio::test]
async fn members_are_found_in_every_kind_of_group() {
    let mut town = Town::new().await;
    let unique = [
        ("objectClass", "groupOfUniqueNames"),
        ("uniqueMember", &*format!("{}#'0101'B", person("ada"))),
        (
            "uniqueMember",
            &*person("bob").to_uppercase().replace(',', " , "),
        ),
    ];
    add(&mut town.admin, &group("unique"), &unique).await;
    let posix = [
        ("objectClass", "posixGroup"),
        ("gidNumber", "7"),
        ("memberUid", "cy"),
        ("memberUid", "nobody"),
    ];
    add(&mut town.admin, &group("posix"), &posix).await;
    let source = town.source("");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    for expected in ["unique +ada +bob", "posix +cy", "gang +ada +bob"] {
        assert!(
            told.contains(&expected.to_owned()),
            "{expected} in {told:?}"
        );
    }
    set(&mut town.admin, &group("posix"), "memberUid", &["ada"]).await;
    assert_eq!(
        ear.hear(&source, &mut place).await,
        ["posix +ada", "posix -cy"]
    );

    // On demand, with kinds and a limit.
    let all = source
        .find(Kind::Group, "cn", "all")
        .await
        .unwrap()
        .remove(0);
    let mut kinds: Vec<_> = source
        .members(&all.key, 5)
        .await
        .unwrap()
        .into_iter()
        .map(|member| member.kind)
        .collect();
    kinds.sort();
    assert_eq!(kinds, [Some(Kind::User), Some(Kind::Group)]);
    assert_eq!(source.members(&all.key, 1).await.unwrap().len(), 1);
    assert_eq!(source.members("no key", 1).await, Ok(vec![]));
    let nested = town.source("expand_nested_groups = true\n");
    assert_eq!(nested.members(&all.key, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn people_may_name_their_groups_instead() {
    let mut town = Town::new().await;
    let source = town.source("membership = [\"memberOf\"]\n");
    let (mut ear, mut place) = (Ear::default(), Place::Everything);
    let told = ear.hear(&source, &mut place).await;
    assert_eq!(
        told,
        [
            "ada",
            "all",
            "all +cy",
            "bob",
            "cy",
            "gang",
            "gang +ada +bob"
        ]
    );
    set(
        &mut town.admin,
        &group("gang"),
        "member",
        &[&person("bob"), &person("cy")],
    )
    .await;
    let told = ear.hear(&source, &mut place).await;
    assert!(
        told.contains(&"gang +cy".to_owned()) && told.contains(&"gang -ada".to_owned()),
        "{told:?}"
    );
    assert!(ear.hear(&source, &mut place).await.is_empty());
    let gang = source
        .find(Kind::Group, "cn", "gang")
        .await
        .unwrap()
        .remove(0);
    assert_eq!(source.members(&gang.key, 5).await.unwrap().len(), 2);
    let mixed = town.settings("membership = [\"memberOf\", \"member\"]\n");
    assert!(matches!(town.try_source(&mixed), Err(Error::Unusable(_))));
}
