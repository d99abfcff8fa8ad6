//! `portreeve connection`: how the people of a directory sign in.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::environment;
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::Scope;
use crate::time as clock;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the connection of a directory, but for its secret
    Show(Scope),
    /// Connect a directory to an identity provider (OpenID Connect), or change the connection
    Set(Settings),
    /// Examine the connection step by step, and try a sign-in
    Test {
        #[command(flatten)]
        scope: Scope,
        /// Wait until somebody has signed in at the address that is printed, and show what came of it
        #[arg(long)]
        trial: bool,
    },
    /// Remove the connection: nobody of the directory can sign in any more
    Remove {
        #[command(flatten)]
        scope: Scope,
        #[command(flatten)]
        care: Care,
    },
}

/// What is not given stays as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "The client secret comes from the variable PORTREEVE_CLIENT_SECRET, so that it is in no list of commands."
)]
pub(crate) struct Settings {
    #[command(flatten)]
    scope: Scope,
    /// Metadata document of the provider, …/.well-known/openid-configuration
    #[arg(long, value_name = "URL")]
    metadata_url: Option<String>,
    /// Client id, "application (client) ID" at Entra
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Only people of this Entra tenant
    #[arg(long, value_name = "ID")]
    tenant_id: Option<String>,
    /// Only people with an e-mail address of this domain; once for each, or with commas
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    domain: Option<Vec<String>>,
    /// What finds somebody at the first sign-in, beside the object id of Entra; once for each, or with commas
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    match_by: Option<Vec<Match>>,
    /// What the button says
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Match {
    /// The subject is the user's externalId
    Subject,
    /// The e-mail claim is one of the user's addresses
    Email,
    /// preferred_username is the user's userName
    UserName,
}

const ONE: Shape = Shape {
    columns: &[
        Column::text("Button", "label"),
        Column::text("Metadata", "metadata_url"),
        Column::text("Client id", "client_id"),
        Column::text("Client secret", "has_client_secret"),
        Column::text("Tenant", "tenant_id"),
        Column::text("Domains", "domains"),
        Column::text("Matched by", "match_by"),
        Column::text("Redirect URI", "redirect_uri"),
        Column::text("Sign-in page", "sign_in_url"),
        Column::time("Changed", "updated_at", ""),
    ],
    name: "directory_id",
};

const STEPS: Shape = Shape {
    columns: &[
        Column::text("STEP", "name"),
        Column::text("VERDICT", "verdict"),
        Column::text("FOUND", "sentence"),
        Column::text("REMEDY", "remedy"),
    ],
    name: "name",
};

const TRIAL: Shape = Shape {
    columns: &[
        Column::text("User", "user.name"),
        Column::text("Found by", "user.by"),
        Column::text("Refused", "refused.detail"),
        Column::text("Reason", "refused.reason"),
        Column::text("Claims", "claims"),
    ],
    name: "user.name",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::Show(scope) => {
            let (_, found) = find(&api, &scope).await?;
            output::one(format, &ONE, &found)
        }
        Command::Set(settings) => set(&api, format, &settings).await,
        Command::Test { scope, trial } => test(&api, format, &scope, trial).await,
        Command::Remove { scope, care } => {
            let (directory, found) = find(&api, &scope).await?;
            let loss =
                "nobody of this directory will be able to sign in, and the client secret is lost";
            if !care.allows(format, &ONE, &found, loss)? {
                return Ok(());
            }
            api.delete(&["directories", &directory, "connection"])
                .await?;
            match format {
                Format::Table => {
                    output::say(format, "The connection is gone; its events stay.");
                    Ok(())
                }
                _ => output::one(format, &ONE, &found),
            }
        }
    }
}

async fn set(api: &Api, format: Format, settings: &Settings) -> Result<(), Failure> {
    let directory = settings.scope.resolve(api).await?;
    let path = ["directories", directory.as_str(), "connection"];
    let before = match api.get(&path, &[]).await {
        Ok(before) => before,
        Err(failure) if failure.code == Code::NotFound => Value::Null,
        Err(failure) => return Err(failure),
    };
    let changed = settings.members();
    let secret = environment::var("PORTREEVE_CLIENT_SECRET");
    if changed.is_empty() && secret.is_none() {
        body::something(
            &changed,
            "--metadata-url, --client-id, --tenant-id, --domain, --match-by or --label, or PORTREEVE_CLIENT_SECRET",
        )?;
    }
    if settings.dry_run {
        return body::preview(format, &before, &changed);
    }
    // A connection is put as a whole; the secret that it leaves out stays.
    let kept = [
        "label",
        "metadata_url",
        "client_id",
        "tenant_id",
        "domains",
        "match_by",
    ];
    let kept = kept.iter().filter(|name| !before[**name].is_null());
    let mut body: Map<_, _> = kept
        .map(|name| ((*name).to_owned(), before[*name].clone()))
        .collect();
    body.extend(changed);
    if let Some(secret) = secret {
        body.insert("client_secret".into(), json!(secret));
    }
    for (name, flag) in [
        ("metadata_url", "--metadata-url"),
        ("client_id", "--client-id"),
    ] {
        if !body.contains_key(name) {
            return Err(Failure::usage(format!("a new connection needs {flag}")));
        }
    }
    let made = api.put(&path, &Value::Object(body)).await?;
    output::one(format, &ONE, &made)?;
    output::say(
        format,
        "\nRegister the redirect URI at the provider, then see whether all is well: portreeve connection test --trial",
    );
    Ok(())
}

async fn test(api: &Api, format: Format, scope: &Scope, wait: bool) -> Result<(), Failure> {
    let directory = scope.resolve(api).await?;
    let path = ["directories", directory.as_str(), "connection", "test"];
    let found = api.post(&path, &json!({})).await.map_err(missing)?;
    steps(format, &found)?;
    if !wait {
        output::say(
            format,
            &format!("\nTo try a sign-in, open {}", plain(&found["trial"]["url"])),
        );
        return verdict(&found);
    }
    eprintln!(
        "\nOpen this address and sign in: {}",
        plain(&found["trial"]["url"])
    );
    let brought = trial(api, &directory, &found["trial"]["secret"]).await?;
    output::one(format, &TRIAL, &brought)?;
    match brought["refused"].is_null() {
        true => verdict(&found),
        false => Err(Failure::told(Code::Failure)),
    }
}

/// What a trial brought, once it did.
async fn trial(api: &Api, directory: &str, secret: &Value) -> Result<Value, Failure> {
    const PATIENCE: Duration = Duration::from_secs(15 * 60);
    const INTERVAL: Duration = Duration::from_secs(2);
    let end = clock::steady() + PATIENCE;
    let path = ["directories", directory, "connection", "trial"];
    while clock::steady() < end {
        let result = api.post(&path, &json!({"secret": secret})).await?;
        if result["status"] != "pending" {
            return Ok(result);
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Err(Failure::new(
        Code::Pending,
        "nobody tried to sign in within 15 minutes",
    ))
}

/// What was examined; programs get the whole answer.
pub(crate) fn steps(format: Format, found: &Value) -> Result<(), Failure> {
    match format {
        Format::Json | Format::Yaml => output::one(format, &STEPS, found),
        _ => {
            let steps = found["steps"].as_array().map_or(&[][..], Vec::as_slice);
            output::list(format, &STEPS, steps)
        }
    }
}

/// The exit code for what was found, which was told already.
pub(crate) fn verdict(found: &Value) -> Result<(), Failure> {
    match found["verdict"] == "fail" {
        true => Err(Failure::told(Code::Failure)),
        false => Ok(()),
    }
}

async fn find(api: &Api, scope: &Scope) -> Result<(String, Value), Failure> {
    let directory = scope.resolve(api).await?;
    let found = api
        .get(&["directories", &directory, "connection"], &[])
        .await;
    Ok((directory, found.map_err(missing)?))
}

fn missing(failure: Failure) -> Failure {
    failure.hint_if_missing("portreeve connection set makes one; portreeve directory list shows the directories there are")
}

impl Settings {
    fn members(&self) -> Map<String, Value> {
        let mut members = body::changed([("tenant_id", &self.tenant_id), ("label", &self.label)]);
        members.extend(body::given([
            ("metadata_url", &self.metadata_url),
            ("client_id", &self.client_id),
        ]));
        if let Some(domains) = &self.domain {
            let domains = domains.iter().filter(|domain| !domain.is_empty());
            members.insert("domains".into(), json!(domains.collect::<Vec<_>>()));
        }
        if let Some(match_by) = &self.match_by {
            members.insert("match_by".into(), json!(match_by));
        }
        members
    }
}
