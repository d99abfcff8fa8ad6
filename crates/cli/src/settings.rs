//! The server's settings as flags, and the log that two of them are about.

use crate::{Global, environment, failure::Failure};
use clap::{Arg, ArgMatches, Command, FromArgMatches, value_parser};
use portreeve_server::config::{self, Origin, SETTINGS, Setting, Values};
use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// Flags made from the list of settings, and the configuration file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    values: BTreeMap<&'static str, String>,
    config: Option<PathBuf>,
}

impl Flags {
    /// Flags of a command that has but a few of them.
    pub(crate) fn few(given: &[(&'static str, Option<String>)], config: Option<PathBuf>) -> Self {
        let given = given.iter().cloned();
        Self {
            values: given
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            config,
        }
    }
}

/// `--data` is a flag of every command already.
fn own() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.name != "data")
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Configuration file (TOML); variables and flags go before it [env: PORTREEVE_CONFIG]");
        own().fold(command.arg(config), |command, setting| {
            let Setting {
                name,
                env,
                value,
                help,
                default,
            } = setting;
            let help = format!("{help} [env: {env}] [default: {default}]");
            command.arg(Arg::new(*name).long(*name).value_name(*value).help(help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = own().filter_map(|setting| {
            let value = matches.get_one::<String>(setting.name)?;
            Some((setting.name, value.clone()))
        });
        Ok(Self {
            values: given.collect(),
            config: matches.get_one::<PathBuf>("config").cloned(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Every setting that has a value; `data` always has one, as an absolute path.
pub(crate) fn gather(global: &Global, flags: &Flags) -> Result<Values, Failure> {
    let mut given = flags.values.clone();
    if let Some(data) = &global.data {
        given.insert("data", data.display().to_string());
    }
    let path = flags
        .config
        .clone()
        .or_else(|| environment::var("PORTREEVE_CONFIG").map(PathBuf::from));
    let file = match &path {
        None => None,
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!(
                    "the configuration file {} cannot be read: {error}",
                    path.display()
                ))
            })?;
            Some((path.as_path(), text))
        }
    };
    let file = file.as_ref().map(|(path, text)| (*path, text.as_str()));
    let mut values = config::gather(&given, environment::var, file).map_err(Failure::usage)?;
    let (data, origin) = match values.remove("data") {
        Some((data, origin)) => (PathBuf::from(data), origin),
        None => (environment::default_data()?, Origin::Default),
    };
    let data = std::path::absolute(&data).unwrap_or(data);
    values.insert("data", (data.display().to_string(), origin));
    Ok(values)
}

/// Starts the log on standard error.
pub(crate) fn start_log(values: &Values) -> Result<(), Failure> {
    let value = |name| values.get(name).map(|(value, _)| value.as_str());
    let filter = value("log").unwrap_or("info");
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("log is \"{filter}\": {error}; say error, warn, info or debug, or a filter such as portreeve_server=debug"))
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_target(false)
        // Where a line cannot be written, there is no use in a panic for it, which is what saying so there would be.
        .log_internal_errors(false)
        .with_ansi(stderr().is_terminal());
    match value("log-format").unwrap_or("text") {
        "text" => log.init(),
        "json" => log.json().flatten_event(true).init(),
        other => {
            return Err(Failure::usage(format!(
                "log-format is \"{other}\": say text or json"
            )));
        }
    }
    Ok(())
}
