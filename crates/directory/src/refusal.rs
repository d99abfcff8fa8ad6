//! What the roll can refuse. One closed list; each surface turns it into its own wire form.

use crate::permissions::Permission;
use portreeve_store as store;
use std::fmt;

/// The kinds of things that can be missing or in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum What {
    Team,
    Directory,
    Token,
    User,
    Group,
    Event,
    Stream,
    Outcome,
    Application,
    Owner,
    ServiceAccount,
    ApiToken,
    Session,
    Passkey,
    Connection,
    View,
    Membership,
    Host,
    Grant,
    Account,
    Certificate,
    Authority,
    Policy,
    Provisioner,
    EnrolmentToken,
    Location,
    Device,
    Visit,
}

impl What {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Directory => "directory",
            Self::Token => "token",
            Self::User => "user",
            Self::Group => "group",
            Self::Event => "event",
            Self::Stream => "stream",
            Self::Outcome => "outcome",
            Self::Application => "application",
            Self::Owner => "local owner",
            Self::ServiceAccount => "service account",
            Self::ApiToken => "API token",
            Self::Session => "session",
            Self::Passkey => "passkey",
            Self::Connection => "connection",
            Self::View => "saved view",
            Self::Membership => "membership",
            Self::Host => "host",
            Self::Grant => "grant",
            Self::Account => "account on hosts",
            Self::Certificate => "certificate",
            Self::Policy => "policy",
            Self::Authority => "key of the certificate authority",
            Self::Provisioner => "provisioner",
            Self::EnrolmentToken => "enrolment token",
            Self::Location => "location",
            Self::Device => "device",
            Self::Visit => "visit",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why something was not done. Nothing was changed when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing, or not in this directory.
    #[error("there is no {0} with id or name \"{1}\" here")]
    NotFound(What, String),
    /// A value that must be unique is taken.
    #[error(
        "{attribute} is already used by another {what}; look it up and update that one, or choose another value"
    )]
    Conflict {
        /// What exists already.
        what: What,
        /// Which attribute must be unique.
        attribute: &'static str,
    },
    /// The request makes no sense for a reason that is not SCIM's.
    #[error("{attribute}: {reason}")]
    Invalid {
        /// Which field.
        attribute: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// SCIM's own rules refuse it.
    #[error(transparent)]
    Scim(#[from] portreeve_scim::Error),
    /// The resource is at another version than the client said.
    #[error(
        "the {what} has changed since you read it (it is at version {found}); read it again and repeat the change"
    )]
    Changed {
        /// What has changed.
        what: What,
        /// The version it is at.
        found: i64,
    },
    /// The object is another one than the client has read.
    #[error("the {0} has changed since you read it; read it again and repeat the change")]
    Stale(What),
    /// A provider manages it, so that it is changed there.
    #[error(
        "this {what} is managed by the provider of the directory \"{directory}\": change it there, from where it comes here by SCIM"
    )]
    Managed {
        /// What is not changed here.
        what: What,
        /// The name of the directory.
        directory: String,
    },
    /// Whoever asks may not do that to this object.
    #[error(
        "this needs the permission {0} (\"{m}\"), which you do not have; ask an owner of the team",
        m = .0.meaning()
    )]
    Forbidden(Permission),
    /// Whoever asks may do that, but not where it makes somebody of an admin or owner.
    #[error(
        "\"{directory}\" has admins or owners, and whoever decides where its people come from can become each of them, so this needs the permission {needed} as well; ask an owner of the team",
        needed = Permission::LevelWrite
    )]
    Guarded {
        /// The name of the directory.
        directory: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match &error {
            store::Error::Conflict { index } => match unique(index) {
                Some((what, attribute)) => Self::Conflict { what, attribute },
                None => Self::Store(error),
            },
            _ => Self::Store(error),
        }
    }
}

/// What each unique index guards: the one table that turns an index name into an attribute.
fn unique(index: &str) -> Option<(What, &'static str)> {
    Some(match index {
        "teams_name" => (What::Team, "name"),
        "directories_name" => (What::Directory, "name"),
        "users_user_name" => (What::User, "userName"),
        "applications_name" => (What::Application, "name"),
        "owners_name" => (What::Owner, "name"),
        "service_accounts_name" => (What::ServiceAccount, "name"),
        "saved_views_name" => (What::View, "name"),
        "hosts_name" => (What::Host, "name"),
        "provisioners_name" => (What::Provisioner, "name"),
        "posix_accounts_name" => (What::Account, "name"),
        "groups_display_name" => (What::Group, "displayName"),
        "visit_locations_name" => (What::Location, "name"),
        _ => return None,
    })
}
