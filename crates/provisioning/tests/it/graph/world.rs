//! A tenant, the source that reads it, and somebody who remembers what was told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use portreeve_provisioning::source::graph::{Asked, Graph, Settings};
use portreeve_provisioning::source::{Change, Error, Home, Kind, Next, Place};
use portreeve_provisioning::target::{Limits, Surroundings};
use portreeve_testbed::TestClock;
use portreeve_testbed::graph::{CLIENT_ID, CLIENT_SECRET, GraphServer, SERVICE_PRINCIPAL, TENANT};
use serde_json::{Map, Value};

/// Time goes by the clock of the double and stands still in pauses, which are written down. Chance counts.
#[derive(Debug)]
pub(crate) struct Time {
    clock: TestClock,
    chance: AtomicU64,
    pauses: Mutex<Vec<Duration>>,
}

impl Time {
    pub(crate) fn new(clock: &TestClock) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            chance: AtomicU64::new(0),
            pauses: Mutex::default(),
        })
    }

    /// The pauses so far, in whole seconds.
    pub(crate) fn pauses(&self) -> Vec<u64> {
        let pauses = self.pauses.lock().unwrap();
        pauses.iter().map(Duration::as_secs).collect()
    }
}

impl Surroundings for Time {
    fn now(&self) -> SystemTime {
        self.clock.time()
    }

    fn random(&self) -> u64 {
        self.chance.fetch_add(1, Ordering::SeqCst)
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pauses.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

/// Settings for the double, with whatever a test adds or overrides.
pub(crate) fn settings(graph: &GraphServer, more: &[(&str, Value)]) -> Settings {
    let mut settings = Map::new();
    let common = [
        ("tenant", TENANT.into()),
        ("client_id", CLIENT_ID.into()),
        ("client_secret", CLIENT_SECRET.into()),
        ("service_principal", SERVICE_PRINCIPAL.into()),
        ("login_url", graph.login_url().into()),
        ("graph_url", graph.url().into()),
    ];
    for (name, value) in common.iter().chain(more) {
        settings.insert((*name).to_owned(), value.clone());
    }
    serde_json::from_value(Value::Object(settings)).unwrap()
}

/// Where secrets of tests are.
pub(crate) fn home(time: &Arc<Time>) -> Home {
    let surroundings: Arc<dyn Surroundings> = time.clone();
    Home {
        folder: PathBuf::from("/no/folder"),
        state: PathBuf::from("/no/state"),
        surroundings,
        environment: |name| (name == "GRAPH_SECRET").then(|| CLIENT_SECRET.to_owned()),
        directories: None,
    }
}

/// The limits of a source that does not wait long for an answer.
pub(crate) fn impatient() -> Limits {
    Limits {
        attempts: 3,
        request_timeout: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// A tenant with nobody in it, and a source that reads it.
pub(crate) struct World {
    pub(crate) graph: GraphServer,
    pub(crate) source: Graph,
    pub(crate) time: Arc<Time>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[], Limits::default()).await
    }

    pub(crate) async fn with(more: &[(&str, Value)], limits: Limits) -> Self {
        let graph = GraphServer::start().await;
        let time = Time::new(graph.clock());
        let source = Graph::new(&settings(&graph, more), &home(&time), limits).unwrap();
        Self {
            graph,
            source,
            time,
        }
    }

    pub(crate) fn asking(self, users: &[&str], groups: &[&str]) -> Self {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let asked = Asked {
            users: names(users),
            groups: names(groups),
        };
        Self {
            source: self.source.asking(&asked),
            ..self
        }
    }

    /// Reads to the end.
    pub(crate) async fn read(&self, from: &Place) -> Result<(Vec<Change>, Place), Error> {
        let mut changes = Vec::new();
        let mut place = from.clone();
        loop {
            let page = self.source.read(&place).await?;
            changes.extend(page.changes);
            match page.next {
                Next::Page(text) => place = Place::Page(text),
                Next::Watermark(text) => return Ok((changes, Place::Since(text))),
            }
        }
    }

    /// Reads everything, and gives what is known then and the watermark.
    pub(crate) async fn everything(&self) -> (Known, Place) {
        let (changes, watermark) = self.read(&Place::Everything).await.unwrap();
        let mut known = Known::default();
        known.hear(&changes);
        (known, watermark)
    }
}

/// What somebody knows who was told changes: the contract between a source and the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    objects: BTreeMap<(Kind, String), Map<String, Value>>,
    suspended: BTreeSet<(Kind, String)>,
    members: BTreeSet<(String, String)>,
    assigned: BTreeMap<(Kind, String), BTreeSet<String>>,
}

impl Known {
    pub(crate) fn hear(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Altered(object) => {
                    let name = (object.kind, object.key);
                    self.suspended.remove(&name);
                    let known = self.objects.entry(name).or_default();
                    known.extend(object.attributes);
                }
                Change::Suspended { kind, key } => {
                    self.suspended.insert((kind, key));
                }
                Change::Gone { kind, key } => {
                    self.suspended.remove(&(kind, key.clone()));
                    self.objects.remove(&(kind, key.clone()));
                }
                Change::Members {
                    group,
                    added,
                    removed,
                } => {
                    for member in removed {
                        self.members.remove(&(group.clone(), member.key));
                    }
                    let added = added.into_iter().map(|member| (group.clone(), member.key));
                    self.members.extend(added);
                }
                Change::AssignmentsAnew => self.assigned.clear(),
                Change::Assigned { kind, key, roles } => {
                    self.assigned.entry((kind, key)).or_default().extend(roles);
                }
                other => panic!("Graph never tells {other:?}"),
            }
        }
    }

    fn is_live(&self, key: &str) -> bool {
        [Kind::User, Kind::Group].into_iter().any(|kind| {
            let name = (kind, key.to_owned());
            self.objects.contains_key(&name) && !self.suspended.contains(&name)
        })
    }

    /// What counts of all that is known: live objects, their values, and references from live ones to live ones.
    pub(crate) fn view(&self) -> View {
        let live = self
            .objects
            .iter()
            .filter(|((_, key), _)| self.is_live(key));
        let objects = live.map(|((kind, key), attributes)| {
            let mut attributes = attributes.clone();
            attributes.retain(|name, value| {
                let leads_nowhere =
                    name == "manager" && !value.as_str().is_some_and(|key| self.is_live(key));
                !value.is_null() && !leads_nowhere
            });
            attributes.sort_keys();
            ((*kind, key.clone()), attributes)
        });
        let members = self
            .members
            .iter()
            .filter(|(group, member)| self.is_live(group) && self.is_live(member));
        let assigned = self
            .assigned
            .iter()
            .filter(|((_, key), _)| self.is_live(key));
        View {
            objects: objects.collect(),
            suspended: self.suspended.clone(),
            members: members.cloned().collect(),
            assigned: assigned
                .map(|(name, roles)| (name.clone(), roles.clone()))
                .collect(),
        }
    }

    /// One attribute of an object; `null` if there is none.
    pub(crate) fn value(&self, kind: Kind, key: &str, name: &str) -> Value {
        let object = self.objects.get(&(kind, key.to_owned()));
        object
            .and_then(|attributes| attributes.get(name).cloned())
            .unwrap_or_default()
    }
}

/// What counts of what is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub(crate) objects: BTreeMap<(Kind, String), Map<String, Value>>,
    pub(crate) suspended: BTreeSet<(Kind, String)>,
    pub(crate) members: BTreeSet<(String, String)>,
    pub(crate) assigned: BTreeMap<(Kind, String), BTreeSet<String>>,
}
