//! Provisioners: whose tokens get certificates from the API that the `step` client speaks.
//!
//! Those that an admin declares are here. The connection of each directory, and `sshpop`, are there by themselves.

use crate::{Refusal, What};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What [`from_row`] takes.
macro_rules! select {
    ($($rest:literal)*) => {
        concat!("SELECT id, name, settings, encrypted_key, created_at FROM provisioners WHERE team_id = $1", $($rest)*)
    };
}

statements! {
    LIST = select!(" ORDER BY name_key");
    BY_ID = select!(" AND id = $2");
    BY_NAME = select!(" AND name_key = $2");
    INSERT = "INSERT INTO provisioners (team_id, id, name, name_key, kind, settings, encrypted_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    DELETE = "DELETE FROM provisioners WHERE team_id = $1 AND id = $2";
}

/// The name of the one that takes the word of SSH certificates that are still good, which every team has.
pub const SSHPOP: &str = "sshpop";

/// The most characters of a name.
const LONGEST_NAME: usize = 100;

/// Somebody whose tokens are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Provisioner {
    /// UUID.
    pub id: String,
    /// Unique in the team in any letter case. Tokens name it as who has issued them.
    pub name: String,
    /// What an admin declares.
    pub settings: Settings,
    /// The private key of a JWK, encrypted with a password that is not kept (a JWE).
    pub encrypted_key: Option<String>,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
}

/// What an admin declares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Settings {
    /// Signs with a key; its tokens say whom certificates are for.
    Jwk {
        /// The public key (RFC 7517).
        key: Value,
    },
    /// Another client of the provider that a directory is connected to.
    Oidc(OidcClient),
    /// Signs with X.509 certificates; its tokens say whom certificates are for.
    X5c {
        /// The certificates (PEM) that those must lead to.
        roots: String,
    },
    /// As [`SSHPOP`], by another name.
    Sshpop {},
}

/// How `step` signs people in, where it is not the connection's own client. A client that listens on the person's own
/// machine keeps no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcClient {
    /// Whose people sign in.
    pub directory_id: String,
    /// What the provider calls the client.
    pub client_id: String,
    /// The secret of a client that is no secret, because everybody can read it here. Google gives such clients one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_secret: Option<String>,
    /// Where `step` listens for the browser, such as `:10000`, where the provider does not take any port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen_address: Option<String>,
    /// What is asked for; without it `openid email`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What else is sent to the provider, as `name=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auth_params: Vec<String>,
}

impl Settings {
    /// The name in the database and on the command line.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Jwk { .. } => "jwk",
            Self::Oidc(_) => "oidc",
            Self::X5c { .. } => "x5c",
            Self::Sshpop {} => SSHPOP,
        }
    }
}

/// The declared provisioners of a team, by name.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Provisioner>, Refusal> {
    let rows = tx.query(LIST, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

/// Finds a declared provisioner of a team by id or name.
pub fn find(tx: &mut Tx<'_>, team_id: &str, id_or_name: &str) -> Result<Provisioner, Refusal> {
    let row = match tx.query_one(BY_ID, &params![team_id, id_or_name])? {
        Some(row) => Some(row),
        None => tx.query_one(BY_NAME, &params![team_id, fold(id_or_name).as_ref()])?,
    };
    row.ok_or_else(|| Refusal::NotFound(What::Provisioner, id_or_name.to_owned()))
        .and_then(from_row)
}

/// Declares a provisioner.
///
/// # Errors
/// When the name is none, or is taken.
pub fn create(tx: &mut Tx<'_>, team_id: &str, new: &Provisioner) -> Result<(), Refusal> {
    let name = valid_name(&new.name)?;
    let settings = serde_json::to_string(&new.settings).map_err(|error| Refusal::Invalid {
        attribute: "settings",
        reason: error.to_string(),
    })?;
    let key = fold(name);
    let row = params![
        team_id,
        &new.id,
        name,
        key.as_ref(),
        new.settings.kind(),
        &settings,
        new.encrypted_key.as_ref(),
        new.created_at,
    ];
    Ok(tx.exec(INSERT, &row)?)
}

/// Removes a declared provisioner. Certificates that its tokens got stay good.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    Ok(tx.exec(DELETE, &params![team_id, id])?)
}

fn valid_name(name: &str) -> Result<&str, Refusal> {
    let wrong = |reason: String| Refusal::Invalid {
        attribute: "name",
        reason,
    };
    let trimmed = name.trim();
    if trimmed.is_empty()
        || trimmed.chars().count() > LONGEST_NAME
        || trimmed.chars().any(char::is_control)
    {
        let reason = format!("a provisioner has a name of 1 to {LONGEST_NAME} characters");
        return Err(wrong(reason));
    }
    match fold(trimmed).as_ref() == SSHPOP {
        true => Err(wrong(format!(
            "\"{SSHPOP}\" is there by itself; choose another name"
        ))),
        false => Ok(trimmed),
    }
}

fn from_row(mut row: Row) -> Result<Provisioner, Refusal> {
    let settings = serde_json::from_str(row.text(2)?).map_err(|error| Refusal::Invalid {
        attribute: "settings",
        reason: format!("the stored provisioner cannot be read: {error}; declare it again"),
    })?;
    Ok(Provisioner {
        settings,
        created_at: row.int(4)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
        encrypted_key: row.take_opt_text(3)?,
    })
}
