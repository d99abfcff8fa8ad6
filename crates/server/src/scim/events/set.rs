//! Security event tokens made from events of the log (RFC 9967 section 2, RFC 8417).
//!
//! `full` tells values as far as the log still has them: creations and patches always, a replacement as long as the
//! resource has not changed since. Otherwise the `notice` of the same event is sent, and the receiver reads the
//! resource over SCIM. Either way a token tells of one committed change and has that change's id as its `jti`.

use crate::scim::operations::Kind;
use crate::scim::tag;
use portreeve_directory::directories::Directory;
use portreeve_directory::events::Event;
use portreeve_directory::streams::{Content, Stream};
use portreeve_directory::{Refusal, groups, members, users};
use portreeve_scim::path::AttributePath;
use portreeve_scim::schema::{Resolved, ResourceType, Returned};
use portreeve_scim::{Profile, Projection, Resource};
use portreeve_store::Tx;
use serde_json::{Map, Value, json};

const PROV: &str = "urn:ietf:params:scim:event:prov:";
const ASYNC_RESPONSE: &str = "urn:ietf:params:scim:event:misc:asyncresp";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The most members that one token carries; beyond it, it only says that they have changed (RFC 9967 section 5).
const MEMBERS: usize = 1000;

/// The claims of the token that tells a stream of an event. `issuer` is the tenant URL.
pub(super) fn claims(
    tx: &mut Tx<'_>,
    directory: &Directory,
    issuer: &str,
    stream: &Stream,
    event: &Event,
) -> Result<Value, Refusal> {
    let mut claims = match event.action.as_str() {
        "answer" => {
            let told = event.changes.iter().filter_map(|change| {
                Some((
                    change["attribute"].as_str()?.to_owned(),
                    change["new"].clone(),
                ))
            });
            answer(issuer, &event.id, event.at, told.collect())
        }
        _ => change(tx, directory, issuer, stream.content, event)?,
    };
    claims.insert("aud".into(), json!(stream.audience));
    Ok(Value::Object(claims))
}

/// The claims that tell what came of a request that was answered before it was carried out (RFC 9967 section 2.5.1.3).
/// `told` is the result as RFC 7644 section 3.7.3 has it, with `txn` and `uri`.
pub(super) fn answer(
    issuer: &str,
    jti: &str,
    at: i64,
    mut told: Map<String, Value>,
) -> Map<String, Value> {
    let txn = told.shift_remove("txn").unwrap_or_else(|| json!(jti));
    let uri = told.shift_remove("uri").unwrap_or_else(|| json!("/"));
    let mut claims = common(issuer, jti, at);
    claims.insert("txn".into(), txn);
    claims.insert("sub_id".into(), json!({ "format": "scim", "uri": uri }));
    claims.insert("events".into(), json!({ ASYNC_RESPONSE: told }));
    claims
}

fn change(
    tx: &mut Tx<'_>,
    directory: &Directory,
    issuer: &str,
    content: Content,
    event: &Event,
) -> Result<Map<String, Value>, Refusal> {
    let kind = match event.object_kind.as_deref() {
        Some("Group") => Kind::Group,
        _ => Kind::User,
    };
    let told = Told {
        directory,
        issuer,
        event,
        kind,
        of: kind.of(&directory.catalog),
        id: event.object_id.as_deref().unwrap_or_default(),
    };
    let now = told.current(tx)?;
    let mut claims = common(issuer, &event.id, event.at);
    claims.insert("txn".into(), json!(event.id));
    claims.insert("sub_id".into(), told.subject(now.as_ref()));
    let events = told.events(tx, content, now.as_ref())?;
    claims.insert("events".into(), Value::Object(events));
    Ok(claims)
}

/// `iat` is the time of the change, so that a token that is sent again is the same.
fn common(issuer: &str, jti: &str, at: i64) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(issuer));
    claims.insert("iat".into(), json!(at.div_euclid(1_000_000)));
    claims.insert("jti".into(), json!(jti));
    claims
}

/// One change that is being told.
struct Told<'a> {
    directory: &'a Directory,
    issuer: &'a str,
    event: &'a Event,
    kind: Kind,
    of: &'a ResourceType,
    id: &'a str,
}

impl Told<'_> {
    /// The resource as it is now, with its version; `None` when it is gone.
    fn current(&self, tx: &mut Tx<'_>) -> Result<Option<(i64, Resource)>, Refusal> {
        let found = match self.kind {
            Kind::User => users::by_id(tx, &self.directory.id, self.id)
                .and_then(|user| Ok((user.version, user.parsed()?))),
            Kind::Group => groups::by_id(tx, &self.directory.id, self.id)
                .and_then(|group| Ok((group.version, group.parsed()?))),
        };
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Refusal::NotFound(..)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Who it is about (RFC 9967 section 2.1): `externalId` where it is known.
    fn subject(&self, now: Option<&(i64, Resource)>) -> Value {
        let mut subject = Map::new();
        subject.insert("format".into(), json!("scim"));
        let uri = format!("/{}/{}", self.kind.endpoint(), self.id);
        subject.insert("uri".into(), json!(uri));
        subject.insert("id".into(), json!(self.id));
        if let Some(external_id) = now.and_then(|(_, resource)| resource.external_id()) {
            subject.insert("externalId".into(), json!(external_id));
        }
        Value::Object(subject)
    }

    /// The `events` claim: what was done, and beside it whether the resource came into use or went out of it.
    fn events(
        &self,
        tx: &mut Tx<'_>,
        content: Content,
        now: Option<&(i64, Resource)>,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut events = Map::new();
        let (verb, data) = match self.event.action.as_str() {
            // Where the directory keeps whom its provider deletes, the deletion is a change of `active`.
            "delete"
                if !self
                    .event
                    .changes
                    .iter()
                    .any(|change| change["attribute"] == "active") =>
            {
                events.insert(format!("{PROV}delete"), json!({}));
                return Ok(events);
            }
            "create" => ("create", self.created(tx, content, now)?),
            "replace" => ("put", self.whole(tx, content, now)?),
            _ => ("patch", self.patched(content)),
        };
        let mut payload = Map::new();
        let form = match data {
            Some(data) => {
                payload.insert("data".into(), data);
                Content::Full
            }
            None => {
                payload.insert("attributes".into(), self.attributes());
                Content::Notice
            }
        };
        if let Some(version) = self.event.version {
            payload.insert("version".into(), json!(tag::of_version(version)));
        }
        let uri = format!("{PROV}{verb}:{}", form.name());
        events.insert(uri, Value::Object(payload));
        if let Some(turn) = self.turn().filter(|_| verb != "create") {
            events.insert(format!("{PROV}{turn}"), json!({}));
        }
        Ok(events)
    }

    /// Whether the change let a user in or out. A user without `active` is active.
    fn turn(&self) -> Option<&'static str> {
        let of = |change: &&Value| change["attribute"] == "active";
        let change = self.event.changes.iter().find(of)?;
        let active = |side: &str| change.get(side).is_none_or(|value| value == true);
        match (active("old"), active("new")) {
            (false, true) => Some("activate"),
            (true, false) => Some("deactivate"),
            _ => None,
        }
    }

    /// The names of what changed, without what is never returned.
    fn attributes(&self) -> Value {
        let mut names: Vec<&str> = self.changes().map(|(name, _)| name).collect();
        if self.event.action == "create" {
            names.insert(0, "id");
        }
        json!(names)
    }

    /// The changes that may be told, by path.
    fn changes(&self) -> impl Iterator<Item = (&str, &Value)> {
        let named = |change: &'_ Value| {
            change["attribute"]
                .as_str()
                .is_some_and(|name| self.may_tell(name))
        };
        let told = self
            .event
            .changes
            .iter()
            .filter(move |change| named(change));
        told.filter_map(|change| Some((change["attribute"].as_str()?, change)))
    }

    fn may_tell(&self, path: &str) -> bool {
        self.resolve(path).is_some_and(|found| {
            let mut parts = [found.attribute, found.sub].into_iter().flatten();
            parts.all(|attribute| attribute.returned != Returned::Never)
        })
    }

    fn resolve(&self, path: &str) -> Option<Resolved<'_>> {
        let path = AttributePath::parse(path).ok()?;
        self.of.resolve(&path, Profile::Lenient)
    }

    /// A value without the parts of it that are never returned; `None` when nothing is left of it.
    fn tellable(&self, path: &str, value: &Value) -> Option<Value> {
        let found = self.resolve(path)?;
        let is_part = match found.extension {
            Some(_) => found.attribute.is_some(),
            None => found.sub.is_some(),
        };
        if is_part {
            return Some(value.clone());
        }
        let mut whole = Map::new();
        whole.insert(path.to_owned(), value.clone());
        Projection::default().apply(self.of, &mut whole);
        whole.shift_remove(path)
    }

    /// A new resource as it was made. One that was revived is told like a replaced one.
    fn created(
        &self,
        tx: &mut Tx<'_>,
        content: Content,
        now: Option<&(i64, Resource)>,
    ) -> Result<Option<Value>, Refusal> {
        if self.event.changes.iter().any(|c| c.get("old").is_some())
            || self.event.version != Some(1)
        {
            return self.whole(tx, content, now);
        }
        if content == Content::Notice {
            return Ok(None);
        }
        let mut data = Map::new();
        for change in &self.event.changes {
            let (Some(name), Some(new)) = (change["attribute"].as_str(), change.get("new")) else {
                continue;
            };
            let value = match (name, new.as_array()) {
                ("members", Some(ids)) if ids.len() > MEMBERS => return Ok(None),
                ("members", Some(ids)) => elements(ids),
                _ => new.clone(),
            };
            data.insert(name.to_owned(), value);
        }
        Ok(Some(self.representation(data)))
    }

    /// The resource as it is, if it is still what the change made of it.
    fn whole(
        &self,
        tx: &mut Tx<'_>,
        content: Content,
        now: Option<&(i64, Resource)>,
    ) -> Result<Option<Value>, Refusal> {
        let Some((version, resource)) = now.filter(|_| content == Content::Full) else {
            return Ok(None);
        };
        if Some(*version) != self.event.version {
            return Ok(None);
        }
        let mut data = resource.as_map().clone();
        if self.kind == Kind::Group {
            let limit = i64::try_from(MEMBERS).unwrap_or(i64::MAX);
            let page = members::page(tx, &self.directory.id, self.id, "", limit + 1)?;
            if page.len() > MEMBERS {
                return Ok(None);
            }
            let ids: Vec<Value> = page.into_iter().map(|member| json!(member.id)).collect();
            if !ids.is_empty() {
                data.insert("members".into(), elements(&ids));
            }
        }
        Ok(Some(self.representation(data)))
    }

    /// The attributes as a resource that a SCIM answer could have, without what is never returned.
    fn representation(&self, mut attributes: Map<String, Value>) -> Value {
        let extensions = attributes.keys().filter(|name| name.starts_with("urn:"));
        let schemas: Vec<&str> = std::iter::once(self.of.schema.id.as_str())
            .chain(extensions.map(String::as_str))
            .collect();
        let mut data = Map::new();
        data.insert("schemas".into(), json!(schemas));
        data.insert("id".into(), json!(self.id));
        attributes.shift_remove("schemas");
        data.extend(attributes);
        data.insert("meta".into(), self.meta());
        Projection::default().apply(self.of, &mut data);
        Value::Object(data)
    }

    fn meta(&self) -> Value {
        let location = format!("{}/{}/{}", self.issuer, self.kind.endpoint(), self.id);
        json!({
            "resourceType": self.kind.name(),
            "location": location,
            "version": self.event.version.map(tag::of_version),
        })
    }

    /// The change as a PATCH that makes it (RFC 7644 section 3.5.2).
    fn patched(&self, content: Content) -> Option<Value> {
        if content == Content::Notice {
            return None;
        }
        let mut operations = Vec::new();
        for (path, change) in self.changes() {
            let (old, new) = (change.get("old"), change.get("new"));
            if path == "members" {
                operations.extend(moves(old, new)?);
                continue;
            }
            let Some(new) = new else {
                operations.push(json!({ "op": "remove", "path": path }));
                continue;
            };
            if let Some(value) = self.tellable(path, new) {
                let op = if old.is_some() { "replace" } else { "add" };
                operations.push(json!({ "op": op, "path": path, "value": value }));
            }
        }
        Some(json!({ "schemas": [PATCH_OP], "Operations": operations }))
    }
}

/// The operations that move members; `None` when they are too many for one token.
fn moves(gone: Option<&Value>, come: Option<&Value>) -> Option<Vec<Value>> {
    let ids = |list: Option<&Value>| list.and_then(Value::as_array).cloned().unwrap_or_default();
    let (gone, come) = (ids(gone), ids(come));
    if gone.len() + come.len() > MEMBERS {
        return None;
    }
    let removed = gone
        .iter()
        .map(|id| json!({ "op": "remove", "path": format!("members[value eq {id}]") }));
    let mut operations: Vec<Value> = removed.collect();
    if !come.is_empty() {
        operations.push(json!({ "op": "add", "path": "members", "value": elements(&come) }));
    }
    Some(operations)
}

fn elements(ids: &[Value]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}
