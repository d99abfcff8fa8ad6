//! Tolerances for known clients, each named, and the profiles that group them.
//!
//! Some habits of clients need no tolerance because the RFCs allow them, and every profile takes them: attribute
//! names in any case (`operations`), `add` on a value that is set, `null` for "no value", one object as the value of
//! an `add` to a list, further keys in a PATCH operation, `members[value eq"1"]` without a blank. Entra's roles with
//! JSON in a string stay the strings they are: its next comparison expects to read back what it wrote.

use std::fmt;

/// One tolerance. What it accepts, from whom, and whether it contradicts the RFCs stands at each variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// `"op": "Replace"`: operation names in any letter case. From Entra. The RFC prints them in lower case and does
    /// not say that case matters.
    OpCase,
    /// `"active": "False"`, `roles[primary eq "True"]`: the strings `true` and `false` in any letter case where the
    /// attribute is a boolean. From Entra. Contradicts no client that keeps to the type (RFC 7643 section 2.3.2).
    BooleanStrings,
    /// `"op": "remove", "path": "members", "value": [{"value": "1"}]`: removes just the elements listed. From Entra's
    /// default jobs and rauthy. The RFC gives a `value` no meaning there; without this it is refused, because to
    /// ignore it would empty the group.
    RemoveByValue,
    /// `{"name.givenName": "K", "urn:…:2.0:User:department": "D"}`: keys of a PATCH without `path` that are paths
    /// themselves. From Entra with `aadOptscim062020`. The RFC has no such keys.
    QualifiedKeys,
    /// `add` to `emails[type eq "work"].value` on a user without such an element creates it from the filter's `eq`
    /// terms; several operations of one request fill one element. From Entra. The RFC leaves the case open.
    CreateOnAdd,
    /// The same for `replace`. From Entra. Contradicts RFC 7644 section 3.5.2.3, which demands `noTarget`.
    CreateOnReplace,
    /// A bare string as the value of a single complex attribute with a `value`, `"manager": "1"`. From Entra. Without
    /// it this is the wrong type.
    ManagerAsString,
    /// A list of one as the value of the same attributes, `"manager": [{"value": "1"}]`. From Entra's older documents.
    ManagerAsList,
    /// `""` or `{"value": ""}` for the same attributes takes the value away. From Entra.
    EmptyManagerClears,
    /// `manager` for `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager`: the name of an extension's
    /// attribute alone, where the base schema has no attribute of that name. From Entra.
    ExtensionWithoutUrn,
    /// `schemas` and `meta` in a PATCH without `path`, as part of a whole resource: ignored. From Entra and authentik.
    /// The RFC refuses changes to read-only attributes; repeating them is none.
    MetadataInPatch,
    /// The resource's own `id` in a PATCH without `path`. From Okta. Another id stays an error.
    SameIdInPatch,
    /// Attributes that no schema of the resource type defines are ignored in bodies, and noted. From Entra and most
    /// others. RFC 7644 section 3.3 leaves the choice to the server.
    UnknownAttributes,
    /// Data of an extension whose URN is missing from `schemas`. From Entra with custom extensions; `schemas` is
    /// computed from the data anyway.
    UndeclaredExtensions,
    /// URNs in `schemas` that the resource type does not have, such as Entra's
    /// `http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`. Ignored.
    UnknownSchemaUrns,
    /// An operation whose `path` names an unknown attribute is skipped, and noted. From Entra with custom mappings,
    /// where one stale mapping would stop every change to every user. Contradicts RFC 7644 section 3.5.2
    /// (`invalidPath`).
    UnknownPaths,
    /// A list of one for an attribute that is no list, `[{"$ref": null, "value": "Ann"}]` for `displayName`. From the
    /// library of Entra's older jobs. Contradicts RFC 7643 section 2.4.
    ListForSingular,
    /// One element where a list is meant, `"emails": {"value": "a@b.c"}`. From hand-written clients. Contradicts
    /// RFC 7643 section 2.4.
    SingleForMultiple,
    /// `"members": ["1", "2"]`: ids as bare strings. From Microsoft's collections and Rippling. Contradicts RFC 7643
    /// section 2.4.
    MemberIdStrings,
    /// `urn:…:2.0:User.manager`: a dot between URN and attribute. From Microsoft's inbound collection. Contradicts
    /// RFC 7644 section 3.10.
    DotAfterUrn,
    /// `""` for a string that is not required takes the value away. From Entra, whose validator expects to read back
    /// nothing. Contradicts RFC 7643 section 2.5, where an empty string is a value.
    EmptyStringClears,
}

impl Leniency {
    /// All tolerances, in the order they are listed to people.
    pub const ALL: [Self; 21] = [
        Self::OpCase,
        Self::BooleanStrings,
        Self::RemoveByValue,
        Self::QualifiedKeys,
        Self::CreateOnAdd,
        Self::CreateOnReplace,
        Self::ManagerAsString,
        Self::ManagerAsList,
        Self::EmptyManagerClears,
        Self::ExtensionWithoutUrn,
        Self::MetadataInPatch,
        Self::SameIdInPatch,
        Self::UnknownAttributes,
        Self::UndeclaredExtensions,
        Self::UnknownSchemaUrns,
        Self::UnknownPaths,
        Self::ListForSingular,
        Self::SingleForMultiple,
        Self::MemberIdStrings,
        Self::DotAfterUrn,
        Self::EmptyStringClears,
    ];

    /// The name in reports and on screens, such as `boolean-strings`.
    pub fn name(self) -> &'static str {
        self.text().0
    }

    /// What is accepted, as a phrase for people.
    pub fn description(self) -> &'static str {
        self.text().1
    }

    /// Whether a rule of the RFCs says otherwise. Such a tolerance is never part of [`Profile::Lenient`].
    pub fn contradicts_rfc(self) -> bool {
        matches!(
            self,
            Self::CreateOnReplace
                | Self::UnknownPaths
                | Self::ListForSingular
                | Self::SingleForMultiple
                | Self::MemberIdStrings
                | Self::DotAfterUrn
                | Self::EmptyStringClears
        )
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::OpCase => ("op-case", "operation names in any letter case"),
            Self::BooleanStrings => ("boolean-strings", "\"True\" and \"False\" for booleans"),
            Self::RemoveByValue => (
                "remove-by-value",
                "a remove that lists the elements to take away",
            ),
            Self::QualifiedKeys => (
                "qualified-keys",
                "dotted and URN-qualified keys in a PATCH without path",
            ),
            Self::CreateOnAdd => (
                "create-on-add",
                "an add creates the element that its filter describes",
            ),
            Self::CreateOnReplace => ("create-on-replace", "so does a replace"),
            Self::ManagerAsString => ("manager-as-string", "the manager's id as a bare string"),
            Self::ManagerAsList => ("manager-as-list", "the manager as a list of one"),
            Self::EmptyManagerClears => (
                "empty-manager-clears",
                "an empty string takes the manager away",
            ),
            Self::ExtensionWithoutUrn => (
                "extension-without-urn",
                "attributes of extensions without their URN",
            ),
            Self::MetadataInPatch => (
                "metadata-in-patch",
                "schemas and meta in a PATCH without path are ignored",
            ),
            Self::SameIdInPatch => (
                "same-id-in-patch",
                "the resource's own id in a PATCH without path",
            ),
            Self::UnknownAttributes => (
                "unknown-attributes",
                "unknown attributes in bodies are ignored",
            ),
            Self::UndeclaredExtensions => (
                "undeclared-extensions",
                "extension data without its URN in schemas",
            ),
            Self::UnknownSchemaUrns => {
                ("unknown-schema-urns", "unknown URNs in schemas are ignored")
            }
            Self::UnknownPaths => (
                "unknown-paths",
                "PATCH operations on unknown attributes are skipped",
            ),
            Self::ListForSingular => ("list-for-singular", "a list of one for a single value"),
            Self::SingleForMultiple => ("single-for-multiple", "one element for a list"),
            Self::MemberIdStrings => ("member-id-strings", "member ids as bare strings"),
            Self::DotAfterUrn => ("dot-after-urn", "a dot between a URN and its attribute"),
            Self::EmptyStringClears => (
                "empty-string-clears",
                "an empty string takes an optional value away",
            ),
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A named set of [`Leniency`]s; the compatibility profile of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// RFC behaviour only.
    Strict,
    /// Everything Microsoft Entra ID needs: all tolerances, also those that contradict the RFCs.
    Entra,
    /// Everything Okta needs, which is what [`Profile::Lenient`] has.
    Okta,
    /// Every tolerance that breaks no rule of the RFC. The default of unknown providers.
    #[default]
    Lenient,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::Strict, Self::Entra, Self::Okta, Self::Lenient];

    /// Whether this profile has that tolerance.
    pub fn allows(self, leniency: Leniency) -> bool {
        match self {
            Self::Strict => false,
            Self::Entra => true,
            Self::Okta | Self::Lenient => !leniency.contradicts_rfc(),
        }
    }

    /// The tolerances of this profile.
    pub fn leniencies(self) -> impl Iterator<Item = Leniency> {
        Leniency::ALL
            .into_iter()
            .filter(move |&leniency| self.allows(leniency))
    }

    /// The name in settings and on screens: `strict`, `entra`, `okta`, `lenient`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Entra => "entra",
            Self::Okta => "okta",
            Self::Lenient => "lenient",
        }
    }

    /// The profile of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
