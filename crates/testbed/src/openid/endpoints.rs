//! What the provider answers, and everything it looks at.

use super::{CLIENT_ID, CLIENT_SECRET, Canned, SigningKey, TENANT};
use crate::TestClock;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use portreeve_server::Clock;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use url::form_urlencoded;

/// How long an ID token is good for, in seconds.
const LIFE: i64 = 3_600;

/// Makes an ID token of what is to be in it.
pub(super) type Forge = Box<dyn Fn(&SigningKey, &Value) -> String + Send>;

/// A sign-in that waits for its code to come back.
struct Pending {
    redirect_uri: String,
    nonce: Option<String>,
    challenge: String,
}

/// Everything behind the lock.
pub(super) struct State {
    pub(super) url: String,
    pub(super) clock: TestClock,
    pub(super) redirect_uri: Option<String>,
    /// Signs; the first of those that are published.
    pub(super) keys: Vec<SigningKey>,
    /// Added to the key set, or put in the place of what it has.
    pub(super) key_set: Option<Value>,
    pub(super) person: Map<String, Value>,
    pub(super) metadata: Map<String, Value>,
    pub(super) forge: Option<Forge>,
    pub(super) refuse: Option<(String, String)>,
    pub(super) canned: HashMap<String, Canned>,
    pub(super) requests: Vec<String>,
    codes: HashMap<String, Pending>,
    count: usize,
}

type Fields = BTreeMap<String, String>;

impl State {
    pub(super) fn new(url: String, clock: TestClock) -> Self {
        Self {
            url,
            clock,
            redirect_uri: None,
            keys: vec![SigningKey::p256("first")],
            key_set: None,
            person: Map::new(),
            metadata: Map::new(),
            forge: None,
            refuse: None,
            canned: HashMap::new(),
            requests: Vec::new(),
            codes: HashMap::new(),
            count: 0,
        }
    }

    pub(super) fn answer(&mut self, head: &Parts, body: &[u8]) -> Response {
        let path = head.uri.path().to_owned();
        self.requests.push(format!("{} {path}", head.method));
        if let Some(canned) = self.canned.get(&path) {
            return canned.response();
        }
        let fields = |bytes: &[u8]| {
            form_urlencoded::parse(bytes)
                .into_owned()
                .collect::<Fields>()
        };
        let post = head.method == http::Method::POST;
        let answer = match path.as_str() {
            "/keys" => json(200, &self.key_set()),
            "/authorize" => {
                let query = fields(head.uri.query().unwrap_or_default().as_bytes());
                self.authorize(&query).unwrap_or_else(|wrong| {
                    json(
                        400,
                        &json!({"error": "invalid_request", "error_description": wrong}),
                    )
                })
            }
            "/token" if post => {
                let authorization = head.headers.get(header::AUTHORIZATION);
                match self.token(&fields(body), authorization) {
                    Ok(tokens) => json(200, &tokens),
                    Err((status, error, wrong)) => {
                        json(status, &json!({"error": error, "error_description": wrong}))
                    }
                }
            }
            path => match path.strip_suffix("/.well-known/openid-configuration") {
                Some(issuer) => json(200, &self.document(issuer)),
                None => StatusCode::NOT_FOUND.into_response(),
            },
        };
        self.dated(answer)
    }

    /// With the time by the provider's clock.
    fn dated(&self, mut answer: Response) -> Response {
        let date = httpdate::fmt_http_date(self.clock.time());
        let date = HeaderValue::try_from(date).expect("a date is ASCII");
        answer.headers_mut().insert(header::DATE, date);
        answer
    }

    fn document(&self, path: &str) -> Value {
        let url = &self.url;
        let issuer = match path {
            "/common/v2.0" | "/organizations/v2.0" => format!("{url}/{{tenantid}}/v2.0"),
            path => format!("{url}{path}"),
        };
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"),
            "end_session_endpoint": format!("{url}/signed-out"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        });
        merge(&mut document, &self.metadata);
        document
    }

    fn key_set(&self) -> Value {
        let published =
            || json!({"keys": self.keys.iter().map(SigningKey::jwk).collect::<Vec<_>>()});
        self.key_set.clone().unwrap_or_else(published)
    }

    /// OpenID Connect Core 1.0 section 3.1.2. What is wrong is not told to the client's address.
    fn authorize(&mut self, query: &Fields) -> Result<Response, String> {
        let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let redirect_uri = field("redirect_uri").to_owned();
        let registered = self.redirect_uri.as_deref();
        let checks = [
            ("response_type", field("response_type") == "code"),
            ("client_id", field("client_id") == CLIENT_ID),
            (
                "redirect_uri",
                registered.is_none_or(|uri| uri == redirect_uri),
            ),
            (
                "scope",
                field("scope").split(' ').any(|scope| scope == "openid"),
            ),
            ("state", field("state").len() >= 16),
            ("nonce", field("nonce").len() >= 16),
            ("code_challenge", field("code_challenge").len() == 43),
            (
                "code_challenge_method",
                field("code_challenge_method") == "S256",
            ),
        ];
        if let Some((name, _)) = checks.into_iter().find(|(_, is_right)| !is_right) {
            return Err(format!("{name} is {:?}", field(name)));
        }
        let mut answer = vec![("state", field("state").to_owned())];
        match &self.refuse {
            Some((error, said)) => {
                answer.push(("error", error.clone()));
                answer.push(("error_description", said.clone()));
            }
            None => {
                self.count += 1;
                let code = format!("code-{}", self.count);
                let pending = Pending {
                    redirect_uri: redirect_uri.clone(),
                    nonce: query.get("nonce").cloned(),
                    challenge: field("code_challenge").to_owned(),
                };
                self.codes.insert(code.clone(), pending);
                answer.push(("code", code));
            }
        }
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(answer)
            .finish();
        let location = format!("{redirect_uri}?{query}");
        Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
    }

    /// OpenID Connect Core 1.0 section 3.1.3, RFC 6749 section 4.1.3, RFC 7636 section 4.6.
    fn token(
        &mut self,
        form: &Fields,
        authorization: Option<&HeaderValue>,
    ) -> Result<Value, (u16, &'static str, String)> {
        let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let presented = match authorization {
            Some(value) => basic(value),
            None => Some((
                field("client_id").to_owned(),
                field("client_secret").to_owned(),
            )),
        };
        let known = (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
        let by_header =
            self.document("")["token_endpoint_auth_methods_supported"][0] == "client_secret_basic";
        if presented != Some(known) || authorization.is_some() != by_header {
            return Err((401, "invalid_client", "who are you?".to_owned()));
        }
        if field("grant_type") != "authorization_code" {
            let wrong = field("grant_type").to_owned();
            return Err((400, "unsupported_grant_type", wrong));
        }
        let invalid = |wrong: &str| (400, "invalid_grant", wrong.to_owned());
        let pending = self.codes.remove(field("code"));
        let pending = pending.ok_or_else(|| invalid("the code is unknown or used"))?;
        if pending.redirect_uri != field("redirect_uri") {
            return Err(invalid("the redirect_uri is another"));
        }
        let verifier = field("code_verifier");
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        if !(43..=128).contains(&verifier.len()) || challenge != pending.challenge {
            return Err(invalid("the code_verifier does not fit"));
        }
        let access_token = format!("access-{}", self.count);
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": LIFE,
            "id_token": self.id_token(pending.nonce.as_deref(), &access_token),
            "access_token": access_token,
        }))
    }

    fn id_token(&self, nonce: Option<&str>, access_token: &str) -> String {
        let now = self.clock.now() / 1_000_000;
        let key = self.keys.first().expect("the provider has a key");
        let hash = if key.algorithm() == "EdDSA" {
            &SHA512
        } else {
            &SHA256
        };
        let hash = digest(hash, access_token.as_bytes());
        let half = &hash.as_ref()[..hash.as_ref().len() / 2];
        let mut claims = json!({
            "iss": format!("{}/{TENANT}/v2.0", self.url),
            "aud": CLIENT_ID,
            "sub": "a-pairwise-subject",
            "tid": TENANT,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "nonce": nonce,
            "at_hash": URL_SAFE_NO_PAD.encode(half),
            "ver": "2.0",
        });
        merge(&mut claims, &self.person);
        match &self.forge {
            Some(forge) => forge(key, &claims),
            None => key.token(&claims),
        }
    }
}

/// Puts members in, and takes out those that are null.
fn merge(into: &mut Value, members: &Map<String, Value>) {
    let into = into.as_object_mut().expect("an object");
    for (name, value) in members {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

/// Id and secret in an `Authorization` header, which were encoded for a form first (RFC 6749 section 2.3.1).
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let encoded = value.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| {
        let pair = format!("x={text}");
        let mut pairs = form_urlencoded::parse(pair.as_bytes());
        pairs.next().map(|(_, value)| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

fn json(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, body.to_string()).into_response()
}
