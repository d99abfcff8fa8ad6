//! `portreeve host policy` and `portreeve host rules`: what one host and all hosts go by.

use super::{Which, missing};
use crate::body;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use crate::scope::OfTeam;
use crate::time;
use clap::Args;
use serde_json::{Map, Value, json};

#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(flatten)]
    which: Which,
    /// How long the host lets people in without hearing of the server: 24h, never, or team for as long as others
    #[arg(long, value_name = "LENGTH")]
    lease: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// How long hosts let people in without hearing of the server: 72h, or never for ever
    #[arg(long, value_name = "LENGTH")]
    lease: Option<String>,
    /// Whether open sessions end when access does
    #[arg(long, value_name = "YES|NO")]
    end_sessions: Option<bool>,
    /// Folder that homes are in
    #[arg(long, value_name = "FOLDER")]
    home_prefix: Option<String>,
    /// Shell of accounts
    #[arg(long, value_name = "FILE")]
    shell: Option<String>,
    /// POSIX groups that are made on hosts, all of them, such as web-users,db-users; an empty one for none
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    managed_groups: Option<Vec<String>>,
    #[command(flatten)]
    team: OfTeam,
}

const POLICY: Shape = Shape {
    columns: &[
        Column::text("Version", "version"),
        Column::text("Made", "issued_version"),
        Column::time("At", "issued_at", "never"),
        Column::time("Closes", "lease_until", "never"),
        Column::made("Lease", "lease_seconds", lease),
    ],
    name: "version",
};

const RULES: Shape = Shape {
    columns: &[
        Column::made("Lease", "lease_seconds", lease),
        Column::text("Sessions end with access", "end_sessions"),
        Column::text("Homes are in", "home_prefix"),
        Column::text("Shell", "shell"),
        Column::text("Groups that are made", "managed_groups"),
    ],
    name: "lease_seconds",
};

/// Shows what a host is told, or decides something else about it.
pub(super) async fn policy(api: &Api, format: Format, args: &Policy) -> Result<(), Failure> {
    let (path, query) = (
        ["hosts", &args.which.host, "policy"],
        args.which.team.query(),
    );
    let found = match &args.lease {
        None => api.get(&path, &query).await,
        Some(lease) => {
            let seconds = match lease.as_str() {
                "team" => Value::Null,
                lease => json!(seconds(lease)?),
            };
            let body = json!({"lease_seconds": seconds});
            api.patch_where(&path, &query, &body).await
        }
    };
    output::one(format, &POLICY, &found.map_err(missing)?)
}

/// Shows what all hosts go by, or decides something else about it.
pub(super) async fn rules(api: &Api, format: Format, args: &Rules) -> Result<(), Failure> {
    let mut wanted: Map<String, Value> =
        body::given([("home_prefix", &args.home_prefix), ("shell", &args.shell)]);
    if let Some(lease) = &args.lease {
        wanted.insert("lease_seconds".into(), json!(seconds(lease)?));
    }
    if let Some(end) = args.end_sessions {
        wanted.insert("end_sessions".into(), json!(end));
    }
    if let Some(groups) = &args.managed_groups {
        let named = groups.iter().filter(|name| !name.is_empty());
        wanted.insert("managed_groups".into(), named.cloned().collect());
    }
    let (path, query) = (["host-rules"], args.team.query());
    let rules = match wanted.is_empty() {
        true => api.get(&path, &query).await?,
        false => {
            api.patch_where(&path, &query, &Value::Object(wanted))
                .await?
        }
    };
    output::one(format, &RULES, &rules)
}

/// As the API takes it: 0 for ever.
fn seconds(text: &str) -> Result<i64, Failure> {
    match text {
        "never" => Ok(0),
        text => {
            let length = time::duration(text);
            let length = length.map_err(Failure::usage)?;
            Ok(length.as_secs())
        }
    }
}

fn lease(object: &Value) -> String {
    let whose = match object["has_own_lease"] == true {
        true => ", for this host alone",
        false => "",
    };
    match object["lease_seconds"].as_i64() {
        Some(0) | None => format!("never ends{whose}"),
        Some(seconds) if seconds % 3600 == 0 => format!("{} hours{whose}", seconds / 3600),
        Some(seconds) => format!("{seconds} seconds{whose}"),
    }
}
