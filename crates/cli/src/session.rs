//! `portreeve session`.

use crate::Global;
use crate::client::{Api, page_size};
use crate::failure::Failure;
use crate::live;
use crate::output::{self, Column, Format, Shape, harmless, plain};
use crate::scope::{OfTeam, Scope};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List who is signed in, newest first
    List {
        #[command(flatten)]
        whose: Whose,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: usize,
    },
    /// End a session, or all of somebody's
    #[command(group = ArgGroup::new("which").required(true))]
    End {
        /// Id of the session
        #[arg(group = "which")]
        session: Option<String>,
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Whose {
    /// Of this user (userName or id) or local owner (id)
    #[arg(long, value_name = "WHO", group = "which", add = live::users())]
    user: Option<String>,
    /// Your own
    #[arg(long, conflicts_with_all = ["user", "team", "directory"])]
    own: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    team: OfTeam,
}

const LIST: Shape = Shape {
    columns: &[
        Column::made("WHO", "holder", who),
        Column::text("KIND", "kind"),
        Column::text("SIGNED IN BY", "method"),
        Column::text("ADDRESS", "address"),
        Column::text("PROGRAM", "agent"),
        Column::time("LAST SEEN", "last_seen_at", ""),
        Column::made("", "current", this_one),
        Column::text("ID", "id"),
    ],
    name: "id",
};

const ENDED: Shape = Shape {
    columns: &[Column::text("Sessions ended", "ended")],
    name: "ended",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    match command {
        Command::List { whose, limit } => {
            let items = match whose.own {
                true => api.list(&["me", "sessions"], &[]).await?,
                false => of_team(&api, &whose, limit).await?,
            };
            output::list(global.output, &LIST, &items)
        }
        Command::End { session, whose } => end(&api, global.output, session, &whose).await,
    }
}

async fn of_team(api: &Api, whose: &Whose, limit: usize) -> Result<Vec<Value>, Failure> {
    let (size, user) = (page_size(limit), whose.user_id(api).await?);
    let mut query = whose.team.query();
    query.push(("count", &size));
    if let Some(user) = &user {
        query.push(("user", user));
    }
    api.walk(&["sessions"], &query, limit).await
}

async fn end(
    api: &Api,
    format: Format,
    session: Option<String>,
    whose: &Whose,
) -> Result<(), Failure> {
    let missing =
        |failure: Failure| failure.hint_if_missing("portreeve session list shows who is signed in");
    let ended = match session {
        Some(id) if whose.own => {
            api.delete(&["me", "sessions", &id])
                .await
                .map_err(missing)?;
            json!({"ended": 1})
        }
        Some(id) => {
            let query = whose.team.query();
            api.delete_where(&["sessions", &id], &query)
                .await
                .map_err(missing)?;
            json!({"ended": 1})
        }
        None => {
            let user = whose.user_id(api).await?.unwrap_or_default();
            let mut query = whose.team.query();
            query.push(("user", &user));
            api.delete_where(&["sessions"], &query).await?
        }
    };
    output::one(format, &ENDED, &ended)
}

impl Whose {
    /// The id of the user, who may be named by `userName`. What is nobody's name is taken for an id.
    async fn user_id(&self, api: &Api) -> Result<Option<String>, Failure> {
        let Some(user) = &self.user else {
            return Ok(None);
        };
        let Ok(directory) = self.scope.resolve(api).await else {
            return Ok(Some(user.clone()));
        };
        let found = api
            .get(&["directories", &directory, "users", user], &[])
            .await;
        Ok(Some(found.map_or_else(
            |_| user.clone(),
            |found| plain(&found["id"]),
        )))
    }
}

fn who(session: &Value) -> String {
    let holder = &session["holder"];
    match holder["name"].as_str() {
        Some(name) => harmless(name),
        None => plain(&holder["id"]),
    }
}

fn this_one(session: &Value) -> String {
    match session["current"] == true {
        true => "this one".to_owned(),
        false => String::new(),
    }
}
