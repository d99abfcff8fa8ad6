//! The reception: its page, which devices are let in, whom visitors find, and what becomes of visits.

mod devices;
mod links;
mod people;
mod visits;

use http::Method;
use portreeve_server::Config;
use portreeve_testbed::{Answer, Client, TestServer};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The smallest beginning of a JPEG.
const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0";

/// A server with people in a directory for visitors.
struct House {
    server: TestServer,
    provider: Client,
}

/// A location, and the tablet at its door.
#[derive(Clone)]
struct Door {
    id: String,
    device_id: String,
    token: String,
    tablet: Client,
}

impl House {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let server = TestServer::start_with(adjust).await;
        let preset = json!({"preset": "visitor-hosts"});
        let provider = server.directory_with("entra", preset).await;
        Self { server, provider }
    }

    /// Somebody whom visitors come to see; the id.
    async fn person(&self, given: &str, family: &str, department: &str) -> String {
        let count = self.provider.get("/Users").await.json["totalResults"].clone();
        let address = format!("p{count}@contoso.example");
        let person = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": address,
            "displayName": format!("{given} {family}"),
            "name": {"givenName": given, "familyName": family},
            "emails": [{"type": "work", "value": address}],
            ENTERPRISE: {"department": department},
        });
        let made = self.provider.post("/Users", person).await;
        assert_eq!(made.status, 201, "{made}");
        made.id().to_owned()
    }

    /// A location with these settings and a tablet.
    async fn door(&self, name: &str, settings: Value) -> Door {
        let mut wanted = settings;
        wanted["name"] = json!(name);
        let made = self.server.admin().post("/visit-locations", wanted).await;
        assert_eq!(made.status, 201, "{made}");
        let id = made.id().to_owned();
        let path = format!("/visit-locations/{id}/devices");
        let device = self.server.admin().post(&path, json!({"name": "Tablet"}));
        let device = device.await;
        assert_eq!(device.status, 201, "{device}");
        let token = device.text("token").to_owned();
        let stranger = self.server.stranger();
        let base = format!("{}/visit/{id}", stranger.base());
        Door {
            device_id: device.id().to_owned(),
            tablet: stranger.with_base(&base).with_token(Some(&token)),
            id,
            token,
        }
    }

    /// The only visits there are, as the API lists them.
    async fn visits(&self) -> Vec<Value> {
        let answer = self.server.admin().get("/visits").await;
        answer
            .json
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .clone()
    }

    /// The reason codes of refusals in the log, the latest first.
    async fn refusals(&self) -> Vec<String> {
        let path = "/events?category=VISITOR&outcome=refused";
        let answer = self.server.admin().get(path).await;
        let events = answer.json.as_array().unwrap_or_else(|| panic!("{answer}"));
        let reason = |event: &Value| event["reason"].as_str().unwrap_or_default().to_owned();
        events.iter().map(reason).collect()
    }

    /// Sets the clock to a time.
    fn set(&self, time: &str) {
        let time: jiff::Timestamp = time.parse().unwrap();
        self.server.clock().set(time.as_microsecond());
    }
}

impl Door {
    /// The names of those who are found.
    async fn found(&self, text: &str) -> Vec<String> {
        let answer = self.tablet.get(&format!("/people?q={text}")).await;
        assert_eq!(answer.status, 200, "{text}: {answer}");
        let people = answer.json.as_array().unwrap();
        let name = |person: &Value| person["name"].as_str().unwrap().to_owned();
        people.iter().map(name).collect()
    }

    async fn sign_in(&self, name: &str, more: Value) -> Answer {
        let mut body = json!({"visitor_host": null, "name": name});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.tablet.post("/visits", body).await
    }

    /// The id and the code of the badge of somebody who signs in.
    async fn come(&self, name: &str, more: Value) -> (String, String) {
        let made = self.sign_in(name, more).await;
        assert_eq!(made.status, 201, "{made}");
        let code = made.json["badge"]["code"].as_str().unwrap().to_owned();
        (made.id().to_owned(), code)
    }

    async fn sign_out(&self, body: Value) -> Answer {
        self.tablet.post("/sign-out", body).await
    }

    /// The names on the roll call.
    async fn roll_call(&self) -> Vec<String> {
        let answer = self.tablet.get("/roll-call").await;
        assert_eq!(answer.status, 200, "{answer}");
        let people = answer.json["people"].as_array().unwrap();
        let name = |person: &Value| person["visitor_name"].as_str().unwrap().to_owned();
        people.iter().map(name).collect()
    }
}

/// A location where somebody is told of visitors who know nobody.
fn with_desk() -> Value {
    json!({"fallback": {"name": "Front desk", "email": "desk@contoso.example"}})
}

fn code(answer: &Answer) -> &str {
    answer.json["code"].as_str().unwrap_or_default()
}

/// What a browser gets that says that it can unpack it: the text of the page, and how many bytes each file took.
async fn sizes(server: &TestServer) -> (String, Vec<(String, usize)>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = format!("http://{}", server.address());
    let page = server.stranger().get("/visit/door").await;
    let page = page.json.as_str().unwrap().to_owned();
    let mut paths = vec!["/visit/door".to_owned(), "/visit/worker.js".to_owned()];
    for part in page
        .split('"')
        .filter(|part| part.starts_with("/visit/assets/"))
    {
        paths.push(part.to_owned());
    }
    let mut sizes = Vec::new();
    for path in paths {
        let request = http.get(format!("{base}{path}"));
        let answer = request
            .header("accept-encoding", "gzip")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        sizes.push((path, answer.bytes().await.unwrap().len()));
    }
    (page, sizes)
}

/// A slow tablet loads it in a moment: less than 60 kB with the texts of all languages.
#[tokio::test]
async fn the_page_is_small_and_says_nothing_of_a_location() {
    let house = House::start().await;
    let door = house.door("Pier 7", with_desk()).await;
    let (page, sizes) = sizes(&house.server).await;
    assert_eq!(
        sizes.len(),
        4,
        "a document, a style, a script, a worker: {sizes:?}"
    );
    let all: usize = sizes.iter().map(|(_, size)| size).sum();
    assert!(all < 60_000, "{sizes:?}");
    let stranger = house.server.stranger();
    let of_door = stranger.get(&format!("/visit/{}", door.id)).await;
    assert_eq!(
        of_door.json, page,
        "it is the same for every location, there or not"
    );
    let policy = of_door.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'")
            && !policy.contains("unsafe"),
        "{policy}"
    );
    let allowed = of_door.header("permissions-policy").unwrap();
    assert!(allowed.contains("camera=(self)"), "{allowed}");
    for (path, _) in sizes.iter().filter(|(path, _)| path.contains("/assets/")) {
        let file = stranger.get(path).await;
        let kept = file.header("cache-control").unwrap();
        assert!(kept.contains("immutable"), "{path}: {kept}");
    }
    assert_eq!(stranger.get("/visit/assets/reception.js").await.status, 404);
    house.server.stop().await;
}

#[tokio::test]
async fn the_state_says_what_the_page_has_to_know_and_nothing_twice() {
    let house = House::start().await;
    let settings = json!({
        "time_zone": "Europe/Vienna",
        "languages": ["de", "en"],
        "photo_consent": "Is that all right?",
        "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:30", "until": "18:00"}],
        "webhook": "https://program.example/secret",
        "fallback": {"name": "Front desk", "email": "desk@contoso.example"},
    });
    let door = house.door("Pier 7", settings).await;
    let state = door.tablet.get("/state").await;
    assert_eq!(
        (
            &state.json["location"],
            &state.json["languages"],
            &state.json["fallback"],
            &state.json["is_open"],
            &state.json["photo_consent"],
        ),
        (
            &json!("Pier 7"),
            &json!(["de", "en"]),
            &json!("Front desk"),
            &json!(true),
            &json!("Is that all right?"),
        ),
        "{state}"
    );
    let text = state.json.to_string();
    assert!(
        !text.contains("desk@") && !text.contains("program.example"),
        "{text}"
    );
    let tag = [("if-none-match", state.header("etag").unwrap())];
    let again = door.tablet.send(Method::GET, "/state", &tag, None).await;
    assert_eq!(again.status, 304, "{again}");
    house.set("2026-01-05T17:00:00Z");
    let closed = door.tablet.send(Method::GET, "/state", &tag, None).await;
    assert_eq!(
        (
            closed.status,
            &closed.json["is_open"],
            &closed.json["opens_at"]
        ),
        (200, &json!(false), &json!("2026-01-06T07:30:00Z")),
        "{closed}"
    );
    house.server.stop().await;
}
