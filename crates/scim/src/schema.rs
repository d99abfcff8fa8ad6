//! Schemas as data (RFC 7643 section 7): attributes and their characteristics, resource types, and the
//! [`Catalog`] of a directory.

use std::sync::Arc;

mod catalog;
mod definition;
mod resolve;
#[cfg(test)]
mod tests;

pub use catalog::common;
pub use resolve::Resolved;

/// URN of the core user schema.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the core group schema.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// URN of the enterprise extension.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// URN of Portreeve's POSIX extension: `uid`, `gid` (integers), `shell`, `remoteIdentity` (strings).
pub const POSIX: &str = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User";

/// Data type of an attribute (RFC 7643 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum Kind {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

/// Who may write (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

/// When it is sent (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum Returned {
    Always,
    Never,
    Default,
    Request,
}

/// How unique (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub enum Uniqueness {
    None,
    Server,
    Global,
}

/// One attribute with all its characteristics.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Canonical spelling.
    pub name: String,
    /// Data type.
    pub kind: Kind,
    /// Whether the value is a list.
    pub multi_valued: bool,
    /// For people.
    pub description: String,
    /// Whether a resource without it is refused.
    pub required: bool,
    /// Suggested values; others are accepted (RFC 7643 section 2.4 calls them canonical, not closed).
    pub canonical_values: Vec<String>,
    /// Whether strings compare with case.
    pub case_exact: bool,
    /// Who may write.
    pub mutability: Mutability,
    /// When it is sent.
    pub returned: Returned,
    /// How unique.
    pub uniqueness: Uniqueness,
    /// What a reference may point at.
    pub reference_types: Vec<String>,
    /// Of a complex attribute.
    pub sub_attributes: Vec<Self>,
}

impl Attribute {
    /// The sub-attribute of that name, in any letter case.
    pub fn sub(&self, name: &str) -> Option<&Self> {
        self.sub_attributes
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// A schema: a URN and its attributes.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The URN.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// Top-level attributes, without the common ones (`id`, `externalId`, `meta`, `schemas`).
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute of that name, in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(name))
    }
}

/// A kind of resource with its endpoint: a base schema and extensions.
#[derive(Debug, Clone)]
pub struct ResourceType {
    /// `User`, `Group`.
    pub name: String,
    /// `/Users`, `/Groups`.
    pub endpoint: String,
    /// Description for people.
    pub description: String,
    /// The base schema.
    pub schema: Arc<Schema>,
    /// Extension schemas and whether a resource must have them.
    pub extensions: Vec<(Arc<Schema>, bool)>,
    /// Foreign names of attributes of this type.
    pub aliases: Vec<Alias>,
}

/// Another name that clients use for an attribute or a whole extension.
/// Aliases are read everywhere (bodies, filters, paths) and never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// What clients send: a URN (`urn:scim:smallstep:ssh:schema`, whose attributes then are those of the target
    /// schema) or an attribute name without a URN (`defaultRemoteIdentity`).
    pub from: String,
    /// URN of the schema meant.
    pub schema: String,
    /// The attribute meant, when `from` names one attribute.
    pub attribute: Option<String>,
}

/// Everything a directory publishes under `/Schemas` and `/ResourceTypes`.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Users, then groups.
    types: Vec<ResourceType>,
}
