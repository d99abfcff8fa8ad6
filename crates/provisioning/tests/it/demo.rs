//! The sample company arrives, completely and once, with the requests and bodies of Entra, whatever happens on the way.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use portreeve_directory::{Ids, SystemClock};
use portreeve_provisioning::application::{Definition, standalone};
use portreeve_provisioning::demo::{self, Company, Day};
use portreeve_provisioning::job::{Counters, Job, Progress, Stop, Summary, Target};
use portreeve_provisioning::source::Home;
use portreeve_provisioning::target::{Client, Limits};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{OnceCell, watch};

use crate::double::{Double, Reply, Seen};
use crate::memory::Memory;
use crate::reader::Time;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// When another answer takes the place of the real one.
enum When {
    Never,
    /// Before the request is carried out.
    Before(Reply),
    /// After it was carried out.
    After(Reply),
}

/// The same as a plain function, for tables.
type Disturb = fn(usize, &Seen) -> When;

fn undisturbed(_: usize, _: &Seen) -> When {
    When::Never
}

/// The company's folder, and an application that holds what arrives.
struct World {
    folder: TempDir,
    memory: Arc<Mutex<Memory>>,
    double: Double,
}

impl World {
    /// `disturb` sees each request with its number, but none that is sent again.
    async fn new(disturb: impl Fn(usize, &Seen) -> When + Send + 'static) -> Self {
        let memory: Arc<Mutex<Memory>> = Arc::default();
        let behind = Arc::clone(&memory);
        let mut known = HashSet::new();
        let double = Double::start(move |request| {
            let answer = || behind.lock().unwrap().answer(request);
            if !known.insert((request.line(), request.text.clone())) {
                return answer();
            }
            match disturb(known.len(), request) {
                When::Before(reply) => reply,
                When::After(reply) => {
                    answer();
                    reply
                }
                When::Never => answer(),
            }
        })
        .await;
        Self {
            folder: tempfile::tempdir().unwrap(),
            memory,
            double,
        }
    }

    fn client(&self) -> Client {
        self.double.client(Limits::default()).0
    }

    /// The cycle of a day, by a process of its own.
    async fn day(&self, day: Day, client: Client) -> Summary {
        let folder = self.folder.path();
        Company::on(day).unwrap().write(folder).unwrap();
        let text = demo::definition("https://app.example/scim");
        let definition = Definition::from_toml(&text).unwrap();
        let application = definition.compile("contoso", folder).unwrap();
        let home = Home {
            folder: folder.to_owned(),
            state: folder.join("source"),
            surroundings: Arc::new(Time::default()),
            environment: |_| None,
            directories: None,
        };
        let source = definition.open_source(&application, &home).unwrap();
        let state = folder.join("state");
        let state = standalone::open_state(&state, &application, &json!({}), 0).await;
        let job = Job::new(
            Arc::new(application),
            source,
            Target::new(client),
            state.unwrap(),
            Arc::new(SystemClock),
            Arc::new(Ids::new()),
        );
        let (progress, _) = watch::channel(Progress::new(Timestamp::UNIX_EPOCH));
        job.cycle(&progress, &Stop::default()).await.unwrap()
    }

    /// All days. The snapshot of what is there afterwards.
    async fn days(&self) -> Value {
        for day in Day::ALL {
            let summary = self.day(day, self.client()).await;
            assert_eq!(
                (summary.counters.failed, summary.counters.references_failed),
                (0, 0),
                "{summary:?}"
            );
        }
        self.memory.lock().unwrap().snapshot()
    }
}

/// One run into an empty application, which every test may look at.
struct Finished {
    summaries: [Counters; 3],
    /// Of each day, and of a cycle after them.
    requests: [Vec<Seen>; 4],
    memory: Memory,
    snapshot: Value,
}

async fn finished() -> &'static Finished {
    static FINISHED: OnceCell<Finished> = OnceCell::const_new();
    FINISHED
        .get_or_init(async || {
            let world = World::new(undisturbed).await;
            let mut cycles = Vec::new();
            for day in Day::ALL.into_iter().chain([Day::Third]) {
                let summary = world.day(day, world.client()).await;
                cycles.push((summary.counters, world.double.requests()));
            }
            let [first, second, third, idle] = cycles.try_into().unwrap_or_else(|_| panic!());
            let memory = world.memory.lock().unwrap().clone();
            Finished {
                summaries: [first.0, second.0, third.0],
                requests: [first.1, second.1, third.1, idle.1],
                snapshot: memory.snapshot(),
                memory,
            }
        })
        .await
}

#[tokio::test]
async fn everybody_arrives_and_the_other_days_follow() {
    let [first, second, third] = &finished().await.summaries;
    let expected = Counters {
        imported: 540,
        imported_references: 3_000,
        created: 540,
        references_written: 3_499,
        ..Counters::default()
    };
    assert_eq!(*first, expected);
    let of = |it: &Counters| (it.created, it.updated, it.disabled, it.deleted, it.failed);
    assert_eq!(of(second), (3, 2, 2, 0, 0), "{second:?}");
    assert_eq!(of(third), (0, 1, 1, 0, 0), "{third:?}");
    assert_eq!(third.references_written, 0);
}

#[tokio::test]
async fn the_application_ends_up_with_the_last_day() {
    let memory = &finished().await.memory;
    assert_eq!(memory.user("amelie.rousseau@contoso.example"), &Value::Null);
    let renamed = memory.user("amelie.girard@contoso.example");
    assert_eq!(renamed["name"]["familyName"], json!("Girard"));
    assert_eq!(renamed["displayName"], json!("Amélie Girard"));
    let active = |name: &str| &memory.user(name)["active"];
    assert_eq!(active("christopher.kim@contoso.example"), &json!(false));
    assert_eq!(active("david.nguyen@contoso.example"), &json!(true));
    let web_ops = memory.members("web-ops");
    assert!(web_ops.contains(&"ada.okafor@contoso.example"), "joined");
    assert!(
        web_ops.contains(&"christopher.kim@contoso.example"),
        "kept, although the person left"
    );
    assert!(!web_ops.contains(&"doyun.jung@contoso.example"), "removed");
}

#[tokio::test]
async fn without_changes_nothing_is_asked() {
    let [.., idle] = &finished().await.requests;
    let lines: Vec<String> = idle.iter().map(Seen::line).collect();
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn the_requests_come_in_the_order_of_entra() {
    let [first, ..] = &finished().await.requests;
    let position = |wanted: &str| {
        let found = first.iter().position(|it| it.line().starts_with(wanted));
        found.unwrap_or_else(|| panic!("no {wanted}"))
    };
    let last = |wanted: &str| first.iter().rposition(|it| it.line().starts_with(wanted));
    let order = [
        Some(position("GET /scim/Users?filter=userName+eq+%22")),
        Some(position("POST /scim/Users")),
        last("POST /scim/Users"),
        Some(position(
            "GET /scim/Groups?excludedAttributes=members&filter=displayName+eq+",
        )),
        Some(position("POST /scim/Groups")),
        last("POST /scim/Groups"),
        Some(position("PATCH /scim/Groups/")),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn the_bodies_are_those_of_entra() {
    let Finished {
        requests, memory, ..
    } = finished().await;
    let [first, _, third, _] = requests;
    let mut amelia = body(first, "POST /scim/Users", "amelia.wilson@contoso.example");
    assert!(amelia["externalId"].take().is_string());
    assert_eq!(amelia, the_body_of_amelia_wilson());
    let group = body(first, "POST /scim/Groups", "web-ops");
    assert_eq!(group["meta"], json!({"resourceType": "Group"}));
    assert_eq!(group.get("members"), None);
    let leaver = memory.user("christopher.kim@contoso.example")["id"].clone();
    let leaver = leaver.as_str().unwrap();
    let left = body(third, &format!("PATCH /scim/Users/{leaver}"), "active");
    assert_eq!(
        left["Operations"],
        json!([{"op": "Replace", "path": "active", "value": "False"}])
    );
}

/// As Entra's default mappings have it, but for `externalId`, and without the empty list of roles that no mapping asks for.
fn the_body_of_amelia_wilson() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": null,
        "userName": "amelia.wilson@contoso.example",
        "active": true,
        "displayName": "Amelia Wilson",
        "title": "Chief Customer Officer",
        "emails": [{"primary": true, "type": "work", "value": "amelia.wilson@contoso.example"}],
        "preferredLanguage": "en-GB",
        "name": {"givenName": "Amelia", "familyName": "Wilson", "formatted": "Amelia Wilson"},
        "addresses": [
            {"primary": true, "type": "work", "formatted": "London HQ", "locality": "London", "country": "GB"},
        ],
        "phoneNumbers": [
            {"primary": true, "type": "work", "value": "+44 20 7946 0000"},
            {"type": "mobile", "value": "+44 7700 900000"},
        ],
        ENTERPRISE: {"employeeNumber": "10006", "department": "Executive"},
        "meta": {"resourceType": "User"},
    })
}

/// The first body that was sent with a request which begins like `line`, and holds a text.
fn body(requests: &[Seen], line: &str, says: &str) -> Value {
    let mut bodies = requests
        .iter()
        .filter(|it| it.line().starts_with(line))
        .filter_map(|it| it.body.as_ref());
    bodies
        .find(|body| body.to_string().contains(says))
        .unwrap()
        .clone()
}

#[tokio::test]
async fn lost_answers_and_throttling_change_nothing_in_the_end() {
    let disturbances: [(&str, Disturb); 2] = [
        (
            "the connection breaks after the work is done",
            |number, _| {
                if number % 7 == 0 {
                    When::After(Reply::HangUp)
                } else {
                    When::Never
                }
            },
        ),
        ("too many requests", |number, _| {
            let reply = || Reply::empty(429).header("retry-after", "1");
            if number % 5 == 0 {
                When::Before(reply())
            } else {
                When::Never
            }
        }),
    ];
    for (name, disturb) in disturbances {
        let snapshot = World::new(disturb).await.days().await;
        assert!(finished().await.snapshot == snapshot, "{name}");
    }
}

#[tokio::test]
async fn one_refused_person_does_not_stop_the_others() {
    let refuse = |_, request: &Seen| {
        let body = request.body.as_ref();
        let refused = body.is_some_and(|it| it["userName"] == "sem.visser@contoso.example");
        let reply = || {
            Reply::scim(
                400,
                &json!({"status": "400", "scimType": "invalidValue", "detail": "no such title"}),
            )
        };
        if refused {
            When::Before(reply())
        } else {
            When::Never
        }
    };
    let world = World::new(refuse).await;
    let summary = world.day(Day::First, world.client()).await;
    assert_eq!(summary.counters.failed, 1);
    // One has joined since.
    let expected = finished().await.memory.members("Sales").len() - 1;
    let memory = world.memory.lock().unwrap();
    assert_eq!(memory.user("sem.visser@contoso.example"), &Value::Null);
    assert_eq!(memory.members("Sales").len(), expected);
}

#[tokio::test]
async fn the_compliant_dialect_has_the_same_result() {
    let world = World::new(undisturbed).await;
    for day in Day::ALL {
        let client = world.double.client_with_query("aadOptscim062020");
        world.day(day, client).await;
    }
    let requests = world.double.requests();
    let flagged = |request: &Seen| request.target.contains("?aadOptscim062020");
    assert!(requests.iter().all(flagged));
    assert!(finished().await.snapshot == world.memory.lock().unwrap().snapshot());
}
