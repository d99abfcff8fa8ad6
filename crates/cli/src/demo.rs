//! `portreeve demo`: a server of its own, a sample company that the provisioning engine brings to it from tables, and what
//! to look at.

mod days;
mod host;
mod managed;
mod story;

use crate::client::Api;
use crate::failure::{Code, Failure};
use crate::output::{Format, say};
use crate::runtime::{self, Signals};
use crate::settings;
use crate::{Global, environment};
use days::{Home, Report};
use portreeve_provisioning::demo::What;
use portreeve_server::config::{Origin, Values};
use portreeve_server::{Config, Running, SystemClock};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use story::Next;
use tempfile::TempDir;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End when everything is provisioned
    #[arg(long)]
    exit: bool,
    /// Have a host of its own with the host agent on it, in namespaces of this machine; needs root, sshd, sudo and
    /// portreeve-host
    #[arg(long)]
    with_host: bool,
    /// Address and port to serve HTTP on
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        hide_default_value = true
    )]
    listen: String,
}

/// The directory of the sample company.
const DIRECTORY: &str = "Contoso";
const TEAM: &str = "contoso";

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if global.url.is_some() {
        return Err(Failure::usage(
            "the demonstration runs a server of its own, so --url has no meaning here",
        ));
    }
    // Nobody wants to hear at the end that it could not be.
    let agent = args.with_host.then(managed::possible).transpose()?;
    settings::start_log(&quiet())?;
    let place = Place::choose(global.data.as_deref())?;
    let config = Config::from_values(&place.values(&args.listen), environment::var)
        .map_err(Failure::usage)?;
    runtime::server()?.block_on(async {
        let mut signals = Signals::catch()?;
        let server = portreeve_server::start(config, Arc::new(SystemClock))
            .await
            .map_err(Failure::plain)?;
        say(global.output, &format!("Portreeve serves {} with its data in {}", server.url(), place.path().display()));
        let done = tokio::select! {
            done = provision(&place, &server, agent.as_deref(), global.output) => done,
            () = signals.next() => Err(Failure::new(Code::Cancelled, "the demonstration was cancelled")),
        };
        let next = match (&place, args.exit) {
            (_, false) => Next::Serving,
            (Place::Kept(_), true) => Next::Kept,
            (Place::Temporary(_), true) => Next::Gone,
        };
        // With what is told of goes the host, which is to be there as long as the server.
        let (done, _told) = match done {
            Ok(told) => (story::tell(global.output, &told, &server, place.path(), next), Some(told)),
            Err(failure) => (Err(failure), None),
        };
        if done.is_ok() && !args.exit {
            signals.next().await;
        }
        runtime::stop(server, signals).await?;
        done
    })
}

/// What [`story::tell`] tells of.
struct Told {
    directory: Value,
    /// The declaration of the application.
    definition: PathBuf,
    /// The table of people.
    people: PathBuf,
    report: Report,
    /// The id of a person with a new name.
    renamed: Option<String>,
    /// What a host of theirs said to one of its people.
    host: host::Shown,
    /// That host, if it is one of its own. It goes with this.
    _stage: Option<managed::Stage>,
    /// Signs an owner of the sample company in, once.
    link: SecretString,
}

async fn provision(
    place: &Place,
    server: &Running,
    agent: Option<&Path>,
    format: Format,
) -> Result<Told, Failure> {
    let api = Api::local(place.path().to_owned())?;
    let (directory, secret) = directory(&api).await?;
    let tenant_url = directory["tenant_url"].as_str().unwrap_or_default();
    // The server is on this machine, whatever address clients are told.
    let path = tenant_url.find("/scim/").map_or("", |at| &tenant_url[at..]);
    let tenant_url = format!("http://{}{path}", server.address());
    let home = Home::new(place.path());
    let report = home.live(&tenant_url, &secret, format).await?;
    let renamed = report.notable.iter().find(|it| it.what == What::Renamed);
    let renamed = match renamed {
        Some(person) => api
            .get(&["directories", DIRECTORY, "users", &person.name], &[])
            .await
            .ok(),
        None => None,
    };
    say(format, "\nSomebody logs in to a host");
    let notable = &report.notable;
    let (host, stage) = match agent {
        Some(agent) => {
            let provider = managed::Provider { tenant_url, secret };
            managed::show(&api, server, &provider, (agent, notable), format).await?
        }
        None => {
            let shown = host::show(&api, server, place.path(), &directory, notable).await?;
            (shown, None)
        }
    };
    let link = api
        .post(&["owners", "link"], &json!({"team": TEAM}))
        .await?;
    Ok(Told {
        link: link["url"].as_str().unwrap_or_default().into(),
        host,
        _stage: stage,
        directory,
        definition: home.definition(),
        people: home.people(),
        report,
        renamed: renamed.and_then(|it| it["id"].as_str().map(str::to_owned)),
    })
}

/// Finds the sample company's directory or makes it, with a token for this run.
async fn directory(api: &Api) -> Result<(Value, SecretString), Failure> {
    let all = api.list(&["directories"], &[]).await?;
    let existing = all
        .into_iter()
        .find(|one| one["name"] == DIRECTORY && one["team"] == TEAM);
    let (directory, made) = match existing {
        Some(directory) => {
            let id = directory["id"].as_str().unwrap_or_default().to_owned();
            let name = json!({"name": "demonstration", "expires_at": tomorrow()});
            let token = api.post(&["directories", &id, "tokens"], &name).await?;
            (directory, token)
        }
        None => {
            let wanted =
                json!({"name": DIRECTORY, "team": TEAM, "provider": "entra", "users": "suspend"});
            let made = api.post(&["directories"], &wanted).await?;
            (made.clone(), made)
        }
    };
    let secret = made["secret_token"].as_str().unwrap_or_default();
    Ok((directory, SecretString::from(secret)))
}

/// A token for one run need not outlive it by much.
fn tomorrow() -> String {
    let now = crate::time::now();
    now.checked_add(jiff::SignedDuration::from_hours(24))
        .unwrap_or(now)
        .to_string()
}

/// Where the data is: in a folder that stays, or in one that goes when the demonstration ends.
enum Place {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn choose(data: Option<&Path>) -> Result<Self, Failure> {
        let cannot = |error| {
            Failure::plain(format!("the data folder cannot be made: {error}"))
                .hint("choose one with --data")
        };
        match data {
            Some(data) => {
                fs::create_dir_all(data).map_err(cannot)?;
                Ok(Self::Kept(fs::canonicalize(data).map_err(cannot)?))
            }
            None => Ok(Self::Temporary(
                tempfile::Builder::new()
                    .prefix("portreeve-demo-")
                    .tempdir()
                    .map_err(cannot)?,
            )),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    fn values(&self, listen: &str) -> Values {
        let data = self.path().display().to_string();
        Values::from([
            ("data", (data, Origin::Flag)),
            ("listen", (listen.to_owned(), Origin::Flag)),
            ("ca-listen", ("127.0.0.1:0".to_owned(), Origin::Flag)),
            ("metrics-listen", ("none".to_owned(), Origin::Flag)),
        ])
    }
}

/// The demonstration shows what happens itself; of the log only what goes wrong belongs in between.
fn quiet() -> Values {
    Values::from([("log", ("error".to_owned(), Origin::Default))])
}
