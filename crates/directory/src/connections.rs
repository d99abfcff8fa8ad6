//! Connections: how the people of a directory sign in at their identity provider. A directory has one at most, which goes by
//! the directory's id.

use crate::directories::Directory;
use crate::{Refusal, What};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What [`from_row`] takes.
macro_rules! select {
    ($($rest:literal)*) => {
        concat!("SELECT c.directory_id, d.team_id, d.name, t.name, c.settings, c.secret IS NOT NULL, c.created_at, c.updated_at FROM connections c JOIN directories d ON d.id = c.directory_id JOIN teams t ON t.id = d.team_id", $($rest)*)
    };
}

statements! {
    OF = select!(" WHERE c.directory_id = $1");
    IN_TEAM = select!(" WHERE d.team_id = $1 ORDER BY d.name_key");
    EVERY = select!(" ORDER BY t.name_key, d.name_key");
    SECRET = "SELECT secret FROM connections WHERE directory_id = $1";
    INSERT = "INSERT INTO connections (directory_id, settings, secret, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)";
    UPDATE = "UPDATE connections SET settings = $2, secret = $3, updated_at = $4 WHERE directory_id = $1";
    DELETE = "DELETE FROM connections WHERE directory_id = $1";
}

/// The most domains and characters of a setting that are kept.
const MOST: usize = 100;
const LONGEST: usize = 2_000;

/// What an admin declares, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What people read on the button; without it the name of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the provider's metadata document is.
    pub metadata_url: String,
    /// What the provider calls us.
    pub client_id: String,
    /// The only tenant whose people may sign in, where the provider has several (Entra's directory id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The only domains of e-mail addresses or user names with which one may sign in, in lower case; none: all. They also
    /// say whom the sign-in page sends here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// By what else than a stable key a person is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_by: Vec<Match>,
}

/// What may find a user at the first sign-in, beside Entra's `oid`, which always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// The subject, which some providers send as `externalId`, too.
    Subject,
    /// `email` is one of the user's addresses.
    Email,
    /// `preferred_username` is the user's `userName`.
    UserName,
}

/// A connection as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The directory whose people sign in with it.
    pub directory_id: String,
    /// Its team.
    pub team_id: String,
    /// The directory's name.
    pub directory_name: String,
    /// The team's name.
    pub team_name: String,
    /// What was declared.
    pub settings: Settings,
    /// Whether there is a client secret. A public client has none.
    pub has_secret: bool,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

impl Connection {
    /// What people read on the button.
    pub fn label(&self) -> &str {
        self.settings
            .label
            .as_deref()
            .unwrap_or(&self.directory_name)
    }
}

impl Settings {
    /// The settings without blanks around them and with domains in lower case.
    ///
    /// # Errors
    /// When one is missing, or is not what its name says.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let filled = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        self.label = filled(self.label);
        self.tenant_id = filled(self.tenant_id);
        self.metadata_url = required("metadata_url", &self.metadata_url)?;
        self.client_id = required("client_id", &self.client_id)?;
        let tenant = self.tenant_id.iter();
        for (attribute, text) in self
            .label
            .iter()
            .map(|text| ("label", text))
            .chain(tenant.map(|text| ("tenant_id", text)))
        {
            short(attribute, text)?;
        }
        if self.domains.len() > MOST {
            return Err(invalid("domains", format!("there are at most {MOST}")));
        }
        for domain in &mut self.domains {
            *domain = valid_domain(domain)?;
        }
        self.domains.sort();
        self.domains.dedup();
        Ok(self)
    }

    /// Whether a person with that address or user name may sign in.
    pub fn allows(&self, address: &str) -> bool {
        let domain = domain_of(address);
        self.domains.is_empty() || domain.is_some_and(|domain| self.domains.contains(&domain))
    }
}

/// The domain of an address, in lower case.
pub fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.trim().rsplit_once('@')?;
    (!domain.is_empty()).then(|| fold(domain).into_owned())
}

fn required(attribute: &'static str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid(attribute, "it is missing".to_owned()));
    }
    short(attribute, text)?;
    Ok(text.to_owned())
}

fn short(attribute: &'static str, text: &str) -> Result<(), Refusal> {
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        let reason = format!("it has more than {LONGEST} bytes, or a line break in it");
        return Err(invalid(attribute, reason));
    }
    Ok(())
}

fn valid_domain(text: &str) -> Result<String, Refusal> {
    let domain = fold(text.trim().trim_start_matches('@')).into_owned();
    let good = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    if domain.contains('.') && domain.len() <= 253 && domain.chars().all(good) {
        return Ok(domain);
    }
    Err(invalid(
        "domains",
        format!("\"{}\" is no domain such as contoso.com", text.trim()),
    ))
}

fn invalid(attribute: &'static str, reason: String) -> Refusal {
    Refusal::Invalid { attribute, reason }
}

/// The connection of a directory.
pub fn of(tx: &mut Tx<'_>, directory_id: &str) -> Result<Connection, Refusal> {
    let row = tx.query_one(OF, &params![directory_id])?;
    row.ok_or_else(|| Refusal::NotFound(What::Connection, directory_id.to_owned()))
        .and_then(from_row)
}

/// The connections of a team, by the names of their directories.
pub fn in_team(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Connection>, Refusal> {
    tx.query(IN_TEAM, &params![team_id])?
        .into_iter()
        .map(from_row)
        .collect()
}

/// The connections of all teams that name the domain of an address.
pub fn for_address(tx: &mut Tx<'_>, address: &str) -> Result<Vec<Connection>, Refusal> {
    let Some(domain) = domain_of(address) else {
        return Ok(Vec::new());
    };
    let rows = tx.query(EVERY, &params![])?;
    let all = rows.into_iter().map(from_row);
    all.filter(|found| {
        let connection = found.as_ref();
        connection.map_or(true, |found| found.settings.domains.contains(&domain))
    })
    .collect()
}

/// The client secret, sealed.
pub fn secret(tx: &mut Tx<'_>, directory_id: &str) -> Result<Option<Vec<u8>>, Refusal> {
    match tx.query_one(SECRET, &params![directory_id])? {
        Some(row) => Ok(row.opt_bytes(0)?.map(<[u8]>::to_vec)),
        None => Ok(None),
    }
}

/// Makes the connection of a directory, or puts another in its place. `secret` is sealed. Whether there was none before.
pub fn put(
    tx: &mut Tx<'_>,
    directory: &Directory,
    settings: &Settings,
    secret: Option<&[u8]>,
    now: i64,
) -> Result<bool, Refusal> {
    let text = serde_json::to_string(settings)
        .map_err(|error| invalid("settings", format!("they cannot be written: {error}")))?;
    let is_new = match of(tx, &directory.id) {
        Ok(_) => false,
        Err(Refusal::NotFound(..)) => true,
        Err(error) => return Err(error),
    };
    let statement = if is_new { INSERT } else { UPDATE };
    tx.exec(statement, &params![&directory.id, &text, secret, now])?;
    Ok(is_new)
}

/// Removes the connection of a directory. Nobody in it can sign in any more.
pub fn delete(tx: &mut Tx<'_>, directory_id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![directory_id])?)
}

fn from_row(mut row: Row) -> Result<Connection, Refusal> {
    let settings = serde_json::from_str(row.text(4)?).map_err(|error| {
        invalid(
            "settings",
            format!("the stored connection cannot be read: {error}; declare it again"),
        )
    })?;
    Ok(Connection {
        settings,
        has_secret: row.bool(5)?,
        created_at: row.int(6)?,
        updated_at: row.int(7)?,
        directory_id: row.take_text(0)?,
        team_id: row.take_text(1)?,
        directory_name: row.take_text(2)?,
        team_name: row.take_text(3)?,
    })
}
