//! How a team is served to the `step` client.

use crate::Refusal;
use portreeve_store::{Tx, params, statements};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

statements! {
    OF = "SELECT ca_host, mode FROM step_settings WHERE team_id = $1";
    AT = "SELECT team_id FROM step_settings WHERE ca_host = $1";
    PUT = "INSERT INTO step_settings (team_id, ca_host, mode, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (team_id) DO UPDATE SET ca_host = excluded.ca_host, mode = excluded.mode, updated_at = excluded.updated_at";
}

/// How a team is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepSettings {
    /// The host name that is the team's, in lower case; `None`: only the first team is reached, by all other names.
    pub ca_host: Option<String>,
    /// Who may ask.
    pub mode: Mode,
}

/// Who may ask for more than tokens prove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Everybody sees hosts and keys, as with `step-ca`.
    #[default]
    Open,
    /// Whoever signs in gets an identity certificate, without which hosts and keys are not told, as with Smallstep SSH.
    Managed,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Managed => "managed",
        }
    }
}

/// How a team is served.
pub fn of(tx: &mut Tx<'_>, team_id: &str) -> Result<StepSettings, Refusal> {
    let Some(mut row) = tx.query_one(OF, &params![team_id])? else {
        return Ok(StepSettings::default());
    };
    Ok(StepSettings {
        mode: match row.text(1)? {
            "managed" => Mode::Managed,
            _ => Mode::Open,
        },
        ca_host: row.take_opt_text(0)?,
    })
}

/// The team that has this host name, in lower case.
pub fn team_at(tx: &mut Tx<'_>, host: &str) -> Result<Option<String>, Refusal> {
    let row = tx.query_one(AT, &params![host])?;
    Ok(row.map(|mut row| row.take_text(0)).transpose()?)
}

/// Decides how a team is served.
///
/// # Errors
/// When the host name is none, or is another team's.
pub fn put(
    tx: &mut Tx<'_>,
    team_id: &str,
    settings: &StepSettings,
    now: i64,
) -> Result<StepSettings, Refusal> {
    let ca_host = settings.ca_host.as_deref().map(valid_host).transpose()?;
    if let Some(host) = &ca_host
        && team_at(tx, host)?.is_some_and(|other| other != team_id)
    {
        return Err(invalid(format!(
            "{host} is another team's; each has a host name of its own"
        )));
    }
    let row = params![team_id, ca_host.as_ref(), settings.mode.name(), now];
    tx.exec(PUT, &row)?;
    Ok(StepSettings {
        ca_host,
        mode: settings.mode,
    })
}

/// A host name (RFC 1123 section 2.1) in lower case. An address is none: clients do not say which they want (RFC 6066
/// section 3).
fn valid_host(text: &str) -> Result<String, Refusal> {
    let host = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.parse::<u32>().is_ok());
    match host.len() <= 253 && host.split('.').all(label) && !is_number {
        true => Ok(host),
        false => Err(invalid(format!(
            "\"{text}\" is no host name such as ca.example.com"
        ))),
    }
}

fn invalid(reason: String) -> Refusal {
    Refusal::Invalid {
        attribute: "ca_host",
        reason,
    }
}
