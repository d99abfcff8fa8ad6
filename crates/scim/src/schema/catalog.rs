//! Which schemas a directory has: the standard ones, embedded at build time, and those that it defines itself.

use std::sync::{Arc, LazyLock};

use super::{Alias, Attribute, Catalog, POSIX, ResourceType, Schema};
use crate::Error;

/// The attributes that every resource has: `schemas`, `id`, `externalId`, `meta` (RFC 7643 section 3.1).
pub fn common() -> &'static [Attribute] {
    static COMMON: LazyLock<Schema> =
        LazyLock::new(|| embedded(include_str!("../schemas/common.json")));
    &COMMON.attributes
}

impl Catalog {
    /// User with the enterprise and the POSIX extension, and Group. Built once.
    pub fn standard() -> Arc<Self> {
        static STANDARD: LazyLock<Arc<Catalog>> =
            LazyLock::new(|| Arc::new(Catalog::build_standard()));
        Arc::clone(&STANDARD)
    }

    /// The standard catalog with extensions that a directory defines for its users and its groups.
    ///
    /// # Errors
    /// `invalidValue` when a URN is reserved, taken, or a part of another one (so that the attribute paths
    /// under the two could not be told apart).
    pub fn with_extensions(user: Vec<Schema>, group: Vec<Schema>) -> Result<Self, Error> {
        let mut catalog = Self::build_standard();
        for schema in user {
            catalog.extend(USERS, schema)?;
        }
        for schema in group {
            catalog.extend(GROUPS, schema)?;
        }
        Ok(catalog)
    }

    /// The type of users.
    pub fn user(&self) -> &ResourceType {
        &self.types[USERS]
    }

    /// The type of groups.
    pub fn group(&self) -> &ResourceType {
        &self.types[GROUPS]
    }

    /// All resource types, in the order in which they are published.
    pub fn types(&self) -> &[ResourceType] {
        &self.types
    }

    /// All schemas, each once, in the order in which they are published.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.types.iter().flat_map(|t| {
            std::iter::once(&t.schema).chain(t.extensions.iter().map(|(schema, _)| schema))
        })
    }

    /// The schema of that URN, in any letter case.
    pub fn schema(&self, urn: &str) -> Option<&Schema> {
        self.schemas()
            .find(|s| s.id.eq_ignore_ascii_case(urn))
            .map(Arc::as_ref)
    }

    /// The type served at that path below the base, such as `/Users`, in this letter case.
    pub fn by_endpoint(&self, endpoint: &str) -> Option<&ResourceType> {
        self.types.iter().find(|t| t.endpoint == endpoint)
    }

    /// The type of that name, such as `User`, in any letter case.
    pub fn by_name(&self, name: &str) -> Option<&ResourceType> {
        self.types
            .iter()
            .find(|t| t.name.eq_ignore_ascii_case(name))
    }

    fn build_standard() -> Self {
        let embedded = |json| Arc::new(embedded(json));
        let user = ResourceType {
            name: "User".into(),
            endpoint: "/Users".into(),
            description: "People and accounts.".into(),
            schema: embedded(include_str!("../schemas/user.json")),
            extensions: vec![
                (embedded(include_str!("../schemas/enterprise.json")), false),
                (embedded(include_str!("../schemas/posix.json")), false),
            ],
            // What documents of SSH access products tell administrators to map; both mean the POSIX account.
            aliases: vec![
                Alias {
                    from: "urn:scim:smallstep:ssh:schema".into(),
                    schema: POSIX.into(),
                    attribute: None,
                },
                Alias {
                    from: "defaultRemoteIdentity".into(),
                    schema: POSIX.into(),
                    attribute: Some("remoteIdentity".into()),
                },
            ],
        };
        let group = ResourceType {
            name: "Group".into(),
            endpoint: "/Groups".into(),
            description: "Sets of users and groups.".into(),
            schema: embedded(include_str!("../schemas/group.json")),
            extensions: Vec::new(),
            aliases: Vec::new(),
        };
        Self {
            types: vec![user, group],
        }
    }

    fn extend(&mut self, index: usize, schema: Schema) -> Result<(), Error> {
        if is_reserved(&schema.id) {
            return Err(Error::invalid_value(format!(
                "{} is in a namespace reserved for others; take one of your own, such as urn:example:…",
                schema.id
            )));
        }
        let aliases = self
            .types
            .iter()
            .flat_map(|t| &t.aliases)
            .map(|a| a.from.as_str());
        let taken = self.schemas().map(|s| s.id.as_str()).chain(aliases);
        if let Some(other) = { taken }.find(|other| overlap(other, &schema.id)) {
            return Err(Error::invalid_value(format!(
                "{} clashes with {other}: neither may be the beginning of the other",
                schema.id
            )));
        }
        self.types[index].extensions.push((Arc::new(schema), false));
        Ok(())
    }
}

const USERS: usize = 0;
const GROUPS: usize = 1;

/// RFC 7643 section 10 gives these to the RFCs and to Portreeve; an extension below
/// `urn:ietf:params:scim:schemas:extension:` is what providers such as Entra ID demand of custom attributes.
fn is_reserved(urn: &str) -> bool {
    let urn = urn.to_ascii_lowercase();
    ["urn:portreeve:", "urn:ietf:"]
        .iter()
        .any(|reserved| urn.starts_with(reserved))
        && !urn.starts_with("urn:ietf:params:scim:schemas:extension:")
}

/// Whether one URN is the other or a beginning of it that ends at a separator, in any letter case.
fn overlap(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.get(..short.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(short))
        && matches!(long.as_bytes().get(short.len()), None | Some(b':' | b'.'))
}

#[expect(
    clippy::expect_used,
    reason = "the text is part of the program; a test reads every embedded schema"
)]
fn embedded(json: &str) -> Schema {
    let value = serde_json::from_str(json).expect("an embedded schema is JSON");
    Schema::from_json(&value).expect("an embedded schema is well-formed")
}
