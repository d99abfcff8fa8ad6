//! `portreeve api-token`.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use crate::time;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token; it is shown this once
    Create(New),
    /// List tokens: whose they are, what they allow, when each was last used
    List {
        /// Only those of this service account, by name or id
        #[arg(long, value_name = "NAME", add = live::service_accounts())]
        service_account: Option<String>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Show a token, but for its secret
    Get(Which),
    /// Make a token in the place of another one, which ends after an overlap
    Rotate {
        #[command(flatten)]
        which: Which,
        /// When the new one ends: a length such as 90d, or a date [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// How long the old one goes on: 24h, 7d, 0s
        #[arg(long, value_name = "LENGTH", default_value = "24h")]
        overlap: String,
    },
    /// End a token now
    Revoke(Which),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name, to tell tokens apart
    #[arg(long)]
    name: Option<String>,
    /// What it allows, such as user:read; once for each, or with commas
    #[arg(
        long,
        value_name = "PERMISSION",
        value_delimiter = ',',
        required = true
    )]
    permission: Vec<String>,
    /// When it ends: a length such as 90d, or a date [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Whose it is, by name or id [default: yours]
    #[arg(long, value_name = "NAME", add = live::service_accounts())]
    service_account: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Id of the token
    token: String,
    #[command(flatten)]
    team: OfTeam,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("ID", "id"),
        Column::text("NAME", "name"),
        Column::made("OF", "holder", holder),
        Column::text("STATUS", "status"),
        Column::time("LAST USED", "last_used_at", "never"),
        Column::time("ENDS", "expires_at", "never"),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Name", "name"),
        Column::made("Of", "holder", holder),
        Column::text("Status", "status"),
        Column::text("Allows", "permissions"),
        Column::time("Created", "created_at", ""),
        Column::time("Last used", "last_used_at", "never"),
        Column::time("Ends", "expires_at", "never"),
        Column::time("Revoked", "revoked_at", ""),
        Column::text("Secret", "secret"),
    ],
    name: "id",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create(new) => {
            let made = api
                .post(&["api-tokens"], &Value::Object(new.body()?))
                .await?;
            shown_once(format, &made)
        }
        Command::List {
            service_account,
            team,
        } => {
            let mut query = team.query();
            query.extend(
                service_account
                    .as_deref()
                    .map(|name| ("service_account", name)),
            );
            output::list(format, &LIST, &api.list(&["api-tokens"], &query).await?)
        }
        Command::Get(which) => {
            let found = api
                .get(&["api-tokens", &which.token], &which.team.query())
                .await;
            output::one(format, &ONE, &found.map_err(missing)?)
        }
        Command::Rotate {
            which,
            expires,
            overlap,
        } => {
            let overlap = time::duration(&overlap)
                .map_err(|wrong| Failure::usage(format!("--overlap: {wrong}")))?;
            let mut body =
                body::given([("expires_at", &body::end("--expires", expires.as_ref())?)]);
            body.insert("overlap_seconds".into(), json!(overlap.as_secs()));
            let path = ["api-tokens", &which.token, "rotate"];
            let made = api
                .post_where(&path, &which.team.query(), &Value::Object(body))
                .await;
            shown_once(format, &made.map_err(missing)?)
        }
        Command::Revoke(which) => {
            let path = ["api-tokens", which.token.as_str()];
            let revoked = api.delete_where(&path, &which.team.query()).await;
            output::one(format, &ONE, &revoked.map_err(missing)?)
        }
    }
}

impl New {
    fn body(&self) -> Result<Map<String, Value>, Failure> {
        let mut body = body::given([
            ("name", &self.name),
            (
                "expires_at",
                &body::end("--expires", self.expires.as_ref())?,
            ),
            ("service_account", &self.service_account),
            ("team", &self.team.team),
        ]);
        body.insert("permissions".into(), json!(self.permission));
        Ok(body)
    }
}

fn shown_once(format: Format, made: &Value) -> Result<(), Failure> {
    output::one(format, &ONE, made)?;
    output::say(
        format,
        "\nThe secret is not shown again. Programs send it as: Authorization: Bearer SECRET; the command line takes it from PORTREEVE_TOKEN.",
    );
    Ok(())
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve api-token list shows the tokens there are")
}

fn holder(token: &Value) -> String {
    let holder = &token["holder"];
    let name = holder["name"]
        .as_str()
        .map_or_else(|| plain(&holder["id"]), harmless);
    format!("{} {name}", plain(&holder["kind"]))
        .trim()
        .to_owned()
}
