//! A job in a world of its own: a source whose changes a test writes, an application in memory that can be told to
//! misbehave, and a clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use portreeve_directory::applications::{self, New};
use portreeve_directory::{Clock, Ids, roll};
use portreeve_provisioning::application::{Application, Definition};
use portreeve_provisioning::engine::steps::Record;
use portreeve_provisioning::job::{Job, JobError, Progress, State, Stop, Summary, Target};
use portreeve_provisioning::source::Source;
use portreeve_provisioning::target::{Limits, Surroundings};
use portreeve_store::{Database, Options, Scope, Store};
use portreeve_testbed::{TestClock, fresh_database};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::double::{Double, Reply, Seen};
use crate::memory::Memory;
use crate::reader::{Time, source};

const TEAM: &str = "local";
const ID: &str = "app";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// How the application maps people and groups. `RULES` stands for what a test adds.
const DEFINITION: &str = r#"
name = "App"
RULES

[source]
type = "jsonl"
users = "users.jsonl"
groups = "groups.jsonl"
keep_at_least = 0

[target]
url = "https://app.example/scim"
authentication = { type = "bearer", token = "hush" }

[[mappings]]
source = "User"
target = "User"
SCOPE
attributeMappings = [
    { target = "userName", attribute = "mail", matchingPriority = 1 },
    { target = "externalId", attribute = "id" },
    { target = "active", expression = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    { target = "displayName", attribute = "name" },
    { target = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", attribute = "manager" },
]

[[mappings]]
source = "Group"
target = "Group"
scope = { groups = [{ clauses = [{ attribute = "name", operator = "NOT EQUALS", values = ["~"] }] }] }
attributeMappings = [
    { target = "displayName", attribute = "name", matchingPriority = 1 },
    { target = "externalId", attribute = "id" },
    { target = "members", attribute = "members" },
]
"#;

/// What the application does before it answers as it should: another answer, or nothing.
type Fault = Box<dyn FnMut(&Seen) -> Option<Reply> + Send>;

/// The application at the other end.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) memory: Memory,
    fault: Option<Fault>,
    /// It makes what it is asked to make, and cannot be reached about anybody from then on.
    pub(crate) loses: bool,
    lost: bool,
    /// Requests about objects: all but the probes.
    pub(crate) asked: Vec<String>,
}

/// Everything around one job.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) clock: TestClock,
    pub(crate) app: Arc<Mutex<Shared>>,
    pub(crate) double: Double,
    pub(crate) state: State,
    /// The source as it is now, by key.
    pub(crate) people: BTreeMap<String, Value>,
    pub(crate) groups: BTreeMap<String, Value>,
    time: Arc<Time>,
    ids: Arc<Ids>,
    pub(crate) application: Application,
}

/// What a test changes of the definition.
#[derive(Default, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) top: &'static str,
    pub(crate) scope: &'static str,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Rules::default()).await
    }

    pub(crate) async fn with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app: Arc<Mutex<Shared>> = Arc::default();
        let behind = Arc::clone(&app);
        let double = Double::start(move |request| behind.lock().unwrap().answer(request)).await;
        let clock = TestClock::default();
        let store = open(folder.path(), clock.now());
        store
            .write(Scope::of(ID), |tx| {
                let new = New {
                    id: ID.to_owned(),
                    team_id: TEAM.to_owned(),
                    name: "App".to_owned(),
                    definition: "{}".to_owned(),
                };
                applications::create(tx, &new, 1)
            })
            .await
            .unwrap();
        Self {
            state: State::new(store, TEAM, ID),
            clock,
            app,
            double,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            time: Arc::default(),
            ids: Arc::new(Ids::new()),
            application: application(rules),
            folder,
        }
    }

    /// The job under other rules, as after a change of the definition.
    pub(crate) fn rule(&mut self, rules: Rules) {
        self.application = application(rules);
    }

    /// The job as a process has it that was just started.
    pub(crate) fn job(&self) -> Job {
        self.write();
        let settings = "type = \"jsonl\"\nusers = \"users.jsonl\"\ngroups = \"groups.jsonl\"\nkeep_at_least = 0\n";
        self.job_of(source(settings, self.folder.path(), &self.time).unwrap())
    }

    /// The job with another source.
    pub(crate) fn job_of(&self, source: Source) -> Job {
        let limits = Limits {
            attempts: 2,
            ..Limits::default()
        };
        let (client, _) = self.double.client(limits);
        Job::new(
            Arc::new(self.application.clone()),
            source,
            Target::new(client),
            self.state.clone(),
            Arc::new(self.clock.clone()),
            Arc::clone(&self.ids),
        )
    }

    /// The same source, with a folder of its own for what it remembers.
    pub(crate) fn source_in(&self, folder: &Path) -> Source {
        self.write();
        let home = self.folder.path().display();
        let settings = format!(
            "type = \"jsonl\"\nusers = \"{home}/users.jsonl\"\ngroups = \"{home}/groups.jsonl\"\nkeep_at_least = 0\n"
        );
        source(&settings, folder, &self.time).unwrap()
    }

    /// Runs a cycle, which must come to its end.
    pub(crate) async fn cycle(&self) -> Summary {
        self.try_cycle().await.unwrap()
    }

    pub(crate) async fn try_cycle(&self) -> Result<Summary, JobError> {
        let (progress, _) = watch::channel(Progress::new(Timestamp::UNIX_EPOCH));
        self.app.lock().unwrap().asked.clear();
        self.job().cycle(&progress, &Stop::default()).await
    }

    /// Somebody at the source.
    pub(crate) fn person(&mut self, key: &str, more: Value) {
        let mut person = json!({"id": key, "mail": format!("{key}@x"), "name": key});
        merge(&mut person, more);
        self.people.insert(key.to_owned(), person);
    }

    /// A group at the source.
    pub(crate) fn group(&mut self, key: &str, members: &[&str]) {
        let group = json!({"id": key, "name": key, "members": members});
        self.groups.insert(key.to_owned(), group);
    }

    /// So many people, with nothing but their names.
    pub(crate) fn crowd(&mut self, count: usize) {
        for number in 0..count {
            self.person(&format!("p{number:04}"), json!({}));
        }
    }

    /// Has the application misbehave from now on.
    pub(crate) fn fault(&self, fault: impl FnMut(&Seen) -> Option<Reply> + Send + 'static) {
        self.app.lock().unwrap().fault = Some(Box::new(fault));
    }

    /// Has it behave again.
    pub(crate) fn mend(&self) {
        self.app.lock().unwrap().fault = None;
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// What the application has: people and groups by their names, with names in place of ids.
    pub(crate) fn there(&self) -> Value {
        let app = self.app.lock().unwrap();
        let names: BTreeMap<&str, &str> = app
            .memory
            .users
            .iter()
            .map(|user| (text(&user["id"]), text(&user["userName"])))
            .chain(
                app.memory
                    .groups
                    .iter()
                    .map(|group| (text(&group["id"]), text(&group["displayName"]))),
            )
            .collect();
        let name = |id: &Value| names.get(text(id)).map_or("nobody", |name| *name);
        let mut there = BTreeMap::new();
        for user in &app.memory.users {
            let mut shown = json!({"displayName": user["displayName"]});
            if user["active"] == false {
                shown["active"] = json!(false);
            }
            let manager = &user[ENTERPRISE]["manager"]["value"];
            if !manager.is_null() {
                shown["manager"] = json!(name(manager));
            }
            let twice = there.insert(text(&user["userName"]).to_owned(), shown);
            assert_eq!(twice, None, "made twice");
        }
        for group in &app.memory.groups {
            let members = group["members"].as_array().map_or(&[][..], Vec::as_slice);
            let mut members: Vec<&str> = members.iter().map(|it| name(&it["value"])).collect();
            members.sort_unstable();
            let twice = there.insert(text(&group["displayName"]).to_owned(), json!(members));
            assert_eq!(twice, None, "made twice");
        }
        json!(there)
    }

    /// The requests about objects in the last cycle.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.app.lock().unwrap().asked.clone()
    }

    /// The log: action, status and code of each record, with the key of its object.
    pub(crate) async fn log(&self) -> Vec<String> {
        let records = self.records().await;
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let line = |record: &Record| {
            let status = &record.provisioning_status_info;
            let code = status
                .error_information
                .as_ref()
                .map(|it| word(json!(it.error_code)));
            let line = format!(
                "{} {} {} {}",
                record.source_identity.id,
                word(json!(record.provisioning_action)),
                word(json!(status.status)),
                code.unwrap_or_default()
            );
            line.trim_end().to_owned()
        };
        records.iter().map(line).collect()
    }

    pub(crate) async fn records(&self) -> Vec<Record> {
        let rows = self
            .state
            .read(|tx, owner| applications::records::after(tx, &owner.application_id, 0, 100_000));
        let rows = rows.await.unwrap();
        rows.iter()
            .map(|row| serde_json::from_str(&row.body).unwrap())
            .collect()
    }

    /// Writes the source's files as they are now.
    fn write(&self) {
        self.time.pass(60);
        // An empty file is refused, so that there is always somebody, who is never in scope.
        let nobody = json!({"id": "~", "name": "~", "accountEnabled": false});
        for (name, objects) in [
            ("users.jsonl", &self.people),
            ("groups.jsonl", &self.groups),
        ] {
            let objects = objects.values().chain([&nobody]);
            let lines: String = objects.map(|it| format!("{it}\n")).collect();
            let path = self.folder.path().join(name);
            if std::fs::read_to_string(&path).is_ok_and(|before| before == lines) {
                continue;
            }
            std::fs::write(&path, lines).unwrap();
            let file = std::fs::File::options().write(true).open(path).unwrap();
            let now: SystemTime = self.time.now();
            file.set_modified(now).unwrap();
        }
        self.time.pass(60);
    }
}

impl Shared {
    fn answer(&mut self, request: &Seen) -> Reply {
        if !is_probe(request) {
            self.asked.push(request.line());
        }
        let other = self.fault.as_mut().and_then(|fault| fault(request));
        let lost = self.lost && !is_probe(request);
        let reply = match (other, lost) {
            (Some(other), _) => return other,
            (None, true) => return Reply::HangUp,
            (None, false) => self.memory.answer(request),
        };
        self.lost |= self.loses && request.method == "POST";
        match self.lost && request.method == "POST" {
            true => Reply::HangUp,
            false => reply,
        }
    }

    /// It can be reached again.
    pub(crate) fn find(&mut self) {
        (self.loses, self.lost) = (false, false);
    }
}

/// Whether a request asks for nobody: a value of 36 characters that no test has.
pub(crate) fn is_probe(request: &Seen) -> bool {
    let value = request.target.rsplit("%22").nth(1).unwrap_or_default();
    request.method == "GET" && value.len() == 36 && value.matches('-').count() == 4
}

fn application(rules: Rules) -> Application {
    let text = DEFINITION
        .replace("RULES", rules.top)
        .replace("SCOPE", rules.scope);
    let definition = Definition::from_toml(&text).unwrap();
    definition.compile(ID, Path::new("/nowhere")).unwrap()
}

/// The state in the database that the tests are run with.
fn open(folder: &Path, now: i64) -> Store {
    let embedded = Database::Sqlite {
        path: folder.join("state.sqlite"),
    };
    let database = fresh_database().unwrap_or(embedded);
    Store::open(&Options::new(database, roll::MIGRATIONS, now)).unwrap()
}

fn merge(object: &mut Value, more: Value) {
    let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) else {
        panic!("attributes are an object");
    };
    object.extend(more);
    object.retain(|_, value| !value.is_null());
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
