//! Security events (RFC 9967) from outside: what receivers are told, by poll and by push, and requests answered later.

mod later;
mod poll;
mod push;
pub(crate) mod receiver;
mod told;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portreeve_directory::directories::{self, New, Provider, Settings};
use portreeve_directory::{Actor, Call, Clock, Ids, Refusal, roll, teams};
use portreeve_server::Config;
use portreeve_store::{Database, Options, Scope, Store, Tx};
use portreeve_testbed::{Answer, Client, TestClock, TestServer};
use serde_json::{Value, json};
use std::sync::Arc;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const EVENT: &str = "urn:ietf:params:scim:event:";

/// A server with one directory whose security events are on.
pub(crate) struct World {
    pub(crate) server: TestServer,
    provider: Client,
    /// Id of the directory.
    directory: String,
}

impl World {
    async fn new() -> Self {
        Self::with(json!({})).await
    }

    async fn with(mut rules: Value) -> Self {
        let server = TestServer::start().await;
        rules["security_events"] = json!(true);
        let provider = server.directory_with("generic", rules).await;
        let directory = directory_of(&provider);
        Self {
            server,
            provider,
            directory,
        }
    }

    /// A server on a database that was written to before, with a directory of these settings in it.
    pub(crate) async fn prepared<const N: usize>(
        adjust: impl Fn(&mut Settings) + Send + Sync + 'static,
        also: [Work; N],
    ) -> Self {
        Self::prepared_on(|_| {}, adjust, also).await
    }

    /// As [`prepared`](Self::prepared), with a server of some settings of its own.
    async fn prepared_on<const N: usize>(
        server: impl FnOnce(&mut Config),
        adjust: impl Fn(&mut Settings) + Send + Sync + 'static,
        also: [Work; N],
    ) -> Self {
        let write = |config: &mut Config| {
            server(config);
            let database = config.database.clone();
            // On another thread, because this one is busy with the test's own runtime.
            let writing = std::thread::spawn(move || prepare(database, adjust, also));
            writing.join().expect("it is written");
        };
        let server = TestServer::start_with(write).await;
        let directory = "prepared".to_owned();
        let path = format!("/directories/{directory}/tokens");
        let token = server.admin().post(&path, json!({})).await;
        let base = format!("http://{}/scim/{directory}/v2", server.address());
        let provider = server.directory("generic").await.with_base(&base);
        Self {
            provider: provider.with_token(Some(token.text("secret_token"))),
            server,
            directory,
        }
    }

    /// The same data with another server, a second later.
    async fn restart(self) -> Self {
        let server = self.server.restart().await;
        server.clock().advance(std::time::Duration::from_secs(1));
        let base = format!("http://{}/scim/{}/v2", server.address(), self.directory);
        let provider = self.provider.with_base(&base);
        Self {
            server,
            provider,
            directory: self.directory,
        }
    }

    /// Makes a stream.
    async fn stream(&self, wanted: Value) -> Answer {
        let path = format!("/directories/{}/streams", self.directory);
        self.server.admin().post(&path, wanted).await
    }

    /// The only stream, as the admin sees it.
    async fn only_stream(&self) -> Value {
        let path = format!("/directories/{}/streams", self.directory);
        let list = self.server.admin().get(&path).await;
        assert_eq!(list.json.as_array().map(Vec::len), Some(1), "{list}");
        list.json[0].clone()
    }

    /// The receiver of a new polled stream.
    async fn poller(&self, content: &str) -> Poller {
        let made = self
            .stream(json!({"delivery": "poll", "content": content, "audience": "receiver"}))
            .await;
        assert_eq!(made.status, 201, "{made}");
        Poller {
            path: format!("/scim/{}/streams/{}", self.directory, made.id()),
            secret: made.text("secret").to_owned(),
        }
    }

    /// The claims of a token whose signature the published key verifies.
    async fn verified(&self, token: &str, audience: Option<&str>) -> Value {
        verified(&keys(&self.server).await, token, audience)
    }

    async fn user(&self, name: &str) -> String {
        let made = self
            .provider
            .post("/Users", json!({"schemas": [USER], "userName": name}))
            .await;
        assert_eq!(made.status, 201, "{made}");
        made.id().to_owned()
    }

    async fn patch(&self, path: &str, operations: Value) {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        let done = self.provider.patch(path, body).await;
        assert!(done.status < 300, "{done}");
    }
}

/// What is written before the server starts, in a transaction of its own.
pub(crate) type Work = fn(&mut Tx<'_>, &Call) -> Result<(), Refusal>;

fn prepare(
    database: Database,
    adjust: impl Fn(&mut Settings) + Send + 'static,
    also: impl IntoIterator<Item = Work>,
) {
    let options = Options::new(database, roll::MIGRATIONS, 0);
    let store = Store::open(&options).expect("a new database");
    let first = move |tx: &mut Tx<'_>| {
        let team = teams::ensure(tx, teams::DEFAULT_NAME, "team", 1)?;
        let mut settings = Settings::of(Provider::Generic);
        settings.security_events = true;
        adjust(&mut settings);
        let new = New {
            id: "prepared".into(),
            team_id: team.id,
            name: "Prepared".into(),
            provider: Provider::Generic,
            settings,
        };
        let clock = Arc::new(TestClock::default());
        Ok::<_, Refusal>(Call {
            directory: Arc::new(directories::create(tx, &new, 1)?),
            actor: Actor::System,
            request_id: "r".into(),
            at: clock.now(),
            clock,
            ids: Arc::new(Ids::new()),
        })
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let call = runtime.block_on(store.write(Scope::ALL, first));
    let call = call.expect("a directory");
    for work in also {
        let call = call.clone();
        let done = runtime.block_on(store.write(Scope::ALL, move |tx| work(tx, &call)));
        done.expect("it is written");
    }
    store.close();
}

/// Somebody who fetches events.
struct Poller {
    path: String,
    secret: String,
}

impl Poller {
    async fn ask(&self, server: &TestServer, body: Value) -> Answer {
        let client = server.stranger().with_token(Some(&self.secret));
        client.post(&self.path, body).await
    }

    /// The claims of what there is, in the order of the answer.
    async fn look(&self, world: &World) -> Vec<Value> {
        let answer = self
            .ask(&world.server, json!({"returnImmediately": true}))
            .await;
        claims(world, &answer).await
    }

    /// The claims of the next events, as soon as there are any.
    async fn wait(&self, world: &World) -> Vec<Value> {
        let answer = self.ask(&world.server, json!({})).await;
        claims(world, &answer).await
    }
}

async fn claims(world: &World, answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer}");
    let keys = keys(&world.server).await;
    let sets = answer.json["sets"].as_object().cloned().unwrap_or_default();
    let verify = |(jti, token): (String, Value)| {
        let claims = verified(&keys, token.as_str().unwrap_or_default(), Some("receiver"));
        assert_eq!(claims["jti"], json!(jti));
        claims
    };
    sets.into_iter().map(verify).collect()
}

async fn keys(server: &TestServer) -> JwkSet {
    let answer = server.stranger().get("/.well-known/jwks.json").await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/jwk-set+json")
    );
    serde_json::from_value(answer.json).expect("the keys are a JWK set")
}

fn verified(keys: &JwkSet, token: &str, audience: Option<&str>) -> Value {
    let header = decode_header(token).expect("a token has a header");
    assert_eq!(header.typ.as_deref(), Some("secevent+jwt"));
    assert_eq!(header.alg, Algorithm::EdDSA);
    let kid = header.kid.expect("the header names the key");
    let jwk = keys.find(&kid).expect("the key is published");
    let key = DecodingKey::from_jwk(jwk).expect("the key is usable");
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    match audience {
        Some(audience) => rules.set_audience(&[audience]),
        None => rules.validate_aud = false,
    }
    let claims: Value = decode(token, &key, &rules)
        .expect("the signature is right")
        .claims;
    assert!(claims.get("sub").is_none(), "RFC 9967 section 2.1");
    assert!(claims.get("exp").is_none(), "RFC 8417 section 2.2");
    claims
}

fn directory_of(provider: &Client) -> String {
    let mut parts = provider.base().rsplit('/').skip(1);
    parts.next().expect("the tenant URL has an id").to_owned()
}

/// The names of the events in a token, without what all have in common.
fn names(claims: &Value) -> Vec<String> {
    let events = claims["events"].as_object().cloned().unwrap_or_default();
    let short = |name: &String| name.strip_prefix(EVENT).unwrap_or(name).to_owned();
    events.keys().map(short).collect()
}
