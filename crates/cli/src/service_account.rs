//! `portreeve service-account`.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a service account; its tokens are made with: portreeve api-token create --service-account NAME
    Create {
        /// Name, for people
        name: String,
        /// What it may do, such as user:read; once for each, or with commas
        #[arg(long, value_name = "PERMISSION", value_delimiter = ',', add = live::permissions())]
        permission: Vec<String>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// List service accounts
    List(OfTeam),
    /// Show a service account
    Get(Which),
    /// Change a service account
    Update {
        #[command(flatten)]
        which: Which,
        /// New name
        #[arg(long, value_name = "NEW")]
        name: Option<String>,
        /// All that it may do from now on; once for each, or with commas
        #[arg(long, value_name = "PERMISSION", value_delimiter = ',', add = live::permissions())]
        permission: Option<Vec<String>>,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Let its tokens do nothing
    Suspend(Which),
    /// Let its tokens work again
    Reinstate(Which),
    /// Remove a service account with its tokens
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name or id
    #[arg(add = live::service_accounts())]
    account: String,
    #[command(flatten)]
    team: OfTeam,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("STATUS", "status"),
        Column::text("MAY", "permissions"),
        Column::time("CHANGED", "updated_at", ""),
        Column::text("ID", "id"),
    ],
    name: "name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Create {
            name,
            permission,
            team,
        } => {
            let mut body = body::given([("team", &team.team)]);
            body.insert("name".into(), json!(name));
            body.insert("permissions".into(), json!(permission));
            let made = api
                .post(&["service-accounts"], &Value::Object(body))
                .await?;
            output::one(format, &LIST, &made)
        }
        Command::List(team) => {
            let items = api.list(&["service-accounts"], &team.query()).await?;
            output::list(format, &LIST, &items)
        }
        Command::Get(which) => output::one(format, &LIST, &which.find(&api).await?),
        Command::Update {
            which,
            name,
            permission,
            dry_run,
        } => {
            let mut body = body::given([("name", &name)]);
            if let Some(permission) = permission {
                body.insert("permissions".into(), json!(permission));
            }
            body::something(&body, "--name or --permission")?;
            match dry_run {
                true => body::preview(format, &which.find(&api).await?, &body),
                false => which.patch(&api, format, &Value::Object(body)).await,
            }
        }
        Command::Suspend(which) => {
            which
                .patch(&api, format, &json!({"status": "suspended"}))
                .await
        }
        Command::Reinstate(which) => {
            which
                .patch(&api, format, &json!({"status": "active"}))
                .await
        }
        Command::Delete { which, care } => delete(&api, format, &which, &care).await,
    }
}

async fn delete(api: &Api, format: Format, which: &Which, care: &Care) -> Result<(), Failure> {
    let found = which.find(api).await?;
    let name = harmless(&plain(&found["name"]));
    let loss = format!("the service account \"{name}\" will be lost, and its tokens end");
    if !care.allows(format, &LIST, &found, &loss)? {
        return Ok(());
    }
    let path = ["service-accounts", &plain(&found["id"])];
    api.delete_where(&path, &which.team.query()).await?;
    output::gone(format, &LIST, &found)
}

impl Which {
    async fn find(&self, api: &Api) -> Result<Value, Failure> {
        let found = api
            .get(&["service-accounts", &self.account], &self.team.query())
            .await;
        found.map_err(missing)
    }

    async fn patch(&self, api: &Api, format: Format, body: &Value) -> Result<(), Failure> {
        let path = ["service-accounts", &self.account];
        let changed = api.patch_where(&path, &self.team.query(), body).await;
        output::one(format, &LIST, &changed.map_err(missing)?)
    }
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve service-account list shows those there are")
}
