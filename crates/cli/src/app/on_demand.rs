//! `portreeve app on-demand`: one person or group at once, with every step.

use super::file::File;
use super::{Place, Which, details, shapes};
use crate::Global;
use crate::client::Api;
use crate::environment;
use crate::failure::{Code, Failure};
use crate::output::{self, Format};
use clap::Args;
use portreeve_provisioning::engine::steps::{Initiator, InitiatorType};
use portreeve_provisioning::job::{Asked, Job, MEMBERS_AT_MOST, OnDemandError};
use portreeve_provisioning::source::Kind;
use serde_json::{Value, json};

/// Source attributes by which somebody is looked for who is not found by the key, the likeliest first.
const PERSON: [&str; 3] = ["userPrincipalName", "mail", "displayName"];
const GROUP: [&str; 2] = ["displayName", "mail"];

#[derive(Debug, Args)]
pub(crate) struct OnDemand {
    #[command(flatten)]
    which: Which,
    /// Key of a person at the source, or a sign-in name, mail address or display name
    #[arg(value_name = "WHO")]
    object: String,
    /// A group is meant: by its key or name
    #[arg(long)]
    group: bool,
    /// Look only by this attribute of the source
    #[arg(long, value_name = "ATTRIBUTE")]
    by: Option<String>,
    /// With --group: the key of a member that goes along; may be given several times [default: the first few]
    #[arg(long, value_name = "KEY", requires = "group")]
    member: Vec<String>,
    /// With --group: how many members may go along
    #[arg(long, value_name = "NUMBER", default_value_t = MEMBERS_AT_MOST, requires = "group")]
    most: usize,
}

pub(super) async fn run(global: &Global, args: &OnDemand) -> Result<(), Failure> {
    let done = match args.which.place(global)? {
        Place::File(path) => of_file(&File::open(&path)?.job().await?, args).await?,
        Place::Server(api, app) => of_server(&api, &app, args).await?,
    };
    match global.output {
        Format::Table => {
            let records = done["records"].as_array().into_iter().flatten();
            let mut text: String = records.map(details::whole).collect();
            text.push_str(&format!("{}\n", output::plain(&done["result"])));
            if let Some(reason) = done["error"]["reason"].as_str() {
                let code = output::plain(&done["error"]["errorCode"]);
                text.push_str(&output::harmless(&format!("{code}: {reason}")));
                text.push('\n');
            }
            output::print(&text)?;
        }
        format => output::one(format, &shapes::ON_DEMAND, &done)?,
    }
    match done["result"] == "Failure" {
        true => Err(Failure::told(Code::Failure)),
        false => Ok(()),
    }
}

/// Tries one way of looking after the other, until somebody is found.
async fn of_file(job: &Job, args: &OnDemand) -> Result<Value, Failure> {
    let mut not_found = None;
    for asked in args.ways() {
        match job.on_demand(&asked, initiator()).await {
            Ok(done) => return Ok(json!(done)),
            Err(error @ OnDemandError::NotFound { .. }) => not_found = Some(error),
            Err(error @ (OnDemandError::Several { .. } | OnDemandError::TooManyMembers { .. })) => {
                return Err(Failure::usage(error));
            }
            Err(error) => return Err(Failure::plain(error)),
        }
    }
    Err(missing(args, not_found.map(|error| error.to_string())))
}

async fn of_server(api: &Api, app: &str, args: &OnDemand) -> Result<Value, Failure> {
    let mut not_found = None;
    for asked in args.ways() {
        let path = ["applications", app, "on-demand"];
        match api.post(&path, &json!(asked)).await {
            Err(failure) if failure.code == Code::NotFound => not_found = Some(failure),
            done => return done,
        }
    }
    // It may be the application that is not there.
    Err(not_found.unwrap_or_else(|| missing(args, None)))
}

fn missing(args: &OnDemand, told: Option<String>) -> Failure {
    let told = told.unwrap_or_else(|| format!("the source has no {}", args.object));
    Failure::new(Code::NotFound, told)
        .hint("say with --by by which attribute to look, or --group for a group")
}

impl OnDemand {
    fn ways(&self) -> Vec<Asked> {
        let kind = match self.group {
            true => Kind::Group,
            false => Kind::User,
        };
        let attributes: &[&str] = match kind {
            Kind::Group => &GROUP,
            Kind::User => &PERSON,
        };
        let likely = attributes.iter().map(|name| Some((*name).to_owned()));
        let ways: Vec<Option<String>> = match &self.by {
            Some(attribute) => vec![Some(attribute.clone())],
            None => std::iter::once(None).chain(likely).collect(),
        };
        let asked = ways.into_iter().map(|attribute| Asked {
            kind,
            object: self.object.clone(),
            attribute,
            members: self.member.clone(),
            most: self.most,
        });
        asked.collect()
    }
}

/// Who types this.
fn initiator() -> Initiator {
    let name = environment::var("USER").unwrap_or_else(|| "command line".to_owned());
    Initiator {
        id: name.clone(),
        display_name: name,
        initiator_type: InitiatorType::User,
    }
}
