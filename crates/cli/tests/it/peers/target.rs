//! A target in this process that knows nothing unique: it makes whatever it is asked to make, also twice, and counts. At a
//! request that the test chooses it kills who sends it.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::{Arc, Mutex};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use portreeve_scim::patch::MemberStep;
use portreeve_scim::{Catalog, Notes, Patch, Profile, Resource, ResourceType};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::shown::Reader;

/// A running target. It stops with the test's runtime.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) reader: Reader,
    world: Arc<Mutex<World>>,
}

/// What a target has been through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Requests of any kind.
    pub(super) requests: usize,
    /// How often a resource with each `externalId` was made.
    pub(super) made: BTreeMap<String, usize>,
    /// How many resources were deleted.
    pub(super) deleted: usize,
}

/// When a request is the last one of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// It arrives, and nothing is done.
    Before,
    /// It is carried out, and not answered any more.
    Unanswered,
    /// It is carried out and answered.
    Answered,
}

/// Kills a process at a request.
pub(super) struct Fuse {
    pub(super) process: Arc<Mutex<Child>>,
    /// At the how manieth request from now, from 1.
    pub(super) at: usize,
    pub(super) moment: Moment,
}

#[derive(Default)]
struct World {
    users: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    tally: Tally,
    fuse: Option<Fuse>,
}

impl Target {
    /// Starts a target with nobody in it.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let target = Self {
            reader: Reader::new(base, "the-secret-token".to_owned()),
            world: Arc::default(),
        };
        let service = axum::Router::new()
            .fallback(answer)
            .with_state(target.clone());
        tokio::spawn(async move { axum::serve(listener, service).await });
        target
    }

    /// What it has been through so far.
    pub(super) fn tally(&self) -> Tally {
        self.world.lock().unwrap().tally.clone()
    }

    /// Lays a fuse, or takes the one away that is there.
    pub(super) fn lay(&self, fuse: Option<Fuse>) {
        self.world.lock().unwrap().fuse = fuse;
    }
}

async fn answer(State(target): State<Target>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: url_decoded(head.uri.query().unwrap_or_default()),
        body,
    };
    target.world.lock().unwrap().request(&asked)
}

struct Asked {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    body: Bytes,
}

impl World {
    fn request(&mut self, asked: &Asked) -> Response {
        self.tally.requests += 1;
        let burnt = self.fuse.as_mut().and_then(|fuse| {
            fuse.at -= 1;
            (fuse.at == 0).then_some(fuse.moment)
        });
        let Some(moment) = burnt else {
            return self.carry_out(asked);
        };
        let fuse = self.fuse.take().unwrap();
        if moment == Moment::Before {
            fuse.kill();
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let answer = self.carry_out(asked);
        if moment == Moment::Unanswered {
            fuse.kill();
        } else {
            // The answer goes out first, and some of what the process does with it is done.
            std::thread::spawn(move || fuse.kill());
        }
        answer
    }

    fn carry_out(&mut self, asked: &Asked) -> Response {
        let catalog = Catalog::standard();
        let path: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let (kind, id) = match path.as_slice() {
            ["Users", id @ ..] => (catalog.user(), id),
            ["Groups", id @ ..] => (catalog.group(), id),
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        let of_kind = match path[0] {
            "Users" => &mut self.users,
            _ => &mut self.groups,
        };
        match (asked.method.as_str(), id) {
            ("GET", []) => list(of_kind, &asked.query),
            ("POST", []) => {
                let mut made: Value = serde_json::from_slice(&asked.body).unwrap();
                let key = made["externalId"].as_str().unwrap_or_default().to_owned();
                let count = self.tally.made.entry(key).or_default();
                *count += 1;
                let id = format!("{}-{}", path[0], of_kind.len() + self.tally.deleted + 1);
                made["id"] = json!(id);
                of_kind.insert(id, made.clone());
                scim(StatusCode::CREATED, &made)
            }
            (method, [id]) => match (method, of_kind.get_mut(*id)) {
                (_, None) => StatusCode::NOT_FOUND.into_response(),
                ("GET", Some(there)) => scim(StatusCode::OK, &without_members(there, &asked.query)),
                ("PATCH", Some(there)) => patch(kind, id, there, &asked.body),
                ("DELETE", Some(_)) => {
                    of_kind.remove(*id);
                    self.tally.deleted += 1;
                    StatusCode::NO_CONTENT.into_response()
                }
                _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
            },
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }
}

impl Fuse {
    fn kill(&self) {
        self.process.lock().unwrap().kill().unwrap();
    }
}

/// Everything, or what a filter `attribute eq "value"` finds.
fn list(of_kind: &BTreeMap<String, Value>, query: &BTreeMap<String, String>) -> Response {
    let wanted = query.get("filter").map(|filter| {
        let (attribute, literal) = filter.split_once(" eq ").unwrap();
        let literal: String = serde_json::from_str(literal).unwrap();
        (attribute.to_owned(), literal.to_lowercase())
    });
    let matches = |resource: &&Value| match &wanted {
        Some((attribute, literal)) => resource[attribute]
            .as_str()
            .is_some_and(|text| text.to_lowercase() == *literal),
        None => true,
    };
    let found: Vec<_> = of_kind.values().filter(matches).collect();
    let number = |name: &str, otherwise| {
        query
            .get(name)
            .map_or(otherwise, |text| text.parse().unwrap())
    };
    let page = found
        .iter()
        .skip(number("startIndex", 1) - 1)
        .take(number("count", 100));
    let page: Vec<_> = page
        .map(|resource| without_members(resource, query))
        .collect();
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": found.len(),
        "Resources": page,
    });
    scim(StatusCode::OK, &list)
}

fn scim(status: StatusCode, body: &Value) -> Response {
    let media_type = [("content-type", "application/scim+json")];
    (status, media_type, body.to_string()).into_response()
}

fn without_members(resource: &Value, query: &BTreeMap<String, String>) -> Value {
    let mut shown = resource.clone();
    if query
        .get("excludedAttributes")
        .is_some_and(|names| names == "members")
    {
        shown.as_object_mut().unwrap().remove("members");
    }
    shown
}

fn patch(kind: &ResourceType, id: &str, there: &mut Value, body: &Bytes) -> Response {
    let mut notes = Notes::default();
    let body = serde_json::from_slice(body).unwrap();
    let patch = Patch::parse(body, kind, id, Profile::Entra, &mut notes).unwrap();
    let mut whole = there.as_object().unwrap().clone();
    let members = whole.remove("members");
    let mut resource = Resource::from_stored(whole);
    patch.apply(kind, &mut resource).unwrap();
    let mut whole = resource.into_map();
    if let Some(members) = stepped(members, patch.members()) {
        whole.insert("members".to_owned(), members);
    }
    // Its own, not among the attributes that a client gives.
    whole.insert("id".to_owned(), json!(id));
    *there = Value::Object(whole);
    StatusCode::NO_CONTENT.into_response()
}

/// The members after some steps. To add one who is there already changes nothing (RFC 7644 section 3.5.2.1).
fn stepped(members: Option<Value>, steps: &[MemberStep]) -> Option<Value> {
    let mut members: Vec<Value> = members
        .and_then(|it| it.as_array().cloned())
        .unwrap_or_default();
    for step in steps {
        match step {
            MemberStep::Add(added) => {
                for member in added {
                    if !members.iter().any(|there| there["value"] == *member.value) {
                        members.push(json!({"value": member.value}));
                    }
                }
            }
            MemberStep::Remove(ids) => {
                members.retain(|member| !ids.iter().any(|id| member["value"] == **id))
            }
            other => panic!("nobody sends {other:?}"),
        }
    }
    (!members.is_empty()).then(|| members.into())
}

fn url_decoded(query: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{query}")).unwrap();
    url.query_pairs().into_owned().collect()
}
