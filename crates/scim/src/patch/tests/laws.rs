//! What holds for all requests and resources.

use proptest::prelude::*;

use super::*;
use crate::schema::USER;

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![4 => "[ab]{0,2}".prop_map(Value::from), 1 => Just(Value::Null)]
}

fn email() -> impl Strategy<Value = Value> {
    (
        text(),
        prop::sample::select(vec!["work", "home"]),
        prop::option::of(any::<bool>()),
    )
        .prop_map(
            |(value, kind, primary)| json!({ "value": value, "type": kind, "primary": primary }),
        )
}

fn emails() -> impl Strategy<Value = Value> {
    prop::collection::vec(email(), 0..3).prop_map(|mut list| {
        for later in list.iter_mut().skip(1) {
            later["primary"] = Value::Bool(false);
        }
        Value::Array(list)
    })
}

fn body() -> impl Strategy<Value = Value> {
    (text(), text(), emails(), text(), text()).prop_map(|(title, given, emails, department, manager)| {
        json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "title": title, "name": { "givenName": given }, "emails": emails,
            ENTERPRISE: { "department": department, "manager": { "value": manager } }
        })
    })
}

/// A path and a value that often fit, and often do not.
fn operation() -> impl Strategy<Value = Value> {
    let paths = vec![
        "title",
        "userName",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails.primary",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[type eq \"home\"].primary",
        "emails[primary eq true].type",
        "emails[value eq \"a\"].type",
        "emails[not (value pr)]",
        ENTERPRISE,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "manager.value",
        "department",
    ];
    let value = prop_oneof![
        text(),
        any::<bool>().prop_map(Value::from),
        email(),
        emails(),
        text().prop_map(|given| json!({ "givenName": given })),
        text().prop_map(|department| json!({ "department": department })),
    ];
    let at_path = (
        prop::sample::select(vec!["add", "replace", "remove"]),
        prop::sample::select(paths),
        prop::option::of(value),
    )
        .prop_map(|(op, path, value)| match value {
            Some(value) => json!({ "op": op, "path": path, "value": value }),
            None => json!({ "op": op, "path": path }),
        });
    let whole = (prop::sample::select(vec!["add", "replace"]), body())
        .prop_map(|(op, value)| json!({ "op": op, "value": value }));
    prop_oneof![5 => at_path, 1 => whole]
}

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL.to_vec())
}

#[derive(Debug, Clone)]
enum Change {
    Add(Vec<String>),
    Replace(Vec<String>),
    RemoveListed(Vec<String>),
    RemoveAtFilter(Vec<String>),
    RemoveOthers(String),
    RemoveAll,
}

fn change() -> impl Strategy<Value = Change> {
    let ids = || prop::collection::vec("[a-e]", 1..4);
    prop_oneof![
        ids().prop_map(Change::Add),
        ids().prop_map(Change::Replace),
        ids().prop_map(Change::RemoveListed),
        ids().prop_map(Change::RemoveAtFilter),
        "[a-e]".prop_map(Change::RemoveOthers),
        Just(Change::RemoveAll),
    ]
}

impl Change {
    fn operation(&self) -> Value {
        let list = |ids: &[String]| {
            ids.iter()
                .map(|id| json!({ "value": id }))
                .collect::<Value>()
        };
        match self {
            Self::Add(ids) => json!({ "op": "add", "path": "members", "value": list(ids) }),
            Self::Replace(ids) => json!({ "op": "replace", "value": { "members": list(ids) } }),
            Self::RemoveListed(ids) => {
                json!({ "op": "remove", "path": "members", "value": list(ids) })
            }
            Self::RemoveAtFilter(ids) => {
                let terms: Vec<_> = ids.iter().map(|id| format!("value eq \"{id}\"")).collect();
                json!({ "op": "remove", "path": format!("members[{}]", terms.join(" or ")) })
            }
            Self::RemoveOthers(id) => {
                json!({ "op": "remove", "path": format!("members[value ne \"{id}\"]") })
            }
            Self::RemoveAll => json!({ "op": "remove", "path": "members" }),
        }
    }

    /// The same on a plain list.
    fn apply(&self, members: &mut Vec<String>) {
        let mut add = |ids: &[String]| {
            for id in ids {
                if !members.contains(id) {
                    members.push(id.clone());
                }
            }
        };
        match self {
            Self::Add(ids) => add(ids),
            Self::Replace(ids) => {
                members.clear();
                Self::Add(ids.clone()).apply(members);
            }
            Self::RemoveListed(ids) | Self::RemoveAtFilter(ids) => {
                members.retain(|id| !ids.contains(id))
            }
            Self::RemoveOthers(kept) => members.retain(|id| id == kept),
            Self::RemoveAll => members.clear(),
        }
    }
}

/// What a store does with the steps.
fn follow(steps: &[MemberStep], members: &mut Vec<String>) {
    let catalog = Catalog::standard();
    let attribute = catalog.group().schema.attribute("members").unwrap();
    for step in steps {
        match step {
            MemberStep::Clear => members.clear(),
            MemberStep::Add(new) => {
                for member in new {
                    if !members.contains(&member.value) {
                        members.push(member.value.clone());
                    }
                }
            }
            MemberStep::Remove(ids) => members.retain(|id| !ids.contains(id)),
            MemberStep::RemoveWhere(filter) => {
                let checked = filter.check_elements(attribute, Profile::Strict).unwrap();
                members.retain(|id| !checked.matches_element(&json!({ "value": id })));
            }
        }
    }
}

proptest! {
    #[test]
    fn a_patched_user_is_one_that_could_have_been_posted(
        body in body(), operations in prop::collection::vec(operation(), 1..5), profile in profile()
    ) {
        let catalog = Catalog::standard();
        let parse = |body| Resource::parse(catalog.user(), body, profile, &mut Notes::default());
        let mut user = parse(body).unwrap();
        let patch = Patch::parse(message(operations.into()), catalog.user(), ID, profile, &mut Notes::default());
        if patch.is_ok_and(|patch| patch.apply(catalog.user(), &mut user).is_ok()) {
            let text = user.to_text();
            prop_assert_eq!(parse(Value::Object(user.into_map())).map(|again| again.to_text()), Ok(text));
        }
    }

    #[test]
    fn at_most_one_element_is_primary(body in body(), operations in prop::collection::vec(operation(), 1..5)) {
        if let Ok(after) = user(Profile::Entra, &body, &Value::Array(operations)) {
            let emails = after["emails"].as_array().cloned().unwrap_or_default();
            prop_assert!(emails.iter().filter(|email| email["primary"] == true).count() <= 1, "{:?}", emails);
        }
    }

    #[test]
    fn to_patch_in_what_is_there_changes_nothing(body in body(), op in prop::sample::select(vec!["add", "replace"])) {
        let catalog = Catalog::standard();
        let before = resource(catalog.user(), body);
        let whole = json!([{ "op": op, "value": Value::Object(before.as_map().clone()) }]);
        let each: Vec<_> = before.as_map().iter().filter(|(name, _)| *name != "schemas")
            .map(|(name, value)| json!({ "op": op, "path": name, "value": value })).collect();
        for operations in [whole, Value::Array(each)] {
            let after = user(Profile::Lenient, &Value::Object(before.as_map().clone()), &operations);
            prop_assert_eq!(after.map(|after| after.to_string()), Ok(before.to_text()));
        }
    }

    #[test]
    fn a_request_sent_again_changes_nothing_more(
        body in body(), value in "[ab]{1,2}", primary in any::<bool>(), title in text()
    ) {
        let operations = json!([
            { "op": "add", "path": "emails", "value": { "value": value, "primary": primary } },
            { "op": "replace", "path": "title", "value": title },
            { "op": "add", "path": "emails[type eq \"work\"].display", "value": "d" }
        ]);
        let once = user(Profile::Entra, &body, &operations).unwrap();
        prop_assert_eq!(user(Profile::Entra, &once, &operations), Ok(once));
    }

    #[test]
    fn steps_give_the_members_that_a_plain_list_would_have(
        before in prop::collection::btree_set("[a-e]", 0..4), changes in prop::collection::vec(change(), 1..6)
    ) {
        let catalog = Catalog::standard();
        let operations: Vec<_> = changes.iter().map(Change::operation).collect();
        let patch = Patch::parse(message(operations.into()), catalog.group(), ID, Profile::Lenient, &mut Notes::default());
        let mut stepped: Vec<_> = before.into_iter().collect();
        let mut plain = stepped.clone();
        follow(patch.unwrap().members(), &mut stepped);
        changes.iter().for_each(|change| change.apply(&mut plain));
        prop_assert_eq!(stepped, plain);
    }
}
