//! `portreeve ca`: the certificate authority of a team.

mod provisioner;

use crate::Global;
use crate::client::Api;
use crate::confirm::confirm;
use crate::failure::{Code, Failure};
use crate::output::{self, Column, Format, Shape, plain};
use crate::scope::OfTeam;
use crate::time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the address, the fingerprint and the keys of the certificate authority
    Status(OfTeam),
    /// Put a new key in the place of another one
    Rotate(Rotate),
    /// Show or change how long certificates are valid, and what they allow
    Policy(Policy),
    /// Fetch the list of what is revoked, which OpenSSH's RevokedKeys names
    Krl(KrlArgs),
    /// Whose tokens get certificates from the API that the step client speaks
    #[command(subcommand)]
    Provisioner(provisioner::Command),
    /// Show or change how a team is served to the step client
    Step(provisioner::Step),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Which key: user or host (SSH), root or intermediate (X.509)
    purpose: Purpose,
    /// How long the new key is announced before it signs, such as 24h; without it what the policy says
    #[arg(long, value_name = "LENGTH", conflicts_with = "now")]
    overlap: Option<String>,
    /// Let it sign at once: hosts and clients that have not heard of it refuse what it signs
    #[arg(long)]
    now: bool,
    /// Type of the new SSH key; without it what the policy says
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Purpose {
    User,
    Host,
    Root,
    Intermediate,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KeyType {
    Ed25519,
    Ecdsa,
}

#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// How long certificates of people are valid where nobody says otherwise, such as 16h
    #[arg(long, value_name = "LENGTH")]
    user_lifetime: Option<String>,
    /// The longest that people may ask for
    #[arg(long, value_name = "LENGTH")]
    user_longest: Option<String>,
    /// How long certificates of hosts are valid, such as 30d
    #[arg(long, value_name = "LENGTH")]
    host_lifetime: Option<String>,
    /// The longest that hosts may ask for
    #[arg(long, value_name = "LENGTH")]
    host_longest: Option<String>,
    /// All extensions of people's certificates, such as permit-pty; once for each, or with commas
    #[arg(long, value_name = "NAME[=VALUE]", value_delimiter = ',')]
    extension: Option<Vec<String>>,
    /// All critical options of people's certificates, such as source-address=10.0.0.0/8; once for each, or one that is empty
    #[arg(long, value_name = "NAME[=VALUE]")]
    option: Option<Vec<String>>,
    /// Type of new SSH keys of the authority
    #[arg(long, value_name = "TYPE")]
    key_type: Option<KeyType>,
    /// How long a new key is announced before it signs, such as 24h
    #[arg(long, value_name = "LENGTH")]
    overlap: Option<String>,
    #[command(flatten)]
    team: OfTeam,
}

#[derive(Debug, Args)]
pub(crate) struct KrlArgs {
    /// File to put the list into; what was there is replaced as a whole
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File to put its signature into, for: ssh-keygen -Y verify -n krl@portreeve
    #[arg(long, value_name = "FILE", requires = "out")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    team: OfTeam,
}

const STATUS: Shape = Shape {
    columns: &[
        Column::text("URL", "url"),
        Column::text("Fingerprint", "fingerprint"),
        Column::lines("Keys for people", "user_keys", |ca| lines(&ca["user_keys"])),
        Column::lines("Keys for hosts", "host_keys", |ca| lines(&ca["host_keys"])),
        Column::lines("All keys", "keys", keys),
        Column::text("Revoked", "krl_url"),
        Column::text("Certificates that count", "live_certificates"),
    ],
    name: "fingerprint",
};

const POLICY: Shape = Shape {
    columns: &[
        Column::made("People", "user", |policy| lifetimes(&policy["user"])),
        Column::made("  Extensions", "user.extensions", |policy| {
            named(&policy["user"]["extensions"])
        }),
        Column::made("  Options", "user.critical_options", |policy| {
            named(&policy["user"]["critical_options"])
        }),
        Column::made("Hosts", "host", |policy| lifetimes(&policy["host"])),
        Column::text("Type of new keys", "key_type"),
        Column::made("New keys are announced for", "overlap_seconds", |policy| {
            length(&policy["overlap_seconds"])
        }),
    ],
    name: "key_type",
};

const KRL: Shape = Shape {
    columns: &[
        Column::text("Version", "version"),
        Column::text("Certificates and keys", "entries"),
        Column::time("Last revocation", "generated_at", "never"),
        Column::text("Hosts fetch it from", "url"),
    ],
    name: "version",
};

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let format = global.output;
    match command {
        Command::Status(team) => {
            let status = Api::open(global)?.get(&["ca"], &team.query()).await?;
            output::one(format, &STATUS, &status)
        }
        Command::Rotate(args) => rotate(&Api::open(global)?, format, &args).await,
        Command::Policy(args) => policy(&Api::open(global)?, format, &args).await,
        Command::Krl(args) => krl(&Api::open(global)?, format, &args).await,
        Command::Provisioner(command) => provisioner::run(global, command).await,
        Command::Step(step) => provisioner::step(global, step).await,
    }
}

async fn rotate(api: &Api, format: Format, args: &Rotate) -> Result<(), Failure> {
    let purpose = word(&args.purpose);
    if args.now && !args.yes {
        confirm(&format!(
            "the new {purpose} key signs at once, and whoever has not heard of it refuses what it signs"
        ))?;
    }
    let mut body = Map::new();
    body.insert("purpose".into(), json!(purpose));
    if let Some(team) = &args.team.team {
        body.insert("team".into(), json!(team));
    }
    let overlap = args.overlap.as_deref().map(seconds).transpose()?;
    if let Some(overlap) = overlap.or(args.now.then_some(0)) {
        body.insert("overlap_seconds".into(), json!(overlap));
    }
    if let Some(key_type) = args.key_type {
        body.insert("key_type".into(), json!(word(&key_type)));
    }
    let status = api.post(&["ca", "rotate"], &Value::Object(body)).await?;
    output::one(format, &STATUS, &status)
}

async fn policy(api: &Api, format: Format, args: &Policy) -> Result<(), Failure> {
    let mut body = Map::new();
    let user = rules(
        args.user_lifetime.as_deref(),
        args.user_longest.as_deref(),
        (args.extension.as_deref(), args.option.as_deref()),
    )?;
    let host = rules(
        args.host_lifetime.as_deref(),
        args.host_longest.as_deref(),
        (None, None),
    )?;
    for (name, rules) in [("user", user), ("host", host)] {
        if !rules.is_empty() {
            body.insert(name.into(), Value::Object(rules));
        }
    }
    if let Some(key_type) = args.key_type {
        body.insert("key_type".into(), json!(word(&key_type)));
    }
    if let Some(overlap) = &args.overlap {
        body.insert("overlap_seconds".into(), json!(seconds(overlap)?));
    }
    let (path, query) = (["ca", "policy"], args.team.query());
    let policy = match body.is_empty() {
        true => api.get(&path, &query).await?,
        false => api.patch_where(&path, &query, &Value::Object(body)).await?,
    };
    output::one(format, &POLICY, &policy)
}

fn rules(
    default: Option<&str>,
    longest: Option<&str>,
    (extensions, options): (Option<&[String]>, Option<&[String]>),
) -> Result<Map<String, Value>, Failure> {
    let mut rules = Map::new();
    for (name, length) in [("default_seconds", default), ("longest_seconds", longest)] {
        if let Some(length) = length {
            rules.insert(name.into(), json!(seconds(length)?));
        }
    }
    for (name, given) in [("extensions", extensions), ("critical_options", options)] {
        if let Some(given) = given {
            let pairs = given.iter().filter(|text| !text.is_empty()).map(|text| {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                (name.to_owned(), json!(value))
            });
            rules.insert(name.into(), Value::Object(pairs.collect()));
        }
    }
    Ok(rules)
}

async fn krl(api: &Api, format: Format, args: &KrlArgs) -> Result<(), Failure> {
    let list = api.get(&["ca", "krl"], &args.team.query()).await?;
    if let Some(out) = &args.out {
        let bytes = STANDARD.decode(plain(&list["krl"])).unwrap_or_default();
        // A file that is empty or cut short would let everybody in who was put out.
        if !bytes.starts_with(b"SSHKRL\n\0") {
            return Err(Failure::plain(
                "the server's answer has no list in it; nothing was written",
            ));
        }
        replace(out, &bytes)?;
        if let Some(file) = &args.signature {
            replace(file, plain(&list["signature"]).as_bytes())?;
        }
    }
    output::one(format, &KRL, &list)
}

/// Puts a file in the place of another one as a whole: whoever reads it finds one or the other.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::new(
            Code::Failure,
            format!("{} cannot be written: {error}", path.display()),
        )
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| {
        // What could not be finished is nobody's.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

fn seconds(length: &str) -> Result<i64, Failure> {
    Ok(time::duration(length).map_err(Failure::usage)?.as_secs())
}

/// A word of the command line, which the API knows too.
fn word(value: &impl ValueEnum) -> String {
    let possible = value.to_possible_value();
    possible
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

fn lines(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(plain).collect()
}

fn keys(ca: &Value) -> Vec<String> {
    let keys = ca["keys"].as_array().into_iter().flatten();
    let described = keys.map(|key| {
        let when = match (&key["activates_at"], &key["trusted_until"]) {
            (Value::String(at), _) => format!(", signs {}", time::relative(at, time::now())),
            (_, Value::String(at)) => format!(", trusted until {at} at least"),
            _ => String::new(),
        };
        let token = if key["in_token"] == true {
            ", in a token"
        } else {
            ""
        };
        format!(
            "{} {} ({}{token}{when}) {}",
            plain(&key["purpose"]),
            plain(&key["state"]),
            plain(&key["key_type"]),
            plain(&key["fingerprint"])
        )
    });
    described.collect()
}

fn lifetimes(rules: &Value) -> String {
    format!(
        "{} ({} to {})",
        length(&rules["default_seconds"]),
        length(&rules["shortest_seconds"]),
        length(&rules["longest_seconds"])
    )
}

fn length(seconds: &Value) -> String {
    let seconds = seconds.as_u64().unwrap_or_default();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let whole = units
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

fn named(options: &Value) -> String {
    let options = options.as_object().into_iter().flatten();
    let named = options.map(|(name, value)| match plain(value).as_str() {
        "" => name.clone(),
        value => format!("{name}={value}"),
    });
    let named: Vec<String> = named.collect();
    match named.is_empty() {
        true => "none".to_owned(),
        false => named.join(", "),
    }
}
