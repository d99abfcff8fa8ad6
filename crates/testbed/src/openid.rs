//! An OpenID provider in this process. It signs, and it looks closely at what it is sent: the client's secret, the
//! redirect URI, the proof of the code, the nonce.
//!
//! ```no_run
//! # async fn example() {
//! use portreeve_testbed::TestClock;
//! use portreeve_testbed::openid::OpenIdProvider;
//! use serde_json::json;
//!
//! let provider = OpenIdProvider::start(TestClock::default()).await;
//! provider.person(json!({"oid": "4711", "email": "ada@contoso.example"}));
//! // A connection to provider.metadata_url() with CLIENT_ID, CLIENT_SECRET and TENANT sends people to `location`.
//! # let location = String::new();
//! let callback = provider.sign_in(&location).await;
//! assert!(callback.contains("code="));
//! # }
//! ```

mod endpoints;
mod key;

pub use key::{SigningKey, unsigned};

use crate::TestClock;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use endpoints::State;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;

/// The tenant that people are in.
pub const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// The client that is registered.
pub const CLIENT_ID: &str = "9d7e3e36-1f0d-4a4e-8f2e-0f3f0f6d8f11";

/// Its secret, with characters that an encoding may spoil.
pub const CLIENT_SECRET: &str = "a~secret:with+100% &=/";

/// A running provider. It stops with the test's runtime.
pub struct OpenIdProvider {
    url: String,
    state: Arc<Mutex<State>>,
}

/// An answer that is given whatever is asked.
#[derive(Debug, Clone)]
pub struct Canned {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Canned {
    fn response(&self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a status");
        let mut response = (status, self.body.clone()).into_response();
        for (name, value) in &self.headers {
            let value = value.parse().expect("the value of a header");
            response.headers_mut().insert(*name, value);
        }
        response
    }
}

impl OpenIdProvider {
    /// Starts a provider that goes by this clock.
    pub async fn start(clock: TestClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the address");
        let url = format!("http://{address}");
        let state = Arc::new(Mutex::new(State::new(url.clone(), clock)));
        let shared = Arc::clone(&state);
        let answer = move |request: http::Request<Body>| {
            let state = Arc::clone(&shared);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.expect("the request is whole");
                let mut state = state.lock().expect("the provider");
                state.answer(&head, &body.to_bytes())
            }
        };
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, state }
    }

    /// Where it is, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}/{TENANT}/v2.0", self.url)
    }

    /// Where its metadata is.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer())
    }

    /// Registers where people may be sent back to. Until then it is anywhere.
    pub fn register(&self, redirect_uri: &str) {
        self.state().redirect_uri = Some(redirect_uri.to_owned());
    }

    /// What ID tokens say about who signs in from now on, beside what every one says. A member that is null takes out
    /// what every one says.
    pub fn person(&self, claims: Value) {
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        self.state().person = claims;
    }

    /// Changes the metadata document. A member that is null is taken out.
    pub fn metadata(&self, members: Value) {
        let Value::Object(members) = members else {
            panic!("metadata is an object")
        };
        self.state().metadata = members;
    }

    /// Signs with another key from now on, and publishes no other.
    pub fn rotate(&self, key: SigningKey) {
        self.state().keys = vec![key];
    }

    /// Publishes this key set, whatever it signs with.
    pub fn publish(&self, key_set: Value) {
        self.state().key_set = Some(key_set);
    }

    /// Makes ID tokens differently: of the key and the claims.
    pub fn forge(&self, forge: impl Fn(&SigningKey, &Value) -> String + Send + 'static) {
        self.state().forge = Some(Box::new(forge));
    }

    /// Lets nobody in any more: people come back with this error.
    pub fn refuse(&self, error: &str, said: &str) {
        self.state().refuse = Some((error.to_owned(), said.to_owned()));
    }

    /// Answers requests to a path always the same.
    pub fn always(&self, path: &str, canned: Canned) {
        self.state().canned.insert(path.to_owned(), canned);
    }

    /// How often a path was asked for.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        let state = self.state();
        let asked = state.requests.iter().filter(|asked| asked.ends_with(path));
        asked.count()
    }

    /// Lets the person sign in who was sent to this address. Where they are sent back to.
    ///
    /// # Panics
    /// When the address is none that the provider would take.
    pub async fn sign_in(&self, location: &str) -> String {
        assert!(location.starts_with(&self.url), "sent to {location}");
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        let answer = http.get(location).send().await.expect("the provider");
        let back = answer.headers().get(http::header::LOCATION).cloned();
        let Some(back) = back else {
            panic!("the provider says {:?}", answer.text().await)
        };
        back.to_str().expect("an address is ASCII").to_owned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the provider")
    }
}
