//! A server with a directory of Contoso, connected to a provider.

use crate::browser::Browser;
use portreeve_testbed::openid::{CLIENT_ID, CLIENT_SECRET, OpenIdProvider, TENANT};
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};

/// The object id of Ada, who is provisioned with it.
pub(crate) const ADA: &str = "6b0b5b8e-7a3a-4a8e-9a53-2f9f3c1d1a01";

pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) provider: OpenIdProvider,
    /// The provider's SCIM client.
    pub(crate) people: Client,
    pub(crate) directory_id: String,
    ada: String,
}

impl World {
    /// With Ada, whom the provider signs in unless another is wanted.
    pub(crate) async fn start() -> Self {
        Self::on(TestServer::start().await).await
    }

    /// The same on a server of the caller's.
    pub(crate) async fn on(server: TestServer) -> Self {
        let provider = OpenIdProvider::start(server.clock().clone()).await;
        let people = server.directory("entra").await;
        let made = people
            .post(
                "/Users",
                json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": "ada@contoso.example", "displayName": "Ada", "externalId": ADA, "active": true,
                    "emails": [{"value": "ada@contoso.example", "type": "work", "primary": true}],
                }),
            )
            .await;
        assert_eq!(made.status, 201, "{made}");
        let directories = server.admin().get("/directories").await;
        let world = Self {
            directory_id: directories.json[0]["id"].as_str().unwrap().to_owned(),
            ada: made.id().to_owned(),
            server,
            provider,
            people,
        };
        world.provider.register(&world.redirect_uri());
        world.provider.person(json!({"oid": ADA, "preferred_username": "ada@contoso.example", "email": "ada@contoso.example"}));
        world.connect(json!({})).await;
        world
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}/auth/openid/callback", self.server.address())
    }

    /// Where the directory's connection is in the API.
    pub(crate) fn path(&self) -> String {
        format!("/directories/{}/connection", self.directory_id)
    }

    /// What is declared of the connection, with these members on top.
    pub(crate) fn declaration(&self, members: &Value) -> Value {
        let mut whole = json!({
            "label": "Contoso Entra",
            "metadata_url": self.provider.metadata_url(),
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "tenant_id": TENANT,
        });
        for (name, value) in members.as_object().unwrap() {
            whole[name] = value.clone();
        }
        whole
    }

    /// Connects the directory.
    pub(crate) async fn connect(&self, members: Value) {
        let put = self
            .server
            .admin()
            .put(&self.path(), self.declaration(&members))
            .await;
        assert_eq!(put.status, 200, "{put}");
    }

    /// Begins a sign-in; where the provider is.
    pub(crate) async fn begin(&self, browser: &mut Browser, return_to: &str) -> Answer {
        let return_to = return_to
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('&', "%26");
        let path = format!(
            "/auth/openid/start?connection={}&return_to={return_to}",
            self.directory_id
        );
        browser.get(&path).await
    }

    /// The path to which the provider sends whoever was sent to it.
    pub(crate) async fn back(&self, begun: &Answer) -> String {
        let location = begun
            .header("location")
            .unwrap_or_else(|| panic!("{begun}"));
        self.local(&self.provider.sign_in(location).await)
    }

    fn local(&self, url: &str) -> String {
        let base = format!("http://{}", self.server.address());
        url.strip_prefix(&base)
            .expect("back to the server")
            .to_owned()
    }

    /// The whole way through the provider; the answer to coming back.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, return_to: &str) -> Answer {
        let begun = self.begin(browser, return_to).await;
        match begun.header("location") {
            Some(location) if location.starts_with(self.provider.url()) => {
                browser.get(&self.back(&begun).await).await
            }
            _ => begun,
        }
    }

    /// A trial sign-in; what it brought.
    pub(crate) async fn trial(&self) -> Value {
        let admin = self.server.admin();
        let tested = admin
            .post(&format!("{}/test", self.path()), json!({}))
            .await;
        assert_eq!(tested.status, 200, "{tested}");
        let trial = &tested.json["trial"];
        let begin = self.local(trial["url"].as_str().unwrap());
        let mut browser = Browser::new(&self.server);
        let begun = browser.get(&begin).await;
        let finished = browser.get(&self.back(&begun).await).await;
        assert_eq!(finished.status, 200, "{finished}");
        assert!(
            browser
                .cookies
                .keys()
                .all(|name| name != "__Host-portreeve"),
            "nobody is signed in"
        );
        let read = admin
            .post(
                &format!("{}/trial", self.path()),
                json!({"secret": trial["secret"]}),
            )
            .await;
        assert_eq!(read.status, 200, "{read}");
        read.json
    }

    /// The newest event of that category.
    pub(crate) async fn last_event(&self, category: &str) -> Value {
        let events = self
            .server
            .admin()
            .get(&format!("/events?category={category}&limit=1"))
            .await;
        assert_eq!(events.status, 200, "{events}");
        events.json[0].clone()
    }

    /// The provider deactivates Ada.
    pub(crate) async fn suspend_ada(&self) {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": false}],
        });
        let patched = self
            .people
            .patch(&format!("/Users/{}", self.ada), body)
            .await;
        assert_eq!(patched.status, 200, "{patched}");
    }
}

/// The HTML of a page.
pub(crate) fn html(answer: &Answer) -> &str {
    answer.json.as_str().unwrap_or_else(|| panic!("{answer}"))
}
