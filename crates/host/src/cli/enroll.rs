//! `portreeve-host enroll`.

use super::Global;
use super::failure::{Code, Failure};
use super::machine::Machine;
use super::output::{say, show};
use super::units;
use clap::ValueEnum;
use portreeve_host::config::Backend;
use portreeve_host::enroll::{self, Ticket, Wanted};
use portreeve_host::facts;
use portreeve_host::setup::{self, Outcome, Step};
use portreeve_host::world::World;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Enrolment token, as an admin was shown it
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PORTREEVE_HOST_TOKEN",
        hide_env_values = true,
        conflicts_with_all = ["token_file", "server"]
    )]
    token: Option<String>,
    /// File with the token
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    token_file: Option<PathBuf>,
    /// Address of the server, which knows this machine's host key; no token is needed then
    #[arg(long, value_name = "URL", requires = "fingerprint")]
    server: Option<String>,
    /// Fingerprint of the server's root, in hexadecimal digits
    #[arg(long, value_name = "SHA256", requires = "server")]
    fingerprint: Option<String>,
    /// Name of the host [default: the name of this machine]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Another name by which people reach it; may be given several times
    #[arg(long = "hostname", value_name = "NAME")]
    hostnames: Vec<String>,
    /// Tag of the host, such as role=web; may be given several times. Those of the token come before it
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Other hosts are reached through this one
    #[arg(long, conflicts_with = "bastion")]
    is_bastion: bool,
    /// Host through which this one is reached
    #[arg(long, value_name = "NAME")]
    bastion: Option<String>,
    /// Take the place of a host that is enrolled under this name, where the token allows it
    #[arg(long)]
    replace: bool,
    /// How accounts are made known to the system: by records that nss-systemd reads, or by a module of our own
    #[arg(long, value_enum, default_value_t)]
    backend: Way,
    /// Private key that sshd shows
    #[arg(long, value_name = "FILE", default_value = facts::HOST_KEY)]
    host_key: String,
    /// Enrol, and start nothing
    #[arg(long)]
    no_start: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Way {
    /// Records, where systemd is new enough to read them
    #[default]
    Auto,
    Userdb,
    Nss,
}

#[derive(Serialize)]
struct Enrolled<'a> {
    host: &'a portreeve_host::config::Host,
    team: &'a str,
    backend: Backend,
    files: &'a [Step],
    started: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let paths = global.paths();
    if paths.is_live() && !rustix::process::geteuid().is_root() {
        return Err(
            Failure::new(Code::Forbidden, "only root can enroll this machine")
                .hint("run it with sudo"),
        );
    }
    let now = Machine::new().now();
    let backend = match args.backend {
        Way::Auto => setup::best_backend(&paths),
        Way::Userdb => Backend::Userdb,
        Way::Nss => Backend::Nss,
    };
    let wanted = Wanted {
        ticket: args.ticket()?,
        name: args.name.clone().unwrap_or_else(facts::name),
        hostnames: args.hostnames.clone(),
        tags: args.tags.iter().cloned().collect::<BTreeMap<_, _>>(),
        is_bastion: args.is_bastion,
        bastion: args.bastion.clone(),
        replace: args.replace,
        backend,
        host_key: args.host_key.clone(),
    };
    let config = enroll::enroll(&paths, &wanted, now)?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let steps = setup::install(&config, &paths, &*global.sshd(), seconds).map_err(|fault| {
        Failure::from(fault).hint(
            "the host is enrolled, but this machine lets nobody in yet; when that is mended: portreeve-host enroll --replace …, or portreeve-host leave",
        )
    })?;
    let is_started = !args.no_start && units::start(&paths)?;
    let enrolled = Enrolled {
        host: &config.host,
        team: &config.team,
        backend,
        files: &steps,
        started: is_started,
    };
    show(global.output, &enrolled, &rows(&steps))?;
    let next = match is_started {
        true => "see how it stands: portreeve-host status; look for trouble: portreeve-host doctor",
        false => "start it: portreeve-host run",
    };
    say(
        global.output,
        &format!("this machine is the host {} now; {next}", config.host.name),
    );
    Ok(())
}

impl Args {
    fn ticket(&self) -> Result<Ticket, Failure> {
        if let (Some(url), Some(root)) = (&self.server, &self.fingerprint) {
            return Ok(Ticket {
                url: url.clone(),
                root: root.clone(),
                secret: None,
            });
        }
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => fs::read_to_string(file)
                .map_err(|error| Failure::plain(format!("{}: {error}", file.display())))?,
            (None, None) => {
                return Err(Failure::new(Code::Usage, "a token is needed").hint(
                    "an admin makes one with: portreeve host token create; a host whose key the server knows enrolls with --server URL --fingerprint SHA256",
                ));
            }
        };
        Ok(Ticket::from_token(&token)?)
    }
}

fn rows(steps: &[Step]) -> Vec<Vec<String>> {
    let said = |outcome| match outcome {
        Outcome::Changed => "changed",
        Outcome::Unchanged => "as it was",
        Outcome::NotNeeded => "not needed",
    };
    let row = |step: &Step| vec![step.path.clone(), said(step.outcome).to_owned()];
    steps.iter().map(row).collect()
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("a tag is a key and a value, such as role=web".to_owned()),
    }
}
