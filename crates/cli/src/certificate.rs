//! `portreeve certificate`: SSH certificates.

use crate::Global;
use crate::client::{Api, page_size};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List certificates, the latest first
    List {
        #[command(flatten)]
        which: Which,
        /// Only those of people, or of hosts
        #[arg(long, value_name = "KIND")]
        kind: Option<Kind>,
        /// Only those that count, have run out, or were revoked
        #[arg(long, value_name = "STATE")]
        state: Option<State>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Show a certificate
    Get {
        /// Its serial number
        serial: String,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Revoke a certificate, or all of a person, a host or a key; hosts that fetch the list refuse them from then on
    #[command(group = ArgGroup::new("what").required(true).multiple(false).args(["serial", "user", "host", "key"]))]
    Revoke {
        /// Its serial number
        serial: Option<String>,
        #[command(flatten)]
        which: Which,
        /// Why, for the log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        team: OfTeam,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Of this user or service account, by name or id
    #[arg(long, value_name = "WHO", add = live::users())]
    user: Option<String>,
    /// Of this host, by name or id
    #[arg(long, value_name = "HOST", add = live::hosts())]
    host: Option<String>,
    /// For the key with this fingerprint, as ssh-keygen -l shows it; a key that is revoked gets no certificate any more
    #[arg(long, value_name = "SHA256:…")]
    key: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    User,
    Host,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Live,
    Expired,
    Revoked,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("SERIAL", "serial"),
        Column::made("FOR", "holder", whose),
        Column::text("STATE", "state"),
        Column::text("PRINCIPALS", "principals"),
        Column::time("ISSUED", "issued_at", ""),
        Column::time("ENDS", "valid_before", ""),
        Column::text("KEY", "fingerprint"),
        Column::text("FROM", "address"),
    ],
    name: "serial",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Serial number", "serial"),
        Column::made("For", "holder", whose),
        Column::text("Kind", "kind"),
        Column::text("State", "state"),
        Column::text("Key id", "key_id"),
        Column::text("Principals", "principals"),
        Column::text("Key", "fingerprint"),
        Column::text("Type of key", "key_type"),
        Column::text("Grants", "grants"),
        Column::text("Provisioner", "provisioner"),
        Column::text("Asked for from", "address"),
        Column::time("Issued", "issued_at", ""),
        Column::time("Ends", "valid_before", ""),
        Column::time("Revoked", "revoked_at", "no"),
        Column::text("Why", "revoked_why"),
    ],
    name: "serial",
};

const REVOKED: Shape = Shape {
    columns: &[Column::made("Revoked", "revoked", revoked)],
    name: "revoked",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List {
            which,
            kind,
            state,
            limit,
            team,
        } => {
            let size = page_size(limit);
            let (kind, state) = (kind.as_ref().map(word), state.as_ref().map(word));
            let mut query = team.query();
            query.push(("count", &size));
            let given = [
                ("user", &which.user),
                ("host", &which.host),
                ("key", &which.key),
                ("kind", &kind),
                ("state", &state),
            ];
            for (name, value) in given {
                query.extend(value.as_deref().map(|value| (name, value)));
            }
            let items = api.walk(&["certificates"], &query, limit).await?;
            output::list(format, &LIST, &items)
        }
        Command::Get { serial, team } => {
            let found = api.get(&["certificates", &serial], &team.query()).await;
            output::one(format, &ONE, &found.map_err(missing)?)
        }
        Command::Revoke {
            serial,
            which,
            reason,
            yes,
            team,
        } => {
            let wanted = json!({
                "serial": serial, "user": which.user, "host": which.host, "key": which.key,
                "reason": reason, "team": team.team,
            });
            revoke(&api, format, &wanted, yes).await
        }
    }
}

async fn revoke(api: &Api, format: Format, wanted: &Value, yes: bool) -> Result<(), Failure> {
    if !yes {
        let what = ["serial", "user", "host", "key"]
            .iter()
            .find_map(|name| Some((*name, wanted[*name].as_str()?)));
        let loss = match what {
            Some(("serial", serial)) => format!("the certificate {serial} ends at once"),
            Some(("key", key)) => {
                format!(
                    "the key {key} gets no certificate any more, and all that it has end at once"
                )
            }
            Some((kind, name)) => format!("all certificates of the {kind} {name} end at once"),
            None => "certificates end at once".to_owned(),
        };
        confirm(&harmless(&loss))?;
    }
    let done = api.post(&["certificates", "revoke"], wanted).await;
    output::one(format, &REVOKED, &done.map_err(missing)?)
}

/// A word of the command line, which the API knows too.
fn word(value: &impl ValueEnum) -> String {
    let possible = value.to_possible_value();
    possible
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn whose(certificate: &Value) -> String {
    let named = [
        &certificate["holder"]["name"],
        &certificate["host"]["name"],
        &certificate["key_id"],
    ];
    let name = named.into_iter().find(|name| name.is_string());
    harmless(&plain(name.unwrap_or(&Value::Null)))
}

fn revoked(answer: &Value) -> String {
    match answer["revoked"].as_array().map_or(0, Vec::len) {
        0 => "none that counted".to_owned(),
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
    }
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve certificate list shows those there are")
}
