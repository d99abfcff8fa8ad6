//! A Portreeve directory as a source.

mod law;
mod world;

use portreeve_directory::directories::GroupRemoval;
use portreeve_directory::events::{self, Log};
use portreeve_directory::users::{self, NewUser};
use portreeve_directory::{Refusal, groups};
use portreeve_provisioning::source::{Change, Error, Kind, Member, Next, Place};
use portreeve_scim::Resource;
use portreeve_scim::resource::{MemberRef, Notes};
use portreeve_store::Scope;
use serde_json::{Value, json};

use crate::reader::{Told, lines, read};
use world::{Office, source};

fn keys(objects: &[portreeve_provisioning::source::Object]) -> Vec<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

/// A directory with an extension of its own.
fn gate() -> Value {
    json!({
        "id": "urn:example:2.0:User", "name": "Gate",
        "attributes": [
            {"name": "badge", "type": "integer"},
            {"name": "doors", "type": "string", "multiValued": true},
            {"name": "pin", "type": "string", "returned": "never"},
        ],
    })
}

fn ada(boss: &str) -> Value {
    json!({
        "userName": "ada@contoso.com",
        "externalId": "x-1",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "displayName": "Ada Lovelace",
        "title": "Engineer",
        "emails": [
            {"value": "ada@home.example", "type": "home"},
            {"value": "ada@work.example", "type": "Work"},
            {"value": "al@contoso.com", "primary": true},
        ],
        "phoneNumbers": [{"value": "+44 1", "type": "mobile"}, {"value": "+44 2", "type": "mobile"}],
        "addresses": [{"type": "work", "locality": "London", "formatted": "1 St James's Square"}],
        "active": false,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            {"department": "Analysis", "employeeNumber": "7", "manager": {"value": boss}},
        "urn:example:2.0:User": {"badge": 12, "doors": ["north", "south"], "pin": "1234"},
    })
}

#[tokio::test]
async fn attributes_have_the_names_of_scim_and_of_entra() {
    let office = Office::with(|rules| rules.user_extensions = vec![gate()]).await;
    let boss = office.user(json!({"userName": "boss"})).await.unwrap();
    let id = office.user(ada(&boss)).await.unwrap();
    let found = office.source().one(Kind::User, &id).await.unwrap().unwrap();
    let cases = [
        ("id", json!(id)),
        ("objectId", json!(id)),
        ("userName", json!("ada@contoso.com")),
        ("userPrincipalName", json!("ada@contoso.com")),
        ("mailNickname", json!("ada")),
        ("externalId", json!("x-1")),
        ("displayName", json!("Ada Lovelace")),
        ("name.givenName", json!("Ada")),
        ("givenName", json!("Ada")),
        ("surname", json!("Lovelace")),
        ("title", json!("Engineer")),
        ("jobTitle", json!("Engineer")),
        (
            "emails",
            json!(["ada@home.example", "ada@work.example", "al@contoso.com"]),
        ),
        ("emails.work", json!("ada@work.example")),
        ("mail", json!("al@contoso.com")),
        ("phoneNumbers.mobile", json!("+44 1")),
        ("mobile", json!("+44 1")),
        ("telephoneNumber", Value::Null),
        ("addresses.work.locality", json!("London")),
        ("city", json!("London")),
        ("physicalDeliveryOfficeName", json!("1 St James's Square")),
        ("active", json!(false)),
        ("accountEnabled", json!(false)),
        ("department", json!("Analysis")),
        ("employeeId", json!("7")),
        ("manager", json!(boss)),
        ("urn:example:2.0:User:badge", json!(12)),
        ("urn:example:2.0:User:doors", json!(["north", "south"])),
        ("urn:example:2.0:User:pin", Value::Null),
        ("schemas", Value::Null),
    ];
    for (name, expected) in cases {
        let value = found.attributes.get(name).unwrap_or(&Value::Null);
        assert_eq!(value, &expected, "{name}");
    }
}

#[tokio::test]
async fn one_is_read_by_id_others_are_found_by_what_they_have_and_groups_name_their_members() {
    let office = Office::new().await;
    let ada =
        json!({"userName": "Ada@contoso.com", "title": "Engineer", "emails": [{"value": "a@x"}]});
    let ada = office.user(ada).await.unwrap();
    let bob = office.user(json!({"userName": "bob"})).await.unwrap();
    let inner = office.group("Inner", &[&bob]).await.unwrap();
    let outer = office.group("Outer", &[&ada, &inner]).await.unwrap();
    let source = office.source();

    for (kind, attribute, value, expected) in [
        (
            Kind::User,
            "userPrincipalName",
            "ADA@contoso.com",
            vec![&*ada],
        ),
        (Kind::User, "mail", "A@X", vec![&*ada]),
        (Kind::User, "jobTitle", "engineer", vec![&*ada]),
        (Kind::User, "objectId", &*bob, vec![&*bob]),
        (Kind::User, "accountEnabled", "true", vec![&*ada, &*bob]),
        (
            Kind::User,
            "userName",
            "\" or id pr or userName eq \"",
            vec![],
        ),
        (Kind::User, "displayName", "Outer", vec![]),
        (Kind::Group, "displayName", "outer", vec![&*outer]),
        (Kind::Group, "mail", "a@x", vec![]),
    ] {
        let found = source.find(kind, attribute, value).await.unwrap();
        assert_eq!(keys(&found), expected, "{attribute} = {value}");
    }
    assert_eq!(source.one(Kind::Group, &ada).await.unwrap(), None);
    let mut members = source.members(&outer, 10).await.unwrap();
    members.sort();
    let member = |kind, key: &str| Member {
        kind: Some(kind),
        key: key.to_owned(),
    };
    let expected = [member(Kind::User, &ada), member(Kind::Group, &inner)];
    assert_eq!(members, expected);
    assert_eq!(source.members(&outer, 1).await.unwrap().len(), 1);
    assert_eq!(source.members("nobody", 10).await.unwrap(), []);
    assert_eq!(
        source.check().await.unwrap(),
        "the directory \"People\" has 2 users, 0 of them suspended, and 2 groups"
    );
}

#[tokio::test]
async fn a_watermark_tells_what_was_touched_since_as_it_is_now() {
    let office = Office::with(|rules| rules.groups = GroupRemoval::Keep).await;
    let ada = office.user(json!({"userName": "ada"})).await.unwrap();
    let bob = office.user(json!({"userName": "bob"})).await.unwrap();
    let gang = office.group("Gang", &[&ada, &bob]).await.unwrap();
    let all = office.group("All", &[&gang, &bob]).await.unwrap();
    let source = office.source();
    let (told, mut mark) = read(&source, &Place::Everything).await.unwrap();
    let named = [("ada", &ada), ("bob", &bob), ("gang", &gang), ("all", &all)];
    let plain = |changes: &[Change]| {
        let mut lines = lines(changes);
        for line in &mut lines {
            for (name, id) in named {
                *line = line.replace(id.as_str(), name);
            }
        }
        lines
    };
    assert_eq!(
        plain(&told),
        [
            "user ada",
            "user bob",
            "group gang",
            "gang + ada bob",
            "group all",
            "all + bob gang"
        ]
    );

    let mut since = async || {
        let (changes, next) = read(&source, &mark).await.unwrap();
        mark = next;
        plain(&changes)
    };
    assert_eq!(since().await, Vec::<String>::new());
    office
        .put_user(&ada, json!({"userName": "ada", "active": false}))
        .await
        .unwrap();
    assert_eq!(since().await, ["user ada"]);
    office.put_group(&gang, "Gang", &[&bob]).await.unwrap();
    office.put_group(&gang, "Gang", &[]).await.unwrap();
    office.put_group(&gang, "Gang", &[&ada]).await.unwrap();
    assert_eq!(
        since().await,
        ["group gang", "gang - bob"],
        "ada is in it as before"
    );
    office.drop_user(&bob).await.unwrap();
    assert_eq!(since().await, ["gone user bob", "all - bob"]);
    // A group that is kept is gone, and comes back with the members it is given.
    office.drop_group(&gang).await.unwrap();
    assert_eq!(office.group("gang", &[&ada]).await.unwrap(), gang);
    assert_eq!(
        since().await,
        ["gone group gang", "group gang", "gang + ada", "all - gang"]
    );
}

#[tokio::test]
async fn large_directories_come_in_pages_and_so_do_many_changes() {
    let office = Office::new().await;
    let people = 1_203;
    let group = office.write(move |tx, call| {
        let mut ids = Vec::new();
        for number in 0..people {
            let body = json!({"userName": format!("u{number}")});
            let of = call.directory.catalog.user();
            let new = Resource::parse(of, body, call.directory.profile, &mut Notes::default())?;
            ids.push(users::create(tx, call, &NewUser::of(&call.directory, new)?)?.id);
        }
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        for number in 0..4 {
            let body = json!({"displayName": format!("g{number}"), "members": members});
            let of = call.directory.catalog.group();
            let mut new = Resource::parse(of, body, call.directory.profile, &mut Notes::default())?;
            let first: Vec<MemberRef> = new.take_members().unwrap_or_default();
            groups::create(tx, call, &new, &first)?;
        }
        Ok::<_, Refusal>(())
    });
    let source = office.source();
    let (_, before) = read(&source, &Place::Everything).await.unwrap();
    group.await.unwrap();

    for from in [Place::Everything, before] {
        let (mut told, mut place, mut pages) = (Told::default(), from, 0);
        loop {
            let page = source.read(&place).await.unwrap();
            let weight = page.changes.iter().map(|change| match change {
                Change::Members { added, .. } => added.len(),
                _ => 1,
            });
            let weight: usize = weight.sum();
            if let Some(total) = page.total {
                assert_eq!(total, 1_207);
                assert!(weight <= 500, "a page holds {weight}");
            }
            told.hear(&page.changes);
            pages += 1;
            match page.next {
                Next::Page(at) => place = Place::Page(at),
                Next::Watermark(_) => break,
            }
        }
        assert!(pages > 2, "{pages} pages");
        assert_eq!(told.objects.len(), 1_207);
        assert_eq!(told.memberships.len(), 4 * people);
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_says_why() {
    let outside = source("People", None).unwrap_err();
    assert!(
        matches!(&outside, Error::Unusable(why) if why.contains("portreeve app create")),
        "{outside}"
    );
    let office = Office::new().await;
    let foreign = office.another("other", "Theirs").await;
    for name in ["nowhere", "Theirs", &*foreign.directory.id] {
        let source = office.source_named(name).unwrap();
        let error = source.check().await.unwrap_err();
        let expected = format!("this team has no directory \"{name}\"");
        assert!(
            matches!(&error, Error::Unusable(why) if why.contains(&expected)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_place_that_the_feed_does_not_reach_has_expired() {
    let office = Office::new().await;
    office.user(json!({"userName": "ada"})).await.unwrap();
    let source = office.source();
    let (_, place) = read(&source, &Place::Everything).await.unwrap();
    let Place::Since(mark) = &place else {
        panic!("{place:?}")
    };
    let position = |to: &str| {
        let mut mark: Value = serde_json::from_str(mark).unwrap();
        mark["position"] = to.parse().unwrap();
        Place::Since(mark.to_string())
    };
    let sibling = office.another("acme", "Sibling").await;
    let elsewhere = Place::Since(mark.replace(&office.directory.id, &sibling.directory.id));
    office.user(json!({"userName": "bob"})).await.unwrap();
    sibling.user(json!({"userName": "bob"})).await.unwrap();
    let team = office.directory.team_id.clone();
    let far = i64::MAX;
    let pruned = office.store.write(Scope::ALL, move |tx| {
        events::prune(tx, &team, Log::Audit, far, far, 1)
    });
    assert_eq!(
        pruned
            .await
            .unwrap_or_else(|error: Refusal| panic!("{error}")),
        1
    );
    for (name, place, why) in [
        ("a feed that was cut", position("0"), "not kept for so long"),
        (
            "a database that was put back",
            position("99"),
            "put back to an earlier state",
        ),
        (
            "another directory of that name",
            elsewhere,
            "another directory",
        ),
        ("no watermark", Place::Since("7".to_owned()), "no place"),
        ("no page", Place::Page("x".to_owned()), "no place"),
    ] {
        let error = source.read(&place).await.unwrap_err();
        assert!(
            matches!(&error, Error::Expired(said) if said.contains(why)),
            "{name}: {error}"
        );
    }
    // What happened in the other directory of the team is nobody's concern here.
    assert_eq!(read(&source, &place).await.unwrap().0.len(), 1, "bob alone");
}
