//! Directories: each one source of people of a team, with the rules that hold for its provider.

use crate::required::Required;
use crate::{Refusal, What, access, accounts, leases, names, visitor_hosts};
use portreeve_access::posix::NameRule;
use portreeve_scim::text::fold;
use portreeve_scim::{Catalog, Profile, Schema};
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

statements! {
    INSERT = "INSERT INTO directories (id, team_id, name, name_key, provider, settings, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    BY_ID = "SELECT id, team_id, name, provider, settings, created_at, updated_at, last_contact_at, active_sent_at FROM directories WHERE id = $1";
    BY_NAME = "SELECT id, team_id, name, provider, settings, created_at, updated_at, last_contact_at, active_sent_at FROM directories WHERE name_key = $1 LIMIT 2";
    IN_TEAM = "SELECT id, team_id, name, provider, settings, created_at, updated_at, last_contact_at, active_sent_at FROM directories WHERE team_id = $1 AND (id = $2 OR name_key = $3) ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1";
    LIST = "SELECT id, team_id, name, provider, settings, created_at, updated_at, last_contact_at, active_sent_at FROM directories ORDER BY name_key, id";
    UPDATE = "UPDATE directories SET name = $2, name_key = $3, settings = $4, updated_at = $5 WHERE id = $1";
    CONTACT = "UPDATE directories SET last_contact_at = $2 WHERE id = $1 AND (last_contact_at IS NULL OR last_contact_at < $2)";
    COUNT_USERS = "SELECT count(*), (SELECT count(*) FROM users WHERE directory_id = $1 AND status <> 'active') FROM users WHERE directory_id = $1";
    COUNT_GROUPS = "SELECT count(*) FROM groups WHERE directory_id = $1 AND status = 'active'";
    DELETE_MEMBERS = "DELETE FROM members WHERE directory_id = $1";
    DELETE_EMAILS = "DELETE FROM user_emails WHERE directory_id = $1";
    DELETE_USERS = "DELETE FROM users WHERE directory_id = $1";
    DELETE_GROUPS = "DELETE FROM groups WHERE directory_id = $1";
    DELETE_TOKENS = "DELETE FROM tokens WHERE directory_id = $1";
    DELETE_UNKNOWN = "DELETE FROM unknown_attributes WHERE directory_id = $1";
    DELETE_ACKS = "DELETE FROM event_acks WHERE directory_id = $1";
    DELETE_STREAMS = "DELETE FROM event_streams WHERE directory_id = $1";
    DELETE_OUTCOMES = "DELETE FROM outcomes WHERE directory_id = $1";
    DELETE_CONNECTION = "DELETE FROM connections WHERE directory_id = $1";
    DELETE_SUBJECTS = "DELETE FROM subjects WHERE directory_id = $1";
    DELETE_LOCAL_MEMBERS = "DELETE FROM local_members WHERE directory_id = $1";
    DELETE_SUSPENSIONS = "DELETE FROM suspensions WHERE directory_id = $1";
    DELETE_SESSIONS = "DELETE FROM sessions WHERE directory_id = $1";
    DELETE_PASSKEYS = "DELETE FROM passkeys WHERE directory_id = $1";
    DELETE_API_TOKENS = "DELETE FROM api_tokens WHERE directory_id = $1";
    DELETE_GRANTS = "DELETE FROM grants WHERE directory_id = $1";
    DELETE_REMOTE_IDENTITIES = "DELETE FROM remote_identities WHERE directory_id = $1";
    DELETE_ACCOUNTS = "DELETE FROM posix_accounts WHERE directory_id = $1";
    NOT_ACTIVE = "UPDATE teams SET active_directory_id = NULL WHERE active_directory_id = $1";
    DELETE = "DELETE FROM directories WHERE id = $1";
}

/// Who feeds a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Provider {
    Entra,
    Okta,
    Google,
    Generic,
    /// Edited in Portreeve itself.
    Native,
}

impl Provider {
    /// All providers by the name used in settings, on the command line and on screens.
    pub const ALL: &[(&'static str, Self)] = &[
        ("entra", Self::Entra),
        ("okta", Self::Okta),
        ("google", Self::Google),
        ("generic", Self::Generic),
        ("native", Self::Native),
    ];

    /// The name of the provider.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, p)| *p == self)
            .map_or("generic", |(name, _)| name)
    }

    /// The compatibility profile that suits the provider until an admin chooses another one.
    pub fn profile(self) -> Profile {
        match self {
            Self::Entra => Profile::Entra,
            Self::Okta => Profile::Okta,
            Self::Google | Self::Generic | Self::Native => Profile::Lenient,
        }
    }
}

/// What becomes of a user whom the provider deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserRemoval {
    /// Kept, suspended, readable with `active: false`; the same user comes back when restored.
    Suspend,
    /// As `Suspend`, and not shown to visitors.
    Hide,
    /// Gone, as RFC 7644 section 3.6 describes. A deactivation only suspends.
    #[default]
    Delete,
}

/// What becomes of a group that the provider deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GroupRemoval {
    /// Gone for the provider and out of the groups it was in; kept here with its own members, who have nothing from it
    /// any more. A new group of the same name revives it.
    Keep,
    /// Gone.
    #[default]
    Delete,
}

/// The rules of a directory that an admin can change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Compatibility profile: `strict`, `entra`, `okta`, `lenient`.
    pub profile: String,
    /// What becomes of deleted users.
    #[serde(default)]
    pub users: UserRemoval,
    /// What becomes of deleted groups.
    #[serde(default)]
    pub groups: GroupRemoval,
    /// Whether two groups may not have the same `displayName`.
    #[serde(default = "yes")]
    pub unique_group_names: bool,
    /// Whether changes are offered as security events (RFC 9967).
    #[serde(default)]
    pub security_events: bool,
    /// How account names on hosts are made from `userName`.
    #[serde(default)]
    pub posix_names: NameRule,
    /// Whether its people can be found by visitors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub visitors: bool,
    /// Paths of attributes that every user must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_attributes: Vec<String>,
    /// Extension schemas of users that this directory defines (RFC 7643 section 7 form).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_extensions: Vec<serde_json::Value>,
    /// Extension schemas of groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_extensions: Vec<serde_json::Value>,
}

fn yes() -> bool {
    true
}

impl Settings {
    /// What a new directory of that provider starts with.
    pub fn of(provider: Provider) -> Self {
        Self {
            profile: provider.profile().name().to_owned(),
            users: UserRemoval::default(),
            groups: GroupRemoval::default(),
            unique_group_names: true,
            security_events: false,
            posix_names: NameRule::default(),
            visitors: false,
            required_attributes: Vec::new(),
            user_extensions: Vec::new(),
            group_extensions: Vec::new(),
        }
    }

    fn profile(&self) -> Result<Profile, Refusal> {
        Profile::by_name(&self.profile).ok_or_else(|| Refusal::Invalid {
            attribute: "profile",
            reason: format!(
                "\"{}\" is no compatibility profile; choose strict, entra, okta or lenient",
                self.profile
            ),
        })
    }

    /// As [`Settings::of`], for people whom visitors come to see: those who are gone are hidden, their groups gone, and
    /// everybody has a name to be found by and an address to be told at. What is required is what Sign In Enterprise's table
    /// of attributes requires.
    pub fn for_visitors(provider: Provider) -> Self {
        let required = [
            "userName",
            r#"emails[type eq "work"].value"#,
            "name.givenName",
            "name.familyName",
        ];
        Self {
            users: UserRemoval::Hide,
            groups: GroupRemoval::Delete,
            visitors: true,
            required_attributes: required.map(str::to_owned).to_vec(),
            ..Self::of(provider)
        }
    }

    fn catalog(&self) -> Result<Arc<Catalog>, Refusal> {
        if self.user_extensions.is_empty() && self.group_extensions.is_empty() {
            return Ok(Catalog::standard());
        }
        let schemas = |list: &[serde_json::Value]| {
            list.iter()
                .map(Schema::from_json)
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Arc::new(Catalog::with_extensions(
            schemas(&self.user_extensions)?,
            schemas(&self.group_extensions)?,
        )?))
    }
}

/// A directory with everything that its requests need.
#[derive(Debug, Clone)]
pub struct Directory {
    /// UUID; part of the tenant URL.
    pub id: String,
    /// Its team.
    pub team_id: String,
    /// Name for people, unique in the team.
    pub name: String,
    /// Who feeds it.
    pub provider: Provider,
    /// Its rules.
    pub settings: Settings,
    /// The compatibility profile, from the settings.
    pub profile: Profile,
    /// Its schemas, from the settings.
    pub catalog: Arc<Catalog>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
    /// What every user must have, from the settings.
    pub required: Required,
    /// When the provider was last heard of.
    pub last_contact_at: Option<i64>,
    /// Whether the provider has sent `active` for anybody yet.
    pub active_sent: bool,
}

impl Directory {
    /// Whether a provider feeds it; the others are edited in Portreeve itself.
    pub fn is_fed(&self) -> bool {
        self.provider != Provider::Native
    }
}

/// What an admin says of a new directory.
#[derive(Debug, Clone)]
pub struct New {
    /// UUID, made by the caller.
    pub id: String,
    /// Its team.
    pub team_id: String,
    /// Name for people.
    pub name: String,
    /// Who feeds it.
    pub provider: Provider,
    /// Its rules.
    pub settings: Settings,
}

/// How many there are, for screens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Users who may do what their groups allow.
    pub active_users: i64,
    /// Users who are suspended or hidden.
    pub suspended_users: i64,
    /// Groups, without those that are kept out of sight.
    pub groups: i64,
}

/// Makes a directory.
pub fn create(tx: &mut Tx<'_>, new: &New, now: i64) -> Result<Directory, Refusal> {
    let name = names::checked("a directory", &new.name, 100)?;
    let catalog = new.settings.catalog()?;
    let directory = Directory {
        id: new.id.clone(),
        team_id: new.team_id.clone(),
        name: name.to_owned(),
        provider: new.provider,
        profile: new.settings.profile()?,
        required: Required::read(&new.settings.required_attributes, &catalog)?,
        catalog,
        settings: new.settings.clone(),
        created_at: now,
        updated_at: now,
        last_contact_at: None,
        active_sent: false,
    };
    let settings = to_text(&new.settings)?;
    tx.exec(
        INSERT,
        &params![
            &new.id,
            &new.team_id,
            name,
            fold(name).as_ref(),
            new.provider.name(),
            &settings,
            now
        ],
    )?;
    Ok(directory)
}

/// The directory with that id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Directory, Refusal> {
    let row = tx.query_one(BY_ID, &params![id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Directory, id.to_owned()))
        .and_then(from_row)
}

/// The directory with that id, or the only one with that name in any letter case.
pub fn find(tx: &mut Tx<'_>, id_or_name: &str) -> Result<Directory, Refusal> {
    match by_id(tx, id_or_name) {
        Err(Refusal::NotFound(..)) => {}
        found => return found,
    }
    let mut rows = tx.query(BY_NAME, &params![fold(id_or_name).as_ref()])?;
    match (rows.pop(), rows.pop()) {
        (Some(row), None) => from_row(row),
        (Some(_), Some(_)) => Err(Refusal::Invalid {
            attribute: "directory",
            reason: format!("several teams have a directory \"{id_or_name}\"; say which by its id"),
        }),
        _ => Err(Refusal::NotFound(What::Directory, id_or_name.to_owned())),
    }
}

/// The directory of a team with that id, or with that name in any letter case.
pub fn find_in(tx: &mut Tx<'_>, team_id: &str, id_or_name: &str) -> Result<Directory, Refusal> {
    let key = fold(id_or_name);
    let row = tx.query_one(IN_TEAM, &params![team_id, id_or_name, key.as_ref()])?;
    row.ok_or_else(|| Refusal::NotFound(What::Directory, id_or_name.to_owned()))
        .and_then(from_row)
}

/// All directories by name.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Directory>, Refusal> {
    tx.query(LIST, &params![])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// Changes name and rules.
///
/// Turning `unique_group_names` on concerns new names only, unless the caller refreshes the groups' keys
/// with [`crate::groups::refresh_unique_names`], which refuses when two groups share a name.
pub fn update(
    tx: &mut Tx<'_>,
    directory: &Directory,
    name: &str,
    settings: &Settings,
    now: i64,
) -> Result<Directory, Refusal> {
    let name = names::checked("a directory", name, 100)?;
    let catalog = settings.catalog()?;
    let changed = Directory {
        name: name.to_owned(),
        profile: settings.profile()?,
        required: Required::read(&settings.required_attributes, &catalog)?,
        catalog,
        settings: settings.clone(),
        updated_at: now,
        ..directory.clone()
    };
    tx.exec(
        UPDATE,
        &params![
            &directory.id,
            name,
            fold(name).as_ref(),
            &to_text(settings)?,
            now
        ],
    )?;
    if settings.visitors != directory.settings.visitors {
        visitor_hosts::turn(tx, &directory.id, settings.visitors)?;
    }
    if settings.posix_names != directory.settings.posix_names {
        accounts::look_at_all(tx, &directory.team_id)?;
    }
    Ok(changed)
}

/// Removes a directory with everything in it. Its events stay.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<(), Refusal> {
    let directory = by_id(tx, id)?;
    leases::forget(tx, id)?;
    let parts = [
        DELETE_MEMBERS,
        DELETE_EMAILS,
        DELETE_USERS,
        DELETE_GROUPS,
        DELETE_TOKENS,
        DELETE_UNKNOWN,
        DELETE_ACKS,
        DELETE_STREAMS,
        DELETE_OUTCOMES,
        DELETE_CONNECTION,
        DELETE_SUBJECTS,
        DELETE_LOCAL_MEMBERS,
        DELETE_SUSPENSIONS,
        DELETE_SESSIONS,
        DELETE_PASSKEYS,
        DELETE_API_TOKENS,
        DELETE_GRANTS,
        DELETE_REMOTE_IDENTITIES,
        DELETE_ACCOUNTS,
        NOT_ACTIVE,
        DELETE,
    ];
    for sql in parts {
        tx.exec(sql, &params![id])?;
    }
    visitor_hosts::forget_all(tx, id)?;
    access::changed(tx, &directory.team_id)
}

/// Remembers when the provider was last heard of; never moves back.
pub fn contact(tx: &mut Tx<'_>, id: &str, at: i64) -> Result<(), Refusal> {
    Ok(tx.exec(CONTACT, &params![id, at])?)
}

/// Counts what is in a directory.
pub fn counts(tx: &mut Tx<'_>, id: &str) -> Result<Counts, Refusal> {
    let mut counts = Counts::default();
    if let Some(row) = tx.query_one(COUNT_USERS, &params![id])? {
        counts.suspended_users = row.int(1)?;
        counts.active_users = row.int(0)? - counts.suspended_users;
    }
    if let Some(row) = tx.query_one(COUNT_GROUPS, &params![id])? {
        counts.groups = row.int(0)?;
    }
    Ok(counts)
}

fn from_row(mut row: Row) -> Result<Directory, Refusal> {
    let settings: Settings = serde_json::from_str(row.text(4)?).map_err(unreadable)?;
    let catalog = settings.catalog()?;
    let provider = row.text(3)?;
    let provider = Provider::ALL
        .iter()
        .find(|(name, _)| *name == provider)
        .map_or(Provider::Generic, |(_, p)| *p);
    Ok(Directory {
        provider,
        profile: settings.profile()?,
        required: Required::read(&settings.required_attributes, &catalog)?,
        catalog,
        settings,
        created_at: row.int(5)?,
        updated_at: row.int(6)?,
        last_contact_at: row.opt_int(7)?,
        active_sent: row.opt_int(8)?.is_some(),
        id: row.take_text(0)?,
        team_id: row.take_text(1)?,
        name: row.take_text(2)?,
    })
}

fn to_text(settings: &Settings) -> Result<String, Refusal> {
    serde_json::to_string(settings).map_err(unreadable)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "given to map_err, which hands the error over"
)]
fn unreadable(error: serde_json::Error) -> Refusal {
    Refusal::Invalid {
        attribute: "settings",
        reason: format!("the directory's settings cannot be read: {error}"),
    }
}
