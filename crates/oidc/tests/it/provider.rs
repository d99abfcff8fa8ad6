//! A whole sign-in with a provider, and how often it is asked for what.

use portreeve_oidc::{
    AuthorizationRequest, Claims, Client, ClientCheck, Code, Error, Http, MetadataUrl, Now,
    Provider,
};
use portreeve_testbed::TestClock;
use portreeve_testbed::openid::{
    CLIENT_ID, CLIENT_SECRET, Canned, OpenIdProvider, SigningKey, TENANT,
};
use secrecy::SecretString;
use serde_json::json;
use std::time::{Duration, SystemTime};

const REDIRECT: &str = "http://127.0.0.1:8460/auth/openid/callback";
const STATE: &str = "state-state-state";
const NONCE: &str = "nonce-nonce-nonce";
const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";

struct World {
    double: OpenIdProvider,
    clock: TestClock,
    provider: Provider,
}

impl World {
    async fn start() -> Self {
        let clock = TestClock::default();
        let double = OpenIdProvider::start(clock.clone()).await;
        double.register(REDIRECT);
        let provider = provider(&double.metadata_url(), Some(TENANT));
        Self {
            double,
            clock,
            provider,
        }
    }

    fn now(&self) -> Now {
        let since = self.clock.time().duration_since(SystemTime::UNIX_EPOCH);
        let since = since.unwrap();
        Now {
            unix: i64::try_from(since.as_secs()).unwrap(),
            steady: since,
        }
    }

    /// Signs in; the nonce and verifier are those that the client remembers.
    async fn sign_in(&self, nonce: &str, verifier: &str, redirect: &str) -> Result<Claims, Error> {
        let metadata = self.provider.metadata(self.now()).await?;
        let request = AuthorizationRequest {
            client_id: CLIENT_ID,
            redirect_uri: REDIRECT,
            scope: "openid profile email",
            state: STATE,
            nonce: NONCE,
            verifier: VERIFIER,
            login_hint: Some("ada@contoso.example"),
            prompt: None,
        };
        let back = self.double.sign_in(request.url(&metadata).as_str()).await;
        let (_, query) = back.split_once('?').unwrap();
        let field = |name: &str| {
            let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
            pairs.clone().find(|(key, _)| *key == name).unwrap().1
        };
        assert_eq!(field("state"), STATE);
        let code = Code {
            code: field("code"),
            verifier,
            redirect_uri: redirect,
        };
        let tokens = self
            .provider
            .exchange(&metadata, &client(&secret(CLIENT_SECRET)), &code)
            .await?;
        self.provider
            .verify(&metadata, &tokens, CLIENT_ID, nonce, self.now())
            .await
    }

    async fn code(&self) -> &'static str {
        match self.sign_in(NONCE, VERIFIER, REDIRECT).await {
            Ok(_) => "accepted",
            Err(error) => error.code(),
        }
    }
}

fn provider(url: &str, tenant: Option<&str>) -> Provider {
    let url = MetadataUrl::parse(url).unwrap();
    Provider::new(Http::new().unwrap(), url, tenant)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn client(secret: &SecretString) -> Client<'_> {
    Client {
        id: CLIENT_ID,
        secret: Some(secret),
    }
}

#[tokio::test]
async fn a_person_signs_in_with_whatever_key_and_however_the_secret_is_given() {
    let keys: [fn(&str) -> SigningKey; 3] =
        [SigningKey::rsa, SigningKey::p256, SigningKey::ed25519];
    for method in ["client_secret_basic", "client_secret_post"] {
        for key in keys {
            let world = World::start().await;
            let double = &world.double;
            double.metadata(json!({"token_endpoint_auth_methods_supported": [method]}));
            double.rotate(key("k"));
            double.person(json!({"oid": "4711", "sub": "ada"}));
            let claims = world.sign_in(NONCE, VERIFIER, REDIRECT).await.unwrap();
            assert_eq!(
                (claims.subject.as_str(), claims.object_id.as_deref()),
                ("ada", Some("4711"))
            );
        }
    }
}

#[tokio::test]
async fn a_sign_in_of_somebody_elses_making_is_refused() {
    let world = World::start().await;
    let refused = async |nonce, verifier, redirect| {
        let error = world.sign_in(nonce, verifier, redirect).await.unwrap_err();
        error.code()
    };
    assert_eq!(
        refused("another-nonce-here", VERIFIER, REDIRECT).await,
        "nonce_mismatch"
    );
    let other = "another-verifier-another-verifier-another-verifier";
    assert_eq!(refused(NONCE, other, REDIRECT).await, "code_refused");
    let elsewhere = "http://127.0.0.1:8460/elsewhere";
    assert_eq!(refused(NONCE, VERIFIER, elsewhere).await, "code_refused");
    world
        .double
        .person(json!({"tid": "another", "iss": world.double.issuer()}));
    assert_eq!(world.code().await, "wrong_tenant");
}

#[tokio::test]
async fn the_secret_is_tried_without_anybody_signing_in() {
    let world = World::start().await;
    let metadata = world.provider.metadata(world.now()).await.unwrap();
    for (name, said, known) in [
        ("right", CLIENT_SECRET, true),
        ("wrong", "the-id-of-the-secret", false),
    ] {
        let check = world
            .provider
            .check_client(&metadata, &client(&secret(said)), REDIRECT)
            .await
            .unwrap();
        assert_eq!(check == ClientCheck::Known, known, "{name}: {check:?}");
        assert_eq!(matches!(check, ClientCheck::Refused(_)), !known, "{name}");
    }
}

#[tokio::test]
async fn keys_are_kept_and_asked_for_again_once_a_minute_at_most() {
    let world = World::start().await;
    let count = |path| world.double.count(path);
    assert_eq!(world.code().await, "accepted");
    assert_eq!(world.code().await, "accepted");
    assert_eq!((count("/keys"), count("openid-configuration")), (1, 1));

    // The provider changes its key: not even a minute has passed.
    world.double.rotate(SigningKey::p256("second"));
    assert_eq!(world.code().await, "unknown_key");
    assert_eq!(count("/keys"), 1);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.code().await, "accepted");
    assert_eq!(count("/keys"), 2);

    // Somebody sends names of keys that nobody has.
    world
        .double
        .forge(|key, claims| key.token_with(&json!({"alg": "ES256", "kid": "made-up"}), claims));
    for _ in 0..5 {
        assert_eq!(world.code().await, "unknown_key");
    }
    assert_eq!(count("/keys"), 2);
}

#[tokio::test]
async fn documents_are_kept_as_long_as_they_say_within_bounds() {
    const MINUTE: u64 = 60;
    for (header, fresh, stale) in [
        (None, 59 * MINUTE, 60 * MINUTE),
        (Some("no-store"), 59 * MINUTE, 60 * MINUTE),
        (Some("public, max-age=0"), 4 * MINUTE, 5 * MINUTE),
        (Some("Max-Age=7200"), 119 * MINUTE, 120 * MINUTE),
        (Some("max-age=31536000"), 23 * 60 * MINUTE, 24 * 60 * MINUTE),
        (
            Some("max-age=99999999999999999999"),
            59 * MINUTE,
            60 * MINUTE,
        ),
    ] {
        let world = World::start().await;
        let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
        let metadata = world.provider.fetch_metadata().await.unwrap().value;
        let body = json!({
            "issuer": metadata.issuer,
            "authorization_endpoint": metadata.authorization_endpoint.as_str(),
            "token_endpoint": metadata.token_endpoint.as_str(),
            "jwks_uri": metadata.jwks_uri.as_str(),
        });
        let headers = header.map(|value| ("cache-control", value.to_owned()));
        let canned = Canned {
            status: 200,
            headers: headers.into_iter().collect(),
            body: body.to_string(),
        };
        world.double.always(&path, canned);
        let start = world.now();
        for (seconds, asked) in [(0, 2), (fresh, 2), (stale, 3)] {
            let now = Now {
                steady: start.steady + Duration::from_secs(seconds),
                ..start
            };
            world.provider.metadata(now).await.unwrap();
            let count = world.double.count("openid-configuration");
            assert_eq!(count, asked, "{header:?} after {seconds} seconds");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused_and_not_asked_for_by_everybody() {
    let big = "x".repeat(600 * 1024);
    let elsewhere = |url: String| vec![("location", url)];
    let cases = [
        (
            "an error",
            500,
            vec![],
            String::new(),
            "provider_unreachable",
        ),
        (
            "a page",
            200,
            vec![],
            "<html>".to_owned(),
            "metadata_unusable",
        ),
        ("far too much", 200, vec![], big, "answer_too_large"),
        (
            "another host",
            302,
            elsewhere("https://evil.example/".to_owned()),
            String::new(),
            "provider_redirects",
        ),
        (
            "in a circle",
            302,
            elsewhere(format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
            String::new(),
            "provider_redirects",
        ),
    ];
    for (name, status, headers, body, code) in cases {
        let world = World::start().await;
        let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
        let canned = Canned {
            status,
            headers,
            body,
        };
        world.double.always(&path, canned);
        assert_eq!(world.code().await, code, "{name}");
        let asked = world.double.count("openid-configuration");
        assert_eq!(world.code().await, code, "{name}");
        assert_eq!(world.double.count("openid-configuration"), asked, "{name}");
        world.clock.advance(Duration::from_secs(5));
        assert_eq!(world.code().await, code, "{name}");
        assert!(world.double.count("openid-configuration") > asked, "{name}");
    }
}

#[tokio::test]
async fn a_redirect_inside_the_provider_is_followed() {
    let world = World::start().await;
    let canned = Canned {
        status: 301,
        headers: vec![(
            "location",
            format!("/{TENANT}/v2.0/.well-known/openid-configuration"),
        )],
        body: String::new(),
    };
    let path = format!("/old/{TENANT}/v2.0/.well-known/openid-configuration");
    world.double.always(&path, canned);
    let moved = provider(&format!("{}{path}", world.double.url()), Some(TENANT));
    let error = moved.fetch_metadata().await.unwrap_err();
    assert_eq!(error.code(), "issuer_mismatch", "it was read: {error}");
}

#[tokio::test]
async fn a_token_endpoint_that_says_no_is_quoted_on_one_line() {
    let world = World::start().await;
    let cases = [
        (
            400,
            r#"{"error":"invalid_grant","error_description":"AADSTS70008: expired.\r\nTrace ID: 1"}"#,
            "code_refused",
            "AADSTS70008: expired.",
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            "client_refused",
            "invalid_client",
        ),
        (401, "no", "client_refused", "status 401"),
        (
            400,
            r#"{"error":"temporarily_unavailable"}"#,
            "provider_error",
            "temporarily_unavailable",
        ),
        (400, "<html>", "provider_unreachable", "status 400"),
        (503, "", "provider_unreachable", "status 503"),
        (307, "", "provider_redirects", "redirects"),
        (200, "{}", "token_answer", "no ID token"),
        (200, r#"{"id_token":"x"}"#, "token_malformed", "three parts"),
    ];
    for (status, body, code, said) in cases {
        let canned = Canned {
            status,
            headers: vec![("location", "https://evil.example/".to_owned())],
            body: body.to_owned(),
        };
        world.double.always("/token", canned);
        let error = world.sign_in(NONCE, VERIFIER, REDIRECT).await.unwrap_err();
        assert_eq!(error.code(), code, "{body}: {error}");
        let sentence = error.to_string();
        assert!(
            sentence.contains(said) && !sentence.contains('\n'),
            "{sentence}"
        );
    }
}

#[tokio::test]
async fn many_tenants_need_a_pinned_one() {
    let world = World::start().await;
    let url = format!(
        "{}/organizations/v2.0/.well-known/openid-configuration",
        world.double.url()
    );
    let pinned = provider(&url, Some(TENANT)).fetch_metadata().await.unwrap();
    assert_eq!(pinned.value.issuer, world.double.issuer());
    assert_eq!(pinned.date, Some(world.clock.time()));
    let error = provider(&url, None).fetch_metadata().await.unwrap_err();
    assert_eq!(error.code(), "tenant_not_pinned");
}
