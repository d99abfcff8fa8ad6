//! A browser, as far as the server can tell: it keeps cookies, and says from which page a request comes.

use http::Method;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
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
