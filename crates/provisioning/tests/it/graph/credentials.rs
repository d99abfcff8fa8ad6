//! Signing in: with a secret, with a certificate, and with neither that is any good.

use std::sync::Arc;
use std::time::Duration;

use portreeve_provisioning::source::graph::Graph;
use portreeve_provisioning::source::{Error, Kind, Place, Settings, Source};
use portreeve_provisioning::target::Limits;
use portreeve_testbed::graph::{Certificate, Fault, GraphServer};
use serde_json::{Value, json};

use super::world::{Time, World, home, settings};

/// How many of the requests so far were for a token.
fn tokens(graph: &GraphServer) -> usize {
    let requests = graph.requests();
    requests
        .iter()
        .filter(|request| request.starts_with("POST "))
        .count()
}

/// A tenant whose app registration is tried with various settings.
struct Door {
    graph: GraphServer,
    time: Arc<Time>,
}

impl Door {
    async fn new() -> Self {
        let graph = GraphServer::start().await;
        let time = Time::new(graph.clock());
        Self { graph, time }
    }

    /// What comes of the first request with these settings.
    async fn enter(&self, more: &[(&str, Value)]) -> Result<(), Error> {
        let settings = settings(&self.graph, more);
        let source = Graph::new(&settings, &home(&self.time), Limits::default())?;
        source.one(Kind::User, "nobody").await.map(|_| ())
    }
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let world = World::new().await;
    let (_, mut watermark) = world.everything().await;
    assert_eq!(tokens(&world.graph), 1);
    let steps = [(3_000, 0), (298, 0), (2, 1), (3_298, 0), (3_599, 1)];
    for (seconds, expected) in steps {
        world.graph.clock().advance(Duration::from_secs(seconds));
        (_, watermark) = world.read(&watermark).await.unwrap();
        assert_eq!(tokens(&world.graph), expected, "{seconds} seconds later");
    }
}

#[tokio::test]
async fn a_token_that_ends_early_is_replaced_once() {
    let world = World::new().await;
    let (_, watermark) = world.everything().await;
    let _ = world.graph.requests();
    world.graph.end_tokens();
    let (_, watermark) = world.read(&watermark).await.unwrap();
    assert_eq!(tokens(&world.graph), 1);

    world.graph.fail("/v1.0/", 2, Fault::TokenEnded);
    let error = world.read(&watermark).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    assert_eq!(tokens(&world.graph), 1);
    assert!(world.read(&watermark).await.is_ok());
}

#[tokio::test]
async fn many_requests_at_once_ask_for_one_token() {
    let world = World::new().await;
    let (first, second, third) = tokio::join!(
        world.source.one(Kind::User, "a"),
        world.source.one(Kind::User, "b"),
        async { world.source.clone().one(Kind::User, "c").await },
    );
    assert_eq!((first, second, third), (Ok(None), Ok(None), Ok(None)));
    assert_eq!(tokens(&world.graph), 1);
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_that_verifies() {
    let door = Door::new().await;
    let certificate = Certificate::generate();
    door.graph.register(&certificate);
    let both = format!("{}{}", certificate.certificate, certificate.key);
    let apart = [
        ("client_secret", Value::Null),
        ("certificate", json!(certificate.certificate)),
        ("private_key", json!(certificate.key)),
    ];
    let older = [&apart[..], &[("algorithm", json!("RS256"))]].concat();
    let together = [("client_secret", Value::Null), ("certificate", json!(both))];
    for (name, more) in [
        ("apart", &apart[..]),
        ("RS256", &older),
        ("in one text", &together),
    ] {
        assert_eq!(door.enter(more).await, Ok(()), "{name}");
        assert_eq!(tokens(&door.graph), 1, "{name}");
    }
}

/// Settings that cannot sign in, and a part of the error that they must bring.
type Refusal<'a> = (&'a str, Vec<(&'a str, Value)>, &'a str);

async fn refused(cases: Vec<Refusal<'_>>) {
    let door = Door::new().await;
    for (name, more, expected) in cases {
        let error = door.enter(&more).await.unwrap_err();
        assert!(matches!(error, Error::Credentials(_)), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert_eq!(door.graph.objections(), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn secrets_that_are_no_good_are_refused_with_what_to_do() {
    let certificate = Certificate::generate().certificate;
    let secret = |value: Value| vec![("client_secret", value)];
    refused(vec![
        ("wrong", secret(json!("wrong")), "the secret's value"),
        (
            "another app",
            vec![("client_id", json!("another"))],
            "check client_id and tenant",
        ),
        ("not set", secret(json!({"env": "UNSET"})), "UNSET"),
        (
            "in no file",
            secret(json!({"file": "secret"})),
            "/no/folder/secret",
        ),
        ("neither", secret(Value::Null), "name either"),
        (
            "both",
            vec![("certificate", json!(certificate))],
            "name either",
        ),
    ])
    .await;
}

#[tokio::test]
async fn keys_that_are_no_good_are_refused_with_what_to_do() {
    let (one, other) = (Certificate::generate(), Certificate::generate());
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let with = |certificate: &str, key: &str| {
        vec![
            ("client_secret", Value::Null),
            ("certificate", json!(certificate)),
            ("private_key", json!(key)),
        ]
    };
    let certificate = &one.certificate;
    refused(vec![
        (
            "no certificate",
            with("text", &one.key),
            "BEGIN CERTIFICATE",
        ),
        ("no key", with(certificate, "text"), "BEGIN PRIVATE KEY"),
        (
            "of another",
            with(certificate, &other.key),
            "does not belong",
        ),
        ("on a curve", with(certificate, &elliptic), "RSA"),
        ("encrypted", with(certificate, encrypted), "openssl pkey"),
    ])
    .await;
}

#[tokio::test]
async fn a_certificate_that_is_not_registered_is_refused() {
    let door = Door::new().await;
    let (registered, ours) = (Certificate::generate(), Certificate::generate());
    door.graph.register(&registered);
    let more = [
        ("client_secret", Value::Null),
        ("certificate", json!(ours.certificate)),
        ("private_key", json!(ours.key)),
    ];
    let error = door.enter(&more).await.unwrap_err();
    assert!(
        error.to_string().contains("upload the certificate"),
        "{error}"
    );
    assert_eq!(door.graph.objections().len(), 1);
}

#[tokio::test]
async fn a_secret_may_be_in_the_environment() {
    let door = Door::new().await;
    let more = [("client_secret", json!({"env": "GRAPH_SECRET"}))];
    assert_eq!(door.enter(&more).await, Ok(()));
    assert_eq!(tokens(&door.graph), 1);
}

#[tokio::test]
async fn an_address_that_gives_out_no_tokens_is_named() {
    let door = Door::new().await;
    door.graph.fail("/token", 1, Fault::NotJson);
    let error = door.enter(&[]).await.unwrap_err();
    assert!(matches!(error, Error::Unusable(_)), "{error:?}");
    door.graph
        .fail("/token", 1, Fault::Refused(404, "NotFound"));
    let error = door.enter(&[]).await.unwrap_err();
    assert!(error.to_string().contains("login_url"), "{error}");
}

#[tokio::test]
async fn an_admin_writes_the_settings_in_toml() {
    let graph = GraphServer::start().await;
    let text = format!(
        r#"
            type = "graph"
            tenant = "contoso.example"
            client_id = "6731de76-14a6-49ae-97bc-6eba6914391e"
            client_secret = {{ env = "GRAPH_SECRET" }}
            scope = "all"
            login_url = "{0}"
            graph_url = "{0}"
        "#,
        graph.url()
    );
    let settings: Settings = toml::from_str(&text).unwrap();
    let source = Source::new(&settings, &home(&Time::new(graph.clock()))).unwrap();
    let page = source.read(&Place::Everything).await.unwrap();
    assert_eq!(page.total, Some(0));

    let wrong = text.replace("client_id", "clientid");
    let error = toml::from_str::<Settings>(&wrong).unwrap_err();
    assert!(error.to_string().contains("clientid"), "{error}");
}
