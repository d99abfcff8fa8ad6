//! Settings of a target: signing in, addresses that may not be connected to, and how fast it is asked.

use portreeve_provisioning::target::{Client, Error, Patch, ResourceId, ResourceKind, Settings};
use serde_json::{Value, json};

use crate::double::{Double, Reply, Seen, TOKEN, open};

const USER: ResourceKind = ResourceKind::User;

fn nobody() -> Reply {
    let schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    Reply::scim(200, &json!({"schemas": [schema], "totalResults": 0}))
}

fn token(name: &str, life: impl Into<Value>) -> Reply {
    let life = life.into();
    let body = json!({"access_token": name, "token_type": "bearer", "expires_in": life});
    Reply::with(200, "application/json", &body.to_string())
}

const OAUTH: &str = r#"
    url = "http://HERE/own"
    authentication = { type = "oauth", token_url = "http://HERE/token", client_id = "app:1", client_secret = { env = "APP_SECRET" } }
"#;

#[tokio::test]
async fn every_kind_of_credentials_ends_up_in_the_header() {
    let cases = [
        ("bearer", r#"{ type = "bearer", token = "t" }"#, "Bearer t"),
        (
            "basic, from a variable",
            r#"{ type = "basic", user = "contoso", password = { env = "APP_SECRET" } }"#,
            // contoso:p&w
            "Basic Y29udG9zbzpwJnc=",
        ),
    ];
    for (name, authentication, expected) in cases {
        let double = Double::script(vec![nobody()]).await;
        let settings = format!("url = \"http://HERE/own\"\nauthentication = {authentication}");
        let (client, _) = double.open(&settings).unwrap();
        client.probe(USER).await.unwrap();
        assert_eq!(double.requests()[0].authorization, expected, "{name}");
    }
}

#[tokio::test]
async fn the_client_secret_goes_where_the_settings_say() {
    let plain = "grant_type=client_credentials&client_id=app%3A1&client_secret=p%26w";
    let scoped = "grant_type=client_credentials&scope=a+b&client_id=app%3A1&client_secret=p%26w";
    // app%3A1:p%26w, each part encoded as in a form
    let basic = "Basic YXBwJTNBMTpwJTI2dw==";
    let cases = [
        ("body", "", plain, ""),
        ("scope", r#", scope = "a b""#, scoped, ""),
        (
            "header",
            r#", send_secret = "basic""#,
            "grant_type=client_credentials",
            basic,
        ),
    ];
    for (name, more, form, header) in cases {
        let double = Double::script(vec![token("t1", 3600), nobody()]).await;
        let settings = OAUTH.replace(" } }", &format!(" }}{more} }}"));
        let (client, _) = double.open(&settings).unwrap();
        client.probe(USER).await.unwrap();
        let requests = double.requests();
        assert_eq!(requests[0].line(), "POST /token", "{name}");
        assert_eq!(requests[0].text, form, "{name}");
        assert_eq!(requests[0].authorization, header, "{name}");
        assert_eq!(requests[1].authorization, "Bearer t1", "{name}");
    }
}

/// Who asked with which token, in order.
fn tokens(double: &Double) -> Vec<String> {
    let told = |seen: &Seen| match &*seen.target {
        "/token" => "asks".to_owned(),
        _ => seen.authorization.clone(),
    };
    double.requests().iter().map(told).collect()
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end_and_renewed_once_when_it_is_refused() {
    let busy = || Reply::empty(429).header("retry-after", "55");
    let no = || Reply::empty(401);
    let [one, two] = ["Bearer t1", "Bearer t2"];
    let long = |name: &str| token(name, 3600);
    let cases: [(&str, Vec<Reply>, &[&str], bool); 6] = [
        (
            "kept",
            vec![long("t1"), nobody(), nobody()],
            &["asks", one, one],
            true,
        ),
        (
            // The double's time passes by waiting.
            "at half of its short life",
            vec![token("t1", "110"), busy(), long("t2"), nobody(), nobody()],
            &["asks", one, "asks", two, two],
            true,
        ),
        (
            "ended early",
            vec![long("t1"), no(), long("t2"), nobody(), nobody()],
            &["asks", one, "asks", two, two],
            true,
        ),
        (
            "never good",
            vec![long("t1"), no(), long("t2"), no()],
            &["asks", one, "asks", two],
            false,
        ),
        (
            "a token endpoint that is busy",
            vec![Reply::empty(503), long("t1"), nobody(), nobody()],
            &["asks", "asks", one, one],
            true,
        ),
        (
            "without an end",
            vec![token("t1", Value::Null), nobody(), nobody()],
            &["asks", one, one],
            true,
        ),
    ];
    for (name, replies, expected, good) in cases {
        let double = Double::script(replies).await;
        let (client, _) = double.open(OAUTH).unwrap();
        let first = client.probe(USER).await;
        assert_eq!(first.is_ok(), good, "{name}: {first:?}");
        if good {
            client.probe(USER).await.unwrap();
        }
        assert_eq!(tokens(&double), expected, "{name}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_token_endpoint_says_what_it_said() {
    let refused = |status, body: Value| Reply::with(status, "application/json", &body.to_string());
    let cases = [
        (
            refused(
                401,
                json!({"error": "invalid_client", "error_description": "expired"}),
            ),
            "invalid_client, expired (status 401)",
        ),
        (
            refused(400, json!({"error": "invalid_scope"})),
            "invalid_scope (status 400)",
        ),
        (
            Reply::with(404, "text/html", "<html>"),
            "Not Found (status 404)",
        ),
        (refused(200, json!({"token": "x"})), "holds no token"),
        (
            refused(200, json!({"access_token": "x", "token_type": "mac"})),
            "unknown type mac",
        ),
    ];
    for (reply, expected) in cases {
        let double = Double::script(vec![reply]).await;
        let (client, _) = double.open(OAUTH).unwrap();
        let error = client.probe(USER).await.unwrap_err();
        assert!(matches!(error, Error::SignIn(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(double.lines(), ["POST /token"]);
    }
}

#[tokio::test]
async fn an_address_inside_is_not_connected_to_unless_it_is_allowed() {
    let double = Double::script(vec![nobody()]).await;
    let no = "allow_private_addresses = false";
    let refused = |outcome: Result<(), Error>| match outcome {
        Err(error @ Error::ForbiddenAddress { .. }) => {
            assert!(error.to_string().contains("this machine itself"), "{error}");
            assert!(error.concerns_every_request());
        }
        other => panic!("{other:?}"),
    };
    refused(double.open(no).map(|_| ()));
    let token_url = OAUTH.replace("http://HERE/own", "https://app.example/scim") + no;
    refused(double.open(&token_url).map(|_| ()));
    // A name is judged by what it resolves to, when it is connected to.
    let named = open(
        "url = \"http://localhost:9/scim\"\nauthentication = { type = \"bearer\", token = \"t\" }",
    );
    refused(named.unwrap().0.probe(USER).await);
    assert_eq!(double.lines(), Vec::<String>::new());
    double.open("").unwrap().0.probe(USER).await.unwrap();
    let metadata = open(
        "url = \"https://169.254.169.254/\"\nallow_private_addresses = true\nauthentication = { type = \"bearer\", token = \"t\" }",
    );
    assert!(matches!(metadata, Err(Error::ForbiddenAddress { .. })));
}

#[tokio::test]
async fn the_rate_is_kept_over_all_requests() {
    let double = Double::script(vec![nobody(); 4]).await;
    let (client, time) = double.open("requests_per_second = 4").unwrap();
    for client in [&client, &client.clone(), &client, &client] {
        client.probe(USER).await.unwrap();
    }
    assert_eq!(time.pauses(), [250, 250, 250]);
}

#[tokio::test]
async fn while_the_target_wants_to_be_left_alone_no_request_goes_to_it() {
    let busy = |status| Reply::empty(status).header("retry-after", "20");
    for status in [429, 503] {
        let mut replies = vec![busy(status)].into_iter();
        let double = Double::start(move |_| replies.next().unwrap_or_else(nobody)).await;
        // One at a time: the second request is sent while the first one waits for its next attempt.
        let (client, time) = double.open("parallel_requests = 1").unwrap();
        let (first, second) = tokio::join!(client.probe(USER), client.probe(USER));
        assert_eq!((first, second), (Ok(()), Ok(())), "{status}");
        assert_eq!(double.lines().len(), 3, "{status}");
        assert_eq!(time.pauses(), [20_500], "{status}");
    }
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_the_settings_allow() {
    let double = Double::start(|_| nobody()).await;
    let (client, _) = double.open("parallel_requests = 2").unwrap();
    let silent = Double::script(vec![Reply::Silence, Reply::Silence, nobody()]).await;
    let (waiting, _) = silent.open("parallel_requests = 2").unwrap();
    let probes = [waiting.clone(), waiting.clone(), waiting.clone()]
        .map(|client| async move { client.probe(USER).await });
    let probes = futures_util::future::join_all(probes);
    let free = async {
        // By the time that this many round trips are over, three requests would have arrived.
        for _ in 0..20 {
            client.probe(USER).await.unwrap();
        }
    };
    tokio::select! {
        _ = probes => panic!("two requests are never answered"),
        () = free => {}
    }
    assert_eq!(silent.lines().len(), 2);
}

#[test]
fn settings_that_cannot_work_are_refused_with_a_reason() {
    let token = r#"authentication = { type = "bearer", token = "t" }"#;
    let with_url = |rest: &str| format!("url = \"https://app.example/\"\n{rest}");
    let cases = [
        (
            "url",
            format!("url = \"http://app.example/\"\n{token}"),
            "use https",
        ),
        (
            "rate",
            with_url(&format!("{token}\nrequests_per_second = 0")),
            "from 0.001 on",
        ),
        (
            "no rate",
            with_url(&format!("{token}\nrequests_per_second = nan")),
            "from 0.001 on",
        ),
        (
            "none at a time",
            with_url(&format!("{token}\nparallel_requests = 0")),
            "from 1 to 64",
        ),
        (
            "no secret",
            with_url(r#"authentication = { type = "bearer", token = { env = "NONE" } }"#),
            "NONE",
        ),
        (
            "a colon",
            with_url(r#"authentication = { type = "basic", user = "a:b", password = "p" }"#),
            "colon",
        ),
        (
            "an open token endpoint",
            with_url(
                r#"authentication = { type = "oauth", token_url = "http://idp.example/", client_id = "c", client_secret = "s" }"#,
            ),
            "use https",
        ),
    ];
    for (name, settings, expected) in cases {
        let error = open(&settings).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Settings(_)), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
    for unknown in ["rate = 1", "largest_group = 1"] {
        let read = toml::from_str::<Settings>(&with_url(&format!("{token}\n{unknown}")));
        assert!(read.is_err(), "{unknown}");
    }
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let double = Double::script(Vec::new()).await;
    let settings = OAUTH.replace(r#"{ env = "APP_SECRET" }"#, "\"hush-hush\"");
    let (client, _) = double.open(&settings).unwrap();
    assert!(!format!("{client:?}").contains("hush-hush"));
    let (client, _): (Client, _) = double.open("").unwrap();
    assert!(!format!("{client:?}").contains(TOKEN));
}

#[tokio::test]
async fn a_patch_is_allowed_to_wait_for_its_turn() {
    let double = Double::script(vec![
        Reply::empty(429).header("retry-after", "3"),
        Reply::empty(204),
    ])
    .await;
    let (client, time) = double.open("requests_per_second = 1").unwrap();
    let id = ResourceId::new("u1").unwrap();
    let patch = Patch::new().replace("title", json!("CEO"));
    assert_eq!(client.patch(USER, &id, &patch).await, Ok(None));
    assert_eq!(time.pauses(), [3_500]);
}
