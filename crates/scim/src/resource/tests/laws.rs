//! What holds for every body.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::POSIX;

/// Bodies that are nearly right: attributes in any case and order, with values of right and wrong types.
fn any_body() -> impl Strategy<Value = Value> {
    let names = [
        "userName",
        "USERNAME",
        "title",
        "name",
        "active",
        "emails",
        "phoneNumbers",
        "addresses",
        "roles",
        "manager",
        ENTERPRISE,
        POSIX,
        "urn:scim:smallstep:ssh:schema",
        "defaultRemoteIdentity",
        "x509Certificates",
        "schemas",
        "id",
        "unknown",
    ];
    let subs = [
        "value",
        "type",
        "primary",
        "display",
        "givenName",
        "formatted",
        "locality",
        "manager",
        "department",
        "uid",
        "$ref",
        "Value",
    ];
    let leaf = prop_oneof![
        3 => "[a-zA-Z]{0,3}".prop_map(Value::from),
        1 => Just(json!("True")), 1 => any::<bool>().prop_map(Value::from), 1 => (0..9).prop_map(Value::from), 1 => Just(Value::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(subs.to_vec()), inner), 0..4)
                .prop_map(object),
        ]
    });
    prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..6).prop_map(object)
}

fn object(entries: Vec<(&str, Value)>) -> Value {
    entries
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect::<Map<_, _>>()
        .into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_checked_resource_checks_to_itself(mut body in any_body(), profile in prop::sample::select(vec![Profile::Strict, Profile::Lenient, Profile::Entra])) {
        let catalog = Catalog::standard();
        if body.get("userName").is_none() && body.get("USERNAME").is_none() {
            body["userName"] = "ada".into();
        }
        if let Ok(once) = Resource::parse(catalog.user(), body, profile, &mut Notes::default()) {
            let mut notes = Notes::default();
            for again in [Profile::Strict, profile] {
                let twice = Resource::parse(catalog.user(), once.as_map().clone().into(), again, &mut notes);
                prop_assert_eq!(twice.map(|r| r.to_text()), Ok(once.to_text()));
            }
            prop_assert_eq!(&notes, &Notes::default());
            prop_assert_eq!(Resource::arrange(catalog.user(), once.as_map().clone()).to_text(), once.to_text());
        }
    }
}
