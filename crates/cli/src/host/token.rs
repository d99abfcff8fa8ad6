//! `portreeve host token`: what machines become hosts with.

use super::pairs;
use crate::body;
use crate::client::Api;
use crate::failure::Failure;
use crate::output::{self, Column, Format, Shape};
use crate::scope::OfTeam;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token, with what to run on the machine; it is shown this once
    Create(New),
    /// List tokens: what they are for, and how many machines have used each
    List(OfTeam),
    /// Show a token, but for its secret
    Get(Which),
    /// End a token now; hosts that have enrolled with it stay
    Revoke(Which),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name, to tell tokens apart
    #[arg(long)]
    name: Option<String>,
    /// What its hosts are tagged with, such as role=web; once for each
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Vec<String>,
    /// What their names must be like, such as web-* [default: anything]
    #[arg(long, value_name = "PATTERN")]
    name_pattern: Option<String>,
    /// How many machines may enrol with it [default: 1]
    #[arg(long, value_name = "NUMBER")]
    uses: Option<u32>,
    /// When it ends: a length such as 2h, or a date [default: 1h]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Let a machine take the place of one that has enrolled under its name
    #[arg(long)]
    replace: bool,
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
        Column::text("STATUS", "status"),
        Column::text("NAMES", "name_pattern"),
        Column::made("TAGS", "tags", super::tags),
        Column::made("USED", "used", used),
        Column::time("ENDS", "expires_at", ""),
    ],
    name: "id",
};

const ONE: Shape = Shape {
    columns: &[
        Column::text("Id", "id"),
        Column::text("Name", "name"),
        Column::text("Status", "status"),
        Column::text("Names", "name_pattern"),
        Column::made("Tags", "tags", super::tags),
        Column::made("Used", "used", used),
        Column::made("Replaces", "may_replace", replaces),
        Column::time("Created", "created_at", ""),
        Column::time("Last used", "last_used_at", "never"),
        Column::time("Ends", "expires_at", ""),
        Column::time("Revoked", "revoked_at", ""),
        Column::text("Secret", "secret"),
    ],
    name: "id",
};

pub(crate) async fn run(api: &Api, format: Format, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(new) => {
            let body = Value::Object(new.body()?);
            let made = api.post(&["host-tokens"], &body).await?;
            output::one(format, &ONE, &made)?;
            let command = output::plain(&made["command"]);
            output::say(
                format,
                &format!(
                    "\nRun on the machine, as root; the secret is not shown again:\n  {command}"
                ),
            );
            Ok(())
        }
        Command::List(team) => {
            let all = api.list(&["host-tokens"], &team.query()).await?;
            output::list(format, &LIST, &all)
        }
        Command::Get(which) => {
            let path = ["host-tokens", which.token.as_str()];
            let found = api.get(&path, &which.team.query()).await;
            output::one(format, &ONE, &found.map_err(missing)?)
        }
        Command::Revoke(which) => {
            let path = ["host-tokens", which.token.as_str()];
            let revoked = api.delete_where(&path, &which.team.query()).await;
            output::one(format, &ONE, &revoked.map_err(missing)?)
        }
    }
}

impl New {
    fn body(&self) -> Result<Map<String, Value>, Failure> {
        let mut body = body::given([
            ("name", &self.name),
            ("name_pattern", &self.name_pattern),
            (
                "expires_at",
                &body::end("--expires", self.expires.as_ref())?,
            ),
            ("team", &self.team.team),
        ]);
        body.insert("tags".into(), Value::Object(pairs(&self.tag)?));
        body.insert("may_replace".into(), json!(self.replace));
        body.extend(self.uses.map(|uses| ("uses".to_owned(), json!(uses))));
        Ok(body)
    }
}

fn used(token: &Value) -> String {
    format!("{} of {}", token["used"], token["uses"])
}

fn replaces(token: &Value) -> String {
    match token["may_replace"] == true {
        true => "hosts that have enrolled under the same name".to_owned(),
        false => String::new(),
    }
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve host token list shows those there are")
}
