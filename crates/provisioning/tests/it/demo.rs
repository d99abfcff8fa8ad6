//! The sample company arrives, completely and once, whatever happens on the way.

use std::sync::{Arc, Mutex};

use portreeve_provisioning::demo::{self, Counts, Phase, Progress, Report, Round, What};
use portreeve_provisioning::target::{Client, Limits};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::double::{Double, Reply, Seen};
use crate::memory::Memory;

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

/// A double on a [`Memory`], and a client for it. `disturb` sees each request with its number.
async fn target(
    disturb: impl Fn(usize, &Seen) -> When + Send + 'static,
    memory: &Arc<Mutex<Memory>>,
) -> (Double, Client) {
    let memory = Arc::clone(memory);
    let mut number = 0;
    let double = Double::start(move |request| {
        number += 1;
        match disturb(number, request) {
            When::Before(reply) => reply,
            When::After(reply) => {
                memory.lock().unwrap().answer(request);
                reply
            }
            When::Never => memory.lock().unwrap().answer(request),
        }
    })
    .await;
    let (client, _) = double.client(Limits::default());
    (double, client)
}

/// One run into an empty target, which every test may look at.
struct Finished {
    report: Report,
    heard: Heard,
    requests: Vec<Seen>,
    memory: Memory,
    /// [`Memory::snapshot`] of `memory`.
    snapshot: Value,
}

async fn finished() -> &'static Finished {
    static FINISHED: OnceCell<Finished> = OnceCell::const_new();
    FINISHED
        .get_or_init(async || {
            let shared = Arc::default();
            let (double, client) = target(|_, _| When::Never, &shared).await;
            let mut heard = Heard::default();
            let report = demo::run(&client, &mut heard).await.unwrap();
            let memory = shared.lock().unwrap().clone();
            let snapshot = memory.snapshot();
            Finished {
                report,
                heard,
                requests: double.requests(),
                memory,
                snapshot,
            }
        })
        .await
}

fn counts(created: u64, updated: u64, unchanged: u64) -> Counts {
    Counts {
        created,
        updated,
        unchanged,
        failed: 0,
    }
}

/// Adds up what it hears.
#[derive(Default)]
struct Heard(Vec<(Phase, u64, u64)>);

impl Progress for Heard {
    fn begin(&mut self, phase: Phase, total: u64) {
        self.0.push((phase, total, 0));
    }

    fn advance(&mut self, steps: u64) {
        self.0.last_mut().unwrap().2 += steps;
    }
}

#[tokio::test]
async fn everybody_arrives_and_the_second_day_follows() {
    let Finished { report, heard, .. } = finished().await;
    assert!(!report.again);
    assert_eq!(report.problems, []);
    let first = Round {
        users: counts(500, 0, 0),
        groups: counts(40, 0, 0),
        managers_set: 499,
        members_added: 3_000,
        members_removed: 0,
    };
    assert_eq!(report.first_round, first);
    let second = Round {
        users: counts(3, 3, 0),
        groups: counts(0, 1, 0),
        managers_set: 3,
        members_added: 9,
        members_removed: 2,
    };
    assert_eq!(report.second_round, second);

    let phases: Vec<Phase> = heard.0.iter().map(|(phase, _, _)| *phase).collect();
    let expected = [
        Phase::Probe,
        Phase::Users,
        Phase::Managers,
        Phase::Groups,
        Phase::Members,
        Phase::Changes,
    ];
    assert_eq!(phases, expected);
    assert!(
        heard.0.iter().all(|(_, total, done)| total == done),
        "{:?}",
        heard.0
    );
}

#[tokio::test]
async fn the_target_ends_up_with_the_second_day() {
    let memory = &finished().await.memory;
    assert_eq!((memory.users.len(), memory.groups.len()), (503, 40));
    assert_eq!(memory.user("amelie.rousseau@contoso.example"), &Value::Null);
    let renamed = memory.user("amelie.girard@contoso.example");
    assert_eq!(renamed["name"]["familyName"], json!("Girard"));
    assert_eq!(renamed["displayName"], json!("Amélie Girard"));
    assert_eq!(
        memory.user("christopher.kim@contoso.example")["active"],
        json!(false)
    );
    assert_eq!(
        memory.user("david.nguyen@contoso.example")["active"],
        json!(true)
    );
    let web_ops = memory.members("web-ops");
    assert!(web_ops.contains(&"ada.okafor@contoso.example"), "joined");
    assert!(
        web_ops.contains(&"christopher.kim@contoso.example"),
        "kept, although the person left"
    );
    assert!(!web_ops.contains(&"doyun.jung@contoso.example"), "removed");
    assert_eq!(memory.members("Project Borealis").len(), 281);
}

#[tokio::test]
async fn the_report_names_what_to_look_at() {
    let Finished { report, memory, .. } = finished().await;
    let notable = |what| {
        report
            .notable
            .iter()
            .find(|notable| notable.what == what)
            .unwrap()
    };
    for what in [
        What::Joined,
        What::Renamed,
        What::Left,
        What::Restored,
        What::Disabled,
        What::NoEmail,
    ] {
        let notable = notable(what);
        let id = notable.id.as_ref().unwrap().as_str();
        assert_eq!(memory.user(&notable.name)["id"], id, "{what:?}");
    }
    let group = notable(What::GroupRenamed);
    assert_eq!(
        (&*group.name, &*group.detail),
        ("Project Borealis", "was Project Aurora")
    );
}

#[tokio::test]
async fn the_first_requests_are_those_of_entra() {
    let requests = &finished().await.requests;
    let position = |wanted: &str| {
        let found = requests
            .iter()
            .position(|request| request.line().starts_with(wanted));
        found.unwrap_or_else(|| panic!("no {wanted}"))
    };
    let nobody = "ffffffff-ffff-4fff-bfff-ffffffffffff";
    let order = [
        position(&format!(
            "GET /scim/Users?filter=userName+eq+%22{nobody}%22"
        )),
        position(&format!(
            "GET /scim/Groups?filter=displayName+eq+%22{nobody}%22"
        )),
        position("GET /scim/Users?filter=userName+eq+%22giorgi.gelashvili%40contoso.example%22"),
        position("POST /scim/Users"),
        position("PATCH /scim/Users/"),
        position("GET /scim/Groups?excludedAttributes=members&filter=displayName+eq+"),
        position("POST /scim/Groups"),
        position("PATCH /scim/Groups/"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[tokio::test]
async fn the_bodies_are_those_of_entra() {
    let Finished {
        requests, memory, ..
    } = finished().await;
    let body = |line: &str, says: &str| body(requests, line, says);
    let mut amelia = body("POST /scim/Users", "amelia.wilson@contoso.example");
    assert!(amelia["externalId"].take().is_string());
    assert_eq!(amelia, the_body_of_amelia_wilson());
    let disabled = body("POST /scim/Users", "david.nguyen@contoso.example");
    assert_eq!(disabled["active"], json!(false));
    let group = body("POST /scim/Groups", "web-ops");
    assert_eq!(group["meta"], json!({"resourceType": "Group"}));
    assert_eq!(group.get("members"), None);
    let leaver = memory.user("christopher.kim@contoso.example")["id"]
        .as_str()
        .unwrap();
    let left = body(&format!("PATCH /scim/Users/{leaver}"), "active");
    assert_eq!(
        left["Operations"],
        json!([{"op": "Replace", "path": "active", "value": "False"}])
    );
}

/// As Entra's default mappings have it, but for `externalId`.
fn the_body_of_amelia_wilson() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": null,
        "userName": "amelia.wilson@contoso.example",
        "displayName": "Amelia Wilson",
        "title": "Chief Customer Officer",
        "preferredLanguage": "en-GB",
        "name": {"formatted": "Amelia Wilson", "familyName": "Wilson", "givenName": "Amelia"},
        "emails": [{"primary": true, "type": "work", "value": "amelia.wilson@contoso.example"}],
        "phoneNumbers": [
            {"primary": true, "type": "work", "value": "+44 20 7946 0000"},
            {"type": "mobile", "value": "+44 7700 900000"},
        ],
        "addresses": [
            {"primary": true, "type": "work", "formatted": "London HQ", "locality": "London", "country": "GB"},
        ],
        ENTERPRISE: {"employeeNumber": "10006", "department": "Executive"},
        "active": true,
        "meta": {"resourceType": "User"},
        "roles": [],
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
async fn a_second_run_creates_and_changes_nothing() {
    let Finished {
        memory, snapshot, ..
    } = finished().await;
    let memory = Arc::new(Mutex::new(memory.clone()));
    let (double, client) = target(|_, _| When::Never, &memory).await;
    let report = demo::run(&client, &mut ()).await.unwrap();
    assert!(report.again);
    let nothing_new = Round {
        users: counts(0, 0, 503),
        groups: counts(0, 0, 40),
        ..Round::default()
    };
    assert_eq!(
        (report.first_round, report.second_round),
        (nothing_new, Round::default())
    );
    assert!(
        double
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
    assert!(memory.lock().unwrap().snapshot() == *snapshot);
}

#[tokio::test]
async fn a_token_that_stops_working_ends_the_run() {
    let memory = Arc::default();
    let revoke = |number, _: &Seen| {
        if number > 300 {
            When::Before(Reply::empty(401))
        } else {
            When::Never
        }
    };
    let (double, client) = target(revoke, &memory).await;
    let error = demo::run(&client, &mut ()).await.unwrap_err();
    assert!(error.to_string().contains("status 401"), "{error}");
    assert!(
        double.requests().len() < 320,
        "those in flight, and no more"
    );
}

#[tokio::test]
async fn an_interrupted_run_is_completed_by_the_next() {
    let Finished {
        requests, snapshot, ..
    } = finished().await;
    let total = requests.len();
    // Among the people and the groups; the rest on the second day, which is the last 25 requests: before the first
    // change, between the joiners and the other changes, and among the changes of groups.
    for interruption in [
        300,
        total - 80,
        total - 23,
        total - 20,
        total - 10,
        total - 3,
    ] {
        let mut memory = Memory::default();
        for request in &requests[..interruption] {
            memory.answer(request);
        }
        assert!(
            memory.snapshot() != *snapshot,
            "{interruption} of {total} is the end already"
        );
        let memory = Arc::new(Mutex::new(memory));
        let (_double, client) = target(|_, _| When::Never, &memory).await;
        demo::run(&client, &mut ()).await.unwrap();
        assert!(
            memory.lock().unwrap().snapshot() == *snapshot,
            "{interruption} of {total} was not completed"
        );
    }
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
        let memory = Arc::default();
        let (_double, client) = target(disturb, &memory).await;
        let report = demo::run(&client, &mut ()).await.unwrap();
        assert_eq!(report.problems, [], "{name}");
        assert!(
            finished().await.snapshot == memory.lock().unwrap().snapshot(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn one_refused_person_does_not_stop_the_others() {
    let memory = Arc::default();
    let refuse = |_, request: &Seen| {
        let refused = request
            .body
            .as_ref()
            .is_some_and(|body| body["userName"] == "sem.visser@contoso.example");
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
    let (_double, client) = target(refuse, &memory).await;
    let report = demo::run(&client, &mut ()).await.unwrap();
    assert_eq!(
        report.first_round.users,
        Counts {
            created: 499,
            failed: 1,
            ..Counts::default()
        }
    );
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].name, "sem.visser@contoso.example");
    assert!(report.problems[0].error.contains("no such title"));
    assert!(memory.lock().unwrap().members("All Contoso").len() == 502);
}

#[tokio::test]
async fn the_compliant_dialect_has_the_same_result() {
    let memory = Arc::default();
    let (double, _) = target(|_, _| When::Never, &memory).await;
    let client = double.client_with_query("aadOptscim062020");
    demo::run(&client, &mut ()).await.unwrap();
    let requests = double.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.target.contains("?aadOptscim062020"))
    );
    assert!(finished().await.snapshot == memory.lock().unwrap().snapshot());
}
