//! Probing, finding and reading.

use portreeve_provisioning::target::{Dialect, Error, Limits, ResourceId, ResourceKind};
use serde_json::{Value, json};

use crate::double::{Double, Reply};

fn list(body: &Value) -> Reply {
    let mut message = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]});
    for (name, value) in body.as_object().unwrap() {
        message[name] = value.clone();
    }
    Reply::scim(200, &message)
}

#[tokio::test]
async fn a_probe_asks_for_a_random_name_and_wants_an_empty_list() {
    let cases = [
        (
            "empty",
            list(&json!({"totalResults": 0, "Resources": []})),
            true,
        ),
        (
            "empty without Resources",
            list(&json!({"totalResults": 0})),
            true,
        ),
        (
            "everybody matches",
            list(&json!({"totalResults": 1, "Resources": [{"id": "1"}]})),
            false,
        ),
        ("no list", Reply::scim(200, &json!({"id": "1"})), false),
        (
            "another message",
            Reply::scim(200, &json!({"schemas": ["urn:x"], "totalResults": 0})),
            false,
        ),
        (
            "half a list",
            list(&json!({"totalResults": 2, "Resources": []})),
            false,
        ),
        ("no number", list(&json!({"totalResults": "0"})), false),
        (
            "no JSON",
            Reply::with(200, "application/scim+json", "{"),
            false,
        ),
    ];
    for (name, reply, usable) in cases {
        let double = Double::script(vec![reply]).await;
        let (client, _) = double.client(Limits::default());
        assert_eq!(
            client.probe(ResourceKind::Group).await.is_ok(),
            usable,
            "{name}"
        );
        let nobody = "ffffffff-ffff-4fff-bfff-ffffffffffff";
        assert_eq!(
            double.lines(),
            [format!(
                "GET /scim/Groups?filter=displayName+eq+%22{nobody}%22"
            )],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_lookup_finds_one_or_none_and_trusts_no_other() {
    let user = |name: &str| json!({"id": "1", "userName": name});
    let answer = |users: &[Value]| list(&json!({"totalResults": users.len(), "Resources": users}));
    let cases = [
        ("none", answer(&[]), "none"),
        ("one", answer(&[user("seán.o'brien@contoso.example")]), "1"),
        (
            "one in another spelling",
            answer(&[user("SEÁN.O'Brien@contoso.example")]),
            "1",
        ),
        (
            "one that hides its name",
            answer(&[json!({"id": "1"})]),
            "1",
        ),
        (
            "two",
            answer(&[
                user("seán.o'brien@contoso.example"),
                user("Seán.O'Brien@contoso.example"),
            ]),
            "ambiguous",
        ),
        (
            "two, of whom one is shown",
            list(&json!({"totalResults": 2, "Resources": [{"id": "1"}]})),
            "ambiguous",
        ),
        (
            "another one",
            answer(&[user("ada@contoso.example")]),
            "filter ignored",
        ),
        (
            "everybody, the wanted one among them",
            answer(&[user("seán.o'brien@contoso.example"), user("ada")]),
            "filter ignored",
        ),
    ];
    for (name, reply, expected) in cases {
        let double = Double::script(vec![reply]).await;
        let (client, _) = double.client(Limits::default());
        let outcome = client
            .find(
                ResourceKind::User,
                "userName",
                "seán.o'brien@contoso.example",
                &[],
            )
            .await;
        let outcome = match &outcome {
            Ok(None) => "none",
            Ok(Some(resource)) => resource.id().as_str(),
            Err(Error::Ambiguous { count: 2, .. }) => "ambiguous",
            Err(Error::FilterIgnored { .. }) => "filter ignored",
            Err(other) => panic!("{name}: {other}"),
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

#[tokio::test]
async fn a_value_in_a_filter_stays_a_value() {
    let cases = [
        (
            "quotes",
            r#"Project "Kestrel""#,
            "%22Project+%5C%22Kestrel%5C%22%22",
        ),
        ("backslash", r"a\b", "%22a%5C%5Cb%22"),
        ("query characters", "R&D=1+1#?", "%22R%26D%3D1%2B1%23%3F%22"),
        (
            "an attempt at another filter",
            r#"x" or id pr or id eq ""#,
            "%22x%5C%22+or+id+pr+or+id+eq+%5C%22%22",
        ),
        ("other scripts", "東京", "%22%E6%9D%B1%E4%BA%AC%22"),
        ("line break", "a\nb", "%22a%5Cnb%22"),
    ];
    for (name, value, encoded) in cases {
        let double = Double::script(vec![list(&json!({"totalResults": 0}))]).await;
        let (client, _) = double.client(Limits::default());
        assert_eq!(
            client
                .find(ResourceKind::Group, "displayName", value, &["members"])
                .await,
            Ok(None),
            "{name}"
        );
        let expected =
            format!("GET /scim/Groups?excludedAttributes=members&filter=displayName+eq+{encoded}");
        assert_eq!(double.lines(), [expected], "{name}");
    }
}

#[tokio::test]
async fn reading_leaves_out_what_is_not_wanted_and_takes_404_for_nothing() {
    let double = Double::script(vec![
        Reply::scim(200, &json!({"id": "g1"})),
        Reply::empty(404),
    ])
    .await;
    let (client, _) = double.client(Limits::default());
    let id = ResourceId::new("g1").unwrap();
    assert!(
        client
            .get(ResourceKind::Group, &id, &["members", "meta"])
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        client
            .get(ResourceKind::Group, &id, &[])
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        double.lines(),
        [
            "GET /scim/Groups/g1?excludedAttributes=members%2Cmeta",
            "GET /scim/Groups/g1"
        ]
    );
}

#[tokio::test]
async fn the_query_of_the_tenant_url_goes_along_with_every_request() {
    let double = Double::script(vec![list(&json!({"totalResults": 0})), Reply::empty(404)]).await;
    let client = double.client_with_query("aadOptscim062020");
    assert_eq!(client.dialect(), Dialect::Compliant);
    client
        .find(ResourceKind::User, "userName", "ada", &[])
        .await
        .unwrap();
    client
        .get(ResourceKind::User, &ResourceId::new("1").unwrap(), &[])
        .await
        .unwrap();
    let expected = [
        "GET /scim/Users?aadOptscim062020&filter=userName+eq+%22ada%22",
        "GET /scim/Users/1?aadOptscim062020",
    ];
    assert_eq!(double.lines(), expected);
}
