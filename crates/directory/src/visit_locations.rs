//! Locations: where visitors are received, by what rules.

mod hours;

pub use hours::{Day, Open, is_open, next_opening, zone};

use crate::{Refusal, What, names};
use portreeve_scim::text::fold;
use portreeve_store::{Row, Tx, params, statements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

statements! {
    INSERT = "INSERT INTO visit_locations (team_id, id, name, name_key, settings, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";
    UPDATE = "UPDATE visit_locations SET name = $3, name_key = $4, settings = $5, version = version + 1, updated_at = $6 WHERE team_id = $1 AND id = $2";
    DELETE = "DELETE FROM visit_locations WHERE team_id = $1 AND id = $2";
    IS_USED = "SELECT 1 FROM visits WHERE team_id = $1 AND location_id = $2 AND state <> 'gone' LIMIT 1";
    DELETE_DEVICES = "DELETE FROM visit_devices WHERE team_id = $1 AND location_id = $2";
    FIND = "SELECT id, name, settings, version, created_at, updated_at FROM visit_locations WHERE team_id = $1 AND (id = $2 OR name_key = $3) ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1";
    LIST = "SELECT id, name, settings, version, created_at, updated_at FROM visit_locations WHERE team_id = $1 ORDER BY name_key";
}

/// The most characters of a text that visitors read.
const LONGEST_TEXT: usize = 4000;
/// The most groups that a location can be limited to.
const MOST_GROUPS: usize = 50;

/// How much of a name visitors see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameStyle {
    /// All of it: `Jane Doe`.
    #[default]
    Full,
    /// The first name, and the first letter of the last: `Jane D.`
    Short,
}

/// Languages that the reception speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::En, Self::De, Self::Fr, Self::Es];

    /// Its code (ISO 639-1).
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
        }
    }
}

/// Who is told of a visitor who does not know whom they come to see, or whose host is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// What visitors see, such as "Reception".
    pub name: String,
    /// The address of a mailbox.
    pub email: String,
}

/// What an admin decides about a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// By which clock it opens (IANA): `Europe/Vienna`.
    pub time_zone: String,
    /// When it receives visitors; always, where nothing is said.
    pub hours: Vec<Open>,
    /// Ids of the groups whose people can be visited; empty: everybody who is visible.
    pub groups: Vec<String>,
    /// How much of a name visitors see.
    pub names: NameStyle,
    /// Whether they see departments.
    pub departments: bool,
    /// Who is told where nobody else can be.
    pub fallback: Option<Fallback>,
    /// The languages that are offered, the first of them at first.
    pub languages: Vec<Language>,
    /// Whether visitors are asked whom they work for.
    pub ask_company: bool,
    /// Whether they are asked what they come for.
    pub ask_purpose: bool,
    /// What they consent to when a picture is taken; without it none is.
    pub photo_consent: Option<String>,
    /// Where each visit is told to a program (https).
    pub webhook: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            hours: Vec::new(),
            groups: Vec::new(),
            names: NameStyle::Full,
            departments: true,
            fallback: None,
            languages: Language::ALL.to_vec(),
            ask_company: true,
            ask_purpose: false,
            photo_consent: None,
            webhook: None,
        }
    }
}

/// A location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// UUID.
    pub id: String,
    /// What people call it, unique in the team.
    pub name: String,
    /// What an admin decides about it.
    pub settings: Settings,
    /// Rises with every change.
    pub version: i64,
    /// Microseconds since 1970 UTC.
    pub created_at: i64,
    /// Microseconds since 1970 UTC.
    pub updated_at: i64,
}

/// Makes a location.
pub fn create(
    tx: &mut Tx<'_>,
    team_id: &str,
    id: &str,
    (name, settings): (&str, &Settings),
    now: i64,
) -> Result<Location, Refusal> {
    let name = names::checked("a location", name, 100)?;
    check(settings)?;
    let (key, decided) = (fold(name), text(settings));
    let row = params![team_id, id, name, key.as_ref(), &decided, now];
    tx.exec(INSERT, &row)?;
    Ok(Location {
        id: id.to_owned(),
        name: name.to_owned(),
        settings: settings.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Changes a location.
pub fn update(
    tx: &mut Tx<'_>,
    team_id: &str,
    before: &Location,
    (name, settings): (&str, &Settings),
    now: i64,
) -> Result<Location, Refusal> {
    let name = names::checked("a location", name, 100)?;
    check(settings)?;
    let (key, decided) = (fold(name), text(settings));
    let row = params![team_id, &before.id, name, key.as_ref(), &decided, now];
    tx.exec(UPDATE, &row)?;
    Ok(Location {
        name: name.to_owned(),
        settings: settings.clone(),
        version: before.version + 1,
        updated_at: now,
        ..before.clone()
    })
}

/// Removes a location with its devices. Its past visits stay.
///
/// # Errors
/// [`Refusal::Invalid`] while somebody is signed in or expected there.
pub fn delete(tx: &mut Tx<'_>, team_id: &str, id: &str) -> Result<(), Refusal> {
    if tx.query_one(IS_USED, &params![team_id, id])?.is_some() {
        return Err(Refusal::Invalid {
            attribute: "location",
            reason: "visitors are signed in or expected there; sign them out first".to_owned(),
        });
    }
    tx.exec(DELETE_DEVICES, &params![team_id, id])?;
    Ok(tx.exec(DELETE, &params![team_id, id])?)
}

/// The location of a team with that id, or with that name in any letter case.
pub fn find(tx: &mut Tx<'_>, team_id: &str, id_or_name: &str) -> Result<Location, Refusal> {
    let key = fold(id_or_name);
    let row = tx.query_one(FIND, &params![team_id, id_or_name, key.as_ref()])?;
    row.ok_or_else(|| Refusal::NotFound(What::Location, id_or_name.to_owned()))
        .and_then(from_row)
}

/// The locations of a team by name.
pub fn list(tx: &mut Tx<'_>, team_id: &str) -> Result<Vec<Location>, Refusal> {
    let rows = tx.query(LIST, &params![team_id])?;
    rows.into_iter().map(from_row).collect()
}

fn check(settings: &Settings) -> Result<(), Refusal> {
    zone(&settings.time_zone)?;
    hours::check(&settings.hours)?;
    let refuse = |attribute: &'static str, reason: &str| {
        Err(Refusal::Invalid {
            attribute,
            reason: reason.to_owned(),
        })
    };
    if settings.groups.len() > MOST_GROUPS {
        return refuse("groups", "at most 50 groups");
    }
    let offered = &settings.languages;
    let is_once = |language: &Language| offered.iter().filter(|it| *it == language).count() == 1;
    if offered.is_empty() || !offered.iter().all(is_once) {
        return refuse("languages", "name one to four languages, each once");
    }
    if let Some(fallback) = &settings.fallback {
        names::checked("whoever is told", &fallback.name, 100)?;
        if !crate::visitor_hosts::is_address(&fallback.email) {
            return refuse("fallback", "its email is no mail address");
        }
    }
    let consent = settings.photo_consent.as_deref().unwrap_or("-");
    if consent.trim().is_empty() || consent.chars().count() > LONGEST_TEXT {
        return refuse("photo_consent", "1 to 4,000 characters, or nothing");
    }
    match &settings.webhook {
        Some(url) if !may_be_told(url) => refuse(
            "webhook",
            "an address that begins with https://, or with http:// on the server's own machine",
        ),
        _ => Ok(()),
    }
}

/// Whether a program at that address may be told: over an encrypted connection, or over one that leaves no machine. Whoever
/// tells it judges the whole address.
fn may_be_told(url: &str) -> bool {
    let here = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let is_safe = url.starts_with("https://") || here.iter().any(|begin| url.starts_with(begin));
    is_safe && url.len() <= 2000
}

fn text(settings: &Settings) -> String {
    serde_json::to_string(settings).unwrap_or_default()
}

fn from_row(mut row: Row) -> Result<Location, Refusal> {
    Ok(Location {
        settings: serde_json::from_str(row.text(2)?).map_err(|error| Refusal::Invalid {
            attribute: "settings",
            reason: format!("the settings of the location cannot be read: {error}"),
        })?,
        version: row.int(3)?,
        created_at: row.int(4)?,
        updated_at: row.int(5)?,
        id: row.take_text(0)?,
        name: row.take_text(1)?,
    })
}
