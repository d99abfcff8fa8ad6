//! What somebody may do: named permissions, and the levels that are presets over them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

macro_rules! permissions {
    ($($variant:ident $name:literal $meaning:literal)*) => {
        /// One thing that somebody may do. Every route of the admin API and every action of the console names the one
        /// that it needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $(#[doc = $meaning] $variant,)*
        }

        impl Permission {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in API tokens, in the API's description and in answers.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it allows, for people.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

permissions! {
    DirectoryRead "directory:read" "See directories, their rules and their latest requests"
    DirectoryWrite "directory:write" "Make, change and delete directories"
    TokenWrite "token:write" "Make, rotate and revoke the secret tokens of directories"
    UserRead "user:read" "See users"
    UserWrite "user:write" "Edit users of native directories, suspend and reinstate users"
    LevelWrite "level:write" "Make users admins and owners, and take that away again"
    GroupRead "group:read" "See groups and their members"
    GroupWrite "group:write" "Edit groups of native directories, and local memberships"
    EventRead "event:read" "Read and export the log, and follow the changes"
    ApplicationRead "application:read" "See applications, their jobs and provisioning logs"
    ApplicationWrite "application:write" "Declare, change, start and stop applications"
    SessionRead "session:read" "See who is signed in"
    SessionWrite "session:write" "End sessions of others"
    ApiTokenRead "api_token:read" "See API tokens of the team"
    ApiTokenWrite "api_token:write" "Make and revoke API tokens"
    ServiceAccountRead "service_account:read" "See service accounts"
    ServiceAccountWrite "service_account:write" "Make, change and delete service accounts"
    ConnectionRead "connection:read" "See how people sign in"
    ConnectionWrite "connection:write" "Change and test how people sign in"
    HostRead "host:read" "See hosts, their tags and who reaches them"
    HostWrite "host:write" "Make, change and delete hosts"
    GrantRead "grant:read" "See grants and accounts on hosts, and explain who may log in where"
    GrantWrite "grant:write" "Make, change and revoke grants, and say which account names people have on hosts"
    VisitorRead "visitor:read" "See visits, locations, devices, and people as visitors find them"
    VisitorWrite "visitor:write" "Change locations and devices, sign visitors in and out, and hide people from visitors"
    CertificateRead "certificate:read" "See certificates"
    CertificateWrite "certificate:write" "Issue and revoke certificates"
    CaRead "ca:read" "See the certificate authority, its keys and its provisioners"
    CaWrite "ca:write" "Rotate the keys of the certificate authority, change its policy and its provisioners"
    SettingsRead "settings:read" "See the settings of the team and of the server"
    SettingsWrite "settings:write" "Change the settings of the team"
    TeamWrite "team:write" "Rename the team"
    OwnerWrite "owner:write" "Make and remove local owners"
    Oneself "self" "See one's own profile, groups, sessions, passkeys and hosts, and get certificates for oneself"
}

impl Permission {
    /// The permission of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|one| one.name()).collect();
            let all = all.join(", ");
            D::Error::custom(format!("there is no permission \"{name}\"; they are {all}"))
        })
    }
}

impl JsonSchema for Permission {
    fn schema_name() -> Cow<'static, str> {
        "Permission".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all: Vec<_> = Self::ALL.iter().map(|one| one.name()).collect();
        json_schema!({"type": "string", "enum": all})
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u64);

impl Permissions {
    /// Every permission.
    pub const ALL: Self = {
        let mut bits = 0;
        let mut at = 0;
        while at < Permission::ALL.len() {
            bits |= Permission::ALL[at].bit();
            at += 1;
        }
        Self(bits)
    };

    /// Whether it is among them.
    pub const fn has(self, one: Permission) -> bool {
        self.0 & one.bit() != 0
    }

    /// Those with one more.
    #[must_use]
    pub const fn with(self, one: Permission) -> Self {
        Self(self.0 | one.bit())
    }

    /// Those without one.
    #[must_use]
    pub const fn without(self, one: Permission) -> Self {
        Self(self.0 & !one.bit())
    }

    /// Those that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of these are among the others.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The permissions, in their order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |one| self.has(*one))
    }

    /// As text for the database: names with blanks between them.
    pub fn to_text(self) -> String {
        let names: Vec<_> = self.iter().map(Permission::name).collect();
        names.join(" ")
    }

    /// The permissions in such a text. A name that is not known any more allows nothing.
    pub fn from_text(text: &str) -> Self {
        text.split_whitespace()
            .filter_map(Permission::parse)
            .collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        iter.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Permission::name))
            .finish()
    }
}

/// A permission level: a preset over the permissions.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Sees the own page.
    User,
    /// Sees everything of the team and changes nothing.
    Auditor,
    /// Does everything but making admins and owners.
    Admin,
    /// Does everything in the team.
    Owner,
}

impl Level {
    /// All levels, the lowest first.
    pub const ALL: &[Self] = &[Self::User, Self::Auditor, Self::Admin, Self::Owner];

    /// The name in the database, in the API and on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The level of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// What somebody of this level may do in the team.
    pub fn permissions(self) -> Permissions {
        use Permission::{LevelWrite, Oneself, OwnerWrite, TeamWrite};
        let reads = |one: &Permission| one.name().ends_with(":read") || *one == Oneself;
        match self {
            Self::User => Permissions::default().with(Oneself),
            Self::Auditor => Permission::ALL.iter().copied().filter(reads).collect(),
            Self::Admin => [LevelWrite, OwnerWrite, TeamWrite]
                .into_iter()
                .fold(Permissions::ALL, Permissions::without),
            Self::Owner => Permissions::ALL,
        }
    }

    /// Whether giving somebody this level, or taking it away, needs [`Permission::LevelWrite`].
    pub const fn is_guarded(self) -> bool {
        matches!(self, Self::Admin | Self::Owner)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_may_do_what_the_one_below_may() {
        for (lower, higher) in Level::ALL.iter().zip(&Level::ALL[1..]) {
            assert!(
                lower.permissions().within(higher.permissions()),
                "{lower} {higher}"
            );
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_an_admin_makes_no_admins() {
        let auditor = Level::Auditor.permissions();
        assert!(auditor.iter().all(|one| !one.name().ends_with(":write")));
        assert!(auditor.has(Permission::EventRead));
        assert!(!Level::Admin.permissions().has(Permission::LevelWrite));
        assert!(Level::Admin.permissions().has(Permission::UserWrite));
        assert_eq!(Level::Owner.permissions(), Permissions::ALL);
    }

    #[test]
    fn permissions_survive_the_database() {
        for one in Permission::ALL {
            assert_eq!(Permission::parse(one.name()), Some(*one));
        }
        let some = Level::Auditor.permissions();
        assert_eq!(Permissions::from_text(&some.to_text()), some);
        assert_eq!(
            Permissions::from_text("nothing:known"),
            Permissions::default()
        );
    }
}
