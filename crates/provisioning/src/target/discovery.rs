//! What a target says about itself (RFC 7644 section 4), read with doubt: many targets say nothing, a page, or half of it.
//!
//! Nothing here decides what is sent. It lets a mapping be checked before the first person is provisioned.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Map, Value};

use super::answer::member;
use super::client::Client;
use super::error::Error;
use super::path::Path;
use super::tenant_url::ResourceKind;
use super::transport::Request;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What a target says it can do. `None` is what it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether it takes PATCH.
    pub patch: Option<bool>,
    /// Whether it filters.
    pub filter: Option<bool>,
    /// Whether it knows versions.
    pub etag: Option<bool>,
    /// How many resources a list holds at most.
    pub largest_page: Option<u64>,
    /// The resource types it lists.
    types: Option<Vec<Type>>,
    /// By the URN of the schema in lower case.
    schemas: Option<HashMap<String, HashMap<String, Attribute>>>,
    /// Whether `schemas` is all there is.
    complete: bool,
}

/// What a target says about one of its attributes (RFC 7643 section 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Whether a resource cannot be made without it.
    pub required: bool,
    /// Whether a change of letter case alone is a change.
    pub case_exact: bool,
    /// Whether it takes several values.
    pub multi_valued: bool,
    /// Whether only the target sets it.
    pub read_only: bool,
    /// Whether no two resources have the same value.
    pub unique: bool,
}

/// What is known of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// The target has it.
    Attribute(&'a Attribute),
    /// The target lists its attributes, and this is not among them.
    Missing,
    /// The target does not say.
    Unsaid,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Type {
    endpoint: String,
    schema: String,
}

impl Capabilities {
    /// Whether the target has resources of this kind.
    #[must_use]
    pub fn serves(&self, kind: ResourceKind) -> Option<bool> {
        let types = self.types.as_ref()?;
        Some(types.iter().any(|known| known.is(kind)))
    }

    /// What the target says about the attribute at a path such as `emails[type eq "work"].value`.
    #[must_use]
    pub fn attribute(&self, kind: ResourceKind, path: &str) -> Known<'_> {
        let (Some(schemas), Some(path)) = (&self.schemas, Path::parse(path)) else {
            return Known::Unsaid;
        };
        let name = path.name();
        // What every resource has is in no schema (RFC 7643 section 3.1).
        let top = name.split('.').next().unwrap_or_default();
        if path.extension.is_none() && ["id", "externalid", "meta", "schemas"].contains(&top) {
            return Known::Unsaid;
        }
        let urn = match path.extension {
            Some(urn) => urn.to_lowercase(),
            None => self.core(kind),
        };
        match schemas.get(&urn) {
            Some(attributes) => attributes
                .get(&name)
                .map_or(Known::Missing, Known::Attribute),
            None if self.complete && path.extension.is_some() => Known::Missing,
            None => Known::Unsaid,
        }
    }

    /// The attributes, in lower case, without which the target makes no resource of this kind, as far as it says.
    pub fn required(&self, kind: ResourceKind) -> impl Iterator<Item = &str> {
        let schema = self
            .schemas
            .as_ref()
            .and_then(|all| all.get(&self.core(kind)));
        let attributes = schema.into_iter().flatten();
        attributes
            .filter(|(name, known)| known.required && !known.read_only && !name.contains('.'))
            .map(|(name, _)| name.as_str())
    }

    /// The schema whose attributes stand in a resource itself.
    fn core(&self, kind: ResourceKind) -> String {
        let mut types = self.types.iter().flatten();
        let named = types
            .find(|known| known.is(kind))
            .map(|known| known.schema.clone());
        named
            .filter(|urn| !urn.is_empty())
            .unwrap_or_else(|| core(kind).to_lowercase())
    }

    fn configured(&mut self, config: &Map<String, Value>) {
        let feature = |name: &str| member(config, name).and_then(Value::as_object);
        let supported = |name: &str| feature(name).and_then(|feature| truth(feature, "supported"));
        self.patch = supported("patch");
        self.filter = supported("filter");
        self.etag = supported("etag");
        self.largest_page = feature("filter")
            .and_then(|filter| member(filter, "maxResults")?.as_u64())
            .filter(|largest| *largest > 0);
    }
}

impl Type {
    fn read(resource: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| member(resource, name).and_then(Value::as_str);
        Some(Self {
            endpoint: text("endpoint")?.to_owned(),
            schema: text("schema").unwrap_or_default().to_lowercase(),
        })
    }

    fn is(&self, kind: ResourceKind) -> bool {
        // Some targets write the whole address.
        let last = self.endpoint.trim_end_matches('/').rsplit('/').next();
        last.is_some_and(|last| last.eq_ignore_ascii_case(kind.endpoint()))
    }
}

impl Client {
    /// What the target says about itself. It is asked once; clones of this client know the answer, too.
    ///
    /// # Errors
    /// Only where every other request would fail as well: no connection, refused credentials, too many requests. What
    /// is absent, refused or no SCIM is as good as unsaid.
    pub async fn discover(&self) -> Result<&Capabilities, Error> {
        self.capabilities.get_or_try_init(|| self.ask()).await
    }

    async fn ask(&self) -> Result<Capabilities, Error> {
        let mut capabilities = Capabilities::default();
        if let Some(Value::Object(config)) = self.document(&["ServiceProviderConfig"]).await? {
            capabilities.configured(&config);
        }
        let types = self.document(&["ResourceTypes"]).await?;
        capabilities.types = types.as_ref().and_then(|types| {
            let types = members_of(types)?.0;
            let types: Vec<_> = types.into_iter().filter_map(Type::read).collect();
            (!types.is_empty()).then_some(types)
        });
        let list = self.document(&["Schemas"]).await?;
        if let Some((schemas, complete)) = list.as_ref().and_then(members_of) {
            capabilities.schemas = read_schemas(schemas);
            capabilities.complete = complete;
        }
        if capabilities.schemas.is_none() {
            capabilities.schemas = self.schemas_by_name().await?;
            capabilities.complete = false;
        }
        Ok(capabilities)
    }

    /// Some targets have no list of schemas and show each by its URN.
    async fn schemas_by_name(
        &self,
    ) -> Result<Option<HashMap<String, HashMap<String, Attribute>>>, Error> {
        let mut found = Vec::new();
        for urn in [
            core(ResourceKind::User),
            core(ResourceKind::Group),
            ENTERPRISE,
        ] {
            if let Some(Value::Object(schema)) = self.document(&["Schemas", urn]).await? {
                found.push(schema);
            }
        }
        Ok(read_schemas(found.iter().collect()))
    }

    async fn document(&self, segments: &[&str]) -> Result<Option<Value>, Error> {
        let request = Request::without_body(Method::GET, self.base.discovery(segments));
        match self.transport.exchange(&request).await {
            Ok(answer) => Ok(answer.json().ok()),
            Err(Error::NotScim { .. }) => Ok(None),
            Err(Error::Refused { status, .. }) if status != 401 => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn core(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::User => "urn:ietf:params:scim:schemas:core:2.0:User",
        ResourceKind::Group => "urn:ietf:params:scim:schemas:core:2.0:Group",
    }
}

/// The objects of a list, and whether they are all. Some targets send a plain array.
fn members_of(list: &Value) -> Option<(Vec<&Map<String, Value>>, bool)> {
    let (members, total) = match list {
        Value::Array(members) => (members, None),
        Value::Object(list) => (
            member(list, "Resources")?.as_array()?,
            member(list, "totalResults").and_then(Value::as_u64),
        ),
        _ => return None,
    };
    let complete = total.is_none_or(|total| total <= members.len() as u64);
    Some((
        members.iter().filter_map(Value::as_object).collect(),
        complete,
    ))
}

/// The attributes of schemas, by URN and by name. A schema without any says nothing.
fn read_schemas(
    schemas: Vec<&Map<String, Value>>,
) -> Option<HashMap<String, HashMap<String, Attribute>>> {
    let mut read = HashMap::new();
    for schema in schemas {
        let Some(urn) = member(schema, "id").and_then(Value::as_str) else {
            continue;
        };
        let mut attributes = HashMap::new();
        read_attributes(schema, "attributes", "", &mut attributes);
        if !attributes.is_empty() {
            read.insert(urn.to_lowercase(), attributes);
        }
    }
    (!read.is_empty()).then_some(read)
}

fn read_attributes(
    of: &Map<String, Value>,
    list: &str,
    parent: &str,
    found: &mut HashMap<String, Attribute>,
) {
    let listed = member(of, list).and_then(Value::as_array);
    for attribute in listed.into_iter().flatten().filter_map(Value::as_object) {
        let text = |name: &str| member(attribute, name).and_then(Value::as_str);
        let Some(name) = text("name") else {
            continue;
        };
        let is = |name: &str| truth(attribute, name).unwrap_or_default();
        let says =
            |name: &str, word: &str| text(name).is_some_and(|said| said.eq_ignore_ascii_case(word));
        let name = format!("{parent}{}", name.to_lowercase());
        // Schemas nest no deeper than this (RFC 7643 section 2.3.8).
        if parent.is_empty() {
            read_attributes(attribute, "subAttributes", &format!("{name}."), found);
        }
        let known = Attribute {
            required: is("required"),
            case_exact: is("caseExact"),
            multi_valued: is("multiValued"),
            read_only: says("mutability", "readOnly"),
            unique: says("uniqueness", "server") || says("uniqueness", "global"),
        };
        found.insert(name, known);
    }
}

/// A truth value, which some targets write as text.
fn truth(object: &Map<String, Value>, name: &str) -> Option<bool> {
    match member(object, name)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.to_lowercase().parse().ok(),
        _ => None,
    }
}
