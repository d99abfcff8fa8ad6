//! A browser, as far as the server can tell: it keeps cookies, and says from which page a request comes.

use http::Method;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// The HTML of an answer.
pub(crate) fn html(answer: &Answer) -> String {
    answer.json.as_str().expect("a page").to_owned()
}

pub(crate) struct Browser {
    client: Client,
    /// Where it has opened the server.
    pub(crate) origin: String,
    /// Names and values of its cookies.
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// One that has opened the server by the name of this machine.
    pub(crate) fn new(server: &TestServer) -> Self {
        Self {
            client: server.stranger(),
            origin: format!("http://localhost:{}", server.address().port()),
            cookies: BTreeMap::new(),
        }
    }

    /// One in which a local owner has signed in.
    pub(crate) async fn of_owner(server: &TestServer, name: &str) -> Self {
        let mut browser = Self::new(server);
        browser.follow_link(server, name).await;
        browser
    }

    /// Signs a local owner in, who is made if need be.
    pub(crate) async fn follow_link(&mut self, server: &TestServer, name: &str) {
        let made = server
            .admin()
            .post("/owners/link", json!({"name": name}))
            .await;
        assert_eq!(made.status, 201, "{made}");
        let path = made
            .text("url")
            .split_once("/auth/")
            .expect("a path")
            .1
            .to_owned();
        let followed = self.get(&format!("/auth/{path}")).await;
        assert_eq!(followed.status, 303, "{followed}");
    }

    /// The cookie of its session, as a request has it.
    pub(crate) fn session(&self) -> String {
        let name = "__Host-portreeve";
        let value = self.cookies.get(name).expect("somebody is signed in");
        format!("{name}={value}")
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// A page that is shown; its HTML.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer}");
        html(&answer)
    }

    /// Sends a form of a page.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, path, &headers, Some(body)).await
    }

    /// Sends a form that does what it says; the page that comes then.
    pub(crate) async fn done(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.submit(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {answer}");
        let next = answer.header("location").expect("a page").to_owned();
        self.page(&next).await
    }

    /// Sends a form that cannot be carried out; the page that says so.
    pub(crate) async fn not_done(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.submit(path, fields).await;
        assert_eq!(answer.status, 422, "{path}: {answer}");
        html(&answer)
    }

    /// `POST` of a JSON body by a page of the server.
    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(Method::POST, path, &headers, Some(body.to_string()))
            .await
    }

    /// A request of a page of the server, unless the headers say otherwise. Cookies that come with the answer are kept.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut all = vec![
            ("origin", self.origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        all.extend(headers);
        let answer = self.client.send(method, path, &all, body).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("a cookie is text");
            let (pair, attributes) = set.split_once(';').expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            match attributes.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }
}
