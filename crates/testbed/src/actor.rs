//! Somebody who talks to the server over HTTP.

use http::{HeaderMap, Method};
use serde_json::Value;
use std::fmt;

/// A client with a base address, and with a token if it has one. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    media_type: &'static str,
}

/// What the server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `null` where there is none, and a string where it is no JSON.
    pub json: Value,
}

impl Client {
    pub(crate) fn new(
        http: reqwest::Client,
        base: String,
        token: Option<String>,
        media_type: &'static str,
    ) -> Self {
        Self {
            http,
            base,
            token,
            media_type,
        }
    }

    /// The address that paths are put after: the tenant URL, or the root of the admin API.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The secret token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same client with another token, or with none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same client with another base, as after a restart on another port.
    #[must_use]
    pub fn with_base(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// `GET` of a path below the base, with its query.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// `POST` of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string()))
            .await
    }

    /// `PUT` of a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string()))
            .await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body.to_string()))
            .await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Any request. The headers come after the client's own and replace them; the body is sent as it is.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        let mut own = HeaderMap::new();
        if let Some(token) = &self.token {
            insert(&mut own, "authorization", &format!("Bearer {token}"));
        }
        if let Some(body) = body {
            insert(&mut own, "content-type", self.media_type);
            request = request.body(body);
        }
        for (name, value) in headers {
            insert(&mut own, name, value);
        }
        let answer = request
            .headers(own)
            .send()
            .await
            .expect("the server answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.expect("the answer is whole");
        let json = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())),
        };
        Answer {
            status,
            headers,
            json,
        }
    }
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `id` of the body.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// A member of the body that is text.
    pub fn text(&self, name: &str) -> &str {
        let text = self.json[name].as_str();
        text.expect("the answer has that member; print the answer to see it")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:#}", self.status, self.json)
    }
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = http::HeaderName::try_from(name).expect("a header name");
    let value = http::HeaderValue::try_from(value).expect("a header value");
    headers.insert(name, value);
}
