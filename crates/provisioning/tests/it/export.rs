//! One object on its way to the target, and references between objects.

mod faults;
mod law;
mod peer;
mod references;
mod traffic;
mod values;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portreeve_directory::{Clock, Ids};
use portreeve_provisioning::application::{Application, Definition};
use portreeve_provisioning::engine::plan::{Facts, Link, Presence};
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType, System};
use portreeve_provisioning::job::{Claim, Claims, Outcome, Stamp, Subject, Target, export};
use portreeve_provisioning::source::Kind;
use portreeve_provisioning::target::ResourceId;
use serde_json::{Map, Value, json};

use crate::double::{Double, Reply};

/// How the applications of these tests map people and groups.
const MAPPINGS: &str = r#"
name = "App"

[source]
type = "csv"
users = "people.csv"

[target]
url = "https://app.example/scim"
authentication = { type = "bearer", token = "hush" }

[[mappings]]
source = "User"
target = "User"
attributeMappings = [
    { target = "userName", attribute = "userPrincipalName", matchingPriority = 1 },
    { target = "externalId", attribute = "objectId", matchingPriority = 2 },
    { target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    { target = "displayName", attribute = "displayName" },
    { target = "title", expression = 'Mid([jobTitle], [from], 40)' },
    { target = "nickName", attribute = "mailNickname", flowType = "ObjectAddOnly" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", attribute = "manager" },
]

[[mappings]]
source = "Group"
target = "Group"
attributeMappings = [
    { target = "displayName", attribute = "displayName", matchingPriority = 1 },
    { target = "externalId", attribute = "objectId" },
    { target = "members", attribute = "members" },
]
"#;

const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// The application with these mappings, after a change of the text.
fn application(change: impl FnOnce(String) -> String) -> Application {
    let definition = Definition::from_toml(&change(MAPPINGS.to_owned())).unwrap();
    definition.compile("app", Path::new("/nowhere")).unwrap()
}

/// It is noon, and stays so.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> i64 {
        1_795_262_400_000_000
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }
}

/// Whoever comes first has a resource.
#[derive(Default)]
struct FirstCome {
    claimed: Mutex<HashMap<(Kind, ResourceId), String>>,
    /// Whether a resource that is gone was noted.
    replaced: AtomicBool,
}

impl Claims for FirstCome {
    fn claim<'a>(&'a self, kind: Kind, resource: &'a ResourceId, key: &'a str) -> Claim<'a> {
        let mut claimed = self.claimed.lock().unwrap();
        let owner = claimed
            .entry((kind, resource.clone()))
            .or_insert(key.into());
        let answer = match owner == key {
            true => Ok(()),
            false => Err(owner.clone()),
        };
        Box::pin(std::future::ready(answer))
    }

    fn replaces<'a>(&'a self, _: Kind, _: &'a str) -> Claim<'a> {
        self.replaced.store(true, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn stamp() -> Stamp {
    let system = |id: &str| System {
        id: id.to_owned(),
        display_name: id.to_owned(),
    };
    Stamp {
        job_id: "app".to_owned(),
        cycle_id: "c1".to_owned(),
        initiator: Initiator {
            id: "app".to_owned(),
            display_name: "Schedule".to_owned(),
            initiator_type: InitiatorType::System,
        },
        source: system("people.csv"),
        target: system("https://app.example/scim"),
        clock: Arc::new(Noon),
        ids: Arc::new(Ids::new()),
        claims: Arc::new(FirstCome::default()),
        tells_all: false,
    }
}

/// Somebody or a group in scope, whom the target does not have.
fn subject(kind: Kind, attributes: Value) -> Subject {
    let facts = Facts {
        kind,
        presence: Presence::Present,
        assigned: true,
        has_role: true,
        passes_filters: true,
        enabled: true,
    };
    let Value::Object(attributes) = attributes else {
        panic!("attributes are an object")
    };
    Subject {
        kind,
        key: "k1".to_owned(),
        attributes,
        roles: Vec::new(),
        standing: facts.standing(),
        facts,
        link: Link::None,
        target_id: None,
        exported: None,
        escrow: None,
    }
}

fn ada() -> Subject {
    let attributes = json!({
        "userPrincipalName": "ada@contoso.example",
        "displayName": "Ada",
        "mailNickname": "ada",
        "manager": "k2",
    });
    subject(Kind::User, attributes)
}

fn sales() -> Subject {
    subject(Kind::Group, json!({"displayName": "Sales"}))
}

/// What the target shows of Ada when everything is as it should be.
fn shown() -> Map<String, Value> {
    let shown = json!({
        "id": "u1",
        "userName": "ada@contoso.example",
        "externalId": "k1",
        "active": true,
        "displayName": "Ada",
    });
    shown.as_object().unwrap().clone()
}

/// The same with something else.
fn shown_with(name: &str, value: Value) -> Value {
    let mut shown = shown();
    shown.insert(name.to_owned(), value);
    Value::Object(shown)
}

/// With these facts, for the standing to follow.
fn with_facts(subject: Subject, change: impl FnOnce(&mut Facts)) -> Subject {
    let mut facts = subject.facts;
    change(&mut facts);
    Subject {
        standing: facts.standing(),
        facts,
        ..subject
    }
}

/// Linked to `u1`, where nobody knows what was last written.
fn linked(subject: Subject, link: Link) -> Subject {
    Subject {
        link,
        target_id: ResourceId::new("u1"),
        ..subject
    }
}

const MANAGED: Link = Link::Managed { disabled: false };
const DISABLED: Link = Link::Managed { disabled: true };

fn id(text: &str) -> ResourceId {
    ResourceId::new(text).unwrap()
}

fn list(resources: &[Value]) -> Reply {
    let schema = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
    let count = resources.len();
    let list = json!({"schemas": [schema], "totalResults": count, "Resources": resources});
    Reply::scim(200, &list)
}

fn nobody() -> Reply {
    list(&[])
}

fn refusal(status: u16, scim_type: Option<&str>) -> Reply {
    Reply::scim(
        status,
        &json!({"scimType": scim_type, "detail": "the target's own words"}),
    )
}

/// Brings a subject to a target that gives these answers.
async fn bring(subject: &Subject, held: bool, replies: Vec<Reply>) -> (Outcome, Double) {
    let double = Double::script(replies).await;
    let target = Target::new(double.open("").unwrap().0);
    let app = application(|text| text);
    let outcome = export(&app, &target, subject, held, &stamp()).await;
    (outcome, double)
}
