//! `portreeve ca provisioner` and `portreeve ca step`: whose tokens get certificates from the API that the `step` client
//! speaks, and how a team is served to it.

use crate::Global;
use crate::body;
use crate::client::Api;
use crate::confirm::Care;
use crate::environment;
use crate::failure::Failure;
use crate::output::{self, Column, Shape, harmless, plain};
use crate::scope::OfTeam;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the password of a new key is, if it is in no file.
const PASSWORD: &str = "PORTREEVE_PROVISIONER_PASSWORD";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List those whose tokens get certificates; the connection of each directory, and sshpop, are there by themselves
    List(OfTeam),
    /// Show one of them
    Get(Which),
    /// Declare one: whoever signs its tokens gets certificates for the names that they say
    #[command(subcommand)]
    Add(Add),
    /// Take its tokens no longer; certificates that they got stay good
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        care: Care,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Name or id
    provisioner: String,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Add {
    /// Tokens that are signed with a key
    #[command(
        after_help = "The password for a new key may also come from the variable PORTREEVE_PROVISIONER_PASSWORD."
    )]
    Jwk {
        /// Name, which tokens say as who has issued them
        name: String,
        /// File with a password for a new key, which step asks for; at least 12 characters
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Public key (JWK, in a file) of a pair that you keep, instead of a new one
        #[arg(long, value_name = "FILE", conflicts_with = "password_file")]
        public_key: Option<PathBuf>,
        /// Private key of that pair, encrypted (JWE, in a file), for step to fetch
        #[arg(long, value_name = "FILE", requires = "public_key")]
        encrypted_key: Option<PathBuf>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Another client of the identity provider that a directory is connected to, for step's sign-in
    Oidc {
        /// Name, which people choose by
        name: String,
        /// Directory whose people sign in, by name or id
        #[arg(long, value_name = "ID|NAME")]
        directory: String,
        /// What the provider calls step: a public client that may be sent back to http://127.0.0.1
        #[arg(long, value_name = "ID")]
        client_id: String,
        /// Secret of that client, where the provider gives public ones a secret; everybody can read it
        #[arg(long, value_name = "TEXT")]
        public_secret: Option<String>,
        /// Where step listens for the browser, such as :10000, where the provider does not take any port
        #[arg(long, value_name = "ADDR")]
        listen_address: Option<String>,
        /// What is asked for [default: openid email]; once for each, or with commas
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<String>,
        /// What else is sent to the provider, as name=value; once for each
        #[arg(long, value_name = "NAME=VALUE")]
        auth_param: Vec<String>,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Tokens that are signed with X.509 certificates
    X5c {
        /// Name, which tokens say as who has issued them
        name: String,
        /// Certificates (PEM, in a file) that those of the tokens must lead to
        #[arg(long, value_name = "FILE")]
        roots: PathBuf,
        #[command(flatten)]
        team: OfTeam,
    },
    /// Tokens that are signed with SSH certificates of ours, by another name than sshpop
    Sshpop {
        /// Name
        name: String,
        #[command(flatten)]
        team: OfTeam,
    },
}

/// What is not given stays as it is.
#[derive(Debug, Args)]
pub(crate) struct Step {
    /// Who is told of hosts and keys: everybody (open), or those who have signed in (managed)
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Host name that is the team's own and leads to this server; empty for none
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Open,
    Managed,
}

const LIST: Shape = Shape {
    columns: &[
        Column::text("NAME", "name"),
        Column::text("KIND", "kind"),
        Column::text("BY ITSELF", "automatic"),
        Column::time("DECLARED", "created_at", ""),
    ],
    name: "name",
};

const STEP: Shape = Shape {
    columns: &[
        Column::text("Address", "url"),
        Column::text("Host name", "ca_host"),
        Column::text("Mode", "mode"),
        Column::text("Team URL", "team_url"),
    ],
    name: "url",
};

const PATH: [&str; 2] = ["ca", "provisioners"];

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let format = global.output;
    match command {
        Command::List(team) => {
            let all = api.list(&PATH, &team.query()).await?;
            output::list(format, &LIST, &all)
        }
        Command::Get(which) => output::one(format, &LIST, &which.find(&api).await?),
        Command::Add(add) => {
            let made = api.post(&PATH, &Value::Object(add.body()?)).await?;
            output::one(format, &LIST, &made)
        }
        Command::Remove { which, care } => {
            let found = which.find(&api).await?;
            let name = harmless(&plain(&found["name"]));
            let loss =
                format!("tokens of the provisioner \"{name}\" will get no certificates any more");
            if !care.allows(format, &LIST, &found, &loss)? {
                return Ok(());
            }
            let path = [PATH[0], PATH[1], &which.provisioner];
            api.delete_where(&path, &which.team.query()).await?;
            output::gone(format, &LIST, &found)
        }
    }
}

/// `portreeve ca step`.
pub(crate) async fn step(global: &Global, step: Step) -> Result<(), Failure> {
    let api = Api::open(global)?;
    let mut body = body::changed([("ca_host", &step.host)]);
    if let Some(mode) = step.mode {
        let mode = match mode {
            Mode::Open => "open",
            Mode::Managed => "managed",
        };
        body.insert("mode".into(), json!(mode));
    }
    let (path, query) = (["ca", "step"], step.team.query());
    let found = match body.is_empty() {
        true => api.get(&path, &query).await?,
        false => api.patch_where(&path, &query, &Value::Object(body)).await?,
    };
    output::one(global.output, &STEP, &found)
}

impl Which {
    async fn find(&self, api: &Api) -> Result<Value, Failure> {
        let path = [PATH[0], PATH[1], &self.provisioner];
        let found = api.get(&path, &self.team.query()).await;
        found.map_err(|failure| {
            failure.hint_if_missing("portreeve ca provisioner list shows those there are")
        })
    }
}

impl Add {
    fn body(self) -> Result<Map<String, Value>, Failure> {
        let (kind, name, team, more) = match self {
            Self::Jwk {
                name,
                password_file,
                public_key,
                encrypted_key,
                team,
            } => {
                let key = key(password_file, public_key, encrypted_key)?;
                ("jwk", name, team, key)
            }
            Self::Oidc {
                name,
                directory,
                client_id,
                public_secret,
                listen_address,
                scope,
                auth_param,
                team,
            } => {
                let mut more = body::given([
                    ("public_secret", &public_secret),
                    ("listen_address", &listen_address),
                ]);
                more.insert("directory".into(), json!(directory));
                more.insert("client_id".into(), json!(client_id));
                more.insert("scopes".into(), json!(scope));
                more.insert("auth_params".into(), json!(auth_param));
                ("oidc", name, team, more)
            }
            Self::X5c { name, roots, team } => {
                let mut more = Map::new();
                more.insert("roots".into(), json!(text(&roots)?));
                ("x5c", name, team, more)
            }
            Self::Sshpop { name, team } => ("sshpop", name, team, Map::new()),
        };
        let mut body = body::given([("team", &team.team)]);
        body.insert("kind".into(), json!(kind));
        body.insert("name".into(), json!(name));
        body.extend(more);
        Ok(body)
    }
}

/// A key that is kept elsewhere, or the password for a new one.
fn key(
    password_file: Option<PathBuf>,
    public_key: Option<PathBuf>,
    encrypted_key: Option<PathBuf>,
) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    if let Some(public) = public_key {
        body.insert("key".into(), body::file(&public)?);
        if let Some(encrypted) = encrypted_key {
            let encrypted = text(&encrypted)?.trim().to_owned();
            body.insert("encrypted_key".into(), json!(encrypted));
        }
        return Ok(body);
    }
    let password = match password_file {
        Some(file) => Some(text(&file)?.trim_end_matches(['\r', '\n']).to_owned()),
        None => environment::var(PASSWORD),
    };
    let password = password.ok_or_else(|| {
        Failure::usage("a new key needs a password")
            .hint(format!("give it with --password-file, or in {PASSWORD}"))
    })?;
    body.insert("password".into(), json!(password));
    Ok(body)
}

fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))
}
